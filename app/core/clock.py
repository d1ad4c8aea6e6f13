from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The one place the time comes from, always with its zone."""
    return datetime.now(UTC)


def clock_in(zone: str, moment: datetime) -> str:
    """What calendar and clock show then in an IANA time zone, for people: `2026-03-14 18:30`."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def day_in(zone: str, moment: datetime) -> date:
    """The calendar day of `moment` in an IANA time zone such as `Asia/Almaty`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def moment_in(zone: str, day: date, clock: time = time()) -> datetime:
    """The moment in UTC at which calendar and clock show this there; the beginning of the day without a clock."""
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)

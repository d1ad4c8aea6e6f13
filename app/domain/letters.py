"""Letters to an authority or a bank, and its answers: each is of the day that stands on it, and may be entered late."""

from datetime import date, timedelta

from app.domain.errors import Fault

OLDEST = timedelta(days=366)
"""What is said to be older has the wrong year."""


def sent_faults(sent_on: date, today: date, pointer: str) -> list[Fault]:
    if sent_on > today:
        return [Fault("in_future", pointer)]
    if sent_on < today - OLDEST:
        return [Fault("long_past", pointer, {"days": OLDEST.days})]
    return []


def answered_faults(answered_on: date, sent_on: date, today: date, pointer: str) -> list[Fault]:
    is_in_order = sent_on <= answered_on <= today
    return [] if is_in_order else [Fault("answer_day", pointer, {"sent_on": sent_on.isoformat()})]

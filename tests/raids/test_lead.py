"""What a volunteer may do on the raid that they lead, and on no other."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.attendance import code_at, is_code, metres_between
from app.domain.permissions import Role
from app.models.assignments import Assignment
from app.models.raids import Raid
from tests.city import IN_WEST, TestCity, raid_plan, removal


async def led_raid(city: TestCity, **changes):
    """Published, with its lead and one more on the crew."""
    lead, phone = await city.volunteer(given_name="Lead")
    member, other = await city.volunteer()
    raid = await city.open_raid(lead_id=str(lead.id), **changes)
    assert (await other.post(f"/raids/{raid['id']}/sign-up")).status_code == 201
    return raid["id"], phone, member, other


async def test_the_lead_is_one_of_the_crew(city: TestCity):
    raid_id, phone, *_ = await led_raid(city)
    assert (await phone.get(f"/raids/{raid_id}/place")).json()["status"] == "accepted"
    assert (await city.one(Raid, raid_id)).places_taken == 2
    await phone.post(f"/raids/{raid_id}/withdraw")
    assert (await phone.get(f"/raids/{raid_id}")).json()["lead_id"] is None


async def test_a_lead_must_be_free_then(city: TestCity):
    lead, _ = await city.volunteer()
    await city.open_raid(lead_id=str(lead.id))
    refused = await (await city.as_(Role.COORDINATOR)).post("/raids", json=raid_plan(lead_id=str(lead.id)))
    assert [fault["code"] for fault in refused.json()["errors"]] == ["overlaps"]
    assert await city.count(Raid) == 1


async def test_a_lead_takes_the_raid_from_the_roll_call_to_the_end(city: TestCity):
    raid_id, phone, member, _ = await led_raid(city)
    roll = (await phone.get(f"/raids/{raid_id}/roll")).json()["items"]
    assert len(roll) == 2
    assert "phone" not in roll[0]
    lead_id = next(row["volunteer_id"] for row in roll if row["given_name"] == "Lead")
    called = {"present": [lead_id], "absent": [str(member.id)]}

    started = await phone.post(f"/raids/{raid_id}/start", json=called)
    await phone.post(f"/raids/{raid_id}/removals", json=removal())
    finished = await phone.post(f"/raids/{raid_id}/finish")

    assert (started.json()["status"], finished.json()["status"]) == ("under_way", "done")
    assert sorted(row.status for row in await city.rows(Assignment)) == ["absent", "attended"]


async def test_nobody_else_of_the_crew_may(city: TestCity):
    raid_id, _, member, other = await led_raid(city)
    for path, body in (("start", None), ("finish", None), ("removals", removal()), ("roll-call", {})):
        refused = await other.post(f"/raids/{raid_id}/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_lead"), path
    assert (await other.post(f"/raids/{raid_id}/crew/{member.id}/check-in")).status_code == 403
    assert (await other.get(f"/raids/{raid_id}/code")).status_code == 404
    assert (await other.get(f"/raids/{raid_id}/roll")).status_code == 404


async def test_a_roll_call_names_people_of_the_raid_and_each_once(city: TestCity):
    raid_id, phone, member, _ = await led_raid(city)
    stranger, _ = await city.volunteer()
    for called, code in (
        ({"present": [str(stranger.id)]}, "not_on_raid"),
        ({"present": [str(member.id)], "absent": [str(member.id)]}, "twice"),
    ):
        refused = await phone.post(f"/raids/{raid_id}/start", json=called)
        assert [fault["code"] for fault in refused.json()["errors"]] == [code]
    assert (await city.one(Raid, raid_id)).status == "open"


async def test_a_volunteer_checks_in_and_out_with_the_leads_code(city: TestCity):
    raid_id, phone, _, other = await led_raid(city)
    code = (await phone.get(f"/raids/{raid_id}/code")).json()["code"]
    here = {"code": code, "point": {**IN_WEST, "latitude": IN_WEST["latitude"] + 0.0026}}

    checked_in = await other.post(f"/raids/{raid_id}/check-in", json=here)
    checked_out = await other.post(f"/raids/{raid_id}/check-out", json=here)

    assert checked_in.json()["status"] == "present"
    assert (checked_out.json()["status"], checked_out.json()["minutes"]) == ("attended", 0)


async def test_a_wrong_code_a_place_too_far_off_and_a_time_outside_are_named_at_once(city: TestCity):
    later = datetime.now(UTC) + timedelta(hours=2)
    times = {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=1)).isoformat()}
    raid_id, phone, _, other = await led_raid(city, **times)
    code = (await phone.get(f"/raids/{raid_id}/code")).json()["code"]
    wrong = {"code": f"{(int(code) + 1) % 10**6:06}", "point": {**IN_WEST, "latitude": IN_WEST["latitude"] + 0.0028}}
    refused = await other.post(f"/raids/{raid_id}/check-in", json=wrong)
    assert [fault["code"] for fault in refused.json()["errors"]] == ["wrong_code", "too_far", "outside_check_in"]


async def test_the_code_is_not_found_by_guessing(city: TestCity):
    raid_id, phone, _, other = await led_raid(city)
    code = (await phone.get(f"/raids/{raid_id}/code")).json()["code"]
    right = {"code": code, "point": IN_WEST}
    wrong = {**right, "code": f"{(int(code) + 1) % 10**6:06}"}

    guesses = await asyncio.gather(*(other.post(f"/raids/{raid_id}/check-in", json=wrong) for _ in range(7)))
    refused = await other.post(f"/raids/{raid_id}/check-in", json=right)

    assert sorted(guess.status_code for guess in guesses) == [422] * 5 + [429] * 2
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 12
    assert (await phone.post(f"/raids/{raid_id}/check-in", json=right)).status_code == 200


async def test_hours_are_counted_in_whole_minutes_when_the_raid_finishes(city: TestCity):
    raid_id, phone, member, _ = await led_raid(city)
    await phone.post(f"/raids/{raid_id}/start", json={"present": [str(member.id)]})
    (present,) = [row for row in await city.rows(Assignment) if row.volunteer_id == member.id]
    async with city.database.transaction() as session:
        row = await session.get(Assignment, (city.id, present.id))
        row.checked_in_at -= timedelta(minutes=90, seconds=59)
    await phone.post(f"/raids/{raid_id}/removals", json=removal())
    await phone.post(f"/raids/{raid_id}/finish")
    assert (await city.totals())["volunteer_minutes"]["total"] == 90


@pytest.mark.parametrize(("later_s", "is_good"), [(0, True), (60, True), (-60, True), (120, False), (-120, False)])
def test_a_code_is_good_for_its_minute_and_one_either_side(later_s: int, *, is_good: bool):
    now = datetime(2026, 6, 6, 12, 0, 30, tzinfo=UTC)
    raid_id = Raid(city_id="a", title="", starts_at=now, ends_at=now, meeting_point="", capacity=1).id
    code = code_at(b"secret", raid_id, now)
    assert is_code(b"secret", raid_id, now + timedelta(seconds=later_s), code) is is_good


def test_metres_between_two_points_of_almaty():
    assert metres_between(43.238, 76.945, 43.2407, 76.945) == pytest.approx(300.2, abs=1)
    assert metres_between(43.238, 76.945, 43.238, 76.945) == 0

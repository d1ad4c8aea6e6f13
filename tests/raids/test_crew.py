import asyncio
from datetime import UTC, date, datetime, timedelta

from app.domain.permissions import Role
from app.models.assignments import Assignment
from app.models.volunteers import Consent
from tests.city import TestCity


async def test_a_volunteer_takes_a_place_and_gives_it_back(city: TestCity):
    raid = await city.open_raid()
    volunteer, client = await city.volunteer()

    taken = await client.post(f"/raids/{raid['id']}/sign-up")
    assert (taken.status_code, taken.json()["status"]) == (201, "accepted")
    assert taken.json()["volunteer_id"] == str(volunteer.id)
    assert (await client.get(f"/raids/{raid['id']}")).json()["places_taken"] == 1

    given_back = await client.post(f"/raids/{raid['id']}/withdraw")
    assert given_back.json()["status"] == "withdrawn"
    assert (await client.get(f"/raids/{raid['id']}")).json()["places_taken"] == 0

    again = await client.post(f"/raids/{raid['id']}/sign-up")
    assert again.json()["id"] == taken.json()["id"]
    assert await city.count(Assignment) == 1


async def test_nobody_signs_up_twice(city: TestCity):
    raid = await city.open_raid()
    _, client = await city.volunteer()
    await client.post(f"/raids/{raid['id']}/sign-up")
    assert (await client.post(f"/raids/{raid['id']}/sign-up")).json()["code"] == "already_on_raid"


async def test_a_refusal_names_every_reason(city: TestCity):
    raid = await city.open_raid()
    _, client = await city.volunteer(programmes=["online"], birth_on=date(2011, 1, 1))
    refused = await client.post(f"/raids/{raid['id']}/sign-up", headers={"Accept-Language": "ru"})
    codes = {fault["code"] for fault in refused.json()["errors"]}
    assert refused.status_code == 409
    assert codes >= {"not_in_programme", "no_guardian_consent"}
    assert all(any("а" <= letter <= "я" for letter in fault["detail"]) for fault in refused.json()["errors"])


async def test_a_minor_goes_with_the_guardians_latest_word(city: TestCity):
    morning = datetime.now(UTC).replace(hour=5, minute=0) + timedelta(days=1)
    raid = await city.open_raid(starts_at=morning.isoformat(), ends_at=(morning + timedelta(hours=2)).isoformat())
    volunteer, client = await city.volunteer(birth_on=date(2010, 1, 1))
    word = {
        "city_id": city.id,
        "volunteer_id": volunteer.id,
        "purpose": "participation",
        "text_version": "1",
        "language": "kk",
        "given_by": "guardian",
    }
    await city.add(Consent(**word, is_given=True))
    assert (await client.post(f"/raids/{raid['id']}/sign-up")).status_code == 201
    await client.post(f"/raids/{raid['id']}/withdraw")
    await city.add(Consent(**word, is_given=False))
    refused = await client.post(f"/raids/{raid['id']}/sign-up")
    assert [fault["code"] for fault in refused.json()["errors"]] == ["no_guardian_consent"]


async def test_who_has_no_volunteers_file_cannot_sign_up(city: TestCity):
    raid = await city.open_raid()
    without_file = await city.as_(Role.VOLUNTEER)
    assert (await without_file.post(f"/raids/{raid['id']}/sign-up")).status_code == 404


async def test_the_crew_is_listed_for_the_coordinator_with_phones_and_no_birth_dates(city: TestCity):
    raid = await city.open_raid()
    volunteer, client = await city.volunteer()
    await client.post(f"/raids/{raid['id']}/sign-up")
    crew = await (await city.as_(Role.COORDINATOR)).get(f"/raids/{raid['id']}/crew")
    assert [member["phone"] for member in crew.json()["items"]] == [volunteer.phone]
    assert "birth" not in crew.text
    assert (await client.get(f"/raids/{raid['id']}/crew")).status_code == 403


async def test_one_volunteer_is_never_on_two_raids_at_a_time(city: TestCity):
    raids = [await city.open_raid() for _ in range(4)]
    _, client = await city.volunteer()

    answers = await asyncio.gather(*(client.post(f"/raids/{raid['id']}/sign-up") for raid in raids))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await city.count(Assignment) == 1

from datetime import UTC, datetime

from app.domain.calendars import escaped, folded
from app.domain.permissions import Role
from tests.city import Client, TestCity


async def feed(city: TestCity, client: Client) -> str:
    path = (await client.post("/calendars/secret")).json()["path"]
    answer = await city.anonymous.get(f"http://test{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    return answer.text


async def test_a_volunteer_has_their_own_raids_and_a_coordinator_all(city: TestCity):
    mine, other = await city.open_raid(title="Mine"), await city.open_raid(title="Other")
    _, client = await city.volunteer(given_name="Secretive")
    assert "BEGIN:VEVENT" not in await feed(city, client)
    await client.post(f"/raids/{mine['id']}/sign-up")

    own, all_of_them = await feed(city, client), await feed(city, await city.as_(Role.COORDINATOR))

    assert (own.count("BEGIN:VEVENT"), all_of_them.count("BEGIN:VEVENT")) == (1, 2)
    assert f"UID:{mine['id']}@narkostop" in own
    assert other["id"] not in own
    assert "Secretive" not in own + all_of_them


async def test_an_event_is_in_utc_and_a_cancelled_raid_says_so(city: TestCity):
    raid = await city.open_raid(meeting_point="Abay metro, exit 2; south")
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid['id']}/cancel", json={"reason": "Rain"})
    text = await feed(city, coordinator)
    starts_at = datetime.fromisoformat(raid["starts_at"]).astimezone(UTC)
    assert f"DTSTART:{starts_at:%Y%m%dT%H%M%SZ}\r\n" in text
    assert "LOCATION:Abay metro\\, exit 2\\; south\r\n" in text
    assert "STATUS:CANCELLED\r\n" in text


async def test_a_new_address_ends_the_earlier_one(city: TestCity):
    _, client = await city.volunteer()
    first, second = [(await client.post("/calendars/secret")).json()["path"] for _ in range(2)]
    assert (await city.anonymous.get(f"http://test{first}")).status_code == 404
    assert (await city.anonymous.get(f"http://test{second}")).status_code == 200


def test_long_lines_are_folded_at_75_octets_and_not_within_a_letter():
    line = "SUMMARY:" + "қ" * 100
    parts = folded(line).split("\r\n")
    assert all(len(part.encode()) <= 75 for part in parts)
    assert "".join([parts[0], *(part[1:] for part in parts[1:])]) == line


def test_text_is_escaped():
    assert escaped("a\\b;c,d\ne") == "a\\\\b\\;c\\,d\\ne"

"""What a phone reported while it was offline, sent at once."""

import asyncio
from uuid import uuid4

import httpx

from app.domain.permissions import Role
from app.models.spots import Sighting, Spot
from tests.city import IN_EAST, IN_WEST, OUTSIDE, TestCity
from tests.spots.walls import north_of, of_batch


async def send(city: TestCity, *items: object, headers: dict[str, str] | None = None) -> httpx.Response:
    return await (await city.as_(Role.COORDINATOR)).post(
        "/sightings/batch", json={"items": items}, headers=headers or {}
    )


def outcomes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["outcome"] for item in answer.json()["items"]]


async def test_bad_items_do_not_lose_the_good_ones_and_say_what_is_wrong(city: TestCity):
    items = [
        of_batch(),
        of_batch(point=OUTSIDE),
        of_batch(kind="mural", colour="red"),
        7,
        of_batch(point=IN_EAST),
        {key: value for key, value in of_batch().items() if key != "id"},
    ]
    answer = await send(city, *items)

    assert outcomes(answer) == ["made", "refused", "refused", "refused", "made", "refused"]
    assert [{(e["code"], e["pointer"]) for e in item["errors"]} for item in answer.json()["items"]] == [
        set(),
        {("point_outside", "/body/items/1/point")},
        {("not_listed", "/body/items/2/kind"), ("unknown", "/body/items/2/colour")},
        {("wrong_type", "/body/items/3")},
        set(),
        {("missing", "/body/items/5/id")},
    ]
    assert {str(seen.id) for seen in await city.rows(Sighting)} == {items[0]["id"], items[4]["id"]}


async def test_items_of_one_wall_join_within_the_batch(city: TestCity):
    answer = await send(city, *(of_batch(point=north_of(IN_WEST, metres)) for metres in range(5)))
    assert len({item["spot_id"] for item in answer.json()["items"]}) == 1
    (spot,) = await city.rows(Spot)
    assert spot.sightings == 5


async def test_sent_twice_it_is_stored_once_and_the_second_answer_says_so(city: TestCity):
    items = [of_batch(), of_batch(point=IN_EAST)]
    first, again = await send(city, *items), await send(city, *items, of_batch())
    assert outcomes(again) == ["known", "known", "made"]
    assert [item["spot_id"] for item in first.json()["items"]] == [i["spot_id"] for i in again.json()["items"]][:2]
    assert await city.count(Sighting) == 3


async def test_sent_twice_at_once_it_is_stored_once(city: TestCity):
    await city.as_(Role.COORDINATOR)
    items = [of_batch(point=north_of(IN_WEST, metres * 100)) for metres in range(10)]
    answers = await asyncio.gather(send(city, *items), send(city, *reversed(items)), send(city, *items))
    assert sorted(outcome for answer in answers for outcome in outcomes(answer)) == ["known"] * 20 + ["made"] * 10
    assert await city.count(Sighting) == await city.count(Spot) == 10


async def test_somebody_else_s_id_is_not_taken_over(city: TestCity):
    mine = of_batch()
    await send(city, mine)
    _, volunteer = await city.volunteer()
    answer = await volunteer.post("/sightings/batch", json={"items": [mine]})
    assert [item["errors"][0]["code"] for item in answer.json()["items"]] == ["id_taken"]
    assert answer.json()["items"][0]["spot_id"] is None


async def test_a_batch_has_1_to_100_items(city: TestCity):
    for count in (0, 101):
        refused = await send(city, *(of_batch() for _ in range(count)))
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/body/items"]
    assert await city.count(Sighting) == 0
    assert outcomes(await send(city, *(of_batch() for _ in range(100)))) == ["made"] * 100


async def test_faults_are_in_the_language_of_the_phone(city: TestCity):
    answer = await send(city, of_batch(point=OUTSIDE), headers={"Accept-Language": "ru"})
    assert "км" in answer.json()["items"][0]["errors"][0]["detail"]


async def test_an_idempotency_key_keeps_the_whole_answer(city: TestCity):
    items, headers = [of_batch()], {"Idempotency-Key": str(uuid4())}
    first, again = await send(city, *items, headers=headers), await send(city, *items, headers=headers)
    assert first.json() == again.json()

"""Whatever was written, corrected, taken late or rolled up: every count is the sum of the entries that are meant."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import hypothesis.strategies as st
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings

from app.domain.metrics import LEVELS, Metric, Origin
from app.domain.permissions import Role
from app.domain.tallies import FIRST_DAY, LAST_DAY, WHOLE_CITY, Period
from app.jobs import rolling_up
from app.services import reconciling, sums
from app.services.sums import Count, Question
from tests.city import TestCity, found_city, settled
from tests.metrics.histories import DAYS, HISTORIES, HOURS, METRICS, START, Fact, moment, write


@dataclass(frozen=True)
class Asked:
    metric: Metric
    first: date
    last: date
    district_id: str | None
    as_of: datetime | None
    by_district: bool = False

    def of(self, fact: Fact) -> bool:
        return (
            fact.metric is self.metric
            and self.first <= fact.occurred_on <= self.last
            and self.district_id in {None, fact.district_id}
            and (self.as_of is None or fact.recorded_at <= self.as_of)
        )


ASKED = st.builds(
    Asked,
    metric=METRICS,
    first=st.one_of(st.just(FIRST_DAY), DAYS),
    last=st.one_of(st.just(LAST_DAY), DAYS),
    district_id=st.sampled_from(["west", "east", None]),
    as_of=st.one_of(st.none(), HOURS.map(moment)),
    by_district=st.booleans(),
)


def naive(facts: list[Fact], asked: Asked) -> tuple[int, int]:
    meant = [fact for fact in facts if asked.of(fact)]
    return tuple(sum(fact.amount for fact in meant if fact.origin is origin) for origin in Origin)


async def answered(city: TestCity, asked: Asked) -> tuple[int, int]:
    periods = [Period("asked", asked.first, asked.last)]
    question = Question(periods, asked.district_id, by_district=asked.by_district, as_of=asked.as_of)
    found = await sums.of_city(city.database, None, city.id, question)
    if asked.by_district and asked.district_id is None:
        # Sums by district add up to the total.
        districts = [found.count(asked.metric, "asked", area) for area in found.areas if area != WHOLE_CITY]
        assert sum(districts, Count()) == found.count(asked.metric, "asked")
    count = found.count(asked.metric, "asked", asked.district_id or WHOLE_CITY)
    return count.recorded, count.declared


async def differences(city: TestCity) -> list[reconciling.Difference]:
    async with city.database.transaction() as session:
        return await reconciling.differences(session, city.id)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, questions=st.lists(ASKED, min_size=3, max_size=12))
async def test_every_sum_is_that_of_its_entries(app: FastAPI, history: list[Fact | int | str], questions: list[Asked]):
    async with found_city(app) as city:
        facts = await write(city, history)
        for asked in questions:
            assert await answered(city, asked) == naive(facts, asked), asked
        standing = await sums.standing_of(city.database, None, city.id)
        assert standing.revision == len(facts)
        assert await differences(city) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, asked=ASKED)
async def test_the_api_says_what_the_entries_say(app: FastAPI, history: list[Fact | int | str], asked: Asked):
    async with found_city(app) as city:
        facts = await write(city, history)
        query = {"from": asked.first, "to": asked.last, "district": asked.district_id, "as_of": asked.as_of}
        query["by_district"] = "true" if asked.by_district else None
        given_ = {
            name: value.isoformat() if not isinstance(value, str) else value for name, value in query.items() if value
        }
        answer = await (await city.as_(Role.ANALYST)).get("/metrics", params=given_)
        if asked.last < asked.first:
            assert answer.status_code == 422
            return
        counted = {item["metric"]: (item["recorded"], item["declared"]) for item in answer.json()["metrics"]}
        for metric in Metric:
            # A level is what it has come to, whenever that began.
            first = FIRST_DAY if metric in LEVELS else asked.first
            meant = Asked(metric, first, asked.last, asked.district_id, asked.as_of)
            assert counted[metric] == naive(facts, meant), metric


async def test_what_is_being_written_is_counted_once_it_is_there_and_never_twice(city: TestCity):
    """Four writers and two who roll up without rest; a transaction that began first commits last."""
    slow = Fact(Metric.SIGHTINGS, Origin.RECORDED, 1_000, date(2026, 3, 1), "west", START)
    done = asyncio.Event()

    async def roll_up() -> None:
        while not done.is_set():
            await rolling_up.once(city.database, entries_a_page=7)
            await asyncio.sleep(0.005)

    async def write_some(amount: int) -> None:
        for _ in range(25):
            await city.add(
                Fact(Metric.SIGHTINGS, Origin.RECORDED, amount, date(2026, 3, 1), "west", START).entry(city.id)
            )

    rolling = [asyncio.create_task(roll_up()) for _ in range(2)]
    async with city.database.transaction() as session:
        session.add(slow.entry(city.id))
        await session.flush()
        await asyncio.gather(*(write_some(amount) for amount in (1, 2, 3, 4)))
        assert (await city.totals())["sightings"]["total"] == 250
    assert (await city.totals())["sightings"]["total"] == 1_250
    await asyncio.sleep(0.05)
    done.set()
    await asyncio.gather(*rolling)
    await rolling_up.once(city.database, in_turn=True)
    assert (await city.totals())["sightings"]["total"] == 1_250
    assert await differences(city) == []


def tampered() -> Iterator[str]:
    yield "UPDATE tally SET sightings_recorded = 6 WHERE city_id = $1 AND area = '*' AND span = 'ever'"
    yield "DELETE FROM tally WHERE city_id = $1 AND area = '*' AND span = 'ever'"
    yield """
        INSERT INTO tally (city_id, area, span, starts_on, page, sightings_recorded)
        VALUES ($1, '*', 'ever', '2000-01-01', '2099-01-01', 6)
    """


async def test_a_sum_that_is_wrong_is_found(city: TestCity):
    for statement in tampered():
        await city.add(Fact(Metric.SIGHTINGS, Origin.RECORDED, 5, date(2026, 3, 1), None, START).entry(city.id))
        await settled(city)
        await rolling_up.once(city.database, in_turn=True)
        assert await differences(city) == []
        connection = await city.connect()
        await connection.execute(statement, city.id)
        await connection.close()
        (found,) = await differences(city)
        assert (found.area, found.span, found.count) == ("*", "ever", "sightings_recorded")
        assert found.kept != found.counted
        await start_again(city)


async def start_again(city: TestCity) -> None:
    await settled(city)
    connection = await city.connect()
    await connection.execute("UPDATE tally_state SET server = 'another' WHERE city_id = $1", city.id)
    await connection.close()
    await rolling_up.once(city.database, in_turn=True)


async def test_after_a_restore_the_tally_is_made_anew(city: TestCity):
    await city.add(
        *(Fact(Metric.SIGHTINGS, Origin.RECORDED, 5, date(2026, 3, 1), None, START).entry(city.id) for _ in range(3))
    )
    await rolling_up.once(city.database, in_turn=True)
    connection = await city.connect()
    # As on a server whose transactions have got less far than those of the one before.
    await connection.execute(
        "UPDATE tally_state SET server = 'another', horizon = '9000000000' WHERE city_id = $1", city.id
    )
    await connection.execute("UPDATE tally SET sightings_recorded = 1 WHERE city_id = $1", city.id)
    await connection.close()

    await rolling_up.once(city.database, in_turn=True)

    assert (await city.totals())["sightings"]["total"] == 15
    assert await differences(city) == []

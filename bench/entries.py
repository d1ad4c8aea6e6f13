"""Ledgers of any size, made up and brought in by COPY."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import TypeAlias

import asyncpg

from app.domain.metrics import Metric

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FIRST, DAYS = date(2024, 1, 1), 1_000
DECLARED = (Metric.ACTIVITIES_HELD, Metric.GRAFFITI_PAINTED, Metric.RESOURCES_REFERRED, Metric.RESOURCES_BLOCKED)
_COLUMNS = ["city_id", "id", "metric", "origin", "amount", "occurred_on", "district_id", "subject_id", "recorded_at"]
# Facts of eight districts and all metrics, in the order in which they were recorded, up to two and a half days after
# they happened; one in 50 declared.
_ENTRIES = """
    WITH given AS (SELECT $2::bigint AS size, $3::timestamptz AS start, $4::int AS days, $5::text[] AS m)
    SELECT
        $1::text, lpad(to_hex(g), 32, '0')::uuid, m[1 + g % array_length(m, 1)],
        CASE WHEN g % 50 = 0 THEN 'declared' ELSE 'recorded' END, 1 + g % 9,
        (recorded_at - make_interval(secs => g * 7919 % 100 * 2160))::date,
        'district-' || g / 24 % 8, lpad(to_hex(g), 32, '0')::uuid, recorded_at
    FROM given, generate_series(0, size - 1) AS g,
        LATERAL (SELECT start + make_interval(secs => g * days * 86400.0 / size) AS recorded_at) AS stamp
"""
# Totals of two years, as offices publish them; each is in the ledger, recorded before anything else.
_DECLARE = """
    WITH said AS (
        SELECT gen_random_uuid() AS id, metric, make_date(year, 1, 1) AS first, make_date(year, 12, 31) AS last
        FROM unnest($2::text[]) AS metric, generate_series(2024, 2025) AS year
    ), counted AS (
        INSERT INTO declared_count (city_id, id, created_at, metric, period_from, period_to, amount, precision, source,
            published_on, edition)
        SELECT $1, id, now(), metric, first, last, 1, 'exact', 'an office', last, 1 FROM said
    )
    INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, subject_id, recorded_at)
    SELECT $1, gen_random_uuid(), metric, 'declared', 1, last, id, '2023-12-31T00:00:00Z' FROM said
"""


async def fill(connection: Connection, url: str, city_id: str, size: int) -> None:
    await found(connection, city_id)
    # Right by construction: ten million foreign keys would take longer than the measurement.
    await connection.execute("SET session_replication_role = replica")
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    metrics = [metric.value for metric in Metric]
    await _copy(connection, url, city_id, size, start, DAYS, metrics)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute(_DECLARE, city_id, [metric.value for metric in DECLARED])


async def _copy(connection: Connection, url: str, *given: object) -> None:
    """Made up by one connection and stored by the other, piece by piece."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue(100)

    async def stored() -> AsyncIterator[bytes]:
        while piece := await pieces.get():
            yield piece

    storing = asyncio.create_task(
        connection.copy_to_table("ledger_entry", source=stored(), columns=_COLUMNS, timeout=3_600)
    )
    making: Connection = await asyncpg.connect(url)
    await making.copy_from_query(_ENTRIES, *given, output=pieces.put, timeout=3_600)
    await pieces.put(b"")
    await storing
    await making.close()


async def found(connection: Connection, city_id: str) -> None:
    await connection.execute(
        "INSERT INTO city (id, name_kk, name_ru, name_en, time_zone, is_demo, checked_percent, districts_version, "
        "same_spot_metres, version) VALUES ($1, '', '', '', 'Asia/Almaty', false, 10, 1, 15, 1)",
        city_id,
    )
    await connection.execute(
        "INSERT INTO district (city_id, id, name_kk, name_ru, name_en, outline, source) "
        "SELECT $1, 'district-' || number, '', '', '', '{}', '' FROM generate_series(0, 7) AS number",
        city_id,
    )

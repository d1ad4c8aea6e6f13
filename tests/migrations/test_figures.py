"""Figures that were signed before keep what their page said of overlaps: it was read from the entries each time."""

import asyncio

from alembic import command
from app.core import migrations
from tests.conftest import execute
from tests.migrations.catalogue import rows

BEFORE = "0010"
CITY = """
INSERT INTO city
    (id, name_kk, name_ru, name_en, time_zone, is_demo, districts_version, checked_percent, same_spot_metres,
    version)
VALUES ('old', 'Қ', 'Г', 'C', 'Asia/Almaty', false, 1, 10, 15, 1)
"""
ACCOUNTS = """
INSERT INTO account (id, city_id, created_at, kind, role, login, is_active, authz_version)
SELECT lpad(n::text, 32, '0')::uuid, 'old', now(), 'person', 'analyst', 'analyst-' || n, true, 1
FROM generate_series(1, 2) AS n
"""
DECLARED = """
INSERT INTO declared_count (city_id, id, created_at, metric, period_from, period_to, amount, precision, source,
    published_on, edition)
VALUES ('old', lpad('d', 32, '0')::uuid, '2026-01-01Z', 'graffiti_painted', '2025-01-01', '2025-12-31', 100, 'exact',
    'an office', '2026-01-01', 1)
"""
ENTRIES = """
INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, subject_id, recorded_at, reverses_id)
VALUES
    ('old', lpad('a', 32, '0')::uuid, 'graffiti_painted', 'declared', 100, '2025-12-31', lpad('d', 32, '0')::uuid,
        '2026-01-01Z', NULL),
    ('old', lpad('b', 32, '0')::uuid, 'graffiti_painted', 'recorded', 7, '2025-03-01', gen_random_uuid(),
        '2026-01-02Z', NULL),
    ('old', lpad('c', 32, '0')::uuid, 'graffiti_painted', 'recorded', -7, '2025-03-01', gen_random_uuid(),
        '2026-01-04Z', lpad('b', 32, '0')::uuid)
"""
FIGURES = """
INSERT INTO figure (city_id, id, created_at, version, metric, from_day, to_day, as_of, settles_at, server, title_kk,
    title_ru, title_en, status, drafted_by, value, recorded, declared, entries, digest, words, signed_by, signed_at)
SELECT 'old', gen_random_uuid(), now(), 1, 'graffiti_painted', from_day::date, NULL, as_of::timestamptz, '1', 'x', '',
    '', title, 'signed', lpad('1', 32, '0')::uuid, 7, 7, 0, 1, '', '{}', lpad('2', 32, '0')::uuid, now()
FROM (VALUES
    ('nothing recorded yet', NULL, '2026-01-01T12:00:00Z'), ('both', NULL, '2026-01-03Z'),
    ('other days', '2026-01-01', '2026-01-03Z'), ('taken back', NULL, '2026-01-05Z')
) AS made (title, from_day, as_of)
"""
DRAFT = """
INSERT INTO figure (city_id, id, created_at, version, metric, as_of, settles_at, server, title_kk, title_ru, title_en,
    status, drafted_by)
VALUES ('old', gen_random_uuid(), now(), 1, 'graffiti_painted', '2026-01-03Z', '1', 'x', '', '', 'a draft', 'draft',
    lpad('1', 32, '0')::uuid)
"""


def test_what_was_signed_before_says_whether_it_overlaps(migrated: str):
    config = migrations.config(migrated)
    command.downgrade(config, BEFORE)
    asyncio.run(execute(migrated, CITY, ACCOUNTS, DECLARED, ENTRIES, FIGURES, DRAFT))

    command.upgrade(config, "head")

    assert dict(rows(migrated, "SELECT title_en, overlap FROM figure")) == {
        "nothing recorded yet": False,
        "both": True,
        "other days": False,
        "taken back": False,
        "a draft": None,
    }
    refused = rows(migrated, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'frozen'")
    assert [row["tgenabled"] for row in refused] == [b"O"]

    command.downgrade(config, BEFORE)

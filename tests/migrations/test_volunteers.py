"""Files from before are found by their names; there is one more of them than a batch takes."""

import asyncio

from alembic import command
from app.core import migrations
from app.domain.names import name_words, sort_name
from tests.conftest import execute
from tests.migrations.catalogue import rows

CITY = """
INSERT INTO city
    (id, name_kk, name_ru, name_en, time_zone, is_demo, districts_version, checked_percent, same_spot_metres)
VALUES ('old', 'Қ', 'Г', 'C', 'Asia/Almaty', false, 1, 10, 15)
"""
VOLUNTEERS = """
INSERT INTO volunteer (city_id, id, created_at, version, status, given_name, family_name, birth_on, phone, language,
    programmes, districts, rejection_reason)
SELECT 'old', gen_random_uuid(), now(), 1, 'rejected', 'Әсем', 'Семёнова-' || n, '2000-01-01', n, 'kk', '{street}',
    '{west}', 'Could not be reached'
FROM generate_series(1, 5001) AS n
"""
FILLED = "SELECT family_name, sort_name, name_words, languages, status_reason FROM volunteer ORDER BY family_name"
TERMS = "SELECT DISTINCT term FROM volunteer_term WHERE term ~ ':' OR term ~ '^ас' ORDER BY term"


def test_names_from_before_get_their_keys_in_batches(migrated: str):
    config = migrations.config(migrated)
    command.downgrade(config, "0004")
    asyncio.run(execute(migrated, CITY, VOLUNTEERS))

    command.upgrade(config, "head")

    found = rows(migrated, FILLED)
    assert len(found) == 5001
    for family_name, key, words, languages, reason in found:
        assert (key, words) == (sort_name(family_name, "Әсем"), name_words(family_name, "Әсем"))
        assert (languages, reason) == (["kk"], "Could not be reached")
    assert [row["term"] for row in rows(migrated, TERMS)] == ["district:west", "ас", "асем"]

    command.downgrade(config, "0004")
    assert len(rows(migrated, "SELECT 1 FROM volunteer WHERE rejection_reason IS NOT NULL")) == 5001

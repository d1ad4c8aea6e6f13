"""Volunteers in full."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op
from app.domain.names import name_words, sort_name

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 5_000
# Of a word's first letters there is a row each, because they are common: equality finds those in the order of names,
# where a range would have to be sorted.
TERMS = """
CREATE FUNCTION volunteer_terms(name_words text[], districts text[], skills text[]) RETURNS SETOF text
LANGUAGE sql IMMUTABLE AS $$
    SELECT left(word, letters) COLLATE "C" FROM unnest(name_words) AS word, unnest(ARRAY[1, 2, 64]) AS letters
    UNION SELECT 'district:' || district FROM unnest(districts) AS district
    UNION SELECT 'skill:' || skill FROM unnest(skills) AS skill
$$
"""
KEEP_TERMS = """
CREATE FUNCTION keep_volunteer_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM volunteer_term WHERE city_id = NEW.city_id AND id = NEW.id;
    INSERT INTO volunteer_term (city_id, id, term, sort_name)
        SELECT NEW.city_id, NEW.id, term, NEW.sort_name
        FROM volunteer_terms(NEW.name_words, NEW.districts, NEW.skills) AS term;
    RETURN NULL;
END $$
"""
ON_VOLUNTEER = """
CREATE TRIGGER keep_terms AFTER INSERT OR UPDATE OF name_words, sort_name, districts, skills ON volunteer
FOR EACH ROW EXECUTE FUNCTION keep_volunteer_terms()
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON volunteer_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
NAMED = sa.text("""
SELECT city_id, id, family_name, given_name FROM volunteer
WHERE (city_id, id) > (:city_id, :id) ORDER BY city_id, id LIMIT :batch
""").bindparams(sa.bindparam("id", type_=sa.Uuid))
FILL = sa.text("""
UPDATE volunteer SET sort_name = key.sort_name, name_words = string_to_array(key.words, ' ')
FROM unnest(CAST(:city_ids AS text[]), CAST(:ids AS uuid[]), CAST(:sort_names AS text[]), CAST(:words AS text[]))
    AS key (city_id, id, sort_name, words)
WHERE volunteer.city_id = key.city_id AND volunteer.id = key.id
""")


def upgrade() -> None:
    op.alter_column("volunteer", "rejection_reason", new_column_name="status_reason")
    op.add_column("volunteer", sa.Column("suspended_until", sa.Date(), nullable=True))
    op.add_column("volunteer", sa.Column("coordinator_note", sa.String(length=2000), nullable=True))
    _add_lists()
    _add_name_keys()
    _create_events()
    op.add_column("consent", sa.Column("recorded_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_consent_recorded_by"), "consent", "account", ["recorded_by"], ["id"])
    op.drop_index(op.f("ix_consent_city_id_volunteer_id"), table_name="consent")
    op.create_index(op.f("ix_consent_city_id_volunteer_id_id"), "consent", ["city_id", "volunteer_id", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_consent_city_id_volunteer_id_id"), table_name="consent")
    op.create_index(op.f("ix_consent_city_id_volunteer_id"), "consent", ["city_id", "volunteer_id"])
    op.drop_column("consent", "recorded_by")
    op.drop_table("volunteer_event")
    op.execute("DROP TRIGGER keep_terms ON volunteer")
    op.execute("DROP FUNCTION keep_volunteer_terms()")
    op.execute("DROP FUNCTION volunteer_terms(text[], text[], text[])")
    op.drop_table("volunteer_term")
    op.drop_index(op.f("ix_volunteer_city_id_status_sort_name_id"), table_name="volunteer")
    op.drop_index(op.f("ix_volunteer_city_id_sort_name_id"), table_name="volunteer")
    op.create_index(op.f("ix_volunteer_city_id_status_id"), "volunteer", ["city_id", "status", "id"])
    for column in (
        "name_words",
        "sort_name",
        "availability",
        "skills",
        "languages",
        "coordinator_note",
        "suspended_until",
    ):
        op.drop_column("volunteer", column)
    op.alter_column("volunteer", "status_reason", new_column_name="rejection_reason")


def _add_lists() -> None:
    texts = postgresql.ARRAY(sa.Text())
    op.add_column("volunteer", sa.Column("languages", texts, server_default="{}", nullable=False))
    op.add_column("volunteer", sa.Column("skills", texts, server_default="{}", nullable=False))
    availability = sa.Column("availability", postgresql.INT4MULTIRANGE(), server_default="{}", nullable=False)
    op.add_column("volunteer", availability)
    op.execute("UPDATE volunteer SET languages = ARRAY[language::text]")
    for column in ("languages", "skills", "availability"):
        op.alter_column("volunteer", column, server_default=None)
    op.create_check_constraint(op.f("ck_volunteer_availability"), "volunteer", "availability <@ '{[0,10080)}'")


def _add_name_keys() -> None:
    """The trigger comes first: it fills the terms as the keys are written."""
    op.create_table(
        "volunteer_term",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.Column("sort_name", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint("length(term) <= 64", name=op.f("ck_volunteer_term_term")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_volunteer_term_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "id"], ["volunteer.city_id", "volunteer.id"], name=op.f("fk_volunteer_term_city_id_id")
        ),
        sa.PrimaryKeyConstraint("city_id", "id", "term", name=op.f("pk_volunteer_term")),
    )
    op.add_column("volunteer", sa.Column("sort_name", sa.Text(collation="C"), nullable=True))
    op.add_column("volunteer", sa.Column("name_words", postgresql.ARRAY(sa.Text()), nullable=True))
    op.execute(TERMS)
    op.execute(KEEP_TERMS)
    op.execute(ON_VOLUNTEER)
    _fill_name_keys()
    op.alter_column("volunteer", "sort_name", nullable=False)
    op.alter_column("volunteer", "name_words", nullable=False)
    op.create_check_constraint(op.f("ck_volunteer_sort_name"), "volunteer", "length(sort_name) <= 240")
    op.create_index(
        op.f("ix_volunteer_term_city_id_term_sort_name_id"),
        "volunteer_term",
        ["city_id", "term", "sort_name", "id"],
    )
    op.create_index(op.f("ix_volunteer_city_id_sort_name_id"), "volunteer", ["city_id", "sort_name", "id"])
    op.create_index(
        op.f("ix_volunteer_city_id_status_sort_name_id"), "volunteer", ["city_id", "status", "sort_name", "id"]
    )
    op.drop_index(op.f("ix_volunteer_city_id_status_id"), table_name="volunteer")


def _fill_name_keys() -> None:
    """In batches: the keys are made in Python, and a city's people need not all be in memory at once."""
    connection = op.get_bind()
    last = {"city_id": "", "id": UUID(int=0)}
    while rows := connection.execute(NAMED, {**last, "batch": BATCH}).all():
        names = [(row.family_name, row.given_name) for row in rows]
        keys = {
            "city_ids": [row.city_id for row in rows],
            "ids": [row.id for row in rows],
            "sort_names": [sort_name(*name) for name in names],
            "words": [" ".join(name_words(*name)) for name in names],
        }
        connection.execute(FILL, keys)
        last = {"city_id": rows[-1].city_id, "id": rows[-1].id}


def _create_events() -> None:
    actions = ("approve", "reject", "suspend", "reinstate", "leave", "reapply")
    op.create_table(
        "volunteer_event",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(*actions, name="action", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "volunteer_id"],
            ["volunteer.city_id", "volunteer.id"],
            name=op.f("fk_volunteer_event_city_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_volunteer_event_city_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_volunteer_event_decided_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_volunteer_event")),
    )
    op.create_index(
        op.f("ix_volunteer_event_city_id_volunteer_id_id"), "volunteer_event", ["city_id", "volunteer_id", "id"]
    )
    op.execute(APPEND_ONLY)

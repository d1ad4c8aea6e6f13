"""Overlaps are asked of sums, and kept with what was signed; the planner is told of what was imported."""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Days up to the first whole month, months up to the first whole year, years, and down again: as app/domain/tallies.py
# does, but for the one span of everything. Where there is no whole month or year, what comes after it is empty.
SPANS_OF = """
CREATE FUNCTION spans_of(first date, last date) RETURNS TABLE (span text, starts_on date) LANGUAGE sql IMMUTABLE AS $$
    WITH whole AS (
        SELECT date_trunc('month', first + interval '1 month -1 day') AS month,
            date_trunc('month', last + interval '1 day') AS month_after,
            date_trunc('year', first + interval '1 year -1 day') AS year,
            date_trunc('year', last + interval '1 day') AS year_after
    )
    SELECT part.span, part.starts_on::date FROM whole CROSS JOIN LATERAL (
        SELECT 'day' AS span, generate_series(first, least(month - interval '1 day', last), '1 day') AS starts_on
        UNION ALL
        SELECT 'month', generate_series(month, least(year, month_after) - interval '1 month', '1 month')
        UNION ALL
        SELECT 'year', generate_series(year, year_after - interval '1 year', '1 year')
        UNION ALL
        SELECT 'month', generate_series(greatest(year, year_after), month_after - interval '1 month', '1 month')
        UNION ALL
        SELECT 'day', generate_series(greatest(month, month_after), last, '1 day')
    ) AS part
$$
"""


# As its owner: the role that the service connects as may not, and is only warned.
ANALYSE_RECORDS = """
CREATE FUNCTION analyse_records() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE (SKIP_LOCKED) spot, spot_cycle, removal, ledger_entry;
END $$
"""
# As far as the entries themselves tell it, which were read for each figure until now.
FROM_ENTRIES = """
UPDATE figure SET overlap = district_id IS NULL AND EXISTS (
    SELECT FROM declared_count AS declared
    JOIN ledger_entry AS counted ON counted.city_id = declared.city_id AND counted.metric = declared.metric
        AND counted.subject_id = declared.id AND counted.reverses_id IS NULL AND counted.recorded_at <= figure.as_of
    JOIN ledger_entry AS recorded ON recorded.city_id = declared.city_id AND recorded.metric = declared.metric
        AND recorded.origin = 'recorded' AND recorded.reverses_id IS NULL AND recorded.recorded_at <= figure.as_of
        AND recorded.occurred_on BETWEEN declared.period_from AND declared.period_to
    WHERE declared.city_id = figure.city_id AND declared.metric = figure.metric
        AND declared.period_to >= coalesce(figure.from_day, '2000-01-01')
        AND declared.period_from <= coalesce(figure.to_day, '2099-12-31')
        AND NOT EXISTS (
            SELECT FROM ledger_entry AS reversal
            WHERE reversal.city_id = figure.city_id AND reversal.reverses_id IN (counted.id, recorded.id)
                AND reversal.recorded_at <= figure.as_of
        )
) WHERE signed_at IS NOT NULL
"""
SIGNED_WHOLE = (
    "(signed_at IS NULL) = (value IS NULL) AND (signed_at IS NULL) = (signed_by IS NULL)"
    " AND (signed_at IS NULL) = (digest IS NULL) AND (signed_at IS NULL) = (words IS NULL)"
)


def upgrade() -> None:
    op.execute(SPANS_OF)
    op.execute(ANALYSE_RECORDS)
    op.execute("REVOKE EXECUTE ON FUNCTION analyse_records() FROM PUBLIC")
    op.add_column("figure", sa.Column("overlap", sa.Boolean()))
    op.execute("ALTER TABLE figure DISABLE TRIGGER frozen")
    op.execute(FROM_ENTRIES)
    op.execute("ALTER TABLE figure ENABLE TRIGGER frozen")
    _signed_whole(f"{SIGNED_WHOLE} AND (signed_at IS NULL) = (overlap IS NULL)")


def downgrade() -> None:
    _signed_whole(SIGNED_WHOLE)
    op.drop_column("figure", "overlap")
    op.execute("DROP FUNCTION analyse_records()")
    op.execute("DROP FUNCTION spans_of(date, date)")


def _signed_whole(condition: str) -> None:
    op.drop_constraint(op.f("ck_figure_signed_whole"), "figure")
    op.create_check_constraint(op.f("ck_figure_signed_whole"), "figure", condition)

"""The spans that make up a period, for sums that PostgreSQL puts together itself."""

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


def upgrade() -> None:
    op.execute(SPANS_OF)


def downgrade() -> None:
    op.execute("DROP FUNCTION spans_of(date, date)")

"""What the demonstration holds: above all, that its ledger is what its flows would have counted."""

import pytest
from fastapi import FastAPI
from sqlmodel import SQLModel

from app.domain.assignments import AssignmentStatus
from app.domain.raids import RaidStatus
from app.domain.referrals import ReferralStatus
from app.domain.resources import ResourceKind, ResourceStatus
from app.domain.spots import SpotKind, SpotStatus
from app.domain.volunteers import VolunteerStatus
from tests.city import Client

DAY = "AT TIME ZONE 'Asia/Almaty'"
LEDGER = "SELECT subject_id, occurred_on, amount, district_id FROM ledger_entry WHERE metric = '{}'"
FACTS = {
    "graffiti_painted": f"""
        SELECT removal.id, (removed_at {DAY})::date, inscriptions, spot.district_id FROM removal
        JOIN raid ON raid.id = raid_id JOIN spot ON spot.id = spot_id WHERE raid.status = 'done'""",
    "raids_held": f"SELECT id, (starts_at {DAY})::date, 1, district_id FROM raid WHERE status = 'done'",
    "volunteers_street": f"""
        SELECT volunteer.id, (account.created_at {DAY})::date, 1, NULL FROM volunteer
        JOIN account ON account.id = account_id WHERE 'street' = ANY (programmes)""",
    "volunteers_online": f"""
        SELECT volunteer.id, (account.created_at {DAY})::date, 1, NULL FROM volunteer
        JOIN account ON account.id = account_id WHERE 'online' = ANY (programmes)""",
    "resources_referred": """
        SELECT item.id, sent_on, 1, NULL FROM referral_item item
        JOIN referral ON referral.id = referral_id WHERE status <> 'draft'""",
    "resources_blocked": "SELECT id, answered_on, 1, NULL FROM referral_item WHERE answer = 'blocked'",
}


NOT_IN_THE_DEMONSTRATION = {
    AssignmentStatus.OFFERED,
    AssignmentStatus.WAITING,
    AssignmentStatus.DECLINED,
    AssignmentStatus.LAPSED,
}


@pytest.mark.parametrize("metric", FACTS)
async def test_the_ledger_is_what_the_flows_would_have_counted(asked, metric: str):
    assert set(await asked(LEDGER.format(metric))) == set(await asked(FACTS[metric]))


async def test_the_counts_are_those_the_programme_published(asked):
    totals = dict(await asked("SELECT metric, sum(amount) FROM ledger_entry GROUP BY metric"))
    assert totals == {
        "graffiti_painted": 18_240,
        "raids_held": 210,
        "resources_blocked": 797,
        "resources_referred": 2_964,
        "volunteers_online": 3_000,
        "volunteers_street": 3_500,
    }


async def test_all_entries_are_recorded_by_somebody_after_their_day_and_before_the_end(asked):
    ((origins, recorders, early, late),) = await asked(
        f"""SELECT array_agg(DISTINCT origin), array_agg(DISTINCT login),
            count(*) FILTER (WHERE recorded_at <> (occurred_on + 1)::timestamp {DAY}),
            count(*) FILTER (WHERE recorded_at > '2026-06-15 00:00+05')
        FROM ledger_entry JOIN account ON account.id = recorded_by"""
    )
    assert (origins, recorders, early, late) == (["recorded"], ["coordinator@almaty.example"], 0, 0)


async def test_as_of_half_the_year_fewer_are_counted(asked):
    ((then, now),) = await asked(
        "SELECT sum(amount) FILTER (WHERE recorded_at <= '2025-12-15'), sum(amount) FROM ledger_entry"
    )
    assert 0 < then < now


@pytest.mark.parametrize(
    ("table", "column", "statuses"),
    [
        ("volunteer", "status", VolunteerStatus),
        ("raid", "status", RaidStatus),
        ("assignment", "status", set(AssignmentStatus) - NOT_IN_THE_DEMONSTRATION),
        # Not on a raid, checked or merged: those of the year were painted over as they were found.
        ("spot", "status", {SpotStatus.REPORTED, SpotStatus.CONFIRMED, SpotStatus.DISMISSED, SpotStatus.PAINTED}),
        ("spot", "kind", SpotKind),
        ("resource", "status", ResourceStatus),
        ("resource", "kind", ResourceKind),
        ("referral", "status", ReferralStatus),
    ],
)
async def test_all_statuses_occur(asked, table: str, column: str, statuses: type):
    assert {value for (value,) in await asked(f"SELECT DISTINCT {column} FROM {table}")} == set(statuses)


async def test_no_raid_is_overbooked_and_places_taken_are_those_accepted(asked):
    assert not await asked(
        """SELECT raid.id FROM raid LEFT JOIN assignment ON raid_id = raid.id
            AND assignment.status IN ('accepted', 'present', 'absent', 'attended')
        GROUP BY raid.city_id, raid.id HAVING count(assignment.id) <> places_taken OR places_taken > capacity"""
    )
    ((empty,),) = await asked("SELECT count(*) FROM raid WHERE status = 'done' AND places_taken < 5")
    assert empty == 0


async def test_nobody_is_on_two_raids_at_once(asked):
    assert not await asked(
        """SELECT one.volunteer_id FROM assignment one JOIN raid a ON a.id = one.raid_id
        JOIN assignment other ON other.volunteer_id = one.volunteer_id AND other.id < one.id
        JOIN raid b ON b.id = other.raid_id AND b.starts_at < a.ends_at AND a.starts_at < b.ends_at"""
    )


async def test_the_crews_were_in_the_programme_and_signed_up_in_time(asked):
    assert not await asked(
        """SELECT assignment.id FROM assignment JOIN raid ON raid.id = raid_id
        JOIN volunteer ON volunteer.id = volunteer_id JOIN account ON account.id = account_id
        WHERE NOT 'street' = ANY (programmes) OR account.created_at > assignment.created_at
        OR assignment.created_at NOT BETWEEN raid.created_at AND raid.starts_at"""
    )


async def test_minors_have_a_guardian_who_consented_and_all_are_of_the_programme_s_age(asked):
    ((youngest, oldest),) = await asked(
        "SELECT min(extract(year FROM age(created_at, birth_on))), max(extract(year FROM age('2026-06-15', birth_on)))"
        " FROM volunteer"
    )
    assert (youngest, oldest) == (14, 35)
    assert not await asked(
        """SELECT volunteer.id FROM volunteer LEFT JOIN consent ON volunteer_id = volunteer.id
            AND purpose = 'participation' AND given_by = 'guardian' AND is_given
        WHERE birth_on > volunteer.created_at - interval '18 years' AND (consent.id IS NULL OR guardian_name IS NULL)"""
    )


async def test_everybody_consented_to_what_is_needed(asked):
    assert not await asked(
        """SELECT volunteer.id FROM volunteer LEFT JOIN consent ON volunteer_id = volunteer.id AND is_given
            AND purpose IN ('personal_data', 'participation')
        GROUP BY volunteer.city_id, volunteer.id HAVING count(consent.id) <> 2"""
    )


async def test_phones_ring_nobody_and_addresses_exist_nowhere(asked):
    assert not await asked("SELECT 1 FROM volunteer WHERE phone NOT LIKE '+7700000____'")
    assert not await asked("SELECT 1 FROM volunteer WHERE guardian_phone NOT LIKE '+7700000____'")
    assert not await asked("SELECT 1 FROM resource WHERE address_key NOT LIKE 'demo-%.example'")
    assert not await asked("SELECT 1 FROM account WHERE login NOT LIKE '+7700000____' AND login NOT LIKE '%almaty%'")


async def test_every_district_has_spots_where_its_outline_is(asked):
    spots = dict(await asked("SELECT district_id, count(*) FROM spot GROUP BY district_id"))
    assert len(spots) == 8
    assert min(spots.values()) > 200


async def test_who_found_something_neither_reviewed_it_nor_was_new(asked):
    assert not await asked(
        """SELECT finding.id FROM finding JOIN resource ON resource.id = resource_id
        JOIN account ON account.id = reported_by
        WHERE reported_by = reviewer_id OR account.created_at > finding.created_at"""
    )
    assert not await asked(
        """SELECT resource.id FROM resource LEFT JOIN finding ON resource_id = resource.id
        GROUP BY resource.city_id, resource.id HAVING count(finding.id) <> findings"""
    )


async def test_referrals_add_up(asked):
    assert not await asked(
        """SELECT referral.id FROM referral JOIN referral_item item ON item.referral_id = referral.id
        GROUP BY referral.city_id, referral.id HAVING count(*) <> items OR count(answer) <> answered
            OR (status = 'answered') <> (answered = items) OR min(answered_on) < sent_on"""
    )
    answers = dict(await asked("SELECT coalesce(answer, 'open'), count(*) FROM referral_item GROUP BY answer"))
    assert answers["blocked"] == 797
    assert min(answers["refused"], answers["open"]) > 300


async def test_removals_lie_within_their_raids_and_their_spots_are_painted(asked):
    assert not await asked(
        """SELECT removal.id FROM removal JOIN raid ON raid.id = raid_id JOIN spot ON spot.id = spot_id
        WHERE removed_at NOT BETWEEN starts_at AND ends_at OR spot.status <> 'painted'
            OR spot.created_at > removed_at OR raid.status NOT IN ('done', 'under_way')"""
    )
    ((without,),) = await asked(
        "SELECT count(*) FROM raid WHERE status = 'done' AND NOT EXISTS (SELECT FROM removal WHERE raid_id = raid.id)"
    )
    assert without == 0


async def test_weekends_and_spring_are_busiest(asked):
    week = dict(await asked(f"SELECT extract(isodow FROM starts_at {DAY}), count(*) FROM raid GROUP BY 1"))
    assert week[6] > week[3] > 0
    assert week[6] + week[7] > sum(week.values()) / 2


async def test_nothing_has_happened_after_the_end(asked):
    tables = [
        table.name
        for table in SQLModel.metadata.sorted_tables
        if {"city_id", "created_at"} <= set(table.columns.keys())
    ]
    for table in tables:
        assert not await asked(f"SELECT 1 FROM {table} WHERE created_at > '2026-06-15 00:00+05'"), table


async def test_it_is_marked_as_a_demonstration(asked):
    assert await asked("SELECT id, is_demo FROM city") == [("almaty", True)]


async def test_a_plan_of_seven_directions_and_76_items_is_on_its_way(demo_app: FastAPI, asked):
    ((plan_id,),) = await asked("SELECT id FROM plan")
    client = Client(demo_app)
    plan = (await client.get(f"/public/almaty/plans/{plan_id}")).json()
    await client.aclose()

    assert (plan["is_demo"], len(plan["directions"])) == (True, 7)
    assert sum(len(direction["items"]) for direction in plan["directions"]) == 76
    assert min(plan["standings"][standing] for standing in ("reached", "overdue")) > 0
    assert not await asked(
        """SELECT item.id FROM plan_item item LEFT JOIN plan_item_change change ON item_id = item.id
        WHERE (item.status = 'not_started') <> (change.id IS NULL)"""
    )

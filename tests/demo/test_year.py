"""What the demonstration holds: above all, that its ledger is what its flows would have counted."""

import pytest
from fastapi import FastAPI
from sqlmodel import SQLModel

from app.domain.assignments import AssignmentStatus
from app.domain.checks import Verdict
from app.domain.payment_cards import CardStatus
from app.domain.raids import RaidStatus, StopOutcome
from app.domain.referrals import ReferralStatus
from app.domain.resources import ResourceKind, ResourceStatus
from app.domain.spots import SpotKind, SpotStatus
from app.domain.volunteers import VolunteerStatus
from tests.city import Client

DAY = "AT TIME ZONE 'Asia/Almaty'"
LEDGER = (
    "SELECT subject_id, occurred_on, amount, district_id FROM ledger_entry WHERE metric = '{}' AND reverses_id IS NULL"
)
FACTS = {
    "graffiti_painted": f"""
        SELECT removal.id, (removed_at {DAY})::date, inscriptions, spot.district_id FROM removal
        JOIN raid ON raid.id = raid_id JOIN spot ON spot.id = spot_id WHERE raid.status = 'done'""",
    "volunteer_minutes": f"""
        SELECT assignment.id, (starts_at {DAY})::date, minutes, district_id FROM assignment
        JOIN raid ON raid.id = raid_id WHERE minutes IS NOT NULL""",
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
    **{
        f"resources_{status}": f"""
            SELECT observation_id, (observed_at {DAY})::date, 1, NULL FROM resource_event event
            JOIN observation ON observation.id = observation_id WHERE status = '{status}' AND state = '{state}'"""
        for status, state in (("block_verified", "blocked"), ("removed", "removed"), ("reappeared", "up"))
    },
    "resources_restored": "SELECT id, restored_on, 1, NULL FROM referral_item WHERE restored_on IS NOT NULL",
    "resources_blocked": "SELECT id, answered_on, 1, NULL FROM referral_item WHERE answer = 'blocked'",
    "cards_referred": "SELECT id, referred_on, 1, NULL FROM payment_card WHERE status <> 'reported'",
    "cards_frozen": "SELECT id, frozen_on, 1, NULL FROM payment_card WHERE status = 'frozen'",
    "amount_suspended_kzt": "SELECT id, frozen_on, amount_kzt, NULL FROM payment_card WHERE amount_kzt IS NOT NULL",
}


@pytest.mark.parametrize("metric", FACTS)
async def test_the_ledger_is_what_the_flows_would_have_counted(asked, metric: str):
    assert set(await asked(LEDGER.format(metric))) == set(await asked(FACTS[metric]))


async def test_the_counts_are_those_the_programme_published(asked):
    recorded = "SELECT metric, sum(amount) FROM ledger_entry WHERE reverses_id IS NULL GROUP BY metric"
    totals = dict(await asked(recorded))
    assert totals.pop("volunteer_minutes") > 210 * 5 * 60
    assert totals.pop("participants") > 210 * 5
    assert totals.pop("sightings") >= totals.pop("spots_reported") > 2_000
    assert totals.pop("graffiti_verified") > 1_000 > totals.pop("removals_disputed") > 0
    assert totals.pop("findings") > totals.pop("resources_confirmed") >= 2_964
    verified, reappeared = totals.pop("resources_block_verified"), totals.pop("resources_reappeared")
    assert 797 > verified > 400 > reappeared > totals.pop("resources_removed") > totals.pop("resources_restored") > 0
    assert 3_000 < totals.pop("volunteers_street_active") <= 3_500
    assert 2_500 < totals.pop("volunteers_online_active") <= 3_000
    assert totals.pop("amount_suspended_kzt") > 214 * 100_000
    assert totals == {
        "cards_frozen": 214,
        "cards_referred": 298,
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
            count(*) FILTER (WHERE recorded_at < (occurred_on + 1)::timestamp {DAY}),
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
        ("assignment", "status", AssignmentStatus),
        # A dispute lasts no longer than the step that sends the spot back.
        ("spot", "status", set(SpotStatus) - {SpotStatus.DISPUTED}),
        ("raid_stop", "coalesce(outcome, 'open')", {*StopOutcome, "open"}),
        ("removal", "coalesce(verdict, 'open')", {*Verdict, "open"}),
        ("spot", "kind", SpotKind),
        ("resource", "status", ResourceStatus),
        ("resource", "kind", ResourceKind),
        ("referral", "status", ReferralStatus),
        ("payment_card", "status", CardStatus),
    ],
)
async def test_all_statuses_occur(asked, table: str, column: str, statuses: type):
    assert {value for (value,) in await asked(f"SELECT DISTINCT {column} FROM {table}")} == set(statuses)


async def test_no_raid_is_overbooked_and_places_taken_are_those_accepted(asked):
    assert not await asked(
        """SELECT raid.id FROM raid LEFT JOIN assignment ON raid_id = raid.id
            AND assignment.status IN ('offered', 'accepted', 'present', 'absent', 'attended')
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
    assert not await asked("SELECT 1 FROM payment_card WHERE first_six <> '000000' OR bank NOT LIKE 'Demo bank%'")
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


async def test_who_reported_a_card_saw_it_on_a_resource_that_was_known_and_did_not_refer_it(asked):
    assert not await asked(
        """SELECT card.id FROM payment_card card JOIN resource ON resource.id = resource_id
        WHERE card.created_at < resource.created_at"""
    )
    assert not await asked(
        f"""SELECT card.id FROM payment_card card JOIN account ON account.id = reported_by
        WHERE role <> 'moderator' OR referred_on <= (card.created_at {DAY})::date"""
    )


async def test_removals_lie_within_their_raids_and_their_spots_are_painted(asked):
    assert not await asked(
        """SELECT removal.id FROM removal JOIN raid ON raid.id = raid_id JOIN spot ON spot.id = spot_id
        WHERE removed_at NOT BETWEEN starts_at AND ends_at OR spot.status IN ('reported', 'dismissed', 'merged')
            OR spot.created_at > removed_at OR raid.status NOT IN ('done', 'under_way')"""
    )
    ((without,),) = await asked(
        "SELECT count(*) FROM raid WHERE status = 'done' AND NOT EXISTS (SELECT FROM removal WHERE raid_id = raid.id)"
    )
    assert without == 0


async def test_a_check_takes_back_what_it_found_not_painted_over(asked):
    disputed = set(await asked("SELECT id, -inscriptions FROM removal WHERE verdict = 'disputed'"))
    assert disputed == set(await asked("SELECT subject_id, amount FROM ledger_entry WHERE reverses_id IS NOT NULL"))
    ((painted,),) = await asked("SELECT sum(amount) FROM ledger_entry WHERE metric = 'graffiti_painted'")
    assert 18_000 < painted < 18_240
    assert not await asked("SELECT 1 FROM removal WHERE checked_by = recorded_by OR checked_at < removed_at")


async def test_walls_come_back_and_their_cycles_are_whole(asked):
    ((most, reappeared),) = await asked("SELECT max(cycle), count(*) FILTER (WHERE cycle > 1) FROM spot")
    assert (most > 2, reappeared > 300) == (True, True)
    assert not await asked(
        """SELECT spot.id FROM spot LEFT JOIN spot_cycle c ON spot_id = spot.id GROUP BY spot.city_id, spot.id
        HAVING count(*) <> spot.cycle OR max(c.cycle) <> spot.cycle
            OR (spot.status IN ('painted', 'verified')) <> bool_and(painted_at IS NOT NULL)
            AND spot.status <> 'confirmed'"""
    )
    assert not await asked(
        """SELECT spot.id FROM spot LEFT JOIN sighting ON spot_id = spot.id
        GROUP BY spot.city_id, spot.id HAVING count(sighting.id) <> sightings"""
    )


async def test_what_is_scheduled_is_on_the_list_of_one_raid_to_come(asked):
    listed = await asked(
        """SELECT spot_id FROM raid_stop JOIN raid ON raid.id = raid_id
        WHERE outcome IS NULL AND raid.status IN ('draft', 'open', 'under_way')"""
    )
    assert sorted(listed) == sorted(await asked("SELECT id FROM spot WHERE status = 'scheduled'"))
    assert len(listed) > 60
    assert not await asked(
        "SELECT 1 FROM raid_stop JOIN raid ON raid.id = raid_id WHERE outcome IS NULL AND raid.status = 'done'"
    )


async def test_the_next_raids_have_crews_led_by_one_of_them_and_lines_that_wait(asked):
    assert not await asked(
        """SELECT raid.id FROM raid WHERE status IN ('open', 'under_way', 'done') AND NOT EXISTS (
            SELECT FROM assignment WHERE raid_id = raid.id AND volunteer_id = lead_id
            AND status IN ('accepted', 'present', 'attended'))"""
    )
    lines = await asked(
        """SELECT capacity - places_taken, count(*) FILTER (WHERE assignment.status = 'waiting'),
            count(*) FILTER (WHERE assignment.status = 'offered' AND offer_expires_at > '2026-06-15 00:00+05')
        FROM raid JOIN assignment ON raid_id = raid.id WHERE raid.status = 'open' AND line_length > 0
        GROUP BY raid.city_id, raid.id"""
    )
    assert [(free, waiting > 2, offered) for free, waiting, offered in lines] == [(0, True, 1)] * 4


async def test_weekends_and_spring_are_busiest(asked):
    week = dict(await asked(f"SELECT extract(isodow FROM starts_at {DAY}), count(*) FROM raid GROUP BY 1"))
    assert week[6] > week[3] > 0
    assert week[6] + week[7] > sum(week.values()) / 2


async def test_nothing_has_happened_after_the_end(asked):
    tables = [
        table.name
        for table in SQLModel.metadata.sorted_tables
        # It is sealed when it has been made.
        if {"city_id", "created_at"} <= set(table.columns.keys()) and table.name != "seal"
    ]
    for table in tables:
        assert not await asked(f"SELECT 1 FROM {table} WHERE created_at > '2026-06-15 00:00+05'"), table


async def test_it_is_marked_as_a_demonstration(asked):
    assert await asked("SELECT id, is_demo FROM city") == [("almaty", True)]


async def test_every_resource_went_its_way_in_order(asked):
    order = [
        *("reported", "in_review", "confirmed", "rejected", "referred", "acknowledged", "block_reported", "refused"),
        *("block_verified", "removed", "offline", "reappeared", "restored"),
    ]
    ways = await asked(
        f"""SELECT resource.status, min(resource.created_at {DAY})::date, min(event.occurred_on),
            array_agg(event.status ORDER BY occurred_on, array_position(ARRAY{order}::text[], event.status::text)),
            max(event.occurred_on)
        FROM resource JOIN resource_event event ON event.city_id = resource.city_id AND event.resource_id = resource.id
        GROUP BY resource.id, resource.status"""
    )
    assert [(len(ways),)] == await asked("SELECT count(*)::int FROM resource")
    for status, found_on, first_on, entered, last_on in ways:
        assert (found_on, entered[0], entered[-1]) == (first_on, "reported", status)
        assert entered == sorted(entered, key=order.index)
        assert last_on.isoformat() < "2026-06-15"


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

"""The ledger of the demonstration city: for each fact the entry that its service would have written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from app.core.clock import day_in
from app.domain.checks import Verdict
from app.domain.metrics import Metric, Origin
from app.domain.observations import COUNTED as COUNTED_OBSERVED
from app.domain.raids import RaidStatus
from app.domain.referrals import Answer
from app.domain.resources import ResourceStatus
from app.domain.volunteers import VolunteerStatus
from app.models.assignments import Assignment
from app.models.ledger import LedgerEntry
from app.models.payment_cards import PaymentCard
from app.models.raids import Raid
from app.models.resources import ResourceEvent
from app.models.volunteers import Volunteer
from app.services.demo import online
from app.services.demo.almanac import Almanac, id_at
from app.services.demo.people import COORDINATOR, People
from app.services.demo.walls import Walls
from app.services.ledger import Fact
from app.services.volunteers import ACTIVE, COUNTED


@dataclass(frozen=True, slots=True)
class Street:
    raids: Sequence[Raid]
    assignments: Sequence[Assignment]
    walls: Walls


@dataclass(frozen=True, slots=True)
class Online:
    made: online.Online
    way: Sequence[ResourceEvent]
    cards: Sequence[PaymentCard]


def entries(almanac: Almanac, people: People, street: Street, found: Online) -> list[LedgerEntry]:
    """In the order in which they would have been recorded, cards after all else; what a check has taken back last."""
    dice = almanac.dice("counts")
    facts = (
        *_approvals(almanac, people),
        *_raids(almanac, street),
        *_walls(almanac, street.walls),
        *_findings(almanac, found),
        *_referrals(found.made),
    )
    recorded_by = people.staff(COORDINATOR).id
    in_order = sorted(facts, key=lambda fact: fact.occurred_on)
    counted = [_entry(almanac, dice, fact, recorded_by) for fact in in_order]
    # Thrown apart, so that all other entries keep the ids that they had before there were cards.
    card_dice = almanac.dice("counts of cards")
    counted += (_entry(almanac, card_dice, fact, recorded_by) for fact in _cards(found.cards))
    disputed = {one.id: one.checked_at for one in street.walls.removals if one.verdict is Verdict.DISPUTED}
    taken_back = (
        entry for entry in counted if entry.metric is Metric.GRAFFITI_PAINTED and entry.subject_id in disputed
    )
    return [*counted, *(_reversal(dice, entry, disputed[entry.subject_id] or almanac.end) for entry in taken_back)]


def _approvals(almanac: Almanac, people: People) -> Iterator[Fact]:
    approved_at = {account.id: account.created_at for account in people.accounts}
    for volunteer in people.volunteers:
        if volunteer.account_id:
            day = day_in(almanac.city.time_zone, approved_at[volunteer.account_id])
            for metric in _counted_in(volunteer):
                yield Fact(metric, volunteer.id, day)


def _counted_in(volunteer: Volunteer) -> Iterator[Metric]:
    """Who was suspended since is not active, and the days on which they were are left out."""
    tables = (COUNTED, ACTIVE) if volunteer.status is VolunteerStatus.ACTIVE else (COUNTED,)
    for metric_of in tables:
        yield from (metric for programme, metric in metric_of.items() if programme in volunteer.programmes)


def _raids(almanac: Almanac, street: Street) -> Iterator[Fact]:
    zone = almanac.city.time_zone
    held = {raid.id: raid for raid in street.raids if raid.status is RaidStatus.DONE}
    for raid in held.values():
        yield Fact(Metric.RAIDS_HELD, raid.id, day_in(zone, raid.starts_at), 1, raid.district_id)
    district = {spot.id: spot.district_id for spot in street.walls.spots}
    for removal in street.walls.removals:
        if removal.raid_id in held:
            day = day_in(zone, removal.removed_at)
            yield Fact(Metric.GRAFFITI_PAINTED, removal.id, day, removal.inscriptions, district[removal.spot_id])
    for assignment in street.assignments:
        if assignment.minutes:
            raid = held[assignment.raid_id]
            day = day_in(zone, raid.starts_at)
            yield Fact(Metric.PARTICIPANTS, assignment.id, day, 1, raid.district_id)
            yield Fact(Metric.VOLUNTEER_MINUTES, assignment.id, day, assignment.minutes, raid.district_id)


def _walls(almanac: Almanac, walls: Walls) -> Iterator[Fact]:
    zone = almanac.city.time_zone
    district = {spot.id: spot.district_id for spot in walls.spots}
    reported: set[UUID] = set()
    for sighting in sorted(walls.sightings, key=lambda sighting: sighting.created_at):
        day = day_in(zone, sighting.seen_at)
        yield Fact(Metric.SIGHTINGS, sighting.id, day, district_id=district[sighting.spot_id])
        if sighting.spot_id not in reported:
            reported.add(sighting.spot_id)
            yield Fact(Metric.SPOTS_REPORTED, sighting.spot_id, day, district_id=district[sighting.spot_id])
    for removal in walls.removals:
        if removal.checked_at and removal.verdict:
            day = day_in(zone, removal.checked_at)
            is_done = removal.verdict is Verdict.VERIFIED
            metric = Metric.GRAFFITI_VERIFIED if is_done else Metric.REMOVALS_DISPUTED
            yield Fact(metric, removal.id, day, removal.inscriptions if is_done else 1, district[removal.spot_id])


def _findings(almanac: Almanac, found: Online) -> Iterator[Fact]:
    for finding in found.made.findings:
        yield Fact(Metric.FINDINGS, finding.id, day_in(almanac.city.time_zone, finding.created_at))
    for event in found.way:
        if event.status is ResourceStatus.CONFIRMED:
            yield Fact(Metric.RESOURCES_CONFIRMED, event.resource_id, event.occurred_on)
        if event.observation_id and event.status in COUNTED_OBSERVED:
            yield Fact(COUNTED_OBSERVED[event.status], event.observation_id, event.occurred_on)


def _referrals(made: online.Online) -> Iterator[Fact]:
    sent_on = {referral.id: referral.sent_on for referral in made.referrals}
    for item in made.items:
        if day := sent_on[item.referral_id]:
            yield Fact(Metric.RESOURCES_REFERRED, item.id, day)
        if item.answer is Answer.BLOCKED and item.answered_on:
            yield Fact(Metric.RESOURCES_BLOCKED, item.id, item.answered_on)
        if item.restored_on:
            yield Fact(Metric.RESOURCES_RESTORED, item.id, item.restored_on)


def _cards(cards: Sequence[PaymentCard]) -> Iterator[Fact]:
    for card in cards:
        if card.referred_on:
            yield Fact(Metric.CARDS_REFERRED, card.id, card.referred_on)
        if card.frozen_on:
            yield Fact(Metric.CARDS_FROZEN, card.id, card.frozen_on)
        if card.frozen_on and card.amount_kzt:
            yield Fact(Metric.AMOUNT_SUSPENDED_KZT, card.id, card.frozen_on, card.amount_kzt)


def _entry(almanac: Almanac, dice: Random, fact: Fact, recorded_by: UUID) -> LedgerEntry:
    recorded_at = _recorded_at(almanac, fact.occurred_on)
    return LedgerEntry(
        city_id=almanac.city.id,
        id=id_at(dice, recorded_at),
        metric=fact.metric,
        origin=Origin.RECORDED,
        amount=fact.amount,
        occurred_on=fact.occurred_on,
        district_id=fact.district_id,
        subject_id=fact.subject_id,
        recorded_by=recorded_by,
        recorded_at=recorded_at,
    )


def _recorded_at(almanac: Almanac, day: date) -> datetime:
    """At the midnight that ends the day: a count as of a past moment then shows what was known in it.

    Elsewhere the database's clock alone writes this; a past that is made up has to bring its own.
    """
    return almanac.at(day + timedelta(days=1), time(0))


def _reversal(dice: Random, entry: LedgerEntry, at: datetime) -> LedgerEntry:
    same = entry.model_dump(exclude={"id", "amount", "recorded_at", "reverses_id"})
    return LedgerEntry(**same, id=id_at(dice, at), amount=-entry.amount, recorded_at=at, reverses_id=entry.id)

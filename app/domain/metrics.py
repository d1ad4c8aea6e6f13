"""What is counted. Each number has one definition; its words stand in app/messages.toml."""

from collections.abc import Iterable
from enum import StrEnum


class Metric(StrEnum):
    """Most are flows: their facts of some days are summed. LEVELS have a value at the end of each day instead."""

    SIGHTINGS = "sightings"
    """A fact is one report of graffiti; several may be of one wall."""
    SPOTS_REPORTED = "spots_reported"
    """A fact is one place that nobody had reported before."""
    GRAFFITI_PAINTED = "graffiti_painted"
    """Inscriptions painted over; a fact is one removal in a finished raid, or one taken over by an import."""
    GRAFFITI_VERIFIED = "graffiti_verified"
    """Inscriptions of removals that somebody else looked at again; a fact is one removal found done."""
    REMOVALS_DISPUTED = "removals_disputed"
    """A fact is one removal found not done: its inscriptions were taken back from those painted over."""
    RAIDS_HELD = "raids_held"
    """A fact is one finished raid."""
    PARTICIPANTS = "participants"
    """A fact is one volunteer who was on one finished raid."""
    VOLUNTEER_MINUTES = "volunteer_minutes"
    """Whole minutes on raids; a fact is one volunteer on one finished raid."""
    ACTIVITIES_HELD = "activities_held"
    """Raids, lectures and other outings together, as an office declared them."""
    VOLUNTEERS_STREET = "volunteers_street"
    """A fact is a volunteer approved for the street programme."""
    VOLUNTEERS_STREET_ACTIVE = "volunteers_street_active"
    """A fact is a street volunteer who became active (+1) or ceased to be (-1)."""
    VOLUNTEERS_ONLINE = "volunteers_online"
    """A fact is a volunteer approved for the online programme."""
    VOLUNTEERS_ONLINE_ACTIVE = "volunteers_online_active"
    """A fact is an online volunteer who became active (+1) or ceased to be (-1)."""
    FINDINGS = "findings"
    """A fact is one volunteer's report of one address."""
    RESOURCES_CONFIRMED = "resources_confirmed"
    """A fact is a moderator's decision that one resource advertises drugs."""
    RESOURCES_REFERRED = "resources_referred"
    """A fact is one site, channel or account in a referral that was sent."""
    RESOURCES_BLOCKED = "resources_blocked"
    """A fact is the authority's answer that it blocked one resource; nobody has measured it yet."""
    RESOURCES_BLOCK_VERIFIED = "resources_block_verified"
    """A fact is the observation with which those from at least two networks over 48 hours bear out a reported block."""
    RESOURCES_REMOVED = "resources_removed"
    """A fact is the observation that the host or the platform took one resource down."""
    RESOURCES_REAPPEARED = "resources_reappeared"
    """A fact is the observation that one resource can be reached again after it was blocked, removed or offline."""
    RESOURCES_RESTORED = "resources_restored"
    """A fact is the decision to give one blocked resource back, such as after an appeal."""
    CARDS_REFERRED = "cards_referred"
    """A fact is one payment card of a seller named to a bank or an authority."""
    CARDS_FROZEN = "cards_frozen"
    """A fact is the answer that one such card was frozen."""
    AMOUNT_SUSPENDED_KZT = "amount_suspended_kzt"
    """Whole tenge on frozen cards; a fact is one card's sum as the bank stated it."""


class Kind(StrEnum):
    FLOW = "flow"
    LEVEL = "level"


LEVELS = frozenset({Metric.VOLUNTEERS_STREET_ACTIVE, Metric.VOLUNTEERS_ONLINE_ACTIVE})
ABOUT_PEOPLE = frozenset(
    {
        Metric.PARTICIPANTS,
        Metric.VOLUNTEER_MINUTES,
        Metric.VOLUNTEERS_STREET,
        Metric.VOLUNTEERS_STREET_ACTIVE,
        Metric.VOLUNTEERS_ONLINE,
        Metric.VOLUNTEERS_ONLINE_ACTIVE,
    }
)
"""Of these the public learns totals only: a day or a district with one new volunteer would point at somebody."""
FEWEST_PEOPLE = 5
"""Rule 11: a smaller count of people is not published."""


def too_few(people: Iterable[int]) -> bool:
    """Whether one of these, such as a total or a part of it, is too small a count of people to publish."""
    return any(0 < count < FEWEST_PEOPLE for count in people)


def kind_of(metric: Metric) -> Kind:
    return Kind.LEVEL if metric in LEVELS else Kind.FLOW


class Origin(StrEnum):
    """Whether this system saw the fact, or took over somebody's total (rule 7)."""

    RECORDED = "recorded"
    DECLARED = "declared"


class Precision(StrEnum):
    """How a declared total was worded: "797", "more than 18,000", "almost 3,000"."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    ABOUT = "about"

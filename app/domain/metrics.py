"""What is counted. Each number has one definition; its words stand in app/messages.toml."""

from enum import StrEnum


class Metric(StrEnum):
    GRAFFITI_PAINTED = "graffiti_painted"
    """Inscriptions painted over; a fact is one removal in a finished raid, or one taken over by an import."""
    RAIDS_HELD = "raids_held"
    """A fact is one finished raid."""
    VOLUNTEER_MINUTES = "volunteer_minutes"
    """Whole minutes on raids; a fact is one volunteer on one finished raid."""
    ACTIVITIES_HELD = "activities_held"
    """Raids, lectures and other outings together, as an office declared them."""
    VOLUNTEERS_STREET = "volunteers_street"
    """A fact is a volunteer approved for the street programme."""
    VOLUNTEERS_ONLINE = "volunteers_online"
    """A fact is a volunteer approved for the online programme."""
    RESOURCES_REFERRED = "resources_referred"
    """A fact is one site, channel or account in a referral that was sent."""
    RESOURCES_BLOCKED = "resources_blocked"
    """A fact is the authority's answer that it blocked one resource; nobody has measured it yet."""


class Origin(StrEnum):
    """Whether this system saw the fact, or took over somebody's total (rule 7)."""

    RECORDED = "recorded"
    DECLARED = "declared"


class Precision(StrEnum):
    """How a declared total was worded: "797", "more than 18,000", "almost 3,000"."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    ABOUT = "about"

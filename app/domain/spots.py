"""A spot is one place where graffiti is; it keeps its identity when painted over."""

from enum import StrEnum

from app.domain.flow import Flow


class SpotStatus(StrEnum):
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    PAINTED = "painted"


class SpotAction(StrEnum):
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    PAINT = "paint"


# A crew that stands before a wall paints it, whether or not somebody had confirmed the report.
SPOT_FLOW = Flow(
    "spot",
    {
        (SpotStatus.REPORTED, SpotAction.CONFIRM): SpotStatus.CONFIRMED,
        (SpotStatus.REPORTED, SpotAction.DISMISS): SpotStatus.DISMISSED,
        (SpotStatus.REPORTED, SpotAction.PAINT): SpotStatus.PAINTED,
        (SpotStatus.CONFIRMED, SpotAction.PAINT): SpotStatus.PAINTED,
    },
)


class SpotKind(StrEnum):
    STENCIL = "stencil"
    TAG = "tag"
    STICKER = "sticker"
    QR = "qr"

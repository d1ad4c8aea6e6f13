"""Programme plans: drafted or read from a workbook, adopted, and held against what the ledger counts."""

from app.services.plans.importing import Delivery, Report, take_over
from app.services.plans.items import add_item, change_item, set_status
from app.services.plans.progress import asked, of_plan, of_public_plan
from app.services.plans.queries import (
    card,
    cards,
    changes,
    direction_card,
    directions,
    item_card,
    items,
    public_cards,
)
from app.services.plans.steps import add_direction, adopt, change, change_direction, close, draft

__all__ = [
    "Delivery",
    "Report",
    "add_direction",
    "add_item",
    "adopt",
    "asked",
    "card",
    "cards",
    "change",
    "change_direction",
    "change_item",
    "changes",
    "close",
    "direction_card",
    "directions",
    "draft",
    "item_card",
    "items",
    "of_plan",
    "of_public_plan",
    "public_cards",
    "set_status",
    "take_over",
]

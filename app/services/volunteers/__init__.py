"""Volunteers' files. What a step means for raids they are on is in app/services/standing.py."""

from app.services.volunteers.applications import apply
from app.services.volunteers.changes import change, change_own
from app.services.volunteers.consents import consents, is_withdrawn, own_consents, record
from app.services.volunteers.files import account_of, card, get, history, of_account, own_card, visible_to
from app.services.volunteers.search import lines, values
from app.services.volunteers.steps import ACTIVE, COUNTED, advance, approve, invite, reject

__all__ = [
    "ACTIVE",
    "COUNTED",
    "account_of",
    "advance",
    "apply",
    "approve",
    "card",
    "change",
    "change_own",
    "consents",
    "get",
    "history",
    "invite",
    "is_withdrawn",
    "lines",
    "of_account",
    "own_card",
    "own_consents",
    "record",
    "reject",
    "values",
    "visible_to",
]

"""Who may do what: the roles, and the actor a request is made by."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    VOLUNTEER = "volunteer"
    COORDINATOR = "coordinator"
    MODERATOR = "moderator"
    ANALYST = "analyst"
    ADMIN = "admin"


class AccountKind(StrEnum):
    PERSON = "person"
    SERVICE = "service"


class Permission(StrEnum):
    METRICS_READ = "metrics:read"
    LEDGER_READ = "ledger:read"
    FIGURE_PUBLISH = "figure:publish"
    RAID_READ = "raid:read"
    RAID_JOIN = "raid:join"
    RAID_LEAD = "raid:lead"
    RAID_PLAN = "raid:plan"
    SPOT_READ = "spot:read"
    SIGHTING_REPORT = "sighting:report"
    SPOT_CHECK = "spot:check"
    VOLUNTEER_READ_OWN = "volunteer:read-own"
    VOLUNTEER_CHANGE_OWN = "volunteer:change-own"
    VOLUNTEER_MANAGE = "volunteer:manage"
    FINDING_REPORT = "finding:report"
    RESOURCE_READ = "resource:read"
    RESOURCE_REVIEW = "resource:review"
    RESOURCE_OBSERVE = "resource:observe"
    REFERRAL_MANAGE = "referral:manage"
    CARD_READ = "card:read"
    CARD_REPORT = "card:report"
    ACCOUNT_MANAGE = "account:manage"
    CITY_SET = "city:set"
    RECORDS_IMPORT = "records:import"
    DECLARED_READ = "declared:read"
    PLAN_READ = "plan:read"
    PLAN_MANAGE = "plan:manage"


_ANALYST = frozenset(
    {
        Permission.METRICS_READ,
        Permission.LEDGER_READ,
        Permission.FIGURE_PUBLISH,
        Permission.DECLARED_READ,
        Permission.PLAN_READ,
    }
)
_VOLUNTEER = frozenset(
    {
        Permission.METRICS_READ,
        Permission.RAID_READ,
        Permission.RAID_JOIN,
        Permission.RAID_LEAD,
        Permission.SPOT_READ,
        Permission.SIGHTING_REPORT,
        Permission.VOLUNTEER_READ_OWN,
        Permission.VOLUNTEER_CHANGE_OWN,
        Permission.FINDING_REPORT,
    }
)
_MODERATOR = frozenset(
    {
        Permission.METRICS_READ,
        Permission.LEDGER_READ,
        Permission.RAID_READ,
        Permission.SPOT_READ,
        Permission.FINDING_REPORT,
        Permission.RESOURCE_READ,
        Permission.RESOURCE_REVIEW,
        Permission.RESOURCE_OBSERVE,
        Permission.CARD_READ,
        Permission.CARD_REPORT,
        Permission.PLAN_READ,
    }
)
_COORDINATOR = frozenset(
    {
        Permission.METRICS_READ,
        Permission.LEDGER_READ,
        Permission.FIGURE_PUBLISH,
        Permission.RAID_READ,
        Permission.RAID_LEAD,
        Permission.RAID_PLAN,
        Permission.SPOT_READ,
        Permission.SIGHTING_REPORT,
        Permission.SPOT_CHECK,
        Permission.CITY_SET,
        Permission.VOLUNTEER_MANAGE,
        Permission.FINDING_REPORT,
        Permission.RESOURCE_READ,
        Permission.REFERRAL_MANAGE,
        Permission.CARD_READ,
        Permission.CARD_REPORT,
        Permission.DECLARED_READ,
        Permission.PLAN_READ,
        Permission.PLAN_MANAGE,
    }
)
# An admin keeps accounts and records in order, but does not do volunteers' or moderators' work.
_ADMIN = _COORDINATOR | {Permission.ACCOUNT_MANAGE, Permission.RECORDS_IMPORT}

ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.VOLUNTEER: _VOLUNTEER,
    Role.COORDINATOR: _COORDINATOR,
    Role.MODERATOR: _MODERATOR,
    Role.ANALYST: _ANALYST,
    Role.ADMIN: _ADMIN,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes the request, as the access token says, and the city it acts in."""

    account_id: UUID
    city_id: str
    role: Role
    authz_version: int
    sign_in_id: UUID | None
    """None for the token of an outside issuer: there is no sign-in of ours to end."""
    republic: bool = False
    """The account belongs to no city; `city_id` is the one that this request names, or empty."""

    def may(self, permission: Permission) -> bool:
        return permission in ALLOWED[self.role]

"""The people of the demonstration city: those who sign in to it, and its volunteers."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import reduce
from random import Random

from asyncpg import Range

from app.core.ranges import half_open
from app.domain.availability import DAY_MINUTES
from app.domain.names import name_words, sort_name
from app.domain.permissions import AccountKind, Role
from app.domain.volunteers import (
    ADULT_AGE_YEARS,
    MIN_AGE_YEARS,
    VOLUNTEER_FLOW,
    ConsentGiver,
    ConsentPurpose,
    Language,
    Programme,
    Skill,
    VolunteerAction,
    VolunteerStatus,
    age_on,
)
from app.models.accounts import Account
from app.models.volunteers import Consent, Volunteer
from app.services.demo.almanac import Almanac, id_at
from app.services.demo.words import WORDS

COORDINATOR, MODERATOR, SECOND_MODERATOR = (f"{name}@almaty.example" for name in ("coordinator", "moderator", "second"))
STAFF = {
    COORDINATOR: Role.COORDINATOR,
    MODERATOR: Role.MODERATOR,
    SECOND_MODERATOR: Role.MODERATOR,
    "analyst@almaty.example": Role.ANALYST,
    "admin@almaty.example": Role.ADMIN,
    "almaty-dashboards": Role.ANALYST,
}
SERVICES = frozenset({"almaty-dashboards"})
PHONES_BEGIN = "+7700000"
"""Numbers of this range ring nobody."""
VOLUNTEER_PHONE = f"{PHONES_BEGIN}0000"

# 3,500 on the street and 3,000 online, as the programme says of itself; some are in both.
BOTH, STREET_ONLY, ONLINE_ONLY = 300, 3_200, 2_700
APPLICANTS, REJECTED = 140, 60
_APPROVED = (VolunteerAction.APPROVE,)
_ENDINGS = ((), (VolunteerAction.SUSPEND,), (VolunteerAction.LEAVE,))
_ENDING_WEIGHTS = (0.96, 0.015, 0.025)
_CAME_AT_ONCE, _AT_ONCE_DAYS, _LAST_DAY = 0.25, 10, 355
"""The share that came when the programme was announced; the last day on which somebody applied and was approved."""
_PHOTOS, _NO_MORE_PHOTOS = 0.6, 0.02
"""The shares that agreed to photos, and that took it back."""
_OLDEST = 34
"""Years on the day of applying, so that nobody outgrows the programme within the year."""
_AGE_WEIGHTS = [6] * 4 + [8] * 7 + [2.5] * 10
_SKILLS = list(Skill)
_WEEKENDS = 0.6
"""The share that has time on a Saturday, and on a Sunday."""
_LAST_FOUR_DIGITS = range(1, 10_000)


@dataclass(slots=True)
class Crowd:
    """Some of the volunteers who were approved, in order of approval."""

    since: list[datetime] = field(default_factory=list[datetime])
    members: list[Volunteer] = field(default_factory=list[Volunteer])

    def before(self, moment: datetime) -> list[Volunteer]:
        return self.members[: bisect_left(self.since, moment)]


@dataclass(slots=True)
class People:
    accounts: list[Account] = field(default_factory=list[Account])
    volunteers: list[Volunteer] = field(default_factory=list[Volunteer])
    consents: list[Consent] = field(default_factory=list[Consent])

    def staff(self, login: str) -> Account:
        return next(account for account in self.accounts if account.login == login)

    def active_in(self, programme: Programme) -> Crowd:
        since = {account.id: account.created_at for account in self.accounts}
        rows = sorted(
            (since[row.account_id], row.id, row)
            for row in self.volunteers
            if row.account_id and row.status is VolunteerStatus.ACTIVE and programme in row.programmes
        )
        return Crowd([approved for approved, _, _ in rows], [row for _, _, row in rows])


def invent(almanac: Almanac, secret_hash: str) -> People:
    people = People(list(_staff(almanac, secret_hash)))
    dice = almanac.dice("people")
    phones = [VOLUNTEER_PHONE, *(_phone(digits) for digits in dice.sample(_LAST_FOUR_DIGITS, len(_LAST_FOUR_DIGITS)))]
    for phone, (programmes, actions) in zip(phones, _careers(dice), strict=False):
        volunteer = _volunteer(almanac, dice, phone, programmes, actions)
        people.volunteers.append(volunteer)
        people.consents += _consents(almanac, dice, volunteer)
        if VolunteerAction.APPROVE in actions:
            people.accounts.append(_account(almanac, dice, volunteer))
    own = people.staff(VOLUNTEER_PHONE)
    own.secret_hash = secret_hash
    return people


def _staff(almanac: Almanac, secret_hash: str) -> Iterator[Account]:
    dice = almanac.dice("staff")
    opened = almanac.at(almanac.days[0], time(8))
    for login, role in STAFF.items():
        kind = AccountKind.SERVICE if login in SERVICES else AccountKind.PERSON
        yield Account(**almanac.new(dice, opened), login=login, kind=kind, role=role, secret_hash=secret_hash)


def _careers(dice: Random) -> list[tuple[list[str], tuple[VolunteerAction, ...]]]:
    """Programmes and the steps of the file since it was handed in; the first is the one to sign in as."""
    street, online = [Programme.STREET.value], [Programme.ONLINE.value]
    both = [*online, *street]
    approved = [both] * (BOTH - 1) + [street] * STREET_ONLY + [online] * ONLINE_ONLY
    endings = dice.choices(_ENDINGS, _ENDING_WEIGHTS, k=len(approved))
    careers = [(programmes, _APPROVED + ending) for programmes, ending in zip(approved, endings, strict=True)]
    careers += [(dice.choice((street, online, [Programme.OUTREACH.value])), ()) for _ in range(APPLICANTS)]
    careers += [(dice.choice((street, online)), (VolunteerAction.REJECT,)) for _ in range(REJECTED)]
    dice.shuffle(careers)
    return [(both, _APPROVED), *careers]


def _volunteer(
    almanac: Almanac, dice: Random, phone: str, programmes: list[str], actions: tuple[VolunteerAction, ...]
) -> Volunteer:
    is_own = phone == VOLUNTEER_PHONE
    day = almanac.days[0] if is_own else _applied_on(almanac, dice, is_open=not actions)
    names, language = dice.choice(
        ((WORDS.kazakh, Language.KK), (WORDS.kazakh, Language.RU), (WORDS.russian, Language.RU))
    )
    given_name, family_name = names.person(dice)
    birth_on = _birth_on(dice, day, youngest=ADULT_AGE_YEARS if is_own else MIN_AGE_YEARS)
    is_minor = age_on(birth_on, day) < ADULT_AGE_YEARS
    return Volunteer(
        **almanac.new(dice, almanac.by_day(dice, day)),
        version=1 + len(actions),
        status=reduce(VOLUNTEER_FLOW.after, actions, VolunteerStatus.APPLIED),
        given_name=given_name,
        family_name=family_name,
        sort_name=sort_name(family_name, given_name),
        name_words=name_words(family_name, given_name),
        birth_on=birth_on,
        phone=phone,
        language=language,
        languages=sorted({language, Language.RU}),
        programmes=programmes,
        skills=sorted(dice.sample(_SKILLS, dice.choice((0, 0, 1, 1, 2)))),
        availability=_availability(dice),
        districts=sorted(dice.sample([district.id for district in almanac.city.districts], dice.randint(0, 2))),
        guardian_name=" ".join(names.person(dice)) if is_minor else None,
        guardian_phone=_phone(dice.choice(_LAST_FOUR_DIGITS)) if is_minor else None,
        status_reason=dice.choice(WORDS.rejection_reasons) if VolunteerAction.REJECT in actions else None,
    )


def _availability(dice: Random) -> "list[Range[int]]":
    """Evenings of some weekdays, a good part of some weekends."""
    evenings = [(day, 18, 21) for day in sorted(dice.sample(range(5), dice.randint(0, 3)))]
    days = [(day, 10, 18) for day in (5, 6) if dice.random() < _WEEKENDS]
    return half_open(
        (day * DAY_MINUTES + begins * 60, day * DAY_MINUTES + ends * 60) for day, begins, ends in evenings + days
    )


def _phone(last_four_digits: int) -> str:
    return f"{PHONES_BEGIN}{last_four_digits:04}"


def _applied_on(almanac: Almanac, dice: Random, *, is_open: bool) -> date:
    """Who still waits came lately."""
    if is_open:
        return almanac.until - timedelta(days=dice.randint(1, 14))
    return almanac.days[dice.randrange(_AT_ONCE_DAYS if dice.random() < _CAME_AT_ONCE else _LAST_DAY)]


def _birth_on(dice: Random, day: date, *, youngest: int) -> date:
    ages = range(MIN_AGE_YEARS, _OLDEST + 1)
    age = max(youngest, dice.choices(ages, _AGE_WEIGHTS)[0])
    return day - timedelta(days=int(age * 365.25) + dice.randint(3, 360))


def _account(almanac: Almanac, dice: Random, volunteer: Volunteer) -> Account:
    """Made when a coordinator approved the file, one to six days after it was handed in."""
    approved_at = volunteer.created_at + timedelta(days=dice.randint(1, 6), minutes=dice.randrange(60))
    account = Account(
        **almanac.new(dice, approved_at),
        login=volunteer.phone,
        role=Role.VOLUNTEER,
        is_active=volunteer.status is VolunteerStatus.ACTIVE,
    )
    volunteer.account_id = account.id
    return account


def _consents(almanac: Almanac, dice: Random, volunteer: Volunteer) -> Iterator[Consent]:
    purposes = [ConsentPurpose.PERSONAL_DATA, ConsentPurpose.PARTICIPATION]
    photos = dice.random()
    if photos < _PHOTOS:
        purposes.append(ConsentPurpose.PHOTOS)
    for purpose in purposes:
        yield _consent(almanac, dice, volunteer, purpose)
    if photos < _NO_MORE_PHOTOS:
        yield _withdrawal(almanac, dice, volunteer)


def _consent(almanac: Almanac, dice: Random, volunteer: Volunteer, purpose: ConsentPurpose) -> Consent:
    return Consent(
        **almanac.new(dice, volunteer.created_at),
        volunteer_id=volunteer.id,
        purpose=purpose,
        text_version="demo",
        language=volunteer.language,
        given_by=ConsentGiver.GUARDIAN if volunteer.guardian_phone else ConsentGiver.SELF,
        is_given=True,
    )


def _withdrawal(almanac: Almanac, dice: Random, volunteer: Volunteer) -> Consent:
    """A further row: a consent is never changed."""
    given = _consent(almanac, dice, volunteer, ConsentPurpose.PHOTOS)
    withdrawn_at = min(volunteer.created_at + timedelta(days=dice.randint(10, 90)), almanac.end)
    return given.model_copy(update={"is_given": False, "created_at": withdrawn_at, "id": id_at(dice, withdrawn_at)})

"""Who may do what. This table is the policy: an operation that is not in it fails the first test.

A coordinator runs the work and sees people; a moderator judges findings and sees no people; an analyst sees
numbers; an admin looks after accounts and records as well, and judges no findings: who refers a resource must
not be the one who confirmed it. Only an admin makes accounts, of any role, in their own city; nobody changes
their own access (tests/accounts), and a role can only be had from an admin (tests/volunteers).
"""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.domain.permissions import Role
from tests.city import Client, TestCity, found_city
from tests.client import contract

ANONYMOUS = None
VOLUNTEER, COORDINATOR, MODERATOR, ANALYST, ADMIN = Role

EVERYBODY = {ANONYMOUS, *Role}
SIGNED_IN = {*Role}
IN_THE_FIELD = {VOLUNTEER, COORDINATOR, MODERATOR, ADMIN}
PLANNERS = {COORDINATOR, ADMIN}
PUBLISHERS = {COORDINATOR, ANALYST, ADMIN}  # two of them for each figure: tests/figures
COUNTING = {ANALYST, *PLANNERS}
STAFF = {MODERATOR, ANALYST, *PLANNERS}
LEADERS = {VOLUNTEER, *PLANNERS}  # of volunteers only the raid's own lead: tests/raids

POLICY = {
    # The public, and whoever wants to sign in
    "GET /v1/public/{city_id}": EVERYBODY,
    "GET /v1/public/{city_id}/districts": EVERYBODY,
    "GET /v1/public/{city_id}/metrics": EVERYBODY,
    "GET /v1/public/{city_id}/metrics/map": EVERYBODY,
    "GET /v1/public/{city_id}/metrics/leaderboard": EVERYBODY,
    "GET /v1/public/{city_id}/metrics/{metric}/series": EVERYBODY,
    "POST /v1/public/{city_id}/volunteers": EVERYBODY,
    "POST /v1/auth/token": EVERYBODY,
    "POST /v1/auth/password": EVERYBODY,
    "GET /.well-known/jwks.json": EVERYBODY,
    # Those who run the service; both /metrics ask for a token of their own where one is set
    "GET /livez": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /version": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /metrics/programme": EVERYBODY,
    # One's own account and file
    "GET /v1/accounts/me": SIGNED_IN,
    "POST /v1/auth/logout": SIGNED_IN,
    "POST /v1/auth/logout-everywhere": SIGNED_IN,
    "GET /v1/volunteers/me": {VOLUNTEER},
    "PATCH /v1/volunteers/me": {VOLUNTEER},
    "POST /v1/volunteers/me/leave": {VOLUNTEER},
    "GET /v1/volunteers/me/consents": {VOLUNTEER},
    "POST /v1/volunteers/me/consents": {VOLUNTEER},
    "GET /v1/volunteers/skills": SIGNED_IN,
    # Numbers
    "GET /v1/metrics": SIGNED_IN,
    "GET /v1/metrics/definitions": EVERYBODY,
    "GET /v1/metrics/stream": SIGNED_IN,
    "GET /v1/public/{city_id}/metrics/stream": EVERYBODY,
    # The entries behind a number, and what proves that they stay as they are
    "GET /v1/ledger": STAFF,
    "GET /v1/ledger/{entry_id}/proof": STAFF,
    "GET /v1/seals": STAFF,
    "GET /v1/seals/{seal_id}": STAFF,
    # Published numbers
    "GET /v1/figures": STAFF,
    "POST /v1/figures": PUBLISHERS,
    "GET /v1/figures/{figure_id}": STAFF,
    "GET /v1/figures/{figure_id}/check": STAFF,
    "POST /v1/figures/{figure_id}/sign": PUBLISHERS,
    "POST /v1/figures/{figure_id}/withdraw": PUBLISHERS,
    "GET /v1/public/{city_id}/figures": EVERYBODY,
    "GET /v1/public/{city_id}/figures/{figure_id}": EVERYBODY,
    "GET /v1/public/{city_id}/figures/{figure_id}/check": EVERYBODY,
    "GET /v1/public/{city_id}/figures/{figure_id}/cite": EVERYBODY,
    "GET /v1/public/{city_id}/figures/{figure_id}/cite.json": EVERYBODY,
    "GET /v1/public/{city_id}/figures/{figure_id}/badge.svg": EVERYBODY,
    "GET /v1/metrics/funnel": SIGNED_IN,
    "GET /v1/metrics/map": SIGNED_IN,
    "GET /v1/metrics/leaderboard": SIGNED_IN,
    "GET /v1/metrics/leaderboard/crews": SIGNED_IN,  # people in it by role: tests/metrics/test_crews.py
    "GET /v1/metrics/{metric}/series": SIGNED_IN,
    "GET /v1/declared-counts": COUNTING,  # with who entered and withdrew them
    "GET /v1/declared-counts/{declared_id}": COUNTING,
    "POST /v1/declared-counts": {ADMIN},
    "POST /v1/declared-counts/{declared_id}/withdraw": {ADMIN},
    # Plans
    "GET /v1/public/{city_id}/plans": EVERYBODY,
    "GET /v1/public/{city_id}/plans/{plan_id}": EVERYBODY,
    "GET /v1/plans": STAFF,
    "POST /v1/plans": PLANNERS,
    "POST /v1/plans/imports": PLANNERS,
    "GET /v1/plans/{plan_id}": STAFF,
    "PATCH /v1/plans/{plan_id}": PLANNERS,
    "POST /v1/plans/{plan_id}/adopt": PLANNERS,
    "POST /v1/plans/{plan_id}/close": PLANNERS,
    "GET /v1/plans/{plan_id}/progress": STAFF,
    "GET /v1/plans/{plan_id}/directions": STAFF,
    "POST /v1/plans/{plan_id}/directions": PLANNERS,
    "PATCH /v1/plans/{plan_id}/directions/{direction_id}": PLANNERS,
    "GET /v1/plans/{plan_id}/items": STAFF,
    "POST /v1/plans/{plan_id}/items": PLANNERS,
    "GET /v1/plans/{plan_id}/items/{item_id}": STAFF,
    "PATCH /v1/plans/{plan_id}/items/{item_id}": PLANNERS,
    "POST /v1/plans/{plan_id}/items/{item_id}/status": PLANNERS,
    "GET /v1/plans/{plan_id}/items/{item_id}/history": STAFF,
    # Raids
    "GET /v1/raids": IN_THE_FIELD,
    "GET /v1/raids/{raid_id}": IN_THE_FIELD,
    "GET /v1/raids/{raid_id}/removals": IN_THE_FIELD,
    "POST /v1/raids/{raid_id}/sign-up": {VOLUNTEER},
    "POST /v1/raids/{raid_id}/withdraw": {VOLUNTEER},
    "POST /v1/raids": PLANNERS,
    "PATCH /v1/raids/{raid_id}": PLANNERS,
    "POST /v1/raids/{raid_id}/publish": PLANNERS,
    "POST /v1/raids/{raid_id}/start": LEADERS,
    "POST /v1/raids/{raid_id}/finish": LEADERS,
    "POST /v1/raids/{raid_id}/cancel": PLANNERS,
    "POST /v1/raids/{raid_id}/removals": LEADERS,
    "GET /v1/raids/{raid_id}/crew": PLANNERS,  # with phone numbers
    "GET /v1/raids/{raid_id}/roll": LEADERS,
    "GET /v1/raids/{raid_id}/place": {VOLUNTEER},
    "POST /v1/raids/{raid_id}/accept": {VOLUNTEER},
    "POST /v1/raids/{raid_id}/decline": {VOLUNTEER},
    "POST /v1/raids/{raid_id}/offers": PLANNERS,
    "PUT /v1/raids/{raid_id}/lead": PLANNERS,
    "GET /v1/raids/{raid_id}/eligibility/{volunteer_id}": PLANNERS,
    "GET /v1/raids/{raid_id}/suggestions": PLANNERS,
    "GET /v1/raids/{raid_id}/stops": IN_THE_FIELD,
    "PUT /v1/raids/{raid_id}/stops": PLANNERS,
    "POST /v1/raids/{raid_id}/stops/{spot_id}/answer": LEADERS,
    # Who was there
    "POST /v1/raids/{raid_id}/roll-call": LEADERS,
    "GET /v1/raids/{raid_id}/code": LEADERS,
    "POST /v1/raids/{raid_id}/check-in": {VOLUNTEER},
    "POST /v1/raids/{raid_id}/check-out": {VOLUNTEER},
    "POST /v1/raids/{raid_id}/crew/{volunteer_id}/check-in": LEADERS,
    "POST /v1/raids/{raid_id}/crew/{volunteer_id}/check-out": LEADERS,
    # Looking again, never at one's own
    "GET /v1/checks": PLANNERS,
    "GET /v1/checks/error-rates": PLANNERS,
    "GET /v1/checks/{removal_id}": PLANNERS,
    "POST /v1/checks/{removal_id}/verify": PLANNERS,
    "POST /v1/checks/{removal_id}/dispute": PLANNERS,
    # Calendars: the address that a calendar app reads is itself the secret
    "POST /v1/calendars/secret": IN_THE_FIELD,
    "GET /v1/public/{city_id}/calendars/{token}/raids.ics": EVERYBODY,
    # Spots
    "GET /v1/spots": IN_THE_FIELD,
    "GET /v1/spots.geojson": IN_THE_FIELD,
    "GET /v1/spots/heat": IN_THE_FIELD,
    "GET /v1/spots/reappearance": SIGNED_IN,
    "GET /v1/spots/{spot_id}": IN_THE_FIELD,
    "GET /v1/spots/{spot_id}/sightings": PLANNERS,  # with what the wall advertises
    "GET /v1/spots/{spot_id}/history": PLANNERS,
    "GET /v1/spots/{spot_id}/removals": IN_THE_FIELD,
    "POST /v1/sightings": {VOLUNTEER, *PLANNERS},
    "POST /v1/sightings/batch": {VOLUNTEER, *PLANNERS},
    "POST /v1/spots/{spot_id}/confirm": PLANNERS,
    "POST /v1/spots/{spot_id}/dismiss": PLANNERS,
    "POST /v1/spots/{spot_id}/merge": PLANNERS,
    "POST /v1/spots/{spot_id}/split": PLANNERS,
    # People
    "GET /v1/volunteers": PLANNERS,
    "GET /v1/volunteers/{volunteer_id}": PLANNERS,
    "PATCH /v1/volunteers/{volunteer_id}": PLANNERS,
    "GET /v1/volunteers/{volunteer_id}/history": PLANNERS,
    "GET /v1/volunteers/{volunteer_id}/consents": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/consents": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/leave": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/approve": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/reject": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/suspend": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/reinstate": PLANNERS,
    "POST /v1/volunteers/{volunteer_id}/invite": PLANNERS,
    # Online advertising: one reports, another judges, a third refers
    "POST /v1/findings": IN_THE_FIELD,
    "GET /v1/findings/{finding_id}": IN_THE_FIELD,
    "GET /v1/resources": {MODERATOR, *PLANNERS},
    "GET /v1/resources/{resource_id}": {MODERATOR, *PLANNERS},
    "POST /v1/resources/{resource_id}/review": {MODERATOR},
    "POST /v1/resources/{resource_id}/confirm": {MODERATOR},
    "POST /v1/resources/{resource_id}/reject": {MODERATOR},
    "GET /v1/resources/{resource_id}/history": {MODERATOR, *PLANNERS},
    "GET /v1/resources/{resource_id}/observations": {MODERATOR, *PLANNERS},
    "POST /v1/resources/{resource_id}/observations": {MODERATOR},
    "GET /v1/observations/{observation_id}": {MODERATOR, *PLANNERS},
    "GET /v1/referrals": PLANNERS,
    "POST /v1/referrals": PLANNERS,
    "GET /v1/referrals/{referral_id}": PLANNERS,
    "GET /v1/referrals/{referral_id}/items": PLANNERS,
    "POST /v1/referrals/{referral_id}/send": PLANNERS,
    "POST /v1/referrals/{referral_id}/acknowledge": PLANNERS,
    "POST /v1/referrals/{referral_id}/items/{resource_id}/answer": PLANNERS,
    "POST /v1/referrals/{referral_id}/items/{resource_id}/restore": PLANNERS,
    # Payment cards are evidence: one reports, another refers, and analysts see the counts alone
    "GET /v1/payment-cards": {MODERATOR, *PLANNERS},
    "POST /v1/payment-cards": {MODERATOR, *PLANNERS},
    "GET /v1/payment-cards/{card_id}": {MODERATOR, *PLANNERS},
    "POST /v1/payment-cards/{card_id}/refer": PLANNERS,
    "POST /v1/payment-cards/{card_id}/freeze": PLANNERS,
    "POST /v1/payment-cards/{card_id}/refuse": PLANNERS,
    # The city's own rules, its accounts and its records
    "GET /v1/city/settings": PLANNERS,
    "PATCH /v1/city/settings": PLANNERS,
    "GET /v1/accounts": {ADMIN},
    "POST /v1/accounts": {ADMIN},
    "GET /v1/accounts/{account_id}": {ADMIN},
    "PUT /v1/accounts/{account_id}/access": {ADMIN},
    "POST /v1/accounts/{account_id}/invite": {ADMIN},
    "POST /v1/accounts/{account_id}/secret": {ADMIN},
    "GET /v1/imports": {ADMIN},
    "POST /v1/imports": {ADMIN},
    "GET /v1/imports/{import_id}": {ADMIN},
}


@pytest.fixture(scope="module")
async def town(sparse: FastAPI) -> AsyncIterator[TestCity]:
    async with found_city(sparse) as city:
        yield city


async def ask(client: Client, operation: str) -> int:
    """With nothing right about it but who asks: no such id, and a body that no operation takes."""
    method, path = operation.split()
    taken = (
        client._contract.spec["paths"][path][method.lower()]
        .get("requestBody", {})
        .get("content", {"application/json": {}})
    )
    path = re.sub(r"{\w+}", str(uuid4()), path.replace("{city_id}", "nowhere"))
    body, media = (b"", {}) if method == "GET" else (b'{"no such field": 1}', {"Content-Type": next(iter(taken))})
    return (await client.request(method, f"http://test{path}", content=body, headers=media)).status_code


def test_the_policy_lists_every_operation():
    spec = contract().spec["paths"]
    assert {f"{verb.upper()} {path}" for path in spec for verb in spec[path]} == set(POLICY)


@pytest.mark.parametrize("operation", POLICY)
async def test_roles_that_are_not_listed_are_refused_before_anything_else_is_looked_at(town: TestCity, operation: str):
    is_last = "logout" in operation  # who has signed out must not ask again
    clients = [await (town.client_of(await town.account(role)) if is_last else town.as_(role)) for role in Role]
    answers = await asyncio.gather(*(ask(client, operation) for client in clients))
    for role, status in zip(Role, answers, strict=True):
        if role in POLICY[operation]:
            assert status not in {401, 403}, role
        else:
            assert status == 403, role


@pytest.mark.parametrize("operation", POLICY)
async def test_nobody_who_must_sign_in_stays_anonymous(town: TestCity, operation: str):
    status = await ask(town.anonymous, operation)
    assert (status == 401) == (ANONYMOUS not in POLICY[operation])

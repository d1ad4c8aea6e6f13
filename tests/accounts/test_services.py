"""A dashboard signs in with a secret instead of a password."""

from app.domain.permissions import Role
from tests.auth.devices import sign_in_service
from tests.city import TestCity


async def test_a_service_reads_with_its_secret_until_the_secret_is_replaced(city: TestCity):
    admin = await city.as_(Role.ADMIN)
    drafted = {"login": f"dashboard-{city.id}", "role": "analyst", "kind": "service"}
    service = (await admin.post("/accounts", json=drafted)).json()

    first = (await admin.post(f"/accounts/{service['id']}/secret")).json()
    tokens = (await sign_in_service(city.anonymous, **named(first))).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await city.anonymous.get("/metrics?days=0", headers=bearer)).status_code == 200

    second = (await admin.post(f"/accounts/{service['id']}/secret")).json()
    assert (await city.anonymous.get("/metrics?days=0", headers=bearer)).status_code == 401
    assert (await sign_in_service(city.anonymous, **named(first))).status_code == 401
    assert (await sign_in_service(city.anonymous, **named(second))).status_code == 200


def named(made: dict[str, str]) -> dict[str, str]:
    return {"client_id": made["client_id"], "secret": made["client_secret"]}

import pytest

from app.domain.resources import ResourceKind
from app.services.addresses import parse


@pytest.mark.parametrize(
    "typed",
    [
        "https://example.com/shop",
        "http://EXAMPLE.com/shop/",
        "example.com/shop#prices",
        "https://www.example.com:443/a/../shop",
    ],
)
def test_one_site_has_one_key(typed):
    address = parse(typed)
    assert address is not None
    assert (address.key, address.kind) == ("example.com/shop", ResourceKind.SITE)


@pytest.mark.parametrize("typed", ["@Example_Shop", "t.me/example_shop", "https://telegram.me/Example_Shop/42"])
def test_one_channel_has_one_key(typed):
    address = parse(typed)
    assert address is not None
    assert (address.key, address.kind) == ("t.me/example_shop", ResourceKind.CHANNEL)


def test_an_invite_keeps_its_case():
    address = parse("https://t.me/+AbCdEf")
    assert address is not None
    assert address.key == "t.me/+AbCdEf"


def test_an_address_in_another_script_is_the_one_the_network_knows():
    assert parse("https://пример.рф/") == parse("https://xn--e1afmkfd.xn--p1ai")


@pytest.mark.parametrize(
    "typed",
    [
        "no address",
        "http://",
        "https://localhost/x",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://a b.com",
        "https://user:secret@example.com",
        "@x",
        "mailto:a@example.com",
    ],
)
def test_what_is_no_address_is_refused(typed):
    assert parse(typed) is None

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


@pytest.mark.parametrize(
    "typed",
    [
        "@Example_Shop",
        "t.me/example_shop",
        "https://telegram.me/Example_Shop/42",
        "https://t.me/s/example_shop",
        "t.me/s/example_shop/7?before=3",
        "https://example_shop.t.me/",
        "tg://resolve?domain=Example_Shop&post=42",
    ],
)
def test_one_channel_has_one_key(typed):
    address = parse(typed)
    assert address is not None
    assert (address.key, address.kind) == ("t.me/example_shop", ResourceKind.CHANNEL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t.me/s/one_shop", "t.me/s/other_shop"),
        ("t.me/joinchat/AAAA", "t.me/joinchat/BBBB"),
        ("t.me/c/111/5", "t.me/c/222/5"),
        ("t.me/+AbC", "t.me/+aBc"),
    ],
)
def test_different_channels_are_never_one(one, other):
    first, second = parse(one), parse(other)
    assert first
    assert second
    assert first.key != second.key


@pytest.mark.parametrize("typed", ["t.me/+AbCd", "https://t.me/joinchat/AbCd", "tg://join?invite=AbCd"])
def test_one_invite_has_one_key(typed):
    address = parse(typed)
    assert address is not None
    assert address.key == "t.me/+AbCd"


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

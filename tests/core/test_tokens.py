"""Each hostile token is signed by the right key and differs from a good one in one thing only.

So a check that is taken away lets something through here. Where the signature is the thing, that differs.
"""

import base64
import hashlib
import hmac
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.core import tokens
from app.core.tokens import Claims, Issuer, SigningKey, TokenError, Verifier

Part = bytes | Mapping[str, object]
Sign = Callable[[bytes], bytes]
Jwk = Mapping[str, object]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IAT = int(NOW.timestamp())
ISSUER, AUDIENCE = "https://narkostop.example", "narkostop"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "==")


EC_KEY, OTHER_EC_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 to see it refused
KEY, OTHER_KEY = SigningKey("ours", pem(EC_KEY)), SigningKey("other", pem(OTHER_EC_KEY))
EC_JWK, OTHER_JWK = KEY.public_jwk(), OTHER_KEY.public_jwk()


def es256(text: bytes, key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    return b"".join(number.to_bytes(32) for number in decode_dss_signature(der(text, key)))


def der(text: bytes, key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    return key.sign(text, ec.ECDSA(SHA256()))


def rs256(text: bytes) -> bytes:
    return RSA_KEY.sign(text, padding.PKCS1v15(), SHA256())


def hs256(text: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, text, hashlib.sha256)


def rsa_jwk(key: rsa.RSAPrivateKey = RSA_KEY) -> dict[str, object]:
    modulus = key.public_key().public_numbers().n
    n = b64(modulus.to_bytes((modulus.bit_length() + 7) // 8))
    return {"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": n, "e": "AQAB"}


HEADER = {"alg": "ES256", "kid": "ours", "typ": "at+jwt"}
RSA_HEADER = {"alg": "RS256", "kid": "rsa", "typ": "at+jwt"}
PAYLOAD = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "jti": "a1", "iat": IAT, "exp": IAT + 900, "city": "almaty"}


def encoded(part: Part) -> str:
    return b64(part if isinstance(part, bytes) else json.dumps(part).encode())


def signed(text: str, sign: Sign = es256) -> str:
    return f"{text}.{b64(sign(text.encode()))}"


def forged(header: Part = HEADER, payload: Part = PAYLOAD, sign: Sign = es256) -> str:
    return signed(f"{encoded(header)}.{encoded(payload)}", sign)


def without(part: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in part.items() if name not in names}


def ended(part: Mapping[str, object], end: bytes) -> bytes:
    """Write on where `json.dumps` closed the object."""
    return json.dumps(part)[:-1].encode() + end


def one_by_one(table: Mapping[str, list[Any]]) -> Any:
    """Parametrize over each name and value; numbered, because an id made of the value may be random or unreadable."""
    rows = [(name, value, f"{name}-{n}") for name, values in table.items() for n, value in enumerate(values)]
    return pytest.mark.parametrize(("name", "value"), [row[:2] for row in rows], ids=[row[2] for row in rows])


def verifier(*jwks: Jwk, types: tuple[str, ...] = ("at+jwt",)) -> Verifier:
    return Verifier(jwks or [EC_JWK], issuer=ISSUER, audience=AUDIENCE, types=types)


def issued(key: SigningKey = KEY, **claims: str | int | None) -> str:
    return Issuer(key, issuer=ISSUER, audience=AUDIENCE).issue(subject="anna", claims=claims, now=NOW)


def refused(token: str, *, by: Verifier | None = None, now: datetime = NOW) -> TokenError:
    with pytest.raises(TokenError) as caught:
        (by or verifier()).verify(token, now=now)
    assert str(caught.value) == ""
    return caught.value


# Issued and believed


def test_a_round_trip_keeps_every_claim() -> None:
    claims = verifier().verify(issued(city="almaty", level=3, team=None), now=NOW)
    assert (claims.sub, claims.iat, claims.nbf, claims.exp) == ("anna", NOW, NOW, NOW + timedelta(minutes=15))
    assert claims.extra == {"city": "almaty", "level": 3, "team": None}


def test_what_is_issued() -> None:
    header, payload, signature = map(unb64, issued().split("."))
    assert json.loads(header) == HEADER
    assert json.loads(payload).keys() == {"iss", "aud", "sub", "jti", "iat", "exp"}
    assert len(signature) == 64


def test_each_token_has_its_own_jti() -> None:
    assert len({verifier().verify(issued(), now=NOW).jti for _ in range(20)}) == 20


def test_a_caller_cannot_replace_what_the_issuer_says() -> None:
    claims = verifier().verify(issued(sub="admin", aud="all", iss="me", exp=2**32, iat=0, jti="1"), now=NOW)
    assert (claims.sub, claims.iat, claims.exp) == ("anna", NOW, NOW + timedelta(minutes=15))
    assert claims.jti != "1"


def test_a_well_forged_token_is_believed() -> None:
    """Otherwise no refusal below would prove anything."""
    assert verifier().verify(forged(), now=NOW).extra == {"city": "almaty"}


def test_shared_claims_cannot_be_changed() -> None:
    claims: Any = verifier().verify(forged(), now=NOW)
    with pytest.raises(FrozenInstanceError):
        claims.sub = "admin"
    with pytest.raises(TypeError):
        claims.extra["city"] = "astana"


def test_nested_claims_and_fractions_of_an_outside_issuer_are_left_out() -> None:
    foreign = {**PAYLOAD, "realm": {"roles": ["a"]}, "groups": ["b"], "score": 0.5}
    assert verifier().verify(forged(payload=foreign), now=NOW).extra == {"city": "almaty"}


def test_a_time_without_a_zone_is_a_mistake_of_ours() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(TypeError):
        Issuer(KEY, issuer=ISSUER, audience=AUDIENCE).issue(subject="anna", claims={}, now=naive)
    with pytest.raises(TypeError):
        verifier().verify(forged(), now=naive)


def test_an_error_shows_neither_the_token_nor_its_claims() -> None:
    token = forged(payload={**PAYLOAD, "sub": "Анна Иванова", "iat": "born 1990"})
    told = "".join(traceback.format_exception(refused(token)))
    assert "sub" in told
    assert not any(secret in told for secret in ("Анна", "1990", "almaty", token.split(".")[0]))


# The text

HEAD, BODY = encoded(HEADER), encoded(PAYLOAD)
MALFORMED = {
    "empty": "",
    "dots": "..",
    "2 segments": f"{HEAD}.{BODY}",
    "no signature": f"{HEAD}.{BODY}.",
    "4 segments": signed(f"{HEAD}.{BODY[:8]}.{BODY[8:]}"),
    "6 segments": signed(f"{HEAD}.{BODY[:4]}.{BODY[4:8]}.{BODY[8:12]}.{BODY[12:]}"),
    "space": signed(f"{HEAD}.{BODY[:8]} {BODY[8:]}"),
    "newline": signed(f"{HEAD[:8]}\n{HEAD[8:]}.{BODY}"),
    "NUL": signed(f"{HEAD}.{BODY[:8]}\0{BODY[8:]}"),
    "letter in header": signed(f"{HEAD[:8]}\N{CYRILLIC SMALL LETTER A}{HEAD[8:]}.{BODY}"),
    "letter in payload": signed(f"{HEAD}.{BODY[:8]}\N{CYRILLIC SMALL LETTER A}{BODY[8:]}"),
    "letter in signature": f"{forged()}\N{CYRILLIC SMALL LETTER A}",
    "digit": signed(f"{HEAD}.{BODY[:8]}\N{FULLWIDTH DIGIT ONE}{BODY[8:]}"),
    "padding": signed(f"{encoded(ended(PAYLOAD, b' }'))}=.{BODY}"),
    "padding at the end": f"{forged()}==",
    "space before": f" {forged()}",
    "newline after": f"{forged()}\n",
    "scheme": f"Bearer {forged()}",
    "mark in signature": forged().replace(".", ".!"),
    "length of no base64": signed(f"{encoded(json.dumps(HEADER).encode() + b' ' * (-len(HEADER) % 3))}A.{BODY}"),
    "half a surrogate pair": "\ud800",
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_three_segments_of_base64url_is_refused(token: str) -> None:
    refused(token)


def test_the_longest_token_has_4096_characters() -> None:
    padded = [forged(payload={**PAYLOAD, "note": "x" * size}) for size in range(2650, 2850)]
    longest = max(len(token) for token in padded if believed(token))
    assert longest == max(len(token) for token in padded if len(token) <= 4096)
    assert longest < max(map(len, padded))


# The header

WRONG_IN_HEADER: dict[str, list[Any]] = {
    "alg": ["none", "None", "", "es256", "ES256 RS256", "HS256", "RS256", "ES384", None, True, ["ES256"], {"ES256": 1}],
    "typ": ["JWT", "AT+JWT", "at+jwt ", "id_token", "", None, ["at+jwt"]],
    "kid": ["", "unknown", "rsa", "ours\n", "ours\0", "OURS", "../ours", "' OR 1=1 --", None, 0, ["ours"], {"ours": 1}],
    "crit": [["exp"], ["b64"], [], None],
    "b64": [False, True, None],
    "jwk": [EC_JWK, None],
    "jku": ["https://narkostop.example/jwks.json"],
    "x5u": ["https://narkostop.example/cert.pem"],
    "x5c": [["MIIB"], []],
    "x5t": [1, ["a"], {}],
    "zip": ["DEF"],
    "enc": ["A256GCM"],
    "cty": ["JWT"],
}
WRONG_HEADERS = {
    "deep list": b"[" * 1000 + b"]" * 1000,
    "deep object": b'{"a":' * 590 + b"1" + b"}" * 590,
    "deep member": ended(HEADER, b',"x5t":' + b"[" * 1000 + b"]" * 1000 + b"}"),
    "empty": b"",
    "null": b"null",
    "text": b'"at+jwt"',
    "list": b"[]",
    "pairs": json.dumps(list(HEADER.items())).encode(),
    "no UTF-8": ended(HEADER, b',"x5t":"\xff"}'),
    "UTF-16": json.dumps(HEADER).encode("utf-16"),
    "byte order mark": json.dumps(HEADER).encode("utf-8-sig"),
    "open": ended(HEADER, b""),
    "two objects": ended(HEADER, b"}{}"),
    "typ twice": ended(HEADER, b',"typ":"at+jwt"}'),
    "kid twice": ended(HEADER, b',"kid":"ours"}'),
    "alg twice": b'{"alg":"none",' + json.dumps(HEADER)[1:].encode(),
    **{f"no {name}": without(HEADER, name) for name in HEADER},
}


@pytest.fixture
def credulous_jose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believes everything, so what is refused was refused by us."""

    def believe(*_: object) -> bytes:
        return json.dumps(PAYLOAD).encode()

    monkeypatch.setattr(tokens.jws, "verify", believe)


@pytest.mark.usefixtures("credulous_jose")
@one_by_one(WRONG_IN_HEADER)
def test_one_thing_wrong_in_the_header(name: str, value: object) -> None:
    refused(forged({**HEADER, name: value}))


@pytest.mark.usefixtures("credulous_jose")
@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_header_wrong_altogether(header: Part) -> None:
    refused(forged(header))


@pytest.mark.usefixtures("credulous_jose")
def test_without_the_header_rules_python_jose_would_decide() -> None:
    """Otherwise the two tests above would prove nothing."""
    assert verifier().verify(f"{HEAD}.{BODY}.x", now=NOW)


def test_an_outside_issuer_may_write_another_typ_and_a_thumbprint() -> None:
    foreign, outside = forged({**HEADER, "typ": "JWT", "x5t": "abc"}), verifier(EC_JWK, types=("JWT",))
    assert outside.verify(foreign, now=NOW)
    refused(foreign)
    refused(forged(), by=outside)


# The signature

PUBLIC = EC_KEY.public_key()
PUBLIC_PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
KNOWN_TO_ALL = {
    "pem": PUBLIC_PEM,
    "stripped pem": PUBLIC_PEM.strip(),
    "pem without its lines": b"".join(PUBLIC_PEM.splitlines()[1:-1]),
    "der": PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "point": PUBLIC.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
    "jwk": json.dumps(EC_JWK).encode(),
    "kid": b"ours",
    "nothing": b"",
}
MADE_UP = {"nothing": b"", "zeros": bytes(64), "ones": b"\xff" * 64, "short": bytes(63), "long": bytes(65)}


@pytest.mark.parametrize("secret", KNOWN_TO_ALL.values(), ids=KNOWN_TO_ALL)
@pytest.mark.parametrize("alg", ["HS256", "HS512", "ES256", "RS256"])
@pytest.mark.parametrize("kid", ["ours", "rsa"])
def test_a_public_key_is_no_hmac_secret(secret: bytes, alg: str, kid: str) -> None:
    header = {**HEADER, "alg": alg, "kid": kid}
    refused(forged(header, sign=partial(hs256, secret=secret)), by=verifier(EC_JWK, rsa_jwk()))


def test_each_key_signs_by_its_own_algorithm_only() -> None:
    both = verifier(EC_JWK, rsa_jwk())
    assert both.verify(forged(RSA_HEADER, sign=rs256), now=NOW)
    refused(forged({**HEADER, "alg": "RS256"}, sign=rs256), by=both)
    refused(forged({**HEADER, "alg": "RS256"}), by=both)
    refused(forged({**HEADER, "kid": "rsa"}), by=both)
    refused(forged({**HEADER, "kid": "rsa"}, sign=rs256), by=both)


def test_the_key_named_is_the_key_tried() -> None:
    other = partial(es256, key=OTHER_EC_KEY)
    refused(forged(sign=other), by=verifier(EC_JWK, OTHER_JWK))
    refused(forged({**HEADER, "kid": "other"}, sign=other))


@pytest.mark.parametrize("signature", MADE_UP.values(), ids=MADE_UP)
@pytest.mark.parametrize("alg", ["ES256", "none"])
def test_a_signature_made_up(signature: bytes, alg: str) -> None:
    refused(forged({**HEADER, "alg": alg}, sign=lambda _: signature))


def test_a_signature_in_der() -> None:
    refused(forged(sign=der))


def test_what_was_changed_after_signing() -> None:
    head, body, signature = forged().split(".")
    refused(f"{encoded({**HEADER, 'x5t': 'a'})}.{body}.{signature}")
    refused(f"{head}.{encoded({**PAYLOAD, 'sub': 'admin'})}.{signature}")
    refused(f"{head}.{body}.{b64(unb64(signature)[::-1])}")


def test_a_second_valid_signature_needs_no_key_and_keeps_the_jti() -> None:
    """ECDSA allows it: revoked by its text, a token would live on as its twin. So revoke by `jti`."""
    ours, token = verifier(), forged()
    text, _, signature = token.rpartition(".")
    r, s = unb64(signature)[:32], int.from_bytes(unb64(signature)[32:])
    twin = f"{text}.{b64(r + (P256_ORDER - s).to_bytes(32))}"
    assert twin != token
    assert ours.verify(twin, now=NOW).jti == ours.verify(token, now=NOW).jti


@pytest.mark.parametrize(
    "raised", [tokens.JOSEError, ValueError, TypeError, AttributeError, OverflowError, RecursionError]
)
def test_whatever_python_jose_raises_is_a_refusal(monkeypatch: pytest.MonkeyPatch, raised: type[Exception]) -> None:
    def fail(*_: object) -> bytes:
        raise raised

    monkeypatch.setattr(tokens.jws, "verify", fail)
    assert isinstance(refused(forged()).__cause__, raised)


# The claims

NO_TEXT: list[Any] = ["", None, 1, True, ["a"], {}, "a\0", "a\n", "\ud800", "ә", "a" * 256]
NO_SECOND: list[Any] = [None, [], {}, "", str(IAT), f"{IAT + 900}", float(IAT), IAT + 900.0, True, -1, 2**80, "NaN"]
WRONG_IN_PAYLOAD: dict[str, list[Any]] = {
    "iss": ["https://evil.example", f"{ISSUER}/", "", None, [ISSUER]],
    "aud": ["x narkostop", "narko", "NARKOSTOP", "", None, 1, [], ["other"], ["narkostop", 1], {"narkostop": 1}],
    "sub": NO_TEXT,
    "jti": NO_TEXT,
    "exp": [*NO_SECOND, IAT - 1, IAT, IAT + 86_401],
    "iat": [*NO_SECOND, IAT + 31, IAT + 900, IAT + 901],
    "nbf": [*NO_SECOND, IAT + 31],
    "city": ["a\0", "\ud800", "\udfff", 2**53, -(2**53)],
}
WRONG_PAYLOADS = {
    **{
        f"exp {text}": ended(without(PAYLOAD, "exp"), f',"exp":{text}}}'.encode())
        for text in ("1e400", "1e9", "9" * 2000)
    },
    **{f"exp {text}": ended(without(PAYLOAD, "exp"), f',"exp":{text}}}'.encode()) for text in ("Infinity", "NaN")},
    "no lifetime": {**PAYLOAD, "iat": IAT + 20, "exp": IAT + 20},
    "ended before it began": {**PAYLOAD, "iat": IAT + 20, "exp": IAT + 10},
    "sub twice": ended(PAYLOAD, b',"sub":"admin"}'),
    "city twice": ended(PAYLOAD, b',"city":"almaty"}'),
    "nested twice": ended(PAYLOAD, b',"realm":{"a":1,"a":2}}'),
    "UTF-16": json.dumps(PAYLOAD).encode("utf-16"),
    "byte order mark": json.dumps(PAYLOAD).encode("utf-8-sig"),
    "no UTF-8": ended(PAYLOAD, b',"note":"\xff"}'),
    "list": json.dumps([PAYLOAD]).encode(),
    "null": b"null",
    "empty": b"",
    **{f"no {name}": without(PAYLOAD, name) for name in ("iss", "aud", "sub", "jti", "iat", "exp")},
}
JUST_RIGHT: dict[str, list[Any]] = {
    "aud": [["other", "narkostop"]],
    "sub": ["a" * 255, "CN=Anna, C=KZ"],
    "exp": [IAT + 1, IAT + 86_400],
    "iat": [IAT + 30],
    "nbf": [IAT + 30, 0],
    "city": [2**53 - 1, "Әлия 🙂", True, None],
}


@one_by_one(WRONG_IN_PAYLOAD)
def test_one_thing_wrong_in_the_claims(name: str, value: object) -> None:
    refused(forged(payload={**PAYLOAD, name: value}))


@pytest.mark.parametrize("payload", WRONG_PAYLOADS.values(), ids=WRONG_PAYLOADS)
def test_claims_wrong_altogether(payload: Part) -> None:
    refused(forged(payload=payload))


@one_by_one(JUST_RIGHT)
def test_claims_just_within_the_rules(name: str, value: object) -> None:
    assert verifier().verify(forged(payload={**PAYLOAD, name: value}), now=NOW)


def test_deep_claims_do_no_harm() -> None:
    """Python 3.11 gives up on them; a later one may read them, and they are left out like all nested claims."""
    claims = believed(forged(payload=ended(PAYLOAD, b',"realm":' + b"[" * 1000 + b"]" * 1000 + b"}")))
    assert claims is None or claims.extra == {"city": "almaty"}


def test_true_is_not_the_second_1() -> None:
    """At the epoch, nothing else is wrong with these."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert verifier().verify(forged(payload={**PAYLOAD, "iat": 0, "exp": 1}), now=epoch)
    refused(forged(payload={**PAYLOAD, "iat": 0, "exp": True}), now=epoch)
    refused(forged(payload={**PAYLOAD, "iat": False, "exp": 1}), now=epoch)


def test_the_last_moment_is_before_exp() -> None:
    end, token = NOW + timedelta(minutes=15), forged()
    assert verifier().verify(token, now=end - timedelta(microseconds=1))
    refused(token, now=end)


# The cache


def test_a_token_is_checked_once() -> None:
    ours, token = verifier(), forged()
    assert ours.verify(token, now=NOW) is ours.verify(token, now=NOW)


def test_time_goes_on_in_the_cache() -> None:
    ours, token = verifier(), forged()
    assert ours.verify(token, now=NOW)
    refused(token, by=ours, now=NOW + timedelta(minutes=15))
    refused(token, by=ours, now=NOW - timedelta(seconds=31))
    assert ours.verify(token, now=NOW)


def test_the_cache_forgets_the_token_longest_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "CACHED_TOKENS", 2)
    ours, first, second = verifier(), issued(), issued()
    kept, dropped = ours.verify(first, now=NOW), ours.verify(second, now=NOW)
    assert ours.verify(first, now=NOW) is kept
    ours.verify(issued(), now=NOW)
    assert ours.verify(first, now=NOW) is kept
    assert ours.verify(second, now=NOW) is not dropped


def test_a_refusal_is_not_remembered() -> None:
    ours, token = verifier(OTHER_JWK), forged()
    refused(token, by=ours)
    ours.replace_keys([EC_JWK])
    assert ours.verify(token, now=NOW)


# The keys


def test_a_new_key_signs_and_is_believed() -> None:
    key = SigningKey.generate()
    assert verifier(key.public_jwk()).verify(issued(key), now=NOW)
    assert key.kid != SigningKey.generate().kid


def test_a_private_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(KEY)
    assert EC_JWK.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


CANNOT_SIGN = {
    "rsa": ("k", pem(RSA_KEY)),
    "p-384": ("k", pem(ec.generate_private_key(ec.SECP384R1()))),
    "public": ("k", PUBLIC_PEM),
    "no pem": ("k", b"secret"),
    "kid": ("../k", KEY.private_pem),
}


@pytest.mark.parametrize(("kid", "private_pem"), CANNOT_SIGN.values(), ids=CANNOT_SIGN)
def test_a_key_that_cannot_sign_for_us_is_refused_at_once(kid: str, private_pem: bytes) -> None:
    with pytest.raises(ValueError, match="EC P-256"):
        SigningKey(kid, private_pem)


def test_rotation_believes_both_keys_until_the_old_one_goes() -> None:
    ours, old, new = verifier(), issued(), issued(OTHER_KEY)
    ours.replace_keys([EC_JWK, OTHER_JWK])
    assert ours.verify(old, now=NOW)
    assert ours.verify(new, now=NOW)
    ours.replace_keys([OTHER_JWK])
    assert ours.verify(new, now=NOW)
    refused(old, by=ours)


def test_a_key_replaced_under_the_same_kid_is_not_honoured() -> None:
    ours, token = verifier(), forged()
    assert ours.verify(token, now=NOW)
    ours.replace_keys([{**OTHER_JWK, "kid": "ours"}])
    refused(token, by=ours)


def test_the_same_keys_again_keep_the_cache() -> None:
    ours, token = verifier(), forged()
    claims = ours.verify(token, now=NOW)
    ours.replace_keys([EC_JWK])
    assert ours.verify(token, now=NOW) is claims


def test_a_check_that_ends_after_its_key_was_removed_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, token = verifier(), forged()

    def slow(*_: object) -> bytes:
        ours.replace_keys([OTHER_JWK])
        return json.dumps(PAYLOAD).encode()

    with monkeypatch.context() as patch:
        patch.setattr(tokens.jws, "verify", slow)
        assert ours.verify(token, now=NOW)
    refused(token, by=ours)


def test_an_outside_issuer_may_leave_out_alg_and_use() -> None:
    outside = verifier(without(rsa_jwk(), "alg", "use"), without(EC_JWK, "alg", "use"))
    assert outside.verify(forged(RSA_HEADER, sign=rs256), now=NOW)
    assert outside.verify(forged(), now=NOW)


def p384_jwk() -> Jwk:
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    return {**EC_JWK, "crv": "P-384", "x": b64(numbers.x.to_bytes(48)), "y": b64(numbers.y.to_bytes(48))}


K = b64(b"k" * 32)
WRONG_IN_EC_JWK: dict[str, list[Any]] = {
    "kid": ["", "../k", "' OR 1=1 --", "k\n", "k" * 129, None, 1],
    "alg": ["RS256", "HS256", "ES384", "ECDH-ES", "none", "", None, ["ES256"]],
    "use": ["enc", "", None, ["sig"]],
    "kty": ["RSA", "oct", "OKP", "ec", None, ["EC"]],
    "crv": ["P-384", "secp256k1", "p-256", None],
    "x": [K, EC_JWK["x"] + "!!", EC_JWK["x"][:-1], "", None, 1],
    "d": [K],
}
WRONG_IN_RSA_JWK: dict[str, list[Any]] = {
    "alg": ["RS512", "PS256", "RSA-OAEP", "HS256", "ES256", None],
    "use": ["enc"],
    "n": [rsa_jwk(WEAK_RSA_KEY)["n"], b64(b"\xff" * 1025), f"{rsa_jwk()['n']}!!!!", "", None, 1],
    "e": ["Aw", "AQ", "AAEAAQ", "", None, 65537],
    "d": [K],
}
UNUSABLE: dict[str, Any] = {
    "empty": {},
    "symmetric": {"kty": "oct", "kid": "k", "k": K},
    "symmetric as ES256": {"kty": "oct", "kid": "k", "k": K, "alg": "ES256", "use": "sig"},
    "Ed25519": {"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": K},
    "P-384": p384_jwk(),
    "padded RSA-1024": {**rsa_jwk(), "n": b64(bytes(128) + unb64(str(rsa_jwk(WEAK_RSA_KEY)["n"])))},
    "no kid": without(EC_JWK, "kid"),
    "no object": None,
    "text": "EC",
}


def passed_over(unusable: Jwk) -> None:
    ours = verifier()
    with pytest.raises(ValueError, match="one that can be used"):
        ours.replace_keys([unusable])
    assert ours.verify(forged(), now=NOW)
    ours.replace_keys([unusable, OTHER_JWK])
    assert ours.verify(issued(OTHER_KEY), now=NOW)


@one_by_one(WRONG_IN_EC_JWK)
def test_one_thing_wrong_in_an_ec_key(name: str, value: object) -> None:
    passed_over({**EC_JWK, name: value})


@one_by_one(WRONG_IN_RSA_JWK)
def test_one_thing_wrong_in_an_rsa_key(name: str, value: object) -> None:
    passed_over({**rsa_jwk(), name: value})


@pytest.mark.parametrize("unusable", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_of_another_kind(unusable: Jwk) -> None:
    passed_over(unusable)


def test_a_set_without_keys_or_with_two_of_one_kid() -> None:
    ours = verifier()
    for jwks in ([], [rsa_jwk(), {**OTHER_JWK, "kid": "rsa"}]):
        with pytest.raises(ValueError, match="no two with the same kid"):
            ours.replace_keys(jwks)
    assert ours.verify(forged(), now=NOW)


# Whatever else

FUZZED, GOOD = verifier(EC_JWK, rsa_jwk()), forged()
TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def believed(token: str) -> Claims | None:
    """Let any other exception fail the test."""
    try:
        return FUZZED.verify(token, now=NOW)
    except TokenError:
        return None


@given(TEXT)
def test_no_text_is_believed(text: str) -> None:
    assert believed(text) is None


@given(st.integers(0, len(GOOD)), st.integers(0, 4), TEXT)
def test_a_damaged_token_says_the_same_or_nothing(start: int, cut: int, inserted: str) -> None:
    assert believed(GOOD[:start] + inserted + GOOD[start + cut :]) in (None, believed(GOOD))


@given(st.dictionaries(st.sampled_from([*HEADER, "x5t", "crit", "jwk"]) | TEXT, JSON, max_size=3))
def test_any_header_is_judged(changed: dict[str, object]) -> None:
    header = {**HEADER, **changed}
    assert believed(forged(header)) is None or without(header, "x5t") == HEADER


@given(st.dictionaries(st.sampled_from([*PAYLOAD, "nbf", "model_config", "__class__"]) | TEXT, JSON, max_size=4))
def test_any_claims_are_judged(changed: dict[str, object]) -> None:
    claims = believed(forged(payload={**PAYLOAD, **changed}))
    assert claims is None or claims.hold_at(NOW)


@given(JSON, JSON)
def test_any_json_is_judged(header: object, payload: object) -> None:
    assert believed(forged(json.dumps(header).encode(), json.dumps(payload).encode())) is None

"""Access tokens (RFC 9068): who signs them, and which are believed. The only module that imports python-jose.

python-jose checks one signature with one key; nothing else is left to it. The header is judged before it sees
the token, the claims after.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Annotated, Literal, Self
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError
from jose.utils import base64url_decode
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

ClaimValue = str | int | None

ACCESS_TOKEN = "at+jwt"  # noqa: S105 a media type
LIFETIME = timedelta(minutes=15)
MAX_LIFETIME = timedelta(hours=24)
CLOCK_SKEW = timedelta(seconds=30)
MAX_CHARACTERS = 4096
CACHED_TOKENS = 10_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # by PostgreSQL: NUL and halves of surrogate pairs
_MAX_INTEGER = 2**53 - 1  # RFC 7493: the last one on which all JSON readers agree
_RSA_BITS = range(2048, 8193)
# Whatever comes out of python-jose and json on hostile input: JSON nested 1,000 deep is the RecursionError.
_REFUSALS = (JOSEError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class TokenError(Exception):
    """The token is not to be trusted. Its bearer is never told why; `__cause__` is for our logs."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a trusted token says; unchangeable, because the cache hands the same one to every request.

    Tell tokens apart by `jti`, never by their text: whoever holds an ES256 token can put a second valid
    signature (r, n - s) under it without any key.
    """

    sub: str
    jti: str
    iat: datetime
    nbf: datetime
    """The later of `iat` and the token's own `nbf`."""
    exp: datetime
    extra: Mapping[str, ClaimValue]
    """The other claims, as far as an `Issuer` could have written them: no lists, objects or fractions."""

    def hold_at(self, now: datetime) -> bool:
        """Clocks may differ at the beginning only: `exp` is exact."""
        return self.nbf - CLOCK_SKEW <= now < self.exp


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One EC P-256 key pair of the issuer; ValueError for any other, at start and not at the first sign-in."""

    kid: str
    private_pem: bytes = field(repr=False)

    def __post_init__(self) -> None:
        try:
            load_pem_private_key(self.private_pem, password=None)
            _EcJwk.model_validate(self.public_jwk())
        except _REFUSALS as error:
            msg = "a signing key is an EC P-256 private key in PEM with a base64url kid"
            raise ValueError(msg) from error

    @classmethod
    def generate(cls) -> Self:
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(kid=uuid4().hex, private_pem=pem)

    def public_jwk(self) -> dict[str, str]:
        """One of the `keys` in /.well-known/jwks.json."""
        public = jwk.construct(self.private_pem, "ES256").public_key()
        return {**public.to_dict(), "kid": self.kid, "use": "sig"}


class Issuer:
    """Signs access tokens with one key."""

    def __init__(self, key: SigningKey, *, issuer: str, audience: str, lifetime: timedelta = LIFETIME) -> None:
        self._key = jwk.construct(key.private_pem, "ES256")
        self._header = {"typ": ACCESS_TOKEN, "kid": key.kid}
        self._names = {"iss": issuer, "aud": audience}
        self._lifetime = lifetime

    def issue(self, *, subject: str, claims: Mapping[str, ClaimValue], now: datetime) -> str:
        """Sign `claims` too, but they cannot replace who, for whom or how long."""
        times = {"iat": _seconds(now), "exp": _seconds(now + self._lifetime)}
        payload = {**claims, **self._names, **times, "sub": subject, "jti": uuid4().hex}
        return jws.sign(payload, self._key, self._header, "ES256")


class Verifier:
    """Believes the tokens of one issuer that are meant for one audience. Threads may share it."""

    def __init__(
        self,
        jwks: Iterable[Mapping[str, object]],
        *,
        issuer: str,
        audience: str,
        types: Collection[str] = (ACCESS_TOKEN,),
    ) -> None:
        """`types` are the exact `typ` headers believed: some outside issuers write plain `JWT`."""
        self._issuer = issuer
        self._audience = audience
        self._types = frozenset(types)
        self._keys: dict[str, _PublicKey] = {}
        self.replace_keys(jwks)

    def verify(self, token: str, *, now: datetime) -> Claims:
        """Raise TokenError unless the token is authentic, for us and valid at `now`."""
        claims = self._authentic(token)
        if not claims.hold_at(now):
            raise TokenError from ValueError("expired, or not valid yet")
        return claims

    def replace_keys(self, jwks: Iterable[Mapping[str, object]]) -> None:
        """Believe these keys and no others from now on; ValueError, and no change, if none can be used.

        Unusable ones are passed over (RFC 7517, section 5): many issuers publish encryption keys beside these.
        """
        keys = _usable(jwks)
        # An outside issuer's keys are fetched again and again but rarely differ: keep what is cached.
        if keys != self._keys:
            self._keys = keys
            # A cache for each set, so that a thread still checking by a removed key cannot fill the new one.
            self._authentic: Callable[[str], Claims] = lru_cache(CACHED_TOKENS)(partial(self._authenticate, keys))

    def _authenticate(self, keys: "dict[str, _PublicKey]", token: str) -> Claims:
        """Check whatever does not depend on the time."""
        try:
            key = self._key_for(_header(token), keys)
            return self._claims(jws.verify(token, key.key, [key.published.alg]))
        except _REFUSALS as error:
            raise TokenError from error

    def _key_for(self, header: "_Header", keys: "dict[str, _PublicKey]") -> "_PublicKey":
        key = keys.get(header.kid)
        if key is None:
            raise TokenError from ValueError("unknown kid")
        if header.alg != key.published.alg or header.typ not in self._types:
            raise TokenError from ValueError("wrong alg or typ")
        return key

    def _claims(self, payload: bytes) -> Claims:
        said = _Payload.model_validate(_read(payload))
        if said.iss != self._issuer or self._audience not in said.audiences:
            raise TokenError from ValueError("wrong issuer or audience")
        if not 0 < said.exp - said.iat <= MAX_LIFETIME // _SECOND:
            raise TokenError from ValueError("wrong lifetime")
        seconds = said.iat, max(said.iat, said.nbf), said.exp
        iat, nbf, exp = (datetime.fromtimestamp(each, UTC) for each in seconds)
        return Claims(said.sub, said.jti, iat, nbf, exp, _extra(said.model_extra or {}))


_KeyId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
_Identifier = Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,255}$")]
_Second = Annotated[int, Field(ge=0, lt=2**33)]  # until the year 2242
_Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class _Header(_Strict, extra="forbid"):
    """Nothing else: not `crit` or `b64`, and no `jwk`, `jku`, `x5u` or `x5c` that brings its own key."""

    alg: str
    kid: _KeyId
    typ: str
    x5t: str | None = None
    """The thumbprint of a certificate; sent by some issuers, not used."""


class _Payload(_Strict, extra="allow"):
    iss: str
    aud: str | list[str]
    sub: _Identifier
    jti: _Identifier
    iat: _Second
    exp: _Second
    nbf: _Second = 0

    @property
    def audiences(self) -> list[str]:
        return [self.aud] if isinstance(self.aud, str) else self.aud


class _Jwk(_Strict):
    kid: _KeyId
    use: Literal["sig"] = "sig"
    d: None = Field(default=None, exclude=True)
    """A private key that was published is everybody's."""


class _EcJwk(_Jwk):
    kty: Literal["EC"]
    alg: Literal["ES256"] = "ES256"
    crv: Literal["P-256"]
    x: _Coordinate
    y: _Coordinate


def _strong(modulus: str) -> str:
    if int.from_bytes(base64url_decode(modulus.encode())).bit_length() not in _RSA_BITS:
        raise ValueError
    return modulus


class _RsaJwk(_Jwk):
    kty: Literal["RSA"]
    alg: Literal["RS256"] = "RS256"
    n: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$"), AfterValidator(_strong)]
    e: Literal["AQAB"]


_JWK: TypeAdapter[_EcJwk | _RsaJwk] = TypeAdapter(Annotated[_EcJwk | _RsaJwk, Field(discriminator="kty")])


@dataclass(frozen=True, slots=True)
class _PublicKey:
    published: _EcJwk | _RsaJwk
    key: Key = field(compare=False)


def _public_key(published: Mapping[str, object]) -> _PublicKey | None:
    try:
        known = _JWK.validate_python(dict(published))
        return _PublicKey(known, jwk.construct(known.model_dump(), known.alg))
    except _REFUSALS:
        return None


def _usable(jwks: Iterable[Mapping[str, object]]) -> dict[str, _PublicKey]:
    keys = [key for published in jwks if (key := _public_key(published))]
    by_kid = {key.published.kid: key for key in keys}
    if not by_kid or len(by_kid) != len(keys):
        msg = "a set of keys needs one that can be used, and no two with the same kid"
        raise ValueError(msg)
    return by_kid


def _header(token: str) -> _Header:
    if len(token) > MAX_CHARACTERS or not _COMPACT.fullmatch(token):
        raise TokenError from ValueError("not a compact JWS of bearable length")
    return _Header.model_validate(_read(base64url_decode(token.partition(".")[0].encode())))


def _read(raw: bytes) -> object:
    """Decode first: given bytes, `json.loads` would also believe UTF-16."""
    return json.loads(raw.decode(), object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TokenError from ValueError("a name given twice")
    return members


def _extra(others: Mapping[str, object]) -> Mapping[str, ClaimValue]:
    return MappingProxyType({name: _storable(value) for name, value in others.items() if isinstance(value, ClaimValue)})


def _storable(value: ClaimValue) -> ClaimValue:
    too_long = isinstance(value, int) and abs(value) > _MAX_INTEGER
    if too_long or (isinstance(value, str) and _UNSTORABLE.search(value)):
        raise TokenError from ValueError("a claim that cannot be stored")
    return value


def _seconds(moment: datetime) -> int:
    """Unlike `timestamp()`, refuse a time without a zone instead of taking it for local."""
    return (moment - _EPOCH) // _SECOND

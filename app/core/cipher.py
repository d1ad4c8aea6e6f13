from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_CHARACTERS = 32


class WrongSecretError(Exception):
    """What is in the database was encrypted with another secret key."""


def derived_key(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose: who has them learns neither the secret nor the key of another purpose."""
    return HKDF(SHA256(), 32, salt=None, info=f"narkostop {purpose}".encode()).derive(secret.encode())


class Cipher:
    """Encrypts what must not be readable from a copy of the database alone."""

    def __init__(self, secret: str) -> None:
        if len(secret) < MIN_CHARACTERS:
            msg = f"the secret key has fewer than {MIN_CHARACTERS} characters"
            raise ValueError(msg)
        self._fernet = Fernet(urlsafe_b64encode(derived_key(secret, "signing keys")))

    def encrypt(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes:
        try:
            return self._fernet.decrypt(encrypted)
        except InvalidToken as error:
            raise WrongSecretError("the database was encrypted with another secret key") from error

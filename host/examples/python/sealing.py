"""The import `secrets`: encryption at rest, by AES-256-GCM with a key of the host.

A sealed text consists of a byte that names this form, a nonce of 12 bytes, the encrypted text, and a tag of 16 bytes. The
organization's id is authenticated with it, so a text that was sealed for one organization can't be opened for another.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wit import Refusal

FORM = b"\x01"
NONCE_BYTES = 12
KEY_BYTES = 32


class Sealing:
    """Seals and opens for one organization."""

    def __init__(self, key: bytes, organization: str) -> None:
        self.cipher = AESGCM(key)
        self.organization = organization.encode()

    def seal(self, plain: bytes) -> bytes:
        """Encrypts and authenticates, under a new random nonce."""
        nonce = os.urandom(NONCE_BYTES)
        return FORM + nonce + self.cipher.encrypt(nonce, plain, self.organization)

    def open(self, sealed: bytes) -> bytes:
        """Undoes `seal`."""
        form, nonce, rest = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if form != FORM or len(nonce) != NONCE_BYTES:
            raise Refusal("not-authentic")
        try:
            return self.cipher.decrypt(nonce, rest, self.organization)
        except InvalidTag as error:
            raise Refusal("not-authentic") from error


def load_key(path: Path) -> bytes:
    """Reads the key in the file, which is created at the first start. In production, keep it in a key management service,
    and never on the disk with the data."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(KEY_BYTES))
    except FileExistsError:
        pass
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} is no key of {KEY_BYTES} bytes")
    return key

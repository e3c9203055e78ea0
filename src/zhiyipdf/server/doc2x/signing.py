"""Signed URLs and access tokens: HMAC-SHA256 with a secret that survives the server."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import quote

from zhiyipdf.server.database import Database

__all__ = ["Signer", "load_secret"]

EXPIRES = "X-Expires"
SIGNATURE = "X-Signature"
TOKEN_PREFIX = "acc-"  # noqa: S105 - what a token begins with, not one


def load_secret(database: Database) -> bytes:
    """The server's own secret; made by the first call."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO secrets (name, value) VALUES ('doc2x', ?)",
            (secrets.token_bytes(32),),
        )
        row = connection.execute("SELECT value FROM secrets WHERE name = 'doc2x'").fetchone()
    return bytes(row["value"])


class Signer:
    """Signs and checks; no I/O.

    Args:
        secret: 32 random bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def query(self, method: str, path: str, *, expires_at: float) -> str:
        """The query that opens a path for one method until a time.

        Args:
            method: ``GET`` or ``PUT``.
            path: From the root, unquoted.
            expires_at: Seconds since 1970.
        """
        expires = str(int(expires_at))
        return f"{EXPIRES}={expires}&{SIGNATURE}={self._sign(method, path, expires)}"

    def opens(self, method: str, path: str, query: Mapping[str, str], *, now: float) -> bool:
        """Whether a query opens a path now.

        Args:
            method: As asked.
            path: The same, unquoted.
            query: The same.
            now: Seconds since 1970.
        """
        expires = query.get(EXPIRES, "")
        expected = self._sign(method, path, expires)
        signed = hmac.compare_digest(expected.encode(), query.get(SIGNATURE, "").encode())
        return signed and expires.isdecimal() and now < int(expires)

    def token(self, account_id: int, *, expires_at: float) -> str:
        """An access token of an account."""
        claim = f"{account_id}.{int(expires_at)}"
        return f"{TOKEN_PREFIX}{claim}.{self._sign('token', claim)}"

    def account_of(self, token: str, *, now: float) -> int | None:
        """Whose access token it is; None for expired, forged and other ones."""
        claim, _, signature = token.removeprefix(TOKEN_PREFIX).rpartition(".")
        account, _, expires = claim.partition(".")
        if not token.startswith(TOKEN_PREFIX) or not token.isascii():
            return None
        if not hmac.compare_digest(self._sign("token", claim), signature):
            return None
        return int(account) if now < int(expires) else None

    def _sign(self, *parts: str) -> str:
        message = "\n".join(quote(part, safe="/") for part in parts).encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

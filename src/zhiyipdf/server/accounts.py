"""API keys and their points: keys are stored hashed, every movement of points is on record."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass, field

from zhiyipdf.server.database import Database

__all__ = [
    "IDENTITY_PREFIX",
    "Account",
    "InsufficientPoints",
    "NewKey",
    "UnknownKey",
    "account_of_id",
    "add_key",
    "add_points",
    "charge",
    "find_account",
    "list_keys",
    "refund",
    "revoke_key",
]

# "仅显示前 8 个字符" (API document, balance).
PREFIX_LENGTH = 8
KEY_PREFIX = "sk-"
# Doc2X version 1 knows a second kind of credential, which must not begin like a key.
IDENTITY_PREFIX = "id-"


class UnknownKey(LookupError):
    """No key in use begins so, or more than one does."""


class InsufficientPoints(Exception):
    """The account cannot pay; nothing was taken.

    Attributes:
        required: Points asked for.
        available: Points the account has.
    """

    def __init__(self, required: int, available: int) -> None:
        super().__init__(f"{required} points needed, {available} there")
        self.required = required
        self.available = available


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a key.

    Attributes:
        id: The account's number.
        prefix: The key's first 8 characters, the only part of it that is kept.
        name: What the operator calls it.
        points: Points left.
        created_at: Seconds since 1970.
        revoked_at: The same; None while the key is in use.
    """

    id: int
    prefix: str
    name: str
    points: int
    created_at: float
    revoked_at: float | None

    @property
    def is_identity(self) -> bool:
        """Whether it belongs to an identity token."""
        return self.prefix.startswith(IDENTITY_PREFIX)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made.

    Attributes:
        key: The key itself; it cannot be read again later.
        account: Its account.
    """

    key: str = field(repr=False)
    account: Account


def _digest(key: str) -> str:
    # The keys are 32 random bytes: a plain hash cannot be guessed back, a slow one buys nothing.
    return hashlib.sha256(key.encode()).hexdigest()


def _account(row: sqlite3.Row) -> Account:
    return Account(
        id=row["id"],
        prefix=row["prefix"],
        name=row["name"],
        points=row["points"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


def add_key(
    database: Database, *, points: int = 0, name: str = "", identity: bool = False
) -> NewKey:
    """Make a key.

    Args:
        database: The server's database.
        points: Points to begin with.
        name: For the operator's list only.
        identity: Make an identity token of Doc2X version 1 instead: it is good for nothing but to
            be exchanged for access tokens.

    Raises:
        ValueError: ``points`` is negative.
    """
    if points < 0:
        raise ValueError("a key cannot begin with fewer than 0 points")
    key = (IDENTITY_PREFIX if identity else KEY_PREFIX) + secrets.token_urlsafe(32)
    now = database.now()
    with database.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO keys (sha256, prefix, name, points, created_at) VALUES (?, ?, ?, ?, ?)",
            (_digest(key), key[:PREFIX_LENGTH], name, points, now),
        )
        number = cursor.lastrowid
        connection.execute(
            "INSERT INTO ledger (key_id, points, reason, at) VALUES (?, ?, 'grant', ?)",
            (number, points, now),
        )
        row = connection.execute("SELECT * FROM keys WHERE id = ?", (number,)).fetchone()
    return NewKey(key, _account(row))


def account_of_id(database: Database, number: int) -> Account | None:
    """The account with a number if its key is in use, else None."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT * FROM keys WHERE id = ? AND revoked_at IS NULL", (number,)
        ).fetchone()
    return None if row is None else _account(row)


def find_account(database: Database, key: str) -> Account | None:
    """The account of a key in use, else None."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT * FROM keys WHERE sha256 = ? AND revoked_at IS NULL", (_digest(key),)
        ).fetchone()
    return None if row is None else _account(row)


def list_keys(database: Database) -> list[Account]:
    """All accounts, oldest first, revoked ones too."""
    with database.reading() as connection:
        rows = connection.execute("SELECT * FROM keys ORDER BY id").fetchall()
    return [_account(row) for row in rows]


def add_points(database: Database, prefix: str, points: int) -> Account:
    """Give an account points, or take some with a negative number.

    Args:
        database: The server's database.
        prefix: The key's beginning as listed, or the whole key.
        points: How many.

    Returns:
        The account afterwards.

    Raises:
        UnknownKey: Not exactly one key in use begins so.
        InsufficientPoints: More would be taken than there are.
    """
    with database.transaction() as connection:
        account = _by_prefix(connection, prefix)
        if account.points + points < 0:
            raise InsufficientPoints(-points, account.points)
        connection.execute("UPDATE keys SET points = points + ? WHERE id = ?", (points, account.id))
        connection.execute(
            "INSERT INTO ledger (key_id, points, reason, at) VALUES (?, ?, 'grant', ?)",
            (account.id, points, database.now()),
        )
        row = connection.execute("SELECT * FROM keys WHERE id = ?", (account.id,)).fetchone()
    return _account(row)


def revoke_key(database: Database, prefix: str) -> Account:
    """End a key; its running tasks are finished, but no call accepts it any more.

    Args:
        database: The server's database.
        prefix: The key's beginning as listed, or the whole key.

    Raises:
        UnknownKey: Not exactly one key in use begins so.
    """
    with database.transaction() as connection:
        account = _by_prefix(connection, prefix)
        connection.execute(
            "UPDATE keys SET revoked_at = ? WHERE id = ?", (database.now(), account.id)
        )
    return account


def _by_prefix(connection: sqlite3.Connection, prefix: str) -> Account:
    if len(prefix) > PREFIX_LENGTH:
        rows = connection.execute(
            "SELECT * FROM keys WHERE revoked_at IS NULL AND sha256 = ?", (_digest(prefix),)
        ).fetchall()
    else:
        rows = connection.execute(
            "SELECT * FROM keys WHERE revoked_at IS NULL AND substr(prefix, 1, ?) = ?",
            (len(prefix), prefix),
        ).fetchall()
    if len(rows) != 1:
        shown = prefix[:PREFIX_LENGTH]
        raise UnknownKey(f"{len(rows)} keys in use begin with {shown!r}; exactly one is needed")
    return _account(rows[0])


def charge(
    connection: sqlite3.Connection, account_id: int, task_id: str, points: int, now: float
) -> int:
    """Take a task's points, within the transaction that makes the task.

    Returns:
        The points left.

    Raises:
        InsufficientPoints: There are fewer.
        UnknownKey: The key was revoked in the meantime.
    """
    row = connection.execute(
        "SELECT points FROM keys WHERE id = ? AND revoked_at IS NULL", (account_id,)
    ).fetchone()
    if row is None:
        raise UnknownKey("the key was revoked")
    if row["points"] < points:
        raise InsufficientPoints(points, row["points"])
    _move(connection, account_id, task_id, -points, "charge", now)
    return int(row["points"]) - points


def refund(
    connection: sqlite3.Connection, account_id: int, task_id: str, points: int, now: float
) -> None:
    """Give a failed task's points back, within the transaction that fails it; at most once."""
    _move(connection, account_id, task_id, points, "refund", now)


def _move(
    connection: sqlite3.Connection,
    account_id: int,
    task_id: str,
    points: int,
    reason: str,
    now: float,
) -> None:
    connection.execute(
        "INSERT INTO ledger (key_id, task_id, points, reason, at) VALUES (?, ?, ?, ?, ?)",
        (account_id, task_id, points, reason, now),
    )
    connection.execute("UPDATE keys SET points = points + ? WHERE id = ?", (points, account_id))

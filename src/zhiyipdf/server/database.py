"""One SQLite file in WAL mode: keys, points and tasks survive whatever ends the server."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

__all__ = ["Database", "FolderInUse", "FolderLock", "open_database"]

FILE_NAME = "server.sqlite3"
# One script a version, carried out in order; a released one is never changed.
MIGRATIONS = (
    """
CREATE TABLE keys (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    points INTEGER NOT NULL CHECK (points >= 0),
    created_at REAL NOT NULL,
    revoked_at REAL
);
CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key_id INTEGER NOT NULL REFERENCES keys (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'processing', 'completed', 'failed')),
    stem TEXT NOT NULL,
    pages INTEGER NOT NULL,
    points INTEGER NOT NULL,
    options TEXT NOT NULL,
    idempotency_key TEXT,
    receipt TEXT NOT NULL DEFAULT '{}',
    error_code TEXT,
    message TEXT,
    starts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    finished_at REAL,
    UNIQUE (key_id, idempotency_key)
);
CREATE INDEX tasks_by_state ON tasks (state, key_id, seq);
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    key_id INTEGER NOT NULL REFERENCES keys (id),
    task_id TEXT,
    points INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (task_id, reason)
);
""",
    """
CREATE TABLE doc2x_uploads (
    uid TEXT PRIMARY KEY,
    key_id INTEGER NOT NULL REFERENCES keys (id),
    model TEXT NOT NULL,
    stem TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('announced', 'stored', 'ordered', 'refused')),
    pages INTEGER,
    sha256 TEXT,
    code TEXT,
    message TEXT,
    created_at REAL NOT NULL
);
CREATE TABLE doc2x_exports (
    uid TEXT PRIMARY KEY REFERENCES doc2x_uploads (uid) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('processing', 'success', 'failed')),
    request TEXT NOT NULL
);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
""",
)
SCHEMA_VERSION = len(MIGRATIONS)


class FolderInUse(RuntimeError):
    """Another server works in this folder."""


class Database:
    """A connection to the server's file, shared by threads, with a clock for what is written.

    Args:
        path: The SQLite file; made with its tables if missing, readable by its owner only.
        clock: Seconds since 1970; tests pass their own.

    Raises:
        sqlite3.DatabaseError: The file is not a database, or of a newer version.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.now = clock
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._connection = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a charge that was answered must survive a power cut, not only a crash.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        with self.transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise sqlite3.DatabaseError(
                    f"{self.path} has version {version}; this server knows {SCHEMA_VERSION}"
                )
            for script in MIGRATIONS[version:]:
                for statement in script.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block is written, or nothing is.

        Yields:
            The connection; other threads and processes wait until the block ends.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Look without writing; never waits for another process.

        Yields:
            The connection, within one consistent view.
        """
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_database(folder: Path, *, clock: Callable[[], float] = time.time) -> Database:
    """Open the database of a server's folder, also beside a running server.

    Args:
        folder: :attr:`ServerSettings.folder`.
        clock: Seconds since 1970.
    """
    return Database(folder / FILE_NAME, clock=clock)


class FolderLock:
    """Held while a server works in a folder; freed by the system when the process ends.

    SQLite's own file lock does it, so that it works wherever the database works.

    Raises:
        FolderInUse: Another process, or another server of this one, holds it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = sqlite3.connect(
            folder / "server.lock", timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise FolderInUse(f"another server is using {folder}") from error

    def close(self) -> None:
        """Let the next server in; idempotent."""
        self._connection.close()

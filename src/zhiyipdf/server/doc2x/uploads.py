"""The durable record of uploads: announced, stored, then ordered as a task or refused."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Literal

from zhiyipdf.server.database import Database
from zhiyipdf.server.tasks import TaskOptions, options_from_json

__all__ = ["DocumentUpload", "Model", "UploadState", "UploadTable"]

Model = Literal["v1", "v2", "v3-2026"]
UploadState = Literal["announced", "stored", "ordered", "refused"]

# Codes that say that the file itself is broken.
BROKEN = ("parse_error", "parse_file_invalid", "parse_file_not_image")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUpload:
    """A file on its way to become a task.

    Attributes:
        uid: What the service calls it; the task will have the same id.
        account_id: Who will pay.
        model: Which version's, and which model, is to answer.
        stem: Stem of the file's name, if it came with one.
        options: What to make of it.
        state: ``announced`` (its bytes are not there), ``stored``, ``ordered`` (there is a task) or
            ``refused``.
        pages: How many it has, once they were counted.
        sha256: Of its content in hex, once it was looked at.
        code: Why it was refused, as the wire names it.
        message: The same for a person.
        created_at: Seconds since 1970.
    """

    uid: str
    account_id: int
    model: Model
    options: TaskOptions
    stem: str = "output"
    state: UploadState = "announced"
    pages: int | None = None
    sha256: str | None = None
    code: str | None = None
    message: str | None = None
    created_at: float = 0.0


class UploadTable:
    """All uploads of a server.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, upload: DocumentUpload) -> None:
        """Write down a new upload; its time is now."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO doc2x_uploads (uid, key_id, model, stem, options, state, pages,"
                " sha256, code, message, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    upload.uid,
                    upload.account_id,
                    upload.model,
                    upload.stem,
                    json.dumps(asdict(upload.options)),
                    upload.state,
                    upload.pages,
                    upload.sha256,
                    upload.code,
                    upload.message,
                    self._database.now(),
                ),
            )

    def find(self, uid: str) -> DocumentUpload | None:
        """The upload, whoever it belongs to."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM doc2x_uploads WHERE uid = ?", (uid,)).fetchone()
        return None if row is None else _upload(row)

    def store(self, uid: str) -> bool:
        """The bytes are on the disk.

        Returns:
            False if they were there before: an upload URL is good for one success.
        """
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE doc2x_uploads SET state = 'stored' WHERE uid = ? AND state = 'announced'",
                (uid,),
            )
        return cursor.rowcount == 1

    def count(self, uid: str, pages: int) -> None:
        """The pages were counted."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE doc2x_uploads SET pages = ? WHERE uid = ?", (pages, uid))

    def fingerprint(self, uid: str, sha256: str) -> None:
        """The content was looked at."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE doc2x_uploads SET sha256 = ? WHERE uid = ?", (sha256, uid))

    def failures(self, account_id: int, sha256: str, *, since: float) -> int:
        """How often an account's same content was broken.

        Args:
            account_id: Whose.
            sha256: The content.
            since: Seconds since 1970.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT COUNT(*) FROM doc2x_uploads LEFT JOIN tasks ON tasks.id = uid"
                " WHERE doc2x_uploads.key_id = ? AND sha256 = ? AND doc2x_uploads.created_at > ?"
                " AND (code IN (?, ?, ?) OR error_code IN (?, ?, ?))",
                (account_id, sha256, since, *BROKEN, *BROKEN),
            ).fetchone()
        return int(row[0])

    def order(self, uid: str) -> None:
        """There is a task now."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE doc2x_uploads SET state = 'ordered' WHERE uid = ?", (uid,))

    def refuse(self, uid: str, *, code: str, message: str) -> None:
        """There will be no task.

        Args:
            uid: The upload.
            code: The wire's error code.
            message: The reason for a person.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE doc2x_uploads SET state = 'refused', code = ?, message = ? WHERE uid = ?",
                (code, message, uid),
            )

    def stored(self) -> list[DocumentUpload]:
        """Those that are to become tasks, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM doc2x_uploads WHERE state = 'stored' ORDER BY created_at, rowid"
            ).fetchall()
        return [_upload(row) for row in rows]

    def forget(self, *, before: float) -> None:
        """Delete those made before a time whose task is gone or never was."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM doc2x_uploads WHERE created_at <= ? AND state != 'stored'"
                " AND uid NOT IN (SELECT id FROM tasks)",
                (before,),
            )

    def ids(self) -> set[str]:
        """All uploads there are."""
        with self._database.reading() as connection:
            return {row["uid"] for row in connection.execute("SELECT uid FROM doc2x_uploads")}


def _upload(row: sqlite3.Row) -> DocumentUpload:
    return DocumentUpload(
        uid=row["uid"],
        account_id=row["key_id"],
        model=row["model"],
        stem=row["stem"],
        options=options_from_json(row["options"]),
        state=row["state"],
        pages=row["pages"],
        sha256=row["sha256"],
        code=row["code"],
        message=row["message"],
        created_at=row["created_at"],
    )

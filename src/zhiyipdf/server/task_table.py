"""The durable record of tasks: each change of state carries its change of points with it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import asdict

from zhiyipdf.server import accounts
from zhiyipdf.server.database import Database
from zhiyipdf.server.scheduling import Place, Ticket, admit, pick, place_of
from zhiyipdf.server.tasks import Protocol, Receipt, Task, TaskOrder, TaskState, options_from_json

__all__ = ["ChargeFailed", "TaskTable", "TooManyWaiting"]

# A task that was running each time the server died may be what kills it.
MAX_STARTS = 3
_TERMINAL = ("completed", "failed")


class TooManyWaiting(Exception):
    """The key's queue is full; nothing was taken."""


class ChargeFailed(Exception):
    """The points could not be taken because the database failed; nothing was taken."""


class TaskTable:
    """All tasks of a server.

    Args:
        database: Where they are kept.
        per_key: Tasks of one key in process at the same time.
        waiting_per_key: Tasks of one key that may wait.
    """

    def __init__(self, database: Database, *, per_key: int, waiting_per_key: int) -> None:
        self._database = database
        self._per_key = per_key
        self._waiting_per_key = waiting_per_key

    def create(self, order: TaskOrder) -> Receipt:
        """Take the points and make the task, both or neither.

        Raises:
            accounts.InsufficientPoints: The account cannot pay.
            accounts.UnknownKey: The key was revoked in the meantime.
            TooManyWaiting: The key's queue is full.
            ChargeFailed: The database failed while the points were taken.
            sqlite3.Error: It failed while the task was made.
        """
        now = self._database.now()
        with self._database.transaction() as connection:
            if order.idempotency_key is not None:
                earlier = _receipt_of(connection, order.account_id, order.idempotency_key)
                if earlier is not None:
                    return earlier
            tickets = _tickets(connection, order.account_id)
            if sum(not ticket.in_process for ticket in tickets) >= self._waiting_per_key:
                raise TooManyWaiting
            try:
                remaining = accounts.charge(
                    connection, order.account_id, order.id, order.points, now
                )
            except sqlite3.Error as error:
                raise ChargeFailed(str(error)) from error
            connection.execute(
                "INSERT INTO tasks (id, key_id, state, stem, pages, points, options,"
                " idempotency_key, created_at) VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?)",
                (
                    order.id,
                    order.account_id,
                    order.stem,
                    order.pages,
                    order.points,
                    json.dumps(asdict(order.options)),
                    order.idempotency_key,
                    now,
                ),
            )
            place = self._admit(connection, order.account_id, order.id)
            receipt = Receipt(
                task_id=order.id,
                position=place.position if place else None,
                ahead=place.ahead if place else None,
                points=order.points,
                remaining=remaining,
            )
            connection.execute(
                "UPDATE tasks SET receipt = ? WHERE id = ?",
                (json.dumps(asdict(receipt)), order.id),
            )
        return receipt

    def earlier_receipt(self, account_id: int, idempotency_key: str) -> Receipt | None:
        """The receipt of the account's first order with this key, if there was one."""
        with self._database.reading() as connection:
            return _receipt_of(connection, account_id, idempotency_key)

    def queue_is_full(self, account_id: int) -> bool:
        """Whether a further order of the account would be refused for its waiting tasks."""
        with self._database.reading() as connection:
            tickets = _tickets(connection, account_id)
        return sum(not ticket.in_process for ticket in tickets) >= self._waiting_per_key

    def find(self, account_id: int, task_id: str) -> Task | None:
        """The account's task; None for unknown ones and for those of others."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM tasks WHERE id = ? AND key_id = ?", (task_id, account_id)
            ).fetchone()
            if row is None:
                return None
            waiting = row["state"] == "waiting"
            place = place_of(_tickets(connection, account_id), task_id) if waiting else None
            return _task(row, place)

    def next_for_worker(self, running: Collection[str], served: Mapping[int, int]) -> Task | None:
        """Choose the task that gets a free worker, and count that it was started.

        Args:
            running: Tasks that have a worker.
            served: When each account last got one; see :func:`~zhiyipdf.server.scheduling.pick`.
        """
        with self._database.transaction() as connection:
            task_id = pick(_tickets(connection), running=running, served=served)
            if task_id is None:
                return None
            connection.execute("UPDATE tasks SET starts = starts + 1 WHERE id = ?", (task_id,))
            row = connection.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
            return _task(row)

    def complete(self, task_id: str) -> None:
        """The result is there; the next waiting task of the key enters process."""
        with self._database.transaction() as connection:
            row = _finish(connection, task_id, "completed", self._database.now())
            if row is not None:
                self._admit(connection, row["key_id"])

    def fail(self, task_id: str, *, code: str, message: str) -> None:
        """There will be no result: return the points, and let the next task in.

        Args:
            task_id: The task; nothing happens if it has already ended.
            code: The wire's error code.
            message: The reason for a person.
        """
        with self._database.transaction() as connection:
            self._fail(connection, task_id, code=code, message=message)

    def _fail(
        self, connection: sqlite3.Connection, task_id: str, *, code: str, message: str
    ) -> None:
        now = self._database.now()
        row = _finish(connection, task_id, "failed", now)
        if row is None:
            return
        connection.execute(
            "UPDATE tasks SET error_code = ?, message = ? WHERE id = ?", (code, message, task_id)
        )
        accounts.refund(connection, row["key_id"], task_id, row["points"], now)
        self._admit(connection, row["key_id"])

    def recover(self, *, code: str, message: str) -> None:
        """After a restart: what was in process goes back to its place in the queue.

        Args:
            code: For tasks that were running in :data:`MAX_STARTS` servers that died.
            message: The same for a person.
        """
        with self._database.transaction() as connection:
            deadly = connection.execute(
                "SELECT id FROM tasks WHERE state = 'processing' AND starts >= ?", (MAX_STARTS,)
            ).fetchall()
            for row in deadly:
                self._fail(connection, row["id"], code=code, message=message)
            connection.execute("UPDATE tasks SET state = 'waiting' WHERE state = 'processing'")
            keys = connection.execute(
                "SELECT DISTINCT key_id FROM tasks WHERE state = 'waiting'"
            ).fetchall()
            for row in keys:
                self._admit(connection, row["key_id"])

    def live(self, account_id: int) -> tuple[int, int]:
        """How many tasks of an account wait or are in process, and their pages together."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT COUNT(*) AS tasks, COALESCE(SUM(pages), 0) AS pages FROM tasks"
                " WHERE key_id = ? AND state IN ('waiting', 'processing')",
                (account_id,),
            ).fetchone()
        return row["tasks"], row["pages"]

    def forget_finished(self, *, before: float, protocol: Protocol = "zhiyipdf") -> list[str]:
        """Delete tasks of a protocol that ended before a time.

        Returns:
            Their ids: whoever called removes their files.
        """
        with self._database.transaction() as connection:
            rows = connection.execute(
                "DELETE FROM tasks WHERE state IN (?, ?) AND finished_at <= ?"
                " AND COALESCE(json_extract(options, '$.protocol'), 'zhiyipdf') = ? RETURNING id",
                (*_TERMINAL, before, protocol),
            ).fetchall()
        return [row["id"] for row in rows]

    def ids(self) -> set[str]:
        """All tasks there are."""
        with self._database.reading() as connection:
            return {row["id"] for row in connection.execute("SELECT id FROM tasks")}

    def _admit(
        self, connection: sqlite3.Connection, account_id: int, task_id: str = ""
    ) -> Place | None:
        for chosen in admit(_tickets(connection, account_id), per_key=self._per_key):
            connection.execute("UPDATE tasks SET state = 'processing' WHERE id = ?", (chosen,))
        return place_of(_tickets(connection, account_id), task_id)


def _tickets(connection: sqlite3.Connection, account_id: int | None = None) -> list[Ticket]:
    rows = connection.execute(
        "SELECT id, key_id, seq, state FROM tasks WHERE state IN ('waiting', 'processing')"
        " AND (? IS NULL OR key_id = ?)",
        (account_id, account_id),
    ).fetchall()
    return [
        Ticket(row["id"], row["key_id"], row["seq"], row["state"] == "processing") for row in rows
    ]


def _finish(
    connection: sqlite3.Connection, task_id: str, state: TaskState, now: float
) -> sqlite3.Row | None:
    rows = connection.execute(
        "UPDATE tasks SET state = ?, finished_at = ? WHERE id = ?"
        " AND state IN ('waiting', 'processing') RETURNING key_id, points",
        (state, now, task_id),
    ).fetchall()
    return rows[0] if rows else None


def _receipt_of(
    connection: sqlite3.Connection, account_id: int, idempotency_key: str
) -> Receipt | None:
    row = connection.execute(
        "SELECT receipt FROM tasks WHERE key_id = ? AND idempotency_key = ?",
        (account_id, idempotency_key),
    ).fetchone()
    return None if row is None else Receipt(**json.loads(row["receipt"]))


def _task(row: sqlite3.Row, place: Place | None = None) -> Task:
    return Task(
        id=row["id"],
        account_id=row["key_id"],
        state=row["state"],
        stem=row["stem"],
        pages=row["pages"],
        points=row["points"],
        options=options_from_json(row["options"]),
        place=place,
        error_code=row["error_code"],
        message=row["message"],
        finished_at=row["finished_at"],
    )

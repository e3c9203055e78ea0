from __future__ import annotations

import itertools
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from zhiyipdf.server.accounts import (
    InsufficientPoints,
    UnknownKey,
    add_key,
    add_points,
    find_account,
    list_keys,
    revoke_key,
)
from zhiyipdf.server.database import open_database
from zhiyipdf.server.task_table import TaskTable, TooManyWaiting
from zhiyipdf.server.tasks import TaskOptions, TaskOrder


def test_a_key_is_found_by_itself_only(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        new = add_key(database, points=5, name="lab")
        assert find_account(database, new.key) == new.account
        assert find_account(database, new.key[:8]) is None
        assert find_account(database, "") is None
        assert new.key not in repr(new)


def test_points_are_added_by_prefix_and_never_fall_below_zero(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        key = add_key(database, points=5).key
        assert add_points(database, key[:8], 10).points == 15
        assert add_points(database, key, -15).points == 0
        with pytest.raises(InsufficientPoints):
            add_points(database, key[:8], -1)


def test_a_prefix_must_mean_exactly_one_key(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        add_key(database)
        add_key(database)
        with pytest.raises(UnknownKey, match="2 keys"):
            add_points(database, "sk-", 1)
        with pytest.raises(UnknownKey, match="0 keys"):
            revoke_key(database, "nobody")


def test_a_revoked_key_stays_on_the_list(tmp_path: Path) -> None:
    with open_database(tmp_path, clock=lambda: 7.0) as database:
        key = add_key(database).key
        revoke_key(database, key[:8])
        assert find_account(database, key) is None
        assert [account.revoked_at for account in list_keys(database)] == [7.0]


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        key = add_key(database, points=3).key
    with open_database(tmp_path) as database:
        account = find_account(database, key)
        assert account is not None
        assert account.points == 3


def test_a_database_of_a_newer_server_is_left_alone(tmp_path: Path) -> None:
    with open_database(tmp_path) as database, database.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(sqlite3.DatabaseError, match="version 99"):
        open_database(tmp_path)


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        add_key(database, points=3)

        def break_off() -> None:
            with database.transaction() as connection:
                connection.execute("UPDATE keys SET points = 0")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            break_off()
        assert list_keys(database)[0].points == 3


class Ledger(RuleBasedStateMachine):
    """Whatever happens in whatever order: no point is lost and none is returned twice."""

    tasks: Bundle[str] = Bundle("tasks")
    PER_KEY = 2
    WAITING = 3

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = itertools.count()
        self._database = open_database(Path(self._folder.name), clock=lambda: 1.0)
        self._account = add_key(self._database, points=40).account.id
        self._open()
        self.spent: dict[str, int] = {}

    def _open(self) -> None:
        self._table = TaskTable(self._database, per_key=self.PER_KEY, waiting_per_key=self.WAITING)

    def teardown(self) -> None:
        self._database.close()
        self._folder.cleanup()

    @rule(target=tasks, pages=st.integers(1, 8), repeat=st.sampled_from([None, "a", "b"]))
    def order(self, pages: int, repeat: str | None) -> str:
        before = self._points()
        task_id = f"task-{next(self._numbers)}"
        order = TaskOrder(
            id=task_id,
            account_id=self._account,
            stem="x",
            pages=pages,
            points=2 * pages,
            options=TaskOptions(),
            idempotency_key=repeat,
        )
        try:
            receipt = self._table.create(order)
        except (InsufficientPoints, TooManyWaiting):
            assert self._points() == before
            return task_id
        if receipt.task_id == task_id:
            assert receipt.remaining == before - 2 * pages
            self.spent[task_id] = 2 * pages
        else:
            assert self._points() == before
        return receipt.task_id

    @rule(task=tasks)
    def complete(self, task: str) -> None:
        self._table.complete(task)

    @rule(task=tasks)
    def fail(self, task: str) -> None:
        found = self._table.find(self._account, task)
        self._table.fail(task, code="parse_error", message="scripted")
        if found is not None and found.state in {"waiting", "processing"}:
            del self.spent[task]

    @rule()
    def start(self) -> None:
        self._table.next_for_worker((), {})

    @rule()
    def restart(self) -> None:
        self._database.close()
        self._database = open_database(Path(self._folder.name), clock=lambda: 1.0)
        self._open()
        found = [self._table.find(self._account, task) for task in self.spent]
        before = [task for task in found if task is not None]
        self._table.recover(code="parse_error", message="deadly")
        for was in before:
            now = self._table.find(self._account, was.id)
            assert now is not None
            if now.state == "failed":
                del self.spent[was.id]
            elif was.state != "waiting":  # a waiting one may take the place of a failed one
                assert now.state == was.state

    @rule(task=consumes(tasks))
    def forget(self, task: str) -> None:
        # Only what ended is forgotten, and forgetting moves no points.
        self._table.forget_finished(before=1.0)
        found = self._table.find(self._account, task)
        assert found is None or found.state in {"waiting", "processing"}

    @invariant()
    def every_point_is_accounted_for(self) -> None:
        assert self._points() == 40 - sum(self.spent.values())
        with self._database.reading() as connection:
            total = connection.execute("SELECT SUM(points) FROM ledger").fetchone()[0]
        assert total == self._points()

    @invariant()
    def no_place_is_left_empty_while_someone_waits(self) -> None:
        with self._database.reading() as connection:
            states = dict(
                connection.execute("SELECT state, COUNT(*) FROM tasks GROUP BY state").fetchall()
            )
        assert states.get("processing", 0) <= self.PER_KEY
        if states.get("waiting", 0):
            assert states["processing"] == self.PER_KEY

    def _points(self) -> int:
        return list_keys(self._database)[0].points


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)

"""The server's own ground gives way: database, disk and settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.embedded import Running
from support.scripted_engine import make_gate, open_gate, scripted_pdf
from zhiyipdf.server.database import open_database
from zhiyipdf.server.settings import ServerSettings

Serve = Callable[..., Running]


def _execute(api: Running, statement: str) -> None:
    with open_database(api.settings.folder) as database, database.transaction() as connection:
        connection.execute(statement)


def _tasks(api: Running) -> list[Path]:
    folder = api.settings.folder / "tasks"
    return list(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize(
    ("table", "code"),
    [("ledger", "points_deduction_failed"), ("tasks", "task_creation_failed")],
)
def test_a_database_that_fails_takes_no_points(serve: Serve, table: str, code: str) -> None:
    api = serve(points=10)
    _execute(
        api,
        f"CREATE TRIGGER broken BEFORE INSERT ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'scripted'); END",
    )
    response = api.parse(scripted_pdf())
    assert response.status_code == 500
    assert response.json()["error_code"] == code
    assert api.points() == 10
    assert _tasks(api) == []


def test_a_disk_that_fails_takes_no_points(serve: Serve) -> None:
    api = serve(points=10)
    (api.settings.folder / "tasks").write_text("a file where the folder should be")
    response = api.parse(scripted_pdf())
    assert response.status_code == 500
    assert response.json()["error_code"] == "file_upload_failed"
    assert api.points() == 10


def test_the_end_of_a_task_is_recorded_as_soon_as_the_database_works_again(
    serve: Serve, tmp_path: Path
) -> None:
    api = serve()
    gate = make_gate(tmp_path, "gate")
    task_id = api.submit(scripted_pdf(gate=str(gate)))["task_id"]
    _execute(
        api,
        "CREATE TRIGGER broken BEFORE UPDATE ON tasks WHEN NEW.state = 'completed'"
        " BEGIN SELECT RAISE(ABORT, 'scripted'); END",
    )
    open_gate(gate)
    result = api.service.files(task_id).result
    api.wait(task_id, lambda _: result.exists())
    assert api.status(task_id)["status"] == "processing"
    _execute(api, "DROP TRIGGER broken")
    assert api.finish(task_id)["status"] == "completed"


def test_a_result_that_was_there_when_the_server_died_is_not_made_again(tmp_path: Path) -> None:
    from support import scripted_engine
    from support.embedded import process
    from zhiyipdf.server.accounts import add_key

    folder = tmp_path / "server"
    with open_database(folder) as database:
        key = add_key(database, points=10).key
    with process(folder, scripted_engine.NAME, key) as (api, child):
        task_id = api.submit(scripted_pdf())["task_id"]
        api.finish(task_id)
        child.kill()
        child.wait()
    with open_database(folder) as database, database.transaction() as connection:
        connection.execute("UPDATE tasks SET state = 'processing', finished_at = NULL")
    with process(folder, scripted_engine.NAME, key) as (api, _):
        assert api.finish(task_id)["status"] == "completed"  # its PDF is gone: only the result is
        assert api.points() == 8


@pytest.mark.parametrize(
    "wrong",
    [{"workers": 0}, {"max_pages": 0}, {"linger_s": -1}, {"engine": "module"}],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ServerSettings(folder=tmp_path, **wrong)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.sqlite3").write_text("something else, and long enough to be noticed" * 30)
    with pytest.raises(sqlite3.DatabaseError):
        open_database(tmp_path)
    assert (tmp_path / "server.sqlite3").read_text().startswith("something else")

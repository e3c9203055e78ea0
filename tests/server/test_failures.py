"""A crash or hang fails one task and returns its points; the server and its queue live on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support import scripted_engine
from support.embedded import Running, process
from support.scripted_engine import make_gate, open_gate, scripted_pdf
from zhiyipdf.server.accounts import add_key
from zhiyipdf.server.database import open_database

Serve = Callable[..., Running]


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("crash", "parse_error"),
        ("raise", "parse_error"),
        ("fail", "parse_error"),
        ("invalid", "parse_file_invalid"),
    ],
)
def test_a_task_that_breaks_its_worker_fails_alone(serve: Serve, do: str, code: str) -> None:
    api = serve(points=100, workers=1)
    failed = api.submit(scripted_pdf(pages=10, do=do))["task_id"]
    good = api.submit(scripted_pdf(pages=10))["task_id"]
    assert api.finish(failed)["error_code"] == code
    assert api.get(f"/status/{failed}").status_code == 500
    assert api.finish(good)["status"] == "completed"
    assert api.points() == 80


def test_a_hanging_task_is_ended_at_its_deadline(serve: Serve) -> None:
    api = serve(points=100, workers=1, task_timeout_s=0.5)
    hanging = api.submit(scripted_pdf(pages=10, do="hang"))["task_id"]
    assert api.finish(hanging)["error_code"] == "parse_timeout"
    assert api.points() == 100
    assert api.service.converting_pids == []
    assert api.finish(api.submit(scripted_pdf())["task_id"])["status"] == "completed"


def test_a_killed_worker_fails_its_task_and_is_replaced(serve: Serve, tmp_path: Path) -> None:
    api = serve(points=100, workers=1)
    gate = make_gate(tmp_path, "gate")
    task_id = api.submit(scripted_pdf(pages=10, gate=str(gate)))["task_id"]
    api.wait(task_id, lambda answer: "第 1 页" in answer["message"])
    (pid,) = api.service.converting_pids
    os.kill(pid, signal.SIGKILL)
    assert api.finish(task_id)["error_code"] == "parse_error"
    assert api.points() == 100
    assert api.finish(api.submit(scripted_pdf())["task_id"])["status"] == "completed"
    assert api.service.converting_pids != [pid]


def test_native_output_does_not_disturb_the_answers(serve: Serve) -> None:
    api = serve()
    task_id = api.submit(scripted_pdf(do="shout"))["task_id"]
    assert api.finish(task_id)["status"] == "completed"


@pytest.mark.parametrize(
    ("do", "code"),
    [("crash", "parse_error"), ("hang", "parse_timeout"), ("invalid", "parse_file_invalid")],
)
def test_an_upload_whose_pages_cannot_be_counted_costs_nothing(
    serve: Serve, do: str, code: str
) -> None:
    api = serve(points=100, count_timeout_s=0.5)
    response = api.parse(scripted_pdf(count_do=do))
    assert response.status_code == 500
    assert response.json()["error_code"] == code
    assert api.points() == 100
    assert api.submit(scripted_pdf())["status"] == "processing"


def test_a_server_killed_with_queued_tasks_loses_none_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    with open_database(folder) as database:
        key = add_key(database, points=100).key
    gates = [make_gate(tmp_path, f"gate{n}") for n in range(5)]
    with process(folder, scripted_engine.NAME, key) as (api, child):
        tasks = [api.submit(scripted_pdf(gate=str(gate)))["task_id"] for gate in gates]
        open_gate(gates[0])
        api.finish(tasks[0])
        before = [api.status(task)["status"] for task in tasks]
        assert before == ["completed", "processing", "processing", "processing", "waiting"]
        child.kill()
        child.wait()
    with process(folder, scripted_engine.NAME, key) as (api, _):
        after = [api.status(task)["status"] for task in tasks]
        assert after == before
        assert api.points() == 90
        for gate in gates[1:]:
            open_gate(gate)  # in their old order: there is one worker
        assert all(api.finish(task)["status"] == "completed" for task in tasks)
        assert api.points() == 90


def test_a_task_that_kills_every_server_is_given_up(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    with open_database(folder) as database:
        key = add_key(database, points=100).key
    gate = make_gate(tmp_path, "gate")
    task_id = ""
    for _ in range(3):
        with process(folder, scripted_engine.NAME, key) as (api, child):
            task_id = task_id or api.submit(scripted_pdf(gate=str(gate)))["task_id"]
            api.wait(task_id, lambda answer: "第 1 页" in answer["message"])
            child.kill()
            child.wait()
    with process(folder, scripted_engine.NAME, key) as (api, _):
        assert api.status(task_id)["error_code"] == "parse_error"
        assert api.points() == 100

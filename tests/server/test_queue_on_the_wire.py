from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from support.embedded import Running
from support.scripted_engine import make_gate, open_gate, scripted_pdf

Serve = Callable[..., Running]


def test_three_tasks_of_a_key_are_in_process_and_the_fourth_waits(
    serve: Serve, tmp_path: Path
) -> None:
    api = serve()
    gates = [make_gate(tmp_path, f"gate{n}") for n in range(5)]
    answers = [api.submit(scripted_pdf(gate=str(gate))) for gate in gates]
    assert [answer["status"] for answer in answers] == ["processing"] * 3 + ["waiting"] * 2
    assert [answer.get("queue_info") for answer in answers] == [
        None,
        None,
        None,
        {"position": 1, "ahead_tasks": 3},
        {"position": 2, "ahead_tasks": 4},
    ]
    for gate in gates:
        open_gate(gate)
    assert all(api.finish(answer["task_id"])["status"] == "completed" for answer in answers)


def test_waiting_tasks_start_in_the_order_they_came(serve: Serve, tmp_path: Path) -> None:
    api = serve(in_process_per_key=1, workers=1)
    gates = [make_gate(tmp_path, f"gate{n}") for n in range(4)]
    tasks = [api.submit(scripted_pdf(gate=str(gate)))["task_id"] for gate in gates]
    for number, gate in enumerate(gates):
        rest = tasks[number + 1 :]
        places = [api.status(task)["queue_info"]["position"] for task in rest]
        assert places == list(range(1, len(rest) + 1))
        open_gate(gate)  # waits until this very task is running
        api.finish(tasks[number])
        if rest:
            api.wait(rest[0], lambda answer: answer["status"] == "processing")


def test_two_keys_do_not_share_their_three_places(serve: Serve, tmp_path: Path) -> None:
    api = serve(workers=1)
    gates = [make_gate(tmp_path, f"gate{n}") for n in range(4)]
    for gate in gates[:3]:
        api.submit(scripted_pdf(gate=str(gate)))
    other = api.new_key(points=10)
    response = api.parse(scripted_pdf(gate=str(gates[3])), key=other)
    assert response.json()["status"] == "processing"
    # One worker: the first key has it, so the other key's task is next before the first's second.
    open_gate(gates[0])
    open_gate(gates[3])


def test_points_are_taken_when_the_task_is_made(serve: Serve) -> None:
    api = serve(points=100)
    answer = api.submit(scripted_pdf(pages=10))
    assert (answer["points_deducted"], answer["remaining_points"]) == (20, 80)
    assert api.points() == 80
    api.finish(answer["task_id"])
    assert api.points() == 80


def test_points_come_back_when_the_task_fails(serve: Serve) -> None:
    api = serve(points=100)
    answer = api.submit(scripted_pdf(pages=10, do="fail"))
    assert answer["remaining_points"] == 80
    assert api.finish(answer["task_id"])["error_code"] == "parse_error"
    assert api.points() == 100


def test_a_key_without_enough_points_is_told_so_and_pays_nothing(serve: Serve) -> None:
    api = serve(points=15)
    response = api.parse(scripted_pdf(pages=10))
    assert response.status_code == 402
    assert response.json()["current_points"] == 15
    assert api.points() == 15
    assert list((api.settings.folder / "tasks").iterdir()) == []


def test_too_many_waiting_tasks_are_answered_with_429(serve: Serve, tmp_path: Path) -> None:
    api = serve(in_process_per_key=1, waiting_per_key=1)
    gate = make_gate(tmp_path, "gate")
    for _ in range(2):
        api.submit(scripted_pdf(gate=str(gate)))
    response = api.parse(scripted_pdf())
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["success"] is False
    assert api.points() == 1000 - 2 * 2


def test_a_repeated_idempotency_key_returns_the_first_task(serve: Serve) -> None:
    api = serve(points=100)
    first = api.submit(scripted_pdf(pages=10), idempotency_key="same")
    second = api.submit(scripted_pdf(pages=10), idempotency_key="same")
    assert second == first
    assert api.points() == 80
    assert api.submit(scripted_pdf(pages=10), idempotency_key="other") != first


def test_the_idempotency_key_of_one_account_means_nothing_to_another(serve: Serve) -> None:
    api = serve()
    first = api.submit(scripted_pdf(), idempotency_key="same")
    other = api.parse(scripted_pdf(), key=api.new_key(points=10), idempotency_key="same")
    assert other.json()["task_id"] != first["task_id"]


def test_a_task_of_another_key_does_not_exist(serve: Serve) -> None:
    api = serve()
    task_id = api.submit(scripted_pdf())["task_id"]
    other = api.new_key(points=10)
    for path in (f"/status/{task_id}", f"/download/{task_id}", "/status/12345"):
        response = api.get(path, key=other)
        assert response.status_code == 404
        assert response.json() == {"success": False, "message": "Task not found"}


def test_a_result_cannot_be_downloaded_before_it_is_there(serve: Serve, tmp_path: Path) -> None:
    api = serve()
    gate = make_gate(tmp_path, "gate")
    task_id = api.submit(scripted_pdf(gate=str(gate)))["task_id"]
    response = api.get(f"/download/{task_id}")
    assert response.status_code == 409
    assert response.json()["success"] is False
    open_gate(gate)
    api.finish(task_id)
    assert api.get(f"/download/{task_id}").headers["Content-Type"] == "application/zip"


def test_a_failed_task_has_nothing_to_download(serve: Serve) -> None:
    api = serve()
    task_id = api.submit(scripted_pdf(do="fail"))["task_id"]
    api.finish(task_id)
    response = api.get(f"/download/{task_id}")
    assert response.status_code == 400
    assert response.json()["error_code"] == "parse_error"


def test_progress_names_the_page_and_never_falls(serve: Serve, tmp_path: Path) -> None:
    api = serve()
    gate = make_gate(tmp_path, "gate")
    task_id = api.submit(scripted_pdf(pages=4, gate=str(gate), gate_page=3))["task_id"]
    answer = api.wait(task_id, lambda answer: "第 3 页" in answer["message"])
    assert 0 < answer["progress"] < 100
    open_gate(gate)
    assert api.finish(task_id)["progress"] == 100


def test_results_and_tasks_are_gone_after_seven_days(serve: Serve) -> None:
    now = [1_000_000.0]
    api = serve(clock=lambda: now[0])
    task_id = api.submit(scripted_pdf())["task_id"]
    api.finish(task_id)
    now[0] += 7 * 24 * 3600 - 1
    assert api.get(f"/download/{task_id}").status_code == 200
    now[0] += 1
    for path in (f"/status/{task_id}", f"/download/{task_id}"):
        response = api.get(path)
        assert response.status_code == 404
        assert response.json()["success"] is False


async def test_the_sweep_removes_the_files_of_what_is_past(serve: Serve) -> None:
    now = [1_000_000.0]
    api = serve(clock=lambda: now[0])
    tasks = [api.submit(scripted_pdf())["task_id"]]
    api.finish(tasks[0])
    now[0] += 7 * 24 * 3600
    tasks.append(api.submit(scripted_pdf())["task_id"])
    api.finish(tasks[1])
    stray = api.settings.folder / "tasks" / "left-by-a-crash"
    stray.mkdir()
    await api.service.sweep()
    assert [entry.name for entry in (api.settings.folder / "tasks").iterdir()] == [tasks[1]]


def test_every_way_to_present_a_key_works(serve: Serve) -> None:
    api = serve()
    url = f"{api.base}/api/pdf-to-markdown-proxy/balance"
    for headers, query in (
        ({"Authorization": f"Bearer {api.key}"}, {}),
        ({"authorization": f"bearer {api.key}"}, {}),
        ({"X-API-Key": api.key}, {}),
        ({}, {"api_key": api.key}),
    ):
        assert httpx.get(url, headers=headers, params=query).json()["points"] == 1000
    for headers in ({}, {"Authorization": "Bearer sk-wrong"}, {"X-API-Key": api.key[:-1]}):
        response = httpx.get(url, headers=headers)
        assert response.status_code == 401
        assert response.json()["message"] == "Invalid API key"


def test_a_revoked_key_is_invalid(serve: Serve) -> None:
    from zhiyipdf.server.accounts import revoke_key
    from zhiyipdf.server.database import open_database

    api = serve()
    with open_database(api.settings.folder) as database:
        revoke_key(database, api.key)
    assert api.get("/balance").status_code == 401


def test_unknown_paths_and_methods_are_answered_in_json(serve: Serve) -> None:
    api = serve()
    assert api.get("/nothing").json() == {"success": False, "message": "Not Found"}
    response = api.http.delete(f"{api.base}/api/pdf-to-markdown-proxy/balance")
    assert response.status_code == 405
    assert response.json()["success"] is False

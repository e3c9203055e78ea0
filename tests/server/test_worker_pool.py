from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support import scripted_engine
from support.scripted_engine import make_gate, open_gate, scripted_pdf
from support.waiting import until
from zhiyipdf.server.engine import EngineFailure, read_pages
from zhiyipdf.server.worker_pool import WorkerCrashed, WorkerPool, WorkerProcess


def _write(folder: Path, name: str = "a.pdf", **script: object) -> Path:
    pdf = folder / name
    pdf.write_bytes(scripted_pdf(**script))
    return pdf


async def test_one_child_serves_one_request_after_the_other(tmp_path: Path) -> None:
    pool = WorkerPool(scripted_engine.NAME, size=1)
    pdf = _write(tmp_path, pages=3)
    seen: list[int] = []
    assert await pool.count_pages(pdf, timeout_s=30) == 3
    first = pool.pids
    await pool.convert(
        pdf, tmp_path, table_mode="image", ocr=False, timeout_s=30, on_page=seen.append
    )
    assert pool.pids == first
    assert seen == [1, 2, 3]
    assert read_pages(tmp_path)[2].markdown == "Text 3 (image)"
    await pool.close()


async def test_cancelling_a_conversion_ends_its_child(tmp_path: Path) -> None:
    pool = WorkerPool(scripted_engine.NAME, size=1)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(
        pool.convert(
            _write(tmp_path, do="hang"),
            tmp_path,
            table_mode="markdown",
            ocr=False,
            timeout_s=600,
            on_page=lambda _: loop.call_soon_threadsafe(begun.set),
        )
    )
    await begun.wait()
    (pid,) = pool.pids
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await pool.close()


async def test_a_closed_pool_takes_nothing_more(tmp_path: Path) -> None:
    pool = WorkerPool(scripted_engine.NAME, size=1)
    await pool.close()
    with pytest.raises(WorkerCrashed):
        await pool.count_pages(_write(tmp_path), timeout_s=30)


async def test_a_missing_engine_fails_the_request_and_not_the_server(tmp_path: Path) -> None:
    pool = WorkerPool("no.such.module:Engine", size=1)
    with pytest.raises(EngineFailure, match="ModuleNotFoundError"):
        await pool.count_pages(_write(tmp_path), timeout_s=30)
    await pool.close()


async def test_the_current_directory_does_not_decide_what_a_child_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zhiyipdf.py").write_text("raise SystemExit('imported the wrong one')")
    (tmp_path / "json.py").write_text("raise SystemExit('imported the wrong one')")
    monkeypatch.chdir(tmp_path)
    pool = WorkerPool(scripted_engine.NAME, size=1)
    assert await pool.count_pages(_write(tmp_path, pages=2), timeout_s=30) == 2
    await pool.close()


async def test_a_child_gets_none_of_its_parents_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHIYIPDF_API_KEY", "sk-secret")
    monkeypatch.setenv("ZHIYIPDF_TRANSLATION_KEY", "sk-secret")
    pool = WorkerPool(scripted_engine.NAME, size=1)
    with pytest.raises(EngineFailure) as caught:
        await pool.count_pages(_write(tmp_path, count_do="environment"), timeout_s=30)
    environment, _, _ = json.loads(str(caught.value))
    assert "PATH" in environment
    assert "sk-secret" not in environment.values()
    await pool.close()


async def test_a_child_that_died_idle_is_replaced(tmp_path: Path) -> None:
    pool = WorkerPool(scripted_engine.NAME, size=1)
    pdf = _write(tmp_path, pages=2)
    await pool.count_pages(pdf, timeout_s=30)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert await pool.count_pages(pdf, timeout_s=30) == 2
    await pool.close()


PARENT = """
import sys, threading
from pathlib import Path
from zhiyipdf.server.worker_pool import WorkerProcess
worker = WorkerProcess(sys.argv[1])
begun = lambda event: print(worker.pid, flush=True)
pdf, folder = sys.argv[2:]
request = {
    "do": "convert", "pdf": pdf, "folder": folder, "table_mode": "markdown", "ocr": False
}
worker.ask(request, timeout_s=600, on_event=begun)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_their_parent_even_while_they_hang(
    tmp_path: Path, sign: signal.Signals
) -> None:
    pdf = _write(tmp_path, do="hang")
    paths = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, scripted_engine.NAME, str(pdf), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(sign)
    asyncio.run(until(lambda: not _alive(pid)))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_killing_a_worker_wakes_whoever_waits_for_it(tmp_path: Path) -> None:
    worker = WorkerProcess(scripted_engine.NAME)
    gate = make_gate(tmp_path, "gate")
    request = {
        "do": "convert",
        "pdf": str(_write(tmp_path, gate=str(gate))),
        "folder": str(tmp_path),
        "table_mode": "markdown",
        "ocr": False,
    }
    begun = threading.Event()
    ended: list[Exception] = []

    def ask() -> None:
        try:
            worker.ask(request, timeout_s=600, on_event=lambda _: begun.set())
        except WorkerCrashed as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(30)
    worker.kill()
    thread.join(30)
    assert len(ended) == 1
    assert worker.pid is None


async def test_a_gate_holds_only_its_own_task(tmp_path: Path) -> None:
    pool = WorkerPool(scripted_engine.NAME, size=2)
    gate = make_gate(tmp_path, "gate")
    for name in ("held", "free"):
        (tmp_path / name).mkdir()
    held = asyncio.create_task(
        pool.convert(
            _write(tmp_path, "held.pdf", gate=str(gate)),
            tmp_path / "held",
            table_mode="markdown",
            ocr=False,
            timeout_s=60,
            on_page=lambda _: None,
        )
    )
    await pool.convert(
        _write(tmp_path, "free.pdf"),
        tmp_path / "free",
        table_mode="markdown",
        ocr=False,
        timeout_s=60,
        on_page=lambda _: None,
    )
    assert not held.done()
    await asyncio.to_thread(open_gate, gate)
    await held
    await pool.close()

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zhiyipdf.clock import Clock
from zhiyipdf.store import Files, Leases

NAME = "ab" * 32


@pytest.fixture(params=["local", "memory", "s3", "sftp"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    match request.param:
        case "local":
            return Files(str(tmp_path))
        case "memory":
            return Files(f"memory://leases-{tmp_path.name}-{id(request)}")
        case "s3":
            s3 = request.getfixturevalue("s3")
            return Files(s3.url(s3.folder()), s3.storage_options)
        case _:
            sftp = request.getfixturevalue("sftp")
            return Files(sftp.url(f"leases-{tmp_path.name}"), sftp.storage_options)


def test_one_holds_it_and_the_others_wait(files: Files) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with Leases(files, Clock()).hold(NAME):
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.02)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_it_is_given_back_even_if_the_work_fails(files: Files) -> None:
    with pytest.raises(ZeroDivisionError), Leases(files, Clock()).hold(NAME):
        raise ZeroDivisionError
    assert files.sizes("claims") == {}


def test_one_who_gives_up_waiting_goes_away(files: Files) -> None:
    given_up = threading.Event()
    given_up.set()
    leases = Leases(files, Clock())
    with leases.hold(NAME), pytest.raises(InterruptedError), leases.hold(NAME, given_up=given_up):
        pass
    assert files.sizes("claims") == {}


def test_a_holder_whose_process_is_dead_does_not_keep_others_waiting(tmp_path: Path) -> None:
    program = (
        "import os; from zhiyipdf.clock import Clock; from zhiyipdf.store import Files, Leases;"
        f"context = Leases(Files({str(tmp_path)!r}), Clock()).hold({NAME!r}); context.__enter__();"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    files = Files(str(tmp_path))
    assert len(files.sizes("claims")) == 1
    with Leases(files, Clock()).hold(NAME):
        pass
    assert files.sizes("claims") == {}


def test_a_silent_holder_on_another_machine_is_given_up(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    holder = {"token": "x", "beats": 3, "host": "elsewhere", "pid": 1, "started": "1"}
    files.publish(f"claims/ab/{NAME}.lease", json.dumps(holder).encode())
    seconds = iter(range(0, 10_000, 20))
    with Leases(files, Clock(monotonic=lambda: float(next(seconds)))).hold(NAME):
        pass
    assert files.sizes("claims") == {}


def test_an_unreadable_lease_is_given_up_like_a_silent_one(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    files.publish(f"claims/ab/{NAME}.lease", b"{half")
    seconds = iter(range(0, 10_000, 20))
    with Leases(files, Clock(monotonic=lambda: float(next(seconds)))).hold(NAME):
        pass

"""SIGKILL at every moment a file of the store appears: nothing is paid twice, nothing paid is lost.

The ledger of the service is the judge: at most one charge for the PDF unless the second run
reports that the outcome is unknown.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fault_service import FaultService, Wire, at_byte, honestly
from support.killing import convert_again, converting, kill_after
from support.pdfs import write_pdf
from support.s3 import S3
from zhiyipdf import Converter

MOST_FILES = 30
STATES = ["planned", "sending", "committing", "accepted", "completed", "fetched", "unpacked"]


@pytest.fixture
def service() -> Iterator[FaultService]:
    service = FaultService(polls=2)
    yield service
    service.close()


def arguments(
    service: FaultService, folder: Path, name: str, store: str, options: object = None
) -> list[str]:
    pdf = write_pdf(folder / f"{name}.pdf", pages=2, text=f"{name} {{n}}")
    return [service.url, str(pdf), store, json.dumps(options or {}), "sync"]


def killed_and_run_again(service: FaultService, call: list[str], stop: str) -> tuple[str, bool]:
    """Kill one run, let a second come to its end, and check the ledger.

    Returns:
        The state whose record was written last, and whether the first run came to its own end.
    """
    before = len(service.charges)
    (*stopped,) = kill_after(stop, call)
    paid = len(service.charges) - before
    if stopped[0] == "result":
        assert paid == 1
        return "end", True
    state = stopped[2] if len(stopped) > 2 else "between"
    uploads = service.uploads
    end = convert_again(call)
    charged = len(service.charges) - before
    assert all(count <= 1 for count in service.charges_by_pdf().values())
    if state == "committing":
        assert end == ["unknown", "None"]
        assert service.uploads == uploads
    else:
        assert end[0] == "result"
        assert service.charges[-1].sha256 == end[-1]
        assert (charged, service.uploads - uploads) == (1, 1 - paid)
    return state, False


def sweep(service: FaultService, folder: Path, store: str, options: object = None) -> list[str]:
    """Kill after the first file, after the second, … until a run comes to its end."""
    states = []
    for number in range(1, MOST_FILES):
        call = arguments(service, folder, f"kill {number}", store, options)
        state, ended = killed_and_run_again(service, call, f"number={number}")
        if ended:
            return states
        states.append(state)
    raise AssertionError(f"no run came to its end; last states {states[-3:]}")


def test_a_kill_after_any_file_of_a_local_store_costs_nothing_twice(
    service: FaultService, tmp_path: Path
) -> None:
    states = sweep(service, tmp_path, str(tmp_path / "store"))
    assert [state for state in states if state in STATES] == STATES
    assert states.count("between") >= 3  # archive, text, manifest; the picture is there already


@pytest.mark.slow  # 40 s: every run loads s3fs and asks the server for every file
def test_a_kill_after_any_object_of_an_s3_store_costs_nothing_twice(
    service: FaultService, tmp_path: Path, s3: S3
) -> None:
    states = sweep(service, tmp_path, s3.url(s3.folder()), s3.storage_options)
    assert [state for state in states if state in STATES] == STATES


def test_a_kill_in_the_middle_of_the_body_is_uploaded_again(
    service: FaultService, tmp_path: Path
) -> None:
    call = arguments(service, tmp_path, "body", str(tmp_path / "store"))
    write_pdf(Path(call[1]), pages=2, padding=16_000_000)
    service.queue("upload", at_byte(1_000_000, kill_the_child := Killing()))
    with converting(call) as process:
        kill_the_child.kill = process.kill
        kill_the_child.ready.set()
        process.wait(60)
    assert service.charges == []
    assert convert_again(call)[0] == "result"
    assert (len(service.charges), service.uploads) == (1, 2)


@pytest.mark.parametrize("processed", [True, False])
def test_a_kill_while_the_service_answers_is_reported_and_not_paid_again(
    service: FaultService, tmp_path: Path, processed: bool
) -> None:
    call = arguments(service, tmp_path, "answer", str(tmp_path / "store"))
    kill_the_child = Killing(processed=processed)
    service.queue("upload", kill_the_child)
    with converting(call) as process:
        kill_the_child.kill = process.kill
        kill_the_child.ready.set()
        process.wait(60)
    for _ in range(2):
        assert convert_again(call) == ["unknown", "None"]
    assert (len(service.charges), service.uploads) == (int(processed), 1)
    (record,) = Converter(store=tmp_path / "store").tasks()
    assert (record.state in ("committing", "unknown"), record.points) == (True, 4)
    assert record.balance_before == service.start  # what a person compares the balance with


def test_resume_finishes_what_a_killed_run_paid_for_without_the_pdf(
    service: FaultService, tmp_path: Path
) -> None:
    from support.fake_time import FakeTime
    from support.fault_case import KEY

    store = tmp_path / "store"
    paid = ("accepted", "completed", "fetched")
    for state in paid:
        call = arguments(service, tmp_path, state, str(store))
        assert kill_after(f"state={state}", call)[2] == state
        Path(call[1]).rename(tmp_path / f"{state}.away")
    converter = Converter(api_key=KEY, base_url=service.url, store=store, clock=FakeTime().clock())
    assert sorted(record.state for record in converter.tasks()) == sorted(paid)
    assert len(converter.resume()) == len(paid)
    assert {record.state for record in converter.tasks()} == {"unpacked"}
    for state in paid:
        conversion = converter.convert(tmp_path / f"{state}.away")
        assert conversion.from_store
        assert conversion.markdown["original"].startswith(f"# {conversion.source.sha256}")
    assert (len(service.charges), service.uploads) == (3, 3)


class Killing:
    """A fault that kills the client once the request has come so far."""

    def __init__(self, *, processed: bool | None = None) -> None:
        self.processed = processed
        self.ready = threading.Event()
        self.kill = lambda: None

    def __call__(self, service: FaultService, wire: Wire) -> None:
        if self.processed:
            service.process(wire)
        elif self.processed is False:
            wire.read_body()
        self.ready.wait(30)
        self.kill()
        if self.processed is None:
            honestly(service, wire)  # what is left in the wires proves nothing either way

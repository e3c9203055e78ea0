"""Any run of faults, crashes and restarts: a PDF is charged by Doc2X once at most, and converted.

A crash is a store that takes nothing more from some write on, as in ``test_money_machine.py``.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support.doc2x_service import (
    Doc2XService,
    Fault,
    Kind,
    coded,
    lost,
    reset,
    reset_at,
    says,
    stored_then,
)
from support.fake_time import FakeTime
from support.pdfs import write_pdf
from zhiyipdf import Converter
from zhiyipdf.errors import UploadOutcomeUnknown, ZhiyiPDFError
from zhiyipdf.store import Files, Store

KEY = "sk-0a1b2c3d4e5f60718293a4b5"


def fails_after_storing(service: Doc2XService, wire: Any) -> None:
    service.reply(wire, 502, b"<html>")


FAULTS: dict[str, tuple[Kind, Fault]] = {
    "ticket: reset": ("preupload", reset),
    "ticket: 500": ("preupload", says(500, b"<html>")),
    "ticket: throttled": ("preupload", coded("parse_task_limit_exceeded")),
    "ticket: internal error": ("preupload", coded("internal_error")),
    "put: reset in the head": ("put", reset_at(0)),
    "put: lost": ("put", lost),
    "put: stored, reset": ("put", stored_then(reset)),
    "put: stored, 502": ("put", stored_then(fails_after_storing)),
    "put: 403": ("put", says(403, b"<Error><Code>AccessDenied</Code></Error>")),
    "put: 503": ("put", says(503, b"")),
    "status: reset": ("status", reset),
    "status: 502": ("status", says(502, b"<html>")),
    "status: 429": ("status", says(429, {"code": "busy"})),
    "status: throttled": ("status", coded("parse_concurrency_limit")),
    "status: internal error": ("status", coded("internal_error")),
    "status: waits": ("status", says(200, {"code": "success", "data": {"status": "processing"}})),
    "picture: reset": ("picture", reset),
    "picture: 503": ("picture", says(503, b"")),
}


class Died(BaseException):
    """The process is gone."""


class MortalFiles(Files):
    """A store's folder that takes ``lives`` more writes; with None it lives on."""

    lives: int | None = None

    def publish(self, name: str, content: bytes | Path, *, private: bool = False) -> None:
        if self.lives is not None:
            if self.lives <= 0:
                raise Died
            self.lives -= 1
        super().publish(name, content, private=private)


def run(service: Doc2XService, folder: Path, time: FakeTime, lives: int | None) -> bool:
    """One process's attempt; whether it has the result."""
    store = Store(str(folder / "store"))
    store.files = files = MortalFiles(str(folder / "store"))
    files.lives = lives
    converter = Converter(
        provider="doc2x", api_key=KEY, base_url=service.url, store=False, clock=time.clock()
    )
    converter._store = store
    try:
        converter.convert(folder / "paper.pdf")
    except UploadOutcomeUnknown:
        return False
    except ZhiyiPDFError:
        return False
    except Died:
        return False
    return True


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=6),
    lives=st.lists(st.none() | st.integers(0, 8), max_size=3),
)
@example(faults=["put: stored, reset"], lives=[3])
@example(faults=["put: stored, reset", "status: reset", "status: reset", "status: reset"], lives=[])
@example(faults=["put: lost", "put: stored, 502"], lives=[4, 5])
def test_no_pdf_is_charged_twice_and_none_is_lost(
    faults: list[str], lives: list[int | None]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="zhiyipdf-test-"))
    service, time = Doc2XService(), FakeTime()
    try:
        write_pdf(folder / "paper.pdf", pages=1, text="page {n}")
        for name in faults:
            service.queue(*FAULTS[name])
        for life in lives:
            run(service, folder, time, life)
            time.advance(400)  # leases of dead processes end
        assert any(run(service, folder, time, None) for _ in range(len(faults) + 2))
        assert list(service.charges_by_pdf().values()) == [1]
    finally:
        service.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("lives", range(10))
def test_a_crash_at_any_write_is_picked_up_by_the_next_process(tmp_path: Path, lives: int) -> None:
    service, time = Doc2XService(), FakeTime()
    write_pdf(tmp_path / "paper.pdf", pages=1, text="page {n}")
    try:
        run(service, tmp_path, time, lives)
        time.advance(400)
        assert run(service, tmp_path, time, None)
        assert list(service.charges_by_pdf().values()) == [1]
    finally:
        service.close()

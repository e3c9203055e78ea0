"""What every provider must do in the hands of the core: one suite, run for each service.

A service's own file gives a :class:`Situation` and nothing else; see ``test_contract_*.py``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from support.fake_time import FakeTime
from support.pdfs import write_pdf
from support.scripted_server import ScriptedServer
from zhiyipdf import Conversion, Converter
from zhiyipdf.errors import (
    AuthenticationError,
    ConversionTimeout,
    ResultExpired,
    TaskFailed,
    TooManyPages,
    UploadOutcomeUnknown,
    ZhiyiPDFError,
)
from zhiyipdf.policy import Polling
from zhiyipdf.services import ServiceName

KEY = "sk-" + "5e81fc" * 5
LARGE = 16_000_000  # bytes that no socket buffer on the way holds

Trouble = Literal[
    "reset in the body",
    "answer lost, kept",
    "answer lost, not kept",
    "throttled",
    "refused for its pages",
    "poll fails",
    "poll throttled",
    "fetch fails",
]


@dataclass(kw_only=True, repr=False)
class Situation:
    """A scripted service, and how it is made to fail.

    Attributes:
        provider: Its name.
        server: It.
        trouble: Lets the next request that this concerns meet it.
        fail_tasks: Lets every new task fail with a code that is final; None ends it.
        forget_tasks: Lets the service know none of its tasks any more.
        refuse: Lets it refuse a key.
        never_done: Lets tasks go on and on, or end.
        charges: Charges of each PDF, by its SHA-256, less what was returned.
        uploads: How many uploads there were.
        at_last_byte: Calls a function when the next upload is there to its last byte, before it
            is answered.
        key: That pays.
    """

    provider: ServiceName
    server: ScriptedServer
    trouble: Callable[[Trouble], None]
    fail_tasks: Callable[[str | None], None]
    forget_tasks: Callable[[], None]
    refuse: Callable[[str], None]
    never_done: Callable[[bool], None]
    charges: Callable[[], Counter[str]]
    uploads: Callable[[], int]
    at_last_byte: Callable[[Callable[[], None]], None]
    key: str = KEY


@dataclass(kw_only=True, repr=False)
class Case:
    """One test's converter, store and clock, and everything that was shown."""

    situation: Situation
    folder: Path
    time: FakeTime = field(default_factory=FakeTime)
    shown: list[str] = field(default_factory=list)

    def pdf(self, *, large: bool = False) -> Path:
        path = self.folder / ("large.pdf" if large else "paper.pdf")
        if not path.exists():
            write_pdf(path, pages=2, text="page {n}", padding=LARGE if large else 0)
        return path

    def converter(self, **options: Any) -> Converter:
        defaults: dict[str, Any] = {
            "provider": self.situation.provider,
            "api_key": self.situation.key,
            "base_url": self.situation.server.url,
            "store": self.folder / "store",
            "clock": self.time.clock(),
        }
        converter = Converter(**{**defaults, **options})
        self.shown += [repr(converter), str(pickle.dumps(converter))]
        return converter

    def convert(self, pdf: Path | None = None, **options: Any) -> Conversion:
        try:
            conversion = self.converter(**options).convert(pdf or self.pdf())
        except BaseException as error:
            lines = traceback.TracebackException.from_exception(error, capture_locals=True)
            self.shown += [*lines.format(), repr(vars(error)), str(pickle.dumps(error))]
            raise
        self.shown.append(repr(conversion))
        return conversion

    def records(self) -> list[dict[str, Any]]:
        paths = (self.folder / "store" / "claims").rglob("*.json")
        return [json.loads(path.read_text()) for path in paths]

    @property
    def charged(self) -> int:
        """Charges of the PDF that were not returned."""
        return sum(self.situation.charges().values())


class ProviderContract:
    """Subclasses have a fixture ``situation``."""

    @pytest.fixture
    def case(
        self, situation: Situation, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> Iterator[Case]:
        caplog.set_level(logging.DEBUG)
        case = Case(situation=situation, folder=tmp_path)
        yield case
        situation.server.close()
        # Whatever a test was about: no key in what was logged, shown or kept.
        kept = [p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file()]
        everything = [*kept, caplog.text.encode(), *(text.encode() for text in case.shown)]
        assert not [text[:200] for text in everything if situation.key.encode() in text]

    # -- submit and gate ---------------------------------------------------------------------------

    def test_a_pdf_is_paid_for_once(self, case: Case) -> None:
        first = case.convert()
        second = case.convert()
        assert (first.from_store, second.from_store) == (False, True)
        assert first.markdown == second.markdown
        assert case.situation.uploads() == 1
        sha256 = hashlib.sha256(case.pdf().read_bytes()).hexdigest()
        assert case.situation.charges() == {sha256: 1}

    def test_the_record_is_durable_before_the_last_byte_leaves(self, case: Case) -> None:
        states: list[str] = []
        case.situation.at_last_byte(lambda: states.extend(r["state"] for r in case.records()))
        case.convert()
        assert states == ["committing"]

    def test_what_breaks_before_the_gate_is_sent_again(self, case: Case) -> None:
        case.situation.trouble("reset in the body")
        case.convert(case.pdf(large=True))
        assert (case.situation.uploads(), case.charged) == (2, 1)

    def test_an_answer_that_is_lost_never_leads_to_a_second_charge(self, case: Case) -> None:
        case.situation.trouble("answer lost, kept")
        try:
            case.convert()
        except UploadOutcomeUnknown as error:
            assert error.points_charged is not False  # noqa: PT017 - either outcome is fine
        assert (case.situation.uploads(), case.charged) == (1, 1)

    def test_an_upload_that_proves_lost_is_sent_again(self, case: Case) -> None:
        case.situation.trouble("answer lost, not kept")
        case.convert()
        assert (case.situation.uploads(), case.charged) == (2, 1)

    # -- refusals, throttling, keys ----------------------------------------------------------------

    def test_a_pdf_with_too_many_pages_is_refused_for_nothing(self, case: Case) -> None:
        case.situation.trouble("refused for its pages")
        with pytest.raises(TooManyPages) as caught:
            case.convert(split=False)
        assert caught.value.points_charged is False
        assert caught.value.code == "parse_page_limit_exceeded"
        assert case.charged == 0

    def test_throttling_is_waited_out(self, case: Case) -> None:
        case.situation.trouble("throttled")
        case.situation.trouble("poll throttled")
        case.convert()
        assert case.charged == 1
        assert sum(case.time.naps) > 3

    def test_a_refused_key_uploads_once_at_most(self, case: Case) -> None:
        case.situation.refuse(case.situation.key)
        with pytest.raises(AuthenticationError) as caught:
            case.convert()
        assert caught.value.points_charged is False
        assert case.situation.uploads() <= 1

    def test_no_key_is_an_error_that_names_the_variable(
        self, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prefix = "ZHIYIPDF" if case.situation.provider == "zhiyipdf" else "DOC2X"
        with pytest.raises(AuthenticationError, match=f"{prefix}_API_KEY"):
            case.convert(api_key=None)
        monkeypatch.setenv(f"{prefix}_API_KEY", case.situation.key)
        case.convert(api_key=None)
        assert case.charged == 1

    # -- poll --------------------------------------------------------------------------------------

    def test_a_poll_that_fails_is_no_reason_to_give_up_what_is_paid(self, case: Case) -> None:
        for _ in range(7):
            case.situation.trouble("poll fails")
        case.convert()
        assert (case.situation.uploads(), case.charged) == (1, 1)

    def test_a_task_that_failed_says_why_and_is_not_used_again(self, case: Case) -> None:
        case.situation.fail_tasks("parse_file_invalid")
        with pytest.raises(TaskFailed) as caught:
            case.convert()
        assert (caught.value.code, caught.value.retryable) == ("parse_file_invalid", False)
        assert caught.value.points_charged is False
        assert [record["state"] for record in case.records()] == ["failed"]
        case.situation.fail_tasks(None)
        case.convert()
        assert case.situation.uploads() == 2

    def test_a_deadline_leaves_the_task_to_the_next_run(self, case: Case) -> None:
        case.situation.never_done(True)
        with pytest.raises(ConversionTimeout) as caught:
            case.convert(polling=Polling(processing_s=5.0, processing_s_per_page=0.0))
        assert caught.value.points_charged
        case.situation.never_done(False)
        conversion = case.convert()
        assert conversion.tasks[0].id == caught.value.task_id
        assert (case.situation.uploads(), conversion.points) == (1, 0)

    def test_a_task_is_finished_without_its_pdf(self, case: Case) -> None:
        case.situation.never_done(True)
        with pytest.raises(ConversionTimeout):
            case.convert(polling=Polling(processing_s=5.0, processing_s_per_page=0.0))
        case.situation.never_done(False)
        (record,) = case.converter().resume()
        assert getattr(record, "state", record) == "unpacked"
        assert case.convert().from_store

    def test_a_result_that_is_gone_is_told_and_paid_for_again_by_the_next_run(
        self, case: Case
    ) -> None:
        case.situation.never_done(True)
        with pytest.raises(ConversionTimeout):
            case.convert(polling=Polling(processing_s=5.0, processing_s_per_page=0.0))
        case.situation.forget_tasks()
        with pytest.raises(ResultExpired) as caught:
            case.convert()
        assert caught.value.points_charged
        case.situation.never_done(False)
        case.convert()
        assert case.situation.uploads() == 2

    # -- fetch -------------------------------------------------------------------------------------

    def test_a_fetch_that_fails_is_repeated_and_never_paid_for(self, case: Case) -> None:
        case.situation.trouble("fetch fails")
        try:
            case.convert()
        except ZhiyiPDFError as error:
            assert error.points_charged  # noqa: PT017 - either outcome is fine
        conversion = case.convert()
        assert len(conversion.assets) == 1
        assert (case.situation.uploads(), case.charged) == (1, 1)

"""Any order of uploads, crashes, faults and waits: no PDF is paid twice, none that is paid is lost.

A crash is a converter whose store takes nothing more from some write on; what it still does on the
network nobody writes down. The next converter on the same store knows only what is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from support.fake_time import FakeTime
from support.fault_service import (
    Fault,
    FaultService,
    Kind,
    Wire,
    after_body,
    at_byte,
    cut_download,
    cut_json,
    fin,
    html,
    rst,
    says,
)
from support.pdfs import write_pdf
from zhiyipdf import Converter
from zhiyipdf.errors import UploadOutcomeUnknown, ZhiyiPDFError
from zhiyipdf.policy import Polling
from zhiyipdf.store import Files, Store, TaskRecord

COST = 4
OTHERS = 7  # no sum of these is a cost: a coincidence cannot be told from a charge
DAY_S = 86_400.0
PAID = {"accepted", "completed", "fetched", "unpacked"}
OPEN = {"committing", "unknown"}


def others_spend(end: Fault) -> Fault:
    def fault(service: FaultService, wire: Wire) -> None:
        service.charge_as_another_client(OTHERS)
        end(service, wire)

    return fault


FAULTS: dict[str, tuple[Kind, Fault]] = {
    "reset in the body": ("upload", at_byte(300, rst)),
    "reset, not processed": ("upload", after_body(rst, processed=False)),
    "reset, processed": ("upload", after_body(rst, processed=True)),
    "closed, not processed": ("upload", after_body(fin, processed=False)),
    "502, processed": ("upload", after_body(html(502), processed=True)),
    "504, not processed": ("upload", after_body(html(504), processed=False)),
    "cut answer, processed": ("upload", after_body(cut_json, processed=True)),
    "others spend, processed": ("upload", after_body(others_spend(rst), processed=True)),
    "others spend, not processed": ("upload", after_body(others_spend(rst), processed=False)),
    "503 with Retry-After": ("upload", after_body(html(503, retry_after="2"), processed=False)),
    "429": ("upload", after_body(says(429, {"success": False}), processed=False)),
    "coded 500": (
        "upload",
        after_body(
            says(500, {"success": False, "error_code": "file_upload_failed"}), processed=False
        ),
    ),
    "402": (
        "upload",
        after_body(
            says(402, {"success": False, "error_code": "insufficient_points"}), processed=False
        ),
    ),
    "balance fails": ("balance", html(500)),
    "balance resets": ("balance", rst),
    "poll fails": ("status", html(502)),
    "poll not found": ("status", says(404, {"success": False})),
    "poll refused": ("status", says(401, {"success": False, "error_code": "invalid_api_key"})),
    "download cut": ("download", cut_download(50, "length")),
    "download cut unseen": ("download", cut_download(50, "close")),
    "download fails": ("download", rst),
}


OF_UPLOADS = sorted(name for name, (kind, _) in FAULTS.items() if kind == "upload")
A_FEW_FAULTS = st.lists(st.sampled_from(OF_UPLOADS) | st.sampled_from(sorted(FAULTS)), max_size=3)


class Died(BaseException):
    """The process is gone."""


class MortalFiles(Files):
    """A store's folder that takes ``lives`` more writes; with None it lives on."""

    lives: int | None = None

    def _live(self) -> None:
        if self.lives is not None:
            if self.lives <= 0:
                raise Died
            self.lives -= 1

    def publish(self, name: str, content: bytes | Path, *, private: bool = False) -> None:
        self._live()
        super().publish(name, content, private=private)

    def create(self, name: str, content: bytes) -> bool | None:
        if self.lives is not None and self.lives <= 0:
            raise Died
        return super().create(name, content)

    def remove(self, name: str) -> None:
        if self.lives is not None and self.lives <= 0:
            raise Died
        super().remove(name)


class MoneyMachine(RuleBasedStateMachine):
    @initialize(chosen=st.sampled_from(["raise", "raise", "raise", "retry"]))
    def begin(self, chosen: str) -> None:
        self.chosen = chosen
        self.folder = Path(tempfile.mkdtemp(prefix="zhiyipdf-machine-"))
        self.service = FaultService(polls=2)
        self.time = FakeTime()
        self.days = 0.0
        self.pdfs: list[Path] = []
        self.books = Store(str(self.folder / "store"))

    def teardown(self) -> None:
        if not hasattr(self, "service"):
            return
        try:
            self.everything_paid_is_to_be_had()
        finally:
            self.service.close()
            shutil.rmtree(self.folder)

    # -- the parts ---------------------------------------------------------------------------------

    def converter(self, **options: Any) -> Converter:
        return Converter(
            api_key="sk-machine",
            base_url=self.service.url,
            store=self.folder / "store",
            clock=self.time.clock(),
            on_ambiguous=self.chosen,  # type: ignore[arg-type]  # it is one of the two
            **options,
        )

    def run(self, converter: Converter, pdf: Path, *, synchronous: bool) -> None:
        conversion = converter.convert(pdf) if synchronous else asyncio.run(converter.aconvert(pdf))
        sha256 = hashlib.sha256(pdf.read_bytes()).hexdigest()
        assert conversion.markdown["original"].startswith(f"# {sha256}")
        assert conversion.points in (0, COST)

    def meet(self, faults: list[str]) -> None:
        self.service.forgive()
        for name in faults:
            kind, fault = FAULTS[name]
            self.service.queue(kind, fault)

    def record(self, sha256: str) -> TaskRecord | None:
        return next((r for r in self.books.records() if r.sha256 == sha256), None)

    def bury(self) -> None:
        """Leases of a dead process count for nothing; this one only plays dead."""
        for lease in (self.folder / "store").rglob("*.lease"):
            lease.unlink()

    def pick(self, which: int) -> Path:
        """A new PDF, or one of the last three."""
        if which == 0 or not self.pdfs:
            number = len(self.pdfs)
            path = self.folder / f"{number}.pdf"
            self.pdfs.append(write_pdf(path, pages=2, text=f"number {number} {{n}}"))
            return path
        return self.pdfs[-which % len(self.pdfs)]

    # -- rules -------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 3), faults=A_FEW_FAULTS, synchronous=st.booleans())
    def upload(self, which: int, faults: list[str], synchronous: bool) -> None:
        self.meet(faults)
        pdf = self.pick(which)
        reported: UploadOutcomeUnknown | None = None
        try:
            self.run(self.converter(), pdf, synchronous=synchronous)
        except UploadOutcomeUnknown as error:
            reported = error
        except ZhiyiPDFError:
            pass
        if reported is not None:
            record = self.record(hashlib.sha256(pdf.read_bytes()).hexdigest())
            assert record is not None
            assert (record.key, record.state in OPEN) == (reported.record, True)

    @rule(which=st.integers(0, 3), writes=st.integers(0, 12), faults=A_FEW_FAULTS)
    def crash(self, which: int, writes: int, faults: list[str]) -> None:
        self.meet(faults)
        pdf = self.pick(which)
        converter = self.converter()
        store = converter._open_store()
        store.files = MortalFiles(store.files.url)
        store.files.lives = writes
        try:
            self.run(converter, pdf, synchronous=bool(writes % 2))
        except (Died, ZhiyiPDFError):
            self.bury()

    @rule(which=st.integers(0, 3), processed=st.booleans())
    def crash_while_the_service_answers(self, which: int, processed: bool) -> None:
        pdf = self.pick(which)
        converter = self.converter()
        store = converter._open_store()
        store.files = mortal = MortalFiles(store.files.url)

        def die(service: FaultService, wire: Wire) -> None:
            mortal.lives = 0
            wire.reset()

        self.service.forgive()
        self.service.queue("upload", after_body(die, processed=processed))
        try:
            self.run(converter, pdf, synchronous=True)
        except (Died, ZhiyiPDFError):
            self.bury()

    @rule(which=st.integers(0, 3))
    def give_up_waiting(self, which: int) -> None:
        self.service.always("status", says(200, {"success": True, "status": "processing"}))
        try:
            converter = self.converter(polling=Polling(processing_s=10, processing_s_per_page=0))
            self.run(converter, self.pick(which), synchronous=True)
        except ZhiyiPDFError:
            pass
        finally:
            self.service.always("status", None)

    @rule(fails=st.booleans())
    def tasks_fail(self, fails: bool) -> None:
        self.service.code = "parse_error" if fails else None

    @rule(days=st.floats(0, 1))
    def wait(self, days: float) -> None:
        if self.days + days < 6:  # after 7 days a result is gone, and paid for anew by design
            self.days += days
            self.time.advance(days * DAY_S)

    @rule()
    def others_spend_between(self) -> None:
        self.service.charge_as_another_client(OTHERS)

    @rule()
    def resume(self) -> None:
        self.converter().resume()

    # -- what holds at all times -------------------------------------------------------------------

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        if hasattr(self, "service") and self.chosen != "retry":
            assert all(count <= 1 for count in self.service.charges_by_pdf().values())

    @invariant()
    def nothing_paid_is_forgotten(self) -> None:
        if not hasattr(self, "service") or self.chosen == "retry":
            return  # who pays again gives the first upload up
        for sha256, count in self.service.charges_by_pdf().items():
            if count > 0:
                record = self.record(sha256)
                assert record is not None
                assert record.state in PAID | OPEN, record

    @invariant()
    def the_books_agree(self) -> None:
        """Balance = start - charged + refunded, by the client's records and the service's."""
        if not hasattr(self, "service") or self.chosen == "retry":
            return
        spent = self.service.start - self.service.points() - self.service.foreign
        records = list(self.books.records())
        # A task that has failed is refunded when it is asked for, and noted after that.
        running = [self.service.tasks[r.task_id] for r in records if r.state in PAID and r.task_id]
        sure = sum(task.points for task in running if not task.refunded)
        maybe = sum(record.points for record in records if record.state in OPEN)
        assert sure <= spent <= sure + maybe

    def everything_paid_is_to_be_had(self) -> None:
        self.service.forgive()
        self.service.code = None
        uploads = self.service.uploads
        for pdf in self.pdfs:
            sha256 = hashlib.sha256(pdf.read_bytes()).hexdigest()
            record = self.record(sha256)
            if record is None or record.state not in PAID:
                continue
            assert record.task_id is not None
            if self.service.tasks[record.task_id].code is None:
                self.run(self.converter(), pdf, synchronous=True)
        assert self.service.uploads == uploads


TestMoney = MoneyMachine.TestCase
TestMoney.settings = settings(
    max_examples=40,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

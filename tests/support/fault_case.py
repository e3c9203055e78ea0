"""One case of the fault table: a service with a ledger, a clock that jumps, a converter, a trail.

Everything a case leaves behind is kept and searched for the key when it ends: logs at DEBUG,
errors with their tracebacks and local variables, pickles, records, stored files, conversions.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import pickle
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.fake_time import FakeTime
from support.fault_service import FaultService
from support.pdfs import write_pdf
from zhiyipdf import Conversion, Converter, ParseOptions
from zhiyipdf.models import Outcome

KEY = "sk-" + "7c19ab" * 5
COST = 4  # of the two pages of `FaultCase.pdf`
LARGE = 16_000_000  # bytes that no socket buffer on the way holds
E = TypeVar("E", bound=BaseException)


@dataclass(repr=False)
class FaultCase:
    """See the module.

    Attributes:
        service: Answers.
        folder: Everything of this case is below it.
        synchronous: Which half of the API is called.
        time: The converter's clock.
        trail: What was collected so far.
        collecting: Whether errors are collected; a shown traceback takes many times its memory.
    """

    service: FaultService
    folder: Path
    synchronous: bool
    time: FakeTime = field(default_factory=FakeTime)
    trail: list[bytes] = field(default_factory=list)
    collecting: bool = True

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def pdf(self, name: str = "paper", *, large: bool = False) -> Path:
        """A PDF of two pages that differs from those of other names."""
        path = self.folder / f"{name}.pdf"
        if not path.exists():
            write_pdf(path, pages=2, text=f"{name} {{n}}", padding=LARGE if large else 0)
        return path

    def converter(self, **options: Any) -> Converter:
        """A new converter, as after a restart."""
        defaults: dict[str, Any] = {
            "api_key": KEY,
            "base_url": self.service.url,
            "store": self.store,
            "clock": self.time.clock(),
        }
        converter = Converter(**{**defaults, **options})
        self.collect(repr(converter), pickle.dumps(converter), str(vars(converter)))
        return converter

    def convert(self, pdf: Path | str | None = None, **options: Any) -> Conversion:
        """Convert with a new converter through one half of the API."""
        source = self.pdf() if pdf is None else pdf
        wanted = options.pop("wanted", None) or ParseOptions()
        converter = self.converter(**options)
        try:
            if self.synchronous:
                conversion = converter.convert(source, wanted)
            else:
                conversion = asyncio.run(converter.aconvert(source, wanted))
        except BaseException as error:
            self.collect_error(error)
            raise
        self.collect(repr(conversion), pickle.dumps(conversion))
        return conversion

    def convert_many(self, pdfs: Iterable[Path], **options: Any) -> dict[str, Outcome]:
        """Convert many with a new converter; the outcomes by the files' stems."""
        converter = self.converter(**options)
        sources = list(pdfs)

        async def all_of_them() -> list[Outcome]:
            return [outcome async for outcome in converter.aconvert_many(sources)]

        outcomes = (
            list(converter.convert_many(sources))
            if self.synchronous
            else asyncio.run(all_of_them())
        )
        for outcome in outcomes:
            self.collect(repr(outcome))
            if outcome.error is not None:
                self.collect_error(outcome.error)
        return {Path(outcome.source).stem: outcome for outcome in outcomes}

    def fails(self, kind: type[E], pdf: Path | str | None = None, **options: Any) -> E:
        """Convert, expecting this error."""
        with pytest.raises(kind) as caught:
            self.convert(pdf, **options)
        return caught.value

    # -- what is left ------------------------------------------------------------------------------

    def record(self, pdf: Path | None = None) -> dict[str, Any]:
        """The record on disk of a PDF."""
        sha256 = hashlib.sha256((pdf or self.pdf()).read_bytes()).hexdigest()
        found = [json.loads(path.read_text()) for path in self.records()]
        (record,) = (record for record in found if record["sha256"] == sha256)
        return dict(record)

    def records(self) -> list[Path]:
        return sorted((self.store / "claims").rglob("*.json"))

    @property
    def charges(self) -> int:
        """Charges in all; checks on the way that no PDF was charged for twice."""
        by_pdf = self.service.charges_by_pdf()
        assert all(count <= 1 for count in by_pdf.values()), by_pdf
        return sum(by_pdf.values())

    def collect(self, *things: str | bytes) -> None:
        self.trail += [thing.encode() if isinstance(thing, str) else thing for thing in things]

    def collect_error(self, error: BaseException) -> None:
        if not self.collecting:
            return
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.collect(repr(error), str(error), repr(vars(error)), "".join(shown.format()))
        self.collect(pickle.dumps(error))

    def search(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        """Where the key is found; it should be nowhere but in the service's own log."""
        self.collect(*(record.getMessage() for record in caplog.records))
        self.collect(caplog.text)
        places = {str(path): path.read_bytes() for path in self.store.rglob("*") if path.is_file()}
        places |= {f"trail {n}": thing for n, thing in enumerate(self.trail)}
        return [
            f"{place}: …{thing[max(0, (at := thing.index(KEY.encode())) - 60) : at]!r}"
            for place, thing in places.items()
            if KEY.encode() in thing
        ]


def watch_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Let everybody say everything."""
    caplog.set_level(logging.DEBUG)
    for name in ("zhiyipdf", "httpx", "httpcore", "asyncio", "fsspec"):
        caplog.set_level(logging.DEBUG, logger=name)

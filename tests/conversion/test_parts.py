"""PDFs over the limits: cut, paid for part by part, joined; selected pages; second attempts."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest

from support.command import zhiyipdf
from support.conversions import PNG
from support.fake_time import FakeTime
from support.pdfs import write_pdf
from support.scripted_server import ScriptedServer, Wire, answer
from zhiyipdf import Converter, ParseOptions, ZhiyiPDFLoader, ZhiyiPDFReader
from zhiyipdf.documents import make_records
from zhiyipdf.errors import BudgetExceeded, FileTooLarge, InputError, TaskFailed, TooManyPages
from zhiyipdf.images import image_references
from zhiyipdf.langchain import FsspecBlobLoader, ZhiyiPDFParser
from zhiyipdf.models import Conversion
from zhiyipdf.policy import Limits, Polling, Timeouts
from zhiyipdf.textlayer.opening import pdfium_thread

API = "/api/pdf-to-markdown-proxy"
PARSE = f"{API}/parse"
THREE = Limits(max_pages=3)
# Fake time flies for an upload or a download too while others poll: none of them is late.
PATIENT = Timeouts(control_s=1e9, download_s=1e9, upload_s=1e9, download_window_s=1e9, call_s=1e6)

Pages = tuple[int, ...]


def pages_in(pdf: bytes) -> Pages:
    """The numbers written on the pages of a PDF made by ``write_pdf``."""

    def read() -> Pages:
        document = pypdfium2.PdfDocument(pdf)
        texts = [page.get_textpage().get_text_range() for page in document]
        document.close()
        return tuple(int(text.split()[1]) for text in texts)

    return pdfium_thread.run(read)


def result(pages: Pages) -> bytes:
    """What the service makes of some pages: text and a picture of each, and a logo."""
    text = "\n\n".join(f"Page {n}.\n\n![](images/{k}-1.png)" for k, n in enumerate(pages, 1))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a.md", f"![](images/logo.png)\n\n{text}\n")
        packed.writestr("images/logo.png", PNG + b"logo")
        for k, n in enumerate(pages, 1):
            packed.writestr(f"images/{k}-1.png", PNG + b"page %d" % n)
    return buffer.getvalue()


class PartService(ScriptedServer):
    """Converts what it is sent, page by page, and remembers who paid for what."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.paid: list[Pages] = []
        self.uploaded: list[Pages] = []
        self.refused: Callable[[Pages], str | None] = lambda pages: None
        self.failed: Callable[[Pages], str | None] = lambda pages: None
        self.waiting: Callable[[Pages], bool] = lambda pages: False
        self.tally = threading.Lock()
        self.on(PARSE, self.parse)

    def parse(self, wire: Wire) -> None:
        wire.read_body()
        if not wire.seen.complete:  # the client gave up
            return
        start = wire.seen.body.index(b"%PDF-")
        pages = pages_in(wire.seen.body[start : wire.seen.body.rindex(b"\r\n--")])
        code = self.refused(pages)
        with self.tally:
            self.uploaded.append(pages)
            task = f"t{len(self.uploaded)}"
        if code is not None:
            refusal = {"success": False, "error_code": code, "message": "no"}
            answer(413, refusal)(wire)
            return
        with self.tally:
            self.paid.append(pages)
        self.on(f"{API}/status/{task}", lambda wire: self.status(wire, task, pages))
        self.on(f"{API}/download/{task}", answer(200, body=result(pages)))
        points = 2 * len(pages)
        accepted = {"success": True, "task_id": task, "status": "processing"}
        answer(200, {**accepted, "points_deducted": points, "remaining_points": 1000})(wire)

    def status(self, wire: Wire, task: str, pages: Pages) -> None:
        code = self.failed(pages)
        if self.waiting(pages):
            answer(200, {"success": True, "status": "processing", "progress": 1})(wire)
        elif code is not None:
            failure = {"success": False, "status": "failed", "error_code": code, "message": "no"}
            answer(500, failure)(wire)
        else:
            done = {"success": True, "status": "completed", "progress": 100}
            answer(200, {**done, "result": {"download_url": f"{API}/download/{task}"}})(wire)


@pytest.fixture
def service() -> Iterator[PartService]:
    service = PartService()
    yield service
    service.close()


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "book.pdf", pages=8)


MakeConverter = Callable[..., Converter]


@pytest.fixture
def make(service: PartService, tmp_path: Path) -> MakeConverter:
    def make(**options: object) -> Converter:
        defaults: dict[str, object] = {
            "api_key": "sk-" + "k" * 20,
            "base_url": service.url,
            "store": tmp_path / "store",
            "clock": FakeTime().clock(),
            "limits": THREE,
            # Fake time flies while one part waits for the others.
            "polling": Polling(processing_s=1e9),
            "timeouts": PATIENT,
        }
        return Converter(**{**defaults, **options})  # type: ignore[arg-type]  # for brevity

    return make


def check(converter: Converter, conversion: Conversion, pages: Pages) -> None:
    """Text, pages and pictures are those of these pages, in order."""
    text = conversion.markdown["original"]
    assert "".join(block.text for block in conversion.blocks) == text
    told = [block for block in conversion.blocks if block.text.startswith("Page ")]
    assert [block.text.strip() for block in told] == [f"Page {n}." for n in pages]
    bytes_by_name = {a.name: converter.read_asset(a) for a in conversion.assets}
    assert len(bytes_by_name) == len(conversion.assets)
    shown = [r.target for r in image_references(text) if "logo" not in r.target]
    assert [bytes_by_name[name] for name in shown] == [PNG + b"page %d" % n for n in pages]
    pictures = [block for block in conversion.blocks if block.images and "logo" not in block.text]
    assert [b.provenance[0].page_number for b in pictures] == list(pages)
    assert conversion.missing == ()


# -- over the limit of pages -------------------------------------------------------------------


async def test_a_pdf_over_the_limit_is_paid_for_in_parts_and_joined(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    converter = make()
    conversion = await converter.aconvert(pdf)
    assert sorted(service.paid) == [(1, 2, 3), (4, 5, 6), (7, 8)]
    check(converter, conversion, tuple(range(1, 9)))
    assert (conversion.points, conversion.from_store, len(conversion.tasks)) == (16, False, 3)
    assert (len(conversion.pages), conversion.source.path) == (8, str(pdf))
    named = [r.target for r in image_references(conversion.markdown["original"])]
    assert named[:3] == ["images/p1-logo.png", "images/1-1.png", "images/2-1.png"]
    assert named[4:6] == ["images/p4-logo.png", "images/4-1.png"]
    assert [record.metadata["total_pages"] for record in make_records(conversion)] == [8] * 8


async def test_the_second_run_takes_every_part_from_the_store_and_makes_no_pdf(
    make: MakeConverter,
    service: PartService,
    pdf: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await make().aconvert(pdf)
    made: list[object] = []
    monkeypatch.setattr(
        "zhiyipdf.conversion.parts.gather_pages", lambda *arguments: made.append(arguments)
    )
    second = await make(max_points=0).aconvert(pdf)
    assert (len(service.uploaded), second.points, second.from_store, made) == (3, 0, True, [])
    assert (second.markdown, second.blocks, second.assets) == (
        first.markdown,
        first.blocks,
        first.assets,
    )


async def test_parts_end_at_bookmarks(
    make: MakeConverter, service: PartService, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "a.pdf", pages=9, outline=[("One", 1), ("Two", 5), ("Three", 9)])
    await make(limits=Limits(max_pages=5)).aconvert(path)
    assert sorted(service.paid) == [(1, 2, 3, 4), (5, 6, 7, 8, 9)]


async def test_damaged_pages_keep_the_numbers_true(
    make: MakeConverter, service: PartService, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "a.pdf", pages=8, broken=[2, 5])
    converter = make()
    conversion = await converter.aconvert(path)
    assert sorted(service.paid) == [(1, 3, 4), (6, 7, 8)]
    check(converter, conversion, (1, 3, 4, 6, 7, 8))


async def test_one_part_that_fails_does_not_cost_the_others_twice(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    # The second part fails when the others are done, so that both are in the store.
    service.waiting = lambda pages: pages == (4, 5, 6) and not others_are_fetched()

    def others_are_fetched() -> bool:
        return sum("/download/" in seen.target for seen in service.seen) >= 2

    service.failed = lambda pages: "parse_error" if pages == (4, 5, 6) else None
    with pytest.raises(TaskFailed) as caught:
        await make().aconvert(pdf)
    assert (caught.value.code, caught.value.source) == ("parse_error", str(pdf))
    assert sorted(service.paid) == [(1, 2, 3), (4, 5, 6), (7, 8)]
    service.failed = lambda pages: None
    converter = make(max_points=6)
    conversion = await converter.aconvert(pdf)
    assert service.paid[3:] == [(4, 5, 6)]
    assert (conversion.points, conversion.from_store) == (6, False)
    check(converter, conversion, tuple(range(1, 9)))


async def test_the_other_parts_are_cancelled_and_resumed_without_paying_again(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.waiting = lambda pages: pages != (1, 2, 3) or len(service.paid) < 3
    service.failed = lambda pages: "parse_error" if pages == (1, 2, 3) else None
    before = asyncio.all_tasks()
    with pytest.raises(TaskFailed):
        await make().aconvert(pdf)
    assert asyncio.all_tasks() == before
    service.waiting = lambda pages: False
    service.failed = lambda pages: None
    conversion = await make().aconvert(pdf)
    assert sorted(service.paid[3:]) == [(1, 2, 3)]
    assert conversion.points == 6


async def test_without_split_nothing_is_sent(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    with pytest.raises(TooManyPages) as caught:
        await make(split=False).aconvert(pdf)
    assert (caught.value.pages, caught.value.limit_pages) == (8, 3)
    with pytest.raises(FileTooLarge):
        await make(split=False, limits=Limits(max_file_bytes=1000)).aconvert(pdf)
    assert service.seen == []


async def test_an_estimate_counts_what_is_missing(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    await make().aconvert(pdf, ParseOptions(pages="4-6"))
    (estimate,) = (await make(api_key=()).aestimate(pdf)).sources
    assert (estimate.pages, estimate.parts, estimate.points) == (8, 3, 10)
    assert not estimate.in_store
    await make().aconvert(pdf)
    (estimate,) = (await make(api_key=()).aestimate(pdf)).sources
    assert (estimate.points, estimate.in_store) == (0, True)


# -- over the limit of bytes -------------------------------------------------------------------


async def test_a_part_that_is_still_too_large_is_halved_again(
    make: MakeConverter,
    service: PartService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "\\n".join(f"{n} {'x' * 40}" for n in range(200)).replace("\\n", " ")
    texts = [f"Page {n} {long if n <= 3 else ''}" for n in range(1, 9)]
    path = write_pdf(tmp_path / "a.pdf", pages=8, text=texts)
    limit = path.stat().st_size // 2
    converter = make(limits=Limits(max_file_bytes=limit))
    conversion = await converter.aconvert(path)
    assert [n for pages in sorted(service.paid) for n in pages] == list(range(1, 9))
    assert sorted(service.paid)[0] != (1, 2, 3, 4)
    assert all(len(seen.body) < limit + 2000 for seen in service.requests(PARSE))
    check(converter, conversion, tuple(range(1, 9)))
    uploads = len(service.uploaded)
    monkeypatch.delattr("zhiyipdf.conversion.parts.gather_pages")
    again = make(limits=Limits(max_file_bytes=limit), max_points=0)
    assert (await again.aconvert(path)).markdown == conversion.markdown
    assert (len(service.uploaded), (await again.aestimate(path)).points) == (uploads, 0)


async def test_what_no_page_uses_is_not_sent(
    make: MakeConverter, service: PartService, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "a.pdf", pages=1, padding=2_000_000)
    conversion = await make(limits=Limits(max_file_bytes=1_000_000)).aconvert(path)
    assert (service.paid, conversion.points) == ([(1,)], 2)


async def test_one_page_that_is_too_large_is_refused(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    with pytest.raises(FileTooLarge, match="alone makes a file of") as caught:
        await make(limits=Limits(max_file_bytes=100)).aconvert(pdf)
    assert (caught.value.limit_bytes, caught.value.source) == (100, str(pdf))
    assert service.uploaded == []


async def test_a_source_beyond_all_bounds_is_refused(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    with pytest.raises(FileTooLarge):
        await make(limits=Limits(max_source_bytes=1000)).aconvert(pdf)
    assert service.seen == []


# -- parts the service cannot take -------------------------------------------------------------


async def test_a_part_that_takes_too_long_is_halved(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.failed = lambda pages: "parse_timeout" if len(pages) > 2 else None
    converter = make(limits=Limits(), max_points=16)
    conversion = await converter.aconvert(pdf)
    sent = [tuple(range(1, 9)), (1, 2, 3, 4), (5, 6, 7, 8), (1, 2), (3, 4), (5, 6), (7, 8)]
    assert sorted(service.paid) == sorted(sent)
    assert conversion.points == 16
    check(converter, conversion, tuple(range(1, 9)))
    # What was tried in vain is not tried again.
    again = await make(limits=Limits(), max_points=0).aconvert(pdf)
    assert (len(service.uploaded), again.points) == (7, 0)
    assert again.markdown == conversion.markdown
    (estimate,) = (await make(limits=Limits()).aestimate(pdf)).sources
    assert (estimate.points, estimate.in_store) == (0, True)


async def test_a_part_with_more_pages_than_the_service_takes_is_halved(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.refused = lambda pages: "parse_page_limit_exceeded" if len(pages) > 4 else None
    converter = make(limits=Limits())
    conversion = await converter.aconvert(pdf)
    assert sorted(service.paid) == [(1, 2, 3, 4), (5, 6, 7, 8)]
    check(converter, conversion, tuple(range(1, 9)))
    await make(limits=Limits()).aconvert(pdf)
    assert len(service.uploaded) == 3


async def test_a_file_within_the_limits_that_the_service_finds_too_large_is_an_error(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.refused = lambda pages: "parse_file_too_large"
    for _ in range(2):
        with pytest.raises(FileTooLarge):
            await make(limits=Limits()).aconvert(pdf)
    assert service.uploaded == [tuple(range(1, 9))] * 2


async def test_without_split_a_timeout_is_an_error(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.failed = lambda pages: "parse_timeout"
    with pytest.raises(TaskFailed):
        await make(limits=Limits(), split=False).aconvert(pdf)
    assert len(service.uploaded) == 1


async def test_a_single_page_that_takes_too_long_ends_it(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.failed = lambda pages: "parse_timeout" if 6 in pages else None
    with pytest.raises(TaskFailed) as caught:
        await make(limits=Limits()).aconvert(pdf)
    assert caught.value.code == "parse_timeout"
    assert service.uploaded.count((6,)) == 1
    service.failed = lambda pages: None
    service.uploaded.clear()
    converter = make(limits=Limits())
    conversion = await converter.aconvert(pdf)
    assert (6,) in service.uploaded
    assert not any(len(pages) > 1 and 6 in pages for pages in service.uploaded)
    check(converter, conversion, tuple(range(1, 9)))


async def test_cutting_again_has_an_end(
    make: MakeConverter,
    service: PartService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zhiyipdf.conversion.parts.MAX_CUTS", 3)
    service.failed = lambda pages: "parse_timeout"
    path = write_pdf(tmp_path / "a.pdf", pages=64)
    with pytest.raises(TaskFailed):
        await make(limits=Limits()).aconvert(path)
    assert min(map(len, service.uploaded)) >= 8


async def test_other_failures_are_not_halved(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    service.failed = lambda pages: "parse_error"
    with pytest.raises(TaskFailed):
        await make(limits=Limits()).aconvert(pdf)
    assert len(service.uploaded) == 1


# -- selected pages ----------------------------------------------------------------------------


async def test_only_the_selected_pages_are_sent_and_paid_for(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    converter = make()
    conversion = await converter.aconvert(pdf, ParseOptions(pages="7, 1-2"))
    assert (service.paid, conversion.points) == ([(1, 2, 7)], 6)
    check(converter, conversion, (1, 2, 7))
    assert len(conversion.pages) == 8
    (estimate,) = (await make().aestimate(pdf, ParseOptions(pages="3-"))).sources
    assert (estimate.pages, estimate.points, estimate.parts) == (6, 12, 2)


async def test_a_selection_over_the_limit_is_cut_too(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    converter = make()
    conversion = await converter.aconvert(pdf, ParseOptions(pages="1,3-4,6,8"))
    assert sorted(service.paid) == [(1, 3, 4), (6, 8)]
    check(converter, conversion, (1, 3, 4, 6, 8))
    with pytest.raises(TooManyPages, match="5 pages are asked for"):
        await make(split=False).aconvert(pdf, ParseOptions(pages="1,3-4,6,8"))


async def test_a_selection_needs_no_split(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    converter = make(split=False)
    check(converter, await converter.aconvert(pdf, ParseOptions(pages="5-6")), (5, 6))


async def test_equal_pages_are_paid_for_once_however_they_were_asked_for(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    converter = make()
    await converter.aconvert(pdf)
    assert (await converter.aconvert(pdf, ParseOptions(pages="4,5-6"))).points == 0
    assert (await converter.aconvert(pdf, ParseOptions(pages="1-8"))).points == 0
    assert (await converter.aconvert(pdf, ParseOptions(pages="4-5"))).points == 4


async def test_pages_beyond_the_end_cost_nothing(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    with pytest.raises(InputError, match=r"7-9 reaches beyond the end; the PDF has 8 pages"):
        await make().aconvert(pdf, ParseOptions(pages="1,7-9"))
    assert service.seen == []
    refused = (await make().aestimate(pdf, ParseOptions(pages="9"))).refused
    assert "8 pages" in refused[0][1]


async def test_selected_pages_have_ids_of_their_own(make: MakeConverter, pdf: Path) -> None:
    converter = make(limits=Limits())
    every = {r.id for r in make_records(await converter.aconvert(pdf))}
    chosen = await converter.aconvert(pdf, ParseOptions(pages="2-3"))
    records = list(make_records(chosen))
    assert [r.metadata["page_number"] for r in records] == [2, 3]
    assert not every & {r.id for r in records}


def test_loaders_and_readers_take_pages(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    converter = make()
    documents = ZhiyiPDFLoader(pdf, pages="2-3", converter=converter).load()
    assert [document.metadata["page_number"] for document in documents] == [2, 3]
    (blob,) = FsspecBlobLoader(pdf).yield_blobs()
    parsed = ZhiyiPDFParser(pages="2-3", converter=converter).parse(blob)
    assert [document.id for document in parsed] == [document.id for document in documents]
    read = ZhiyiPDFReader(pages="3,2", converter=converter).load_data(pdf)
    assert [document.id_ for document in read] == [document.id for document in documents]
    assert service.paid == [(2, 3)]
    with pytest.raises(ValueError, match="pages='0'"):
        ZhiyiPDFLoader(pdf, pages="0")


def test_the_command_takes_pages(service: PartService, pdf: Path, tmp_path: Path) -> None:
    told = zhiyipdf("estimate", "--pages", "2-3,7", pdf)
    assert told.stdout == f"{pdf}: 3 pages, 6 points\n"
    options = ["--base-url", service.url, "--api-key", "sk-key", "--store", tmp_path / "store"]
    written = zhiyipdf("convert", "-q", *options, "--images", "drop", "--pages", "7", pdf)
    assert (written.exit_code, written.stdout.strip()) == (0, "Page 7.")
    wrong = zhiyipdf("convert", "--pages", "7-1", pdf)
    assert wrong.exit_code == 2
    assert "runs backwards" in wrong.stderr


async def test_a_record_names_the_pages_it_is_for(
    make: MakeConverter, pdf: Path, tmp_path: Path
) -> None:
    await make().aconvert(pdf, ParseOptions(pages="1,3"))
    (path,) = (tmp_path / "store" / "claims").rglob("*.json")
    record = json.loads(path.read_text())
    assert (record["pages"], record["request"]["ranges"]) == (2, [[1, 1], [3, 3]])


async def test_temporary_files_are_gone_afterwards(
    make: MakeConverter, pdf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    conversion = await make().aconvert(pdf.read_bytes())
    assert list(folder.iterdir()) == []
    assert conversion.source.path == ""


# -- on the embedded server --------------------------------------------------------------------


def converted(path: Path, store: str, max_pages: int) -> Conversion:
    limits = Limits(max_pages=max_pages)
    return Converter(base_url="local", store=store, limits=limits).convert(path)


def test_on_the_embedded_server_parts_read_like_the_whole(
    tmp_path: Path, shared_store: str
) -> None:
    path = write_pdf(tmp_path / "a.pdf", pages=8, text="Page {n} tells a story of its own.")
    whole, joined, single = (converted(path, shared_store, most) for most in (8, 3, 1))
    assert [len(c.tasks) for c in (whole, joined, single)] == [1, 3, 8]
    assert whole.markdown == joined.markdown == single.markdown
    assert whole.source == joined.source
    assert [(r.metadata["page_number"], r.text) for r in make_records(single)] == [
        (n, f"Page {n} tells a story of its own.") for n in range(1, 9)
    ]


def test_on_the_embedded_server_pictures_keep_their_names_and_pages(
    pdf_dir: Path, shared_store: str
) -> None:
    path = pdf_dir / "upstage_ai_packs_slides_4p.pdf"
    whole, joined = (converted(path, shared_store, most) for most in (4, 2))
    assert {a.name: a.sha256 for a in joined.assets} == {a.name: a.sha256 for a in whole.assets}
    shown = [(b.images, b.provenance[0].page_number) for b in joined.blocks if b.images]
    assert shown == [(b.images, b.provenance[0].page_number) for b in whole.blocks if b.images]
    assert 3 in {page for _, page in shown}  # the first page of the second part


async def test_a_budget_that_would_end_in_the_middle_is_not_begun(
    make: MakeConverter, service: PartService, pdf: Path
) -> None:
    with pytest.raises(BudgetExceeded):
        await make(max_points=15).aconvert(pdf)
    assert service.paid == []
    assert (await make(max_points=16).aconvert(pdf)).points == 16

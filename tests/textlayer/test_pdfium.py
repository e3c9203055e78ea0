from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import resource
import signal
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2.raw as pdfium_c
import pytest

from support.drawings import Drawing, write_drawings
from support.pdfs import pdf_bytes, write_pdf
from zhiyipdf import textlayer
from zhiyipdf.errors import EncryptedPDF, InvalidPDF
from zhiyipdf.models import Page
from zhiyipdf.textlayer import copy_pages, inspect_pdf, page_size, render_page
from zhiyipdf.textlayer.opening import pdfium_thread


def open_files() -> list[str]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the folder's own descriptor
            found.append(str(entry.readlink()))
    return sorted(found)


# Pages and labels


def test_pages_are_numbered_from_one_and_labelled_by_number_where_nothing_is_printed(tmp_path):
    pages = inspect_pdf(write_pdf(tmp_path / "a.pdf", pages=2)).pages

    assert pages == (Page(number=1, label="1"), Page(number=2, label="2"))


def test_printed_labels_are_read_in_every_style(tmp_path):
    styles = {0: "/S /r", 2: "/S /D /P (A-) /St 7", 4: "/S /a"}
    pages = inspect_pdf(write_pdf(tmp_path / "a.pdf", pages=5, labels=styles)).pages

    assert [page.label for page in pages] == ["i", "ii", "A-7", "A-8", "a"]


def test_labels_beyond_latin_are_read(tmp_path):
    pages = inspect_pdf(write_pdf(tmp_path / "a.pdf", pages=2, labels=["آ", "前言"])).pages

    assert [page.label for page in pages] == ["آ", "前言"]


def test_a_page_with_an_empty_label_has_its_number(tmp_path):
    pages = inspect_pdf(write_pdf(tmp_path / "a.pdf", pages=2, labels={0: "", 1: "/S /r"})).pages

    assert [page.label for page in pages] == ["1", "i"]


def test_a_damaged_page_leaves_a_gap_in_the_numbers(tmp_path):
    pages = inspect_pdf(write_pdf(tmp_path / "a.pdf", pages=4, broken=[2])).pages

    assert [page.number for page in pages] == [1, 3, 4]


def test_measuring_a_page_and_loading_it_agree_on_which_pages_are_damaged(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=5, broken=[1, 4])
    document = pdfium_c.FPDF_LoadDocument(os.fsencode(path) + b"\0", None)
    loaded = {i + 1: pdfium_c.FPDF_LoadPage(document, i) for i in range(5)}
    for page in filter(None, loaded.values()):
        pdfium_c.FPDF_ClosePage(page)
    pdfium_c.FPDF_CloseDocument(document)

    assert [p.number for p in inspect_pdf(path).pages] == [n for n, page in loaded.items() if page]


@pytest.mark.parametrize("claimed", [100_000, 2_000_000_000, -5])
def test_a_page_tree_that_lies_about_its_length_is_counted_by_its_pages(tmp_path, claimed):
    path = write_pdf(tmp_path / "a.pdf", pages=3, claimed_pages=claimed)

    assert [page.number for page in inspect_pdf(path).pages] == [1, 2, 3]


# Properties


def test_properties_are_read_with_any_characters(tmp_path):
    entries = {
        "Title": "Größe 中文 😀",
        "Author": "A. Author",
        "Creator": "Writer",
        "Producer": "Library 1.0",
        "CreationDate": "D:20050312101500+02'00'",
    }
    properties = inspect_pdf(write_pdf(tmp_path / "a.pdf", info=entries)).properties

    assert properties.title == "Größe 中文 😀"
    assert properties.author == "A. Author"
    assert properties.creator == "Writer"
    assert properties.producer == "Library 1.0"
    assert properties.creationdate == "2005-03-12T10:15:00+02:00"


def test_a_pdf_that_says_nothing_of_itself_has_empty_properties(tmp_path):
    properties = inspect_pdf(write_pdf(tmp_path / "a.pdf")).properties

    assert (properties.title, properties.author, properties.creationdate) == ("", "", "")


# Refusals


def test_a_file_that_needs_a_password_is_refused(pdf_dir):
    with pytest.raises(EncryptedPDF):
        inspect_pdf(pdf_dir / "r6-both-passwords.pdf")


def test_a_file_with_an_owner_password_only_opens(pdf_dir):
    assert len(inspect_pdf(pdf_dir / "r4-owner-password.pdf").pages) == 1


def test_a_cut_file_is_invalid(tmp_path, pdf_dir):
    whole = (pdf_dir / "loc_land_ownership_5p.pdf").read_bytes()
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(whole[: len(whole) // 10])

    with pytest.raises(InvalidPDF):
        inspect_pdf(cut)


@pytest.mark.parametrize(
    "damage", [{"pages": 0}, {"pages": 2, "broken": [1, 2]}], ids=["no page", "no good page"]
)
def test_a_pdf_without_a_page_is_invalid(tmp_path, damage):
    with pytest.raises(InvalidPDF, match="no page"):
        inspect_pdf(write_pdf(tmp_path / "a.pdf", **damage))


def test_what_cannot_be_read_is_no_fault_of_the_pdf(tmp_path):
    with pytest.raises(FileNotFoundError):
        inspect_pdf(tmp_path / "absent.pdf")
    with pytest.raises(IsADirectoryError):
        inspect_pdf(tmp_path)
    with pytest.raises(ValueError, match="null"):
        inspect_pdf(tmp_path / "a\0b.pdf")


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe latin \xe9.pdf",
        "统一码 – \N{SMILING FACE WITH OPEN MOUTH}.pdf".encode(),
        b"x" * 240 + b".pdf",
        b"~.pdf",
    ],
)
def test_any_file_name_opens(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = write_pdf(Path(os.fsdecode(name)), pages=1)

    assert len(inspect_pdf(path).pages) == 1


def test_every_document_is_closed_whatever_happens(tmp_path, pdf_dir):
    paths = [
        write_pdf(tmp_path / "good.pdf"),
        write_pdf(tmp_path / "none.pdf", pages=0),
        write_pdf(tmp_path / "broken.pdf", broken=[1, 2, 3]),
        pdf_dir / "r6-both-passwords.pdf",
    ]
    inspect_pdf(paths[0])
    before = open_files()

    for path in paths:
        for look in (inspect_pdf, lambda p: render_page(p, 1, scale=1), lambda p: page_size(p, 9)):
            with contextlib.suppress(InvalidPDF, EncryptedPDF, ValueError):
                look(path)

    assert open_files() == before


# Pictures


def unpacked(png: bytes) -> tuple[int, int, list[bytes]]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert crc == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, rest) == (8, [0, 0, 0])
    raw, line = zlib.decompress(chunks[b"IDAT"]), 1 + {0: 1, 2: 3}[colour] * width
    assert len(raw) == line * height
    return width, height, [raw[y * line + 1 : (y + 1) * line] for y in range(height)]


def test_a_page_is_drawn_with_its_text_on_white(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", text="XXXXXXXX", size=(201, 100))
    width, height, rows = unpacked(render_page(path, 1, scale=2))

    assert (width, height) == (402, 200)
    assert set(rows[0]) == {255}
    assert min(min(row) for row in rows) < 100


def test_a_page_without_colour_is_drawn_in_grey_and_one_with_colour_is_not(tmp_path):
    black = write_drawings(tmp_path / "a.pdf", [Drawing(content="0 g 0 0 50 50 re f")])
    red = write_drawings(tmp_path / "b.pdf", [Drawing(content="1 0 0 rg 0 0 50 50 re f")])
    width, _, grey = unpacked(render_page(black, 1, scale=1))
    _, _, coloured = unpacked(render_page(red, 1, scale=1))

    assert grey[-1] == bytes(50) + b"\xff" * (width - 50)
    assert coloured[-1] == b"\xff\0\0" * 50 + b"\xff\xff\xff" * (width - 50)


def test_fewer_shades_are_the_nearest_ones_and_keep_black_and_white(tmp_path):
    content = " ".join(f"{n / 20} g {n * 10} 0 10 100 re f" for n in range(20))
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=content)])
    [all_of_them], [few] = (
        set(unpacked(render_page(path, 1, scale=1, shades=shades))[2]) for shades in (256, 5)
    )

    assert len(set(all_of_them)) == 20
    assert set(few) == {0, 64, 128, 191, 255}
    assert max(abs(one - other) for one, other in zip(all_of_them, few, strict=True)) <= 32


@pytest.mark.parametrize("shades", [1, 0, 257])
def test_shades_out_of_range_are_refused(tmp_path, shades):
    with pytest.raises(ValueError, match="shades"):
        render_page(write_pdf(tmp_path / "a.pdf"), 1, scale=1, shades=shades)


def test_filled_in_form_fields_are_drawn(tmp_path):
    empty = render_page(write_pdf(tmp_path / "a.pdf", text="", field=""), 1, scale=1)
    filled = render_page(write_pdf(tmp_path / "b.pdf", text="", field="XXXXXX"), 1, scale=1)

    assert min(min(row) for row in unpacked(empty)[2]) == 255
    assert min(min(row) for row in unpacked(filled)[2]) < 100


def test_a_png_is_what_other_programs_read(tmp_path, pdf_dir):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "page.png"
    path.write_bytes(render_page(pdf_dir / "upstage_ai_packs_slides_4p.pdf", 1, scale=0.5))

    with image.open(path) as picture:
        picture.load()
        width, height = page_size(pdf_dir / "upstage_ai_packs_slides_4p.pdf", 1)
        assert picture.mode == "RGB"
        assert abs(picture.width - width / 2) <= 1
        assert abs(picture.height - height / 2) <= 1
        assert len(picture.getcolors(maxcolors=1 << 24)) > 100


def test_size_is_that_of_the_page_as_shown(tmp_path):
    assert page_size(write_pdf(tmp_path / "a.pdf", size=(300, 400)), 1) == (300, 400)
    assert page_size(write_pdf(tmp_path / "b.pdf", size=(300, 400), rotate=90), 2) == (400, 300)


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_page_that_is_not_there_is_a_wrong_number(tmp_path, number):
    path = write_pdf(tmp_path / "a.pdf", pages=3)
    with pytest.raises(ValueError, match="not one of"):
        page_size(path, number)
    with pytest.raises(ValueError, match="not one of"):
        render_page(path, number, scale=1)


def test_a_damaged_page_is_not_drawn(tmp_path):
    with pytest.raises(InvalidPDF, match="Page 2"):
        render_page(write_pdf(tmp_path / "a.pdf", broken=[2]), 2, scale=1)


@pytest.mark.parametrize("scale", [0, -1, 100, float("nan"), float("inf")])
def test_a_scale_that_makes_no_picture_or_too_large_a_one_is_refused(tmp_path, scale):
    with pytest.raises(ValueError, match="scale"):
        render_page(write_pdf(tmp_path / "a.pdf"), 1, scale=scale)


# Parts


def test_a_range_of_pages_is_copied_with_its_text(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=5, text=["WWWW", "", "MMMM", "", ""])
    copy_pages(path, 3, 4, tmp_path / "part.pdf")

    assert len(inspect_pdf(tmp_path / "part.pdf").pages) == 2
    for part, whole in ((1, 3), (2, 4)):
        assert render_page(tmp_path / "part.pdf", part, scale=1) == render_page(
            path, whole, scale=1
        )


def test_damaged_pages_are_left_out_of_a_part(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=5, broken=[3])
    copy_pages(path, 2, 4, tmp_path / "part.pdf")

    assert len(inspect_pdf(tmp_path / "part.pdf").pages) == 2


def test_a_part_without_a_good_page_is_invalid_and_not_the_whole_pdf(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=5, broken=[3])
    with pytest.raises(InvalidPDF):
        copy_pages(path, 3, 3, tmp_path / "part.pdf")

    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pdf"]


def test_a_part_of_an_owner_protected_file_opens(tmp_path, pdf_dir):
    copy_pages(pdf_dir / "r4-owner-password.pdf", 1, 1, tmp_path / "part.pdf")

    assert b"/Encrypt" not in (tmp_path / "part.pdf").read_bytes()
    assert len(inspect_pdf(tmp_path / "part.pdf").pages) == 1


@pytest.mark.parametrize(("first", "last"), [(0, 1), (2, 1), (3, 4), (-1, -1)])
def test_a_range_beyond_the_pdf_is_refused(tmp_path, first, last):
    path = write_pdf(tmp_path / "a.pdf", pages=3)
    with pytest.raises(ValueError, match="range"):
        copy_pages(path, first, last, tmp_path / "part.pdf")


def _copy_on_a_full_disk(path: Path, to: Path, answer: multiprocessing.Queue[str]) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        copy_pages(path, 1, 5, to)
    except OSError as exc:
        answer.put(type(exc).__name__)


def test_a_full_disk_is_an_os_error_and_leaves_what_was_there(tmp_path, pdf_dir):
    to = write_pdf(tmp_path / "part.pdf", pages=1)
    before = to.read_bytes()
    context = multiprocessing.get_context("fork")
    answer: multiprocessing.Queue[str] = context.Queue()
    source = pdf_dir / "loc_land_ownership_5p.pdf"
    child = context.Process(target=_copy_on_a_full_disk, args=(source, to, answer))
    child.start()

    assert answer.get(timeout=30) == "OSError"
    child.join(30)
    assert to.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["part.pdf"]


# Threads and processes


def test_eight_threads_at_once_get_their_own_answers(tmp_path, pdf_dir):
    paths = {
        n: write_pdf(tmp_path / f"{n}.pdf", pages=n, info={"Title": str(n)}) for n in range(1, 9)
    }
    start = threading.Barrier(8)

    def look(n: int) -> list[tuple[int, str]]:
        start.wait()
        found = []
        for _ in range(25):
            inspection = inspect_pdf(paths[n])
            found.append((len(inspection.pages), inspection.properties.title))
            render_page(paths[n], n, scale=0.2)
        return found

    with ThreadPoolExecutor(8) as pool:
        for n, found in zip(paths, pool.map(look, paths), strict=True):
            assert found == [(n, str(n))] * 25


def test_one_private_thread_does_all_the_work(tmp_path):
    path = write_pdf(tmp_path / "a.pdf")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(inspect_pdf, [path] * 8))

    assert sum(t.name.startswith("zhiyipdf-pdfium") for t in threading.enumerate()) == 1


def _count_pages(path: Path, answer: multiprocessing.Queue[int]) -> None:
    answer.put(len(inspect_pdf(path).pages))


def test_a_forked_child_has_a_thread_of_its_own_even_while_the_parents_is_busy(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=400)
    inspect_pdf(path)
    context = multiprocessing.get_context("fork")
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            render_page(path, 1, scale=1)

    busy = [threading.Thread(target=keep_busy) for _ in range(2)]
    for thread in busy:
        thread.start()
    try:
        for _ in range(5):
            answer: multiprocessing.Queue[int] = context.Queue()
            child = context.Process(target=_count_pages, args=(path, answer))
            child.start()
            assert answer.get(timeout=30) == 400
            child.join(30)
            assert child.exitcode == 0
    finally:
        stop.set()
        for thread in busy:
            thread.join()
    assert len(inspect_pdf(path).pages) == 400


def test_what_an_interrupted_caller_waited_for_is_not_done(tmp_path):
    path, to = write_pdf(tmp_path / "a.pdf"), tmp_path / "part.pdf"
    release, queue = threading.Event(), pdfium_thread._executor._work_queue

    def interrupt_once_it_waits() -> None:
        while queue.empty():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(pdfium_thread.run, release.wait)
        while not pdfium_thread._busy.locked():
            time.sleep(0.005)
        pool.submit(interrupt_once_it_waits)
        with pytest.raises(KeyboardInterrupt):
            copy_pages(path, 1, 1, to)
        release.set()

    assert len(inspect_pdf(path).pages) == 3
    assert not to.exists()


def test_memory_does_not_grow_with_repeated_looks_at_a_long_pdf(tmp_path):
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_bytes(pages=2000))
    pages = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * pages

    for _ in range(5):
        inspect_pdf(path)
    before = resident()
    for _ in range(50):
        inspect_pdf(path)

    assert resident() - before < 8 * 1024 * 1024


# Parts


def test_gathered_pages_are_those_asked_for_in_their_order(tmp_path):
    sizes = [write_pdf(tmp_path / f"{n}.pdf", pages=n, size=(100 + n, 200)) for n in (1, 2)]
    source = write_pdf(tmp_path / "a.pdf", pages=5, broken=[3], labels=["a", "b", "c", "d", "e"])
    textlayer.gather_pages(source, [4, 1, 2], tmp_path / "part.pdf")

    assert len(inspect_pdf(tmp_path / "part.pdf").pages) == 3
    textlayer.gather_pages(sizes[1], [2], tmp_path / "part.pdf")  # replaces the other
    assert page_size(tmp_path / "part.pdf", 1) == (102, 200)


@pytest.mark.parametrize("numbers", [[], [0], [4], [1, 4]])
def test_pages_that_are_not_there_cannot_be_gathered(tmp_path, numbers):
    path = write_pdf(tmp_path / "a.pdf", pages=3)

    with pytest.raises(ValueError, match="not pages"):
        textlayer.gather_pages(path, numbers, tmp_path / "part.pdf")
    assert not (tmp_path / "part.pdf").exists()


def test_a_damaged_page_cannot_be_gathered(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=3, broken=[2])

    with pytest.raises(InvalidPDF):
        textlayer.gather_pages(path, [1, 2], tmp_path / "part.pdf")
    assert not (tmp_path / "part.pdf").exists()


def test_bookmarks_are_read_in_order(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=9, outline=[("One", 1), ("Two", 4), ("Three", 9)])

    found = textlayer.bookmarks(path)
    assert [(mark.level, mark.page_number) for mark in found] == [(0, 1), (0, 4), (0, 9)]
    assert textlayer.bookmarks(write_pdf(tmp_path / "b.pdf", pages=2)) == ()


def test_an_outline_that_runs_in_a_circle_has_an_end(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=2, outline=[("One", 1), ("Two", 2)])
    content = path.read_bytes()
    first, second = re.findall(rb"/First (\d+) 0 R /Last (\d+) 0 R", content)[0]
    turned = content.replace(b"/Next %s 0 R" % second, b"/Next %s 0 R" % first)
    assert turned != content
    path.write_bytes(turned)

    assert [mark.page_number for mark in textlayer.bookmarks(path)] == [1]


# Real files


@pytest.mark.corpus
def test_bookmarks_of_a_real_manual_lead_to_its_chapters(corpus_dir):
    found = textlayer.bookmarks(corpus_dir / "octave.pdf")
    chapters = [mark.page_number for mark in found if mark.level == 0]

    assert chapters[:3] == [17, 23, 31]
    assert len(chapters) == 49
    assert {mark.level for mark in found} == {0, 1, 2}


@pytest.mark.corpus
def test_pages_and_labels_of_all_real_pdfs_are_those_of_the_manifest(corpus_dir):
    files = json.loads((corpus_dir / "manifest.json").read_text())["files"]
    opens = [entry for entry in files if entry["verified"]["pdfium_opens"]]
    assert len(opens) > 30
    for entry in opens:
        pages = inspect_pdf(corpus_dir / entry["file"]).pages
        labels = entry["verified"]["page_labels_first"] or [str(n) for n in range(1, 9)]

        assert len(pages) == entry["pages"], entry["file"]
        assert [p.label for p in pages[:8]] == labels[: len(pages)], entry["file"]

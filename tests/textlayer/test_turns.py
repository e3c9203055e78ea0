from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from support.pdfs import write_pdf
from zhiyipdf.textlayer import inspect_pdf, read_page_texts, turns
from zhiyipdf.textlayer.turns import in_turns


def number_of(document, number: int) -> int:
    return number


def test_every_page_has_its_turn_in_order(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=150)

    assert list(in_turns(path, None, number_of)) == list(range(1, 151))
    assert list(in_turns(path, [9, 3, 150, 3], number_of)) == [9, 3, 150, 3]
    assert list(in_turns(path, [], number_of)) == []


def test_no_page_is_read_before_the_first_is_asked_for(tmp_path):
    in_turns(tmp_path / "absent.pdf", None, number_of)


def test_others_get_their_turn_in_between(tmp_path):
    long, short = write_pdf(tmp_path / "a.pdf", pages=300), write_pdf(tmp_path / "b.pdf", pages=2)
    reading = read_page_texts(long)
    next(reading)

    assert len(inspect_pdf(short).pages) == 2
    assert sum(1 for _ in reading) == 299


def test_a_turn_that_takes_long_ends_early(tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "_TURN_S", 0.0)
    path = write_pdf(tmp_path / "a.pdf", pages=5)
    opened = []

    def count_documents(document, number: int) -> int:
        opened.append(document)
        return number

    assert list(in_turns(path, None, count_documents)) == [1, 2, 3, 4, 5]
    assert len({id(document) for document in opened}) == 5


def test_a_dropped_reader_leaves_no_file_open(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=300)
    reading = read_page_texts(path)
    next(reading)
    targets = [
        str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()
    ]

    assert str(path) not in targets
    reading.close()


def test_an_error_while_reading_closes_the_pdf_and_reaches_the_caller(tmp_path):
    path = write_pdf(tmp_path / "a.pdf")

    def fail(document, number: int) -> None:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        list(in_turns(path, None, fail))
    assert len(inspect_pdf(path).pages) == 3


def test_many_threads_read_their_own_pdfs(tmp_path):
    paths = [write_pdf(tmp_path / f"{n}.pdf", pages=70 + n) for n in range(4)]
    found = {}

    def read(path: Path) -> None:
        found[path] = [page.text() for page in read_page_texts(path)]

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, path in enumerate(paths):
        assert found[path] == [f"Page {i} of {70 + n}" for i in range(1, 71 + n)]


def test_memory_does_not_grow_with_the_number_of_pages(tmp_path):
    text = "\n".join(["words of a page, line after line"] * 40)
    path = write_pdf(tmp_path / "long.pdf", pages=1500, text=text)
    size = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * size

    list(read_page_texts(path, range(1, 301)))
    before = resident()
    most = max(resident() for _ in read_page_texts(path))

    assert most - before < 16 * 1024 * 1024

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, conversion
from zhiyipdf.cli.failures import told
from zhiyipdf.cli.output import MAX_STEM_BYTES, as_jsonl, as_markdown, free_stem
from zhiyipdf.cli.reporting import counted, done_line, stage_text
from zhiyipdf.documents import Record, make_records
from zhiyipdf.errors import NotAPDF
from zhiyipdf.models import ParseOptions, Progress, Stage


def record(text: str, kind: str = "text", **metadata: str) -> Record:
    return Record(id="1", text=text, metadata=dict(metadata), kind=kind)  # type: ignore[arg-type]


def test_a_single_document_is_kept_to_the_letter() -> None:
    assert as_markdown([record("\n# Title\n\n\nText.\n")]) == {"original": "\n# Title\n\n\nText.\n"}


def test_text_ends_with_a_line_break() -> None:
    assert as_markdown([record("Text")]) == {"original": "Text\n"}


def test_pages_are_joined_by_one_blank_line() -> None:
    pages = [record("# One\n\nText.\n\n"), record("\nTwo")]

    assert as_markdown(pages) == {"original": "# One\n\nText.\n\nTwo\n"}


def test_a_pictures_own_record_is_no_text() -> None:
    assert as_markdown([record("Text"), record("Figure 1", kind="image")]) == {"original": "Text\n"}


def test_variants_are_kept_apart() -> None:
    made = conversion(
        blocks(("paragraph", "Guten Tag\n")),
        translated=blocks(("paragraph", "Good day\n")),
        options=ParseOptions(translate_to="en", variants=("original", "translated")),
    )

    assert as_markdown(make_records(made)) == {
        "original": "Guten Tag\n",
        "translated": "Good day\n",
    }


@given(st.lists(st.text()))
def test_json_lines_hold_every_text_to_the_letter(texts: list[str]) -> None:
    written = as_jsonl(record(text) for text in texts)

    lines = written.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["text"] for line in lines] == texts


NAMES = st.text(min_size=1, max_size=300) | st.sampled_from(["a.pdf", "A.PDF", "a-2.pdf", ".pdf"])


@given(st.lists(NAMES, max_size=12))
def test_no_two_sources_write_the_same_name(names: list[str]) -> None:
    taken: set[str] = set()
    stems = [free_stem(name, [".md", "_translated.md"], taken) for name in names]

    files = [f"{stem}{ending}".casefold() for stem in stems for ending in (".md", "_translated.md")]
    assert len(set(files)) == len(files)


@given(NAMES)
def test_a_name_is_fit_for_every_file_system(name: str) -> None:
    stem = free_stem(name, [".md"], set())

    assert stem
    assert stem not in {".", ".."}
    assert not set(stem) & set('\\/:*?"<>|\n\x00')
    assert len(stem.encode()) <= MAX_STEM_BYTES


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("paper.pdf", "paper"),
        ("PAPER.PDF", "PAPER"),
        ("论文.pdf", "论文"),
        ("v1.2.pdf", "v1.2"),
        ("scan", "scan"),
        (".pdf", "document"),
        ("a/b.pdf", "a_b"),
    ],
)
def test_the_name_is_the_sources_without_its_suffix(name: str, stem: str) -> None:
    assert free_stem(name, [".md"], set()) == stem


def test_the_files_of_one_source_stay_together() -> None:
    """``x_translated.pdf`` would take the name of the translation of ``x.pdf``."""
    taken: set[str] = set()
    endings = [".md", "_translated.md"]

    assert free_stem("x_translated.pdf", endings, taken) == "x_translated"
    assert free_stem("x.pdf", endings, taken) == "x-2"


@pytest.mark.parametrize(
    ("stage", "done", "total", "text"),
    [
        ("upload", 40, 100, "uploading 40%"),
        ("upload", 40, None, "uploading"),
        ("wait", 2, None, "waiting, 2 ahead"),
        ("wait", 0, None, "waiting"),
        ("convert", 7, 100, "converting 7%"),
        ("unpack", 0, None, "unpacking"),
    ],
)
def test_stages_are_told_in_words(stage: Stage, done: int, total: int | None, text: str) -> None:
    assert stage_text(Progress(source="a.pdf", stage=stage, done=done, total=total)) == text


def test_errors_are_told_in_one_line_that_names_the_source() -> None:
    assert told(FileNotFoundError(2, "No such file", "a.pdf"), "a.pdf") == "a.pdf: No such file"
    assert told(NotAPDF("no PDF.", source="a.pdf"), "a.pdf").startswith("a.pdf: no PDF. Check")
    assert told(OSError("disk full"), "a.pdf") == "a.pdf: disk full"
    assert told(KeyError("pages"), "a.pdf") == "a.pdf: KeyError: 'pages'"
    assert told(TimeoutError()) == "TimeoutError"


def test_a_finished_source_is_told_in_one_line() -> None:
    made = conversion(blocks(("paragraph", "Text")), pages=3)

    assert done_line("a.pdf", made) == "a.pdf: done, 3 pages, 6 points"
    assert counted(1, "point") == "1 point"

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import COMMAND, zhiyipdf
from support.dom import Element, parsed
from support.pdfs import write_pdf
from support.scripts import PATIENCE_S

pytest.importorskip("liteparse", reason="converts on the embedded server")


@pytest.fixture
def pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PDF of two pages; the command runs in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return write_pdf(tmp_path / "paper.pdf", 2, text=["The first page", "The second page"])


def page_at(path: Path) -> Element:
    return parsed(path.read_text(encoding="utf-8"))


def pages_in(path: Path) -> list[str]:
    return [figure.attributes["id"] for figure in page_at(path).all("figure")]


def test_the_page_is_written_into_this_folder_and_its_name_told(pdf: Path) -> None:
    result = zhiyipdf("preview", "--local", pdf)

    assert (result.exit_code, result.stdout) == (0, "")
    assert [path.name for path in Path.cwd().iterdir()] == ["paper.preview.html"]
    assert result.stderr.splitlines()[0] == f"{pdf}: done, 2 pages, 4 points"
    assert result.stderr.splitlines()[-1].startswith("written: paper.preview.html (2 pages, ")
    page = page_at(Path("paper.preview.html"))
    assert "The second page" in page.one("section", id="text").text
    assert [image.attributes["alt"] for image in page.all("img")] == ["Page 1", "Page 2"]


def test_to_names_the_file_and_replaces_what_was_there(pdf: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    result = zhiyipdf("preview", "--local", pdf, "--to", target)

    assert (result.exit_code, result.stdout) == (0, "")
    assert pages_in(target) == ["page-1", "page-2"]
    assert list(Path.cwd().iterdir()) == []


def test_quiet_says_nothing(pdf: Path) -> None:
    result = zhiyipdf("preview", "--local", "--quiet", pdf)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert Path("paper.preview.html").exists()


@pytest.mark.corpus
def test_nothing_is_said_of_how_pdfium_was_built(pdf: Path, corpus_dir: Path) -> None:
    """One of the corpus' forms is an XFA form, of which pypdfium2 warns at each picture."""
    done = subprocess.run(
        [*COMMAND, "preview", "--local", "-q", str(corpus_dir / "form_dd0293.pdf")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_converted_before_is_shown_from_the_store(pdf: Path) -> None:
    zhiyipdf("convert", "--local", pdf)

    assert "0 points (from the store)" in zhiyipdf("preview", "--local", pdf).stderr


def test_without_a_store_the_pictures_are_in_the_page_all_the_same(
    pdf: Path, pdf_dir: Path
) -> None:
    result = zhiyipdf("preview", "--local", "--no-store", pdf_dir / "ocr_test.pdf")
    page = page_at(Path("ocr_test.preview.html"))

    assert result.exit_code == 0
    assert len(page.one("section", id="text").all("img")) == 1
    assert not page.all("p", class_="missing")


def test_pages_converts_and_shows_some_pages(pdf: Path) -> None:
    result = zhiyipdf("preview", "--local", "--pages", "2", pdf)

    assert "pages 2 of 2, 2 points" in result.stderr
    assert pages_in(Path("paper.preview.html")) == ["page-2"]


def test_max_pages_shows_fewer_and_says_so_twice(pdf: Path) -> None:
    result = zhiyipdf("preview", "--local", "--max-pages", "1", pdf)

    assert "warning: The first 1 of 2 pages; " in result.stderr
    assert pages_in(Path("paper.preview.html")) == ["page-1"]
    [notices] = page_at(Path("paper.preview.html")).all("div", class_="notices")
    assert notices.text.startswith("The first 1 of 2 pages; ")


def test_of_a_long_pdf_fifty_pages_are_shown_unless_more_are_asked_for(pdf: Path) -> None:
    long = write_pdf(pdf.with_name("long.pdf"), 52)
    first = zhiyipdf("preview", "--local", long)
    assert "warning: The first 50 of 52 pages; " in first.stderr
    assert len(pages_in(Path("long.preview.html"))) == 50

    zhiyipdf("preview", "--local", long, "--max-pages", "60")
    assert len(pages_in(Path("long.preview.html"))) == 52

    zhiyipdf("preview", "--local", long, "--pages", "1-51")
    assert len(pages_in(Path("long.preview.html"))) == 51


def test_open_shows_the_page_in_the_browser(pdf: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser.py"
    seen = tmp_path / "seen.txt"
    browser.write_text(
        f"import pathlib, sys\npathlib.Path({str(seen)!r}).write_text(sys.argv[1])\n"
    )
    done = subprocess.run(
        [*COMMAND, "preview", "--local", "--open", str(pdf)],
        capture_output=True,
        text=True,
        env={**os.environ, "BROWSER": f"{sys.executable} {browser} %s"},
        timeout=PATIENCE_S,
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert seen.read_text() == (Path.cwd() / "paper.preview.html").as_uri()


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_pdf_that_cannot_be_converted_is_exit_code_1_and_leaves_no_page(
    pdf: Path, pdf_dir: Path
) -> None:
    result = zhiyipdf("preview", "--local", pdf_dir / "r6-both-passwords.pdf")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert list(Path.cwd().iterdir()) == []


def test_a_file_that_is_not_there_is_exit_code_1(pdf: Path) -> None:
    assert zhiyipdf("preview", "--local", "missing.pdf").exit_code == 1


def test_no_key_is_exit_code_3(pdf: Path) -> None:
    result = zhiyipdf("preview", pdf)

    assert (result.exit_code, result.stdout) == (3, "")
    assert "--local needs no key" in result.stderr


def test_a_page_that_the_pdf_has_not_is_told_before_anything_is_converted(pdf: Path) -> None:
    result = zhiyipdf("preview", "--local", "--pages", "7", pdf)

    assert result.exit_code == 1
    assert "the PDF has 2 pages" in result.stderr


def test_a_place_that_is_not_there_is_wrong_usage_and_nothing_is_converted(pdf: Path) -> None:
    result = zhiyipdf("preview", "--local", pdf, "--to", Path("nowhere") / "page.html")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere" in result.stderr
    assert "done" not in result.stderr


@pytest.mark.parametrize("several", ["", "*.pdf"])
def test_more_than_one_pdf_is_wrong_usage_in_words_of_the_command_line(
    pdf: Path, several: str
) -> None:
    write_pdf(pdf.with_name("second.pdf"), 1)
    result = zhiyipdf("preview", "--local", pdf.parent / several)

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"SOURCE must be one PDF: there are several, the first of them is {pdf}" in result.stderr
    assert "convert_many" not in result.stderr


def test_help_names_the_keys_of_the_page() -> None:
    told = " ".join(zhiyipdf("preview", "--help").stdout.split())

    assert "j and k for the next and the previous block, b for all boxes, Escape" in told

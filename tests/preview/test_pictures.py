from __future__ import annotations

import struct
from pathlib import Path

import pytest

from support.drawings import noisy_pdf
from support.pdfs import write_pdf
from zhiyipdf.errors import EncryptedPDF
from zhiyipdf.models import Page
from zhiyipdf.preview.pictures import (
    ATTEMPTS,
    LONGEST_SIDE_PX,
    PAGE_BYTES,
    PagePicture,
    draw_pages,
)

FINEST_DPI, _ = ATTEMPTS[0]


def drawn(path: Path, *numbers: int) -> list[PagePicture]:
    return list(draw_pages(path, [Page(number=n, label=str(n)) for n in numbers]))


def pixels(picture: PagePicture) -> tuple[int, int]:
    """Width and height that the PNG says it has (PNG specification, 11.2.2)."""
    assert picture.png is not None
    width, height = struct.unpack(">II", picture.png[16:24])
    return width, height


def test_an_ordinary_page_is_drawn_at_the_finest_resolution(tmp_path: Path) -> None:
    [picture] = drawn(write_pdf(tmp_path / "a.pdf", 1, size=(600, 720)), 1)

    assert (picture.width, picture.height) == (600, 720)
    assert pixels(picture) == (600 * FINEST_DPI / 72, 720 * FINEST_DPI / 72)


def test_a_page_is_measured_as_it_is_shown(tmp_path: Path) -> None:
    [picture] = drawn(write_pdf(tmp_path / "a.pdf", 1, size=(600, 720), rotate=90), 1)
    width, height = pixels(picture)

    assert (picture.width, picture.height) == (720, 600)
    assert width > height


def test_only_the_pages_that_are_asked_for_are_drawn(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", 5)

    assert [picture.number for picture in drawn(path, 2, 4)] == [2, 4]


@pytest.mark.corpus
def test_a_photograph_is_drawn_coarser_so_that_it_stays_small(corpus_dir: Path) -> None:
    [photograph] = drawn(corpus_dir / "c02-22.pdf", 1)
    width, _ = pixels(photograph)

    assert photograph.png is not None
    assert len(photograph.png) <= PAGE_BYTES
    assert 0 < width < photograph.width * FINEST_DPI / 72


@pytest.mark.parametrize("side", [600, 3000])
def test_a_page_of_noise_stays_small_whatever_its_size(tmp_path: Path, side: int) -> None:
    [noise] = drawn(noisy_pdf(tmp_path / "a.pdf", side=side), 1)

    assert noise.png is not None
    assert PAGE_BYTES / 3 < len(noise.png) <= PAGE_BYTES


def test_a_poster_is_drawn_no_larger_than_a_screen(tmp_path: Path) -> None:
    [poster] = drawn(write_pdf(tmp_path / "a.pdf", 1, size=(14000, 7000)), 1)

    assert pixels(poster) == (LONGEST_SIDE_PX, LONGEST_SIDE_PX // 2)


def test_a_damaged_page_has_no_picture_and_the_others_follow(tmp_path: Path) -> None:
    found = drawn(write_pdf(tmp_path / "a.pdf", 3, broken=[2]), 1, 2, 3)

    assert [picture.png is None for picture in found] == [False, True, False]
    assert all(picture.width > 0 and picture.height > 0 for picture in found)


def test_a_locked_pdf_is_refused(pdf_dir: Path) -> None:
    with pytest.raises(EncryptedPDF):
        drawn(pdf_dir / "r6-both-passwords.pdf", 1)


@pytest.mark.corpus
def test_twenty_pages_of_a_book_fit_in_four_megabytes(corpus_dir: Path) -> None:
    """Base64 adds a third, and the Markdown is small beside it."""
    path = corpus_dir / "GeoTopo-komprimiert.pdf"
    total = sum(len(picture.png or b"") for picture in drawn(path, *range(1, 21)))

    assert total * 4 / 3 < 4_000_000

"""``zhiyipdf preview``: one HTML file with the PDF's pages beside its Markdown."""

from __future__ import annotations

import logging
import secrets
import tempfile
import webbrowser
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from zhiyipdf.cli.options import (
    open_converter,
    output_options,
    parse_options,
    service_options,
    store_options,
)
from zhiyipdf.cli.output import free_stem
from zhiyipdf.cli.reporting import Reporter, counted

__all__ = ["preview"]

MOST_PAGES = 50
"""Shown without being asked for more: some 10 MB, which a browser opens at once. Whatever pages and
pictures are, they take less than 25 (see ``PAGE_BYTES`` and ``MOST_PICTURE_BYTES``)."""


@click.command()
@click.argument("source", metavar="SOURCE")
@click.option(
    "--to",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page there.  [default: NAME.preview.html in this folder]",
)
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
@parse_options
@click.option(
    "--max-pages",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"Show no more pages than that.  [default: {MOST_PAGES}, or all of --pages]",
)
@click.option(
    "--max-points",
    metavar="N",
    type=click.IntRange(min=0),
    help="Stop before an upload would pass it.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@store_options
@service_options
def preview(
    *,
    source: str,
    to: Path | None,
    shown: bool,
    translate_to: str | None,
    variants: tuple[str, ...],
    table_mode: str,
    pages: str | None,
    max_pages: int | None,
    max_points: int | None,
    quiet: bool,
    store: str | None,
    no_store: bool,
    local: bool,
    api_key: str | None,
    base_url: str | None,
) -> None:
    """Show what became of SOURCE: its pages on the left, the Markdown on the right.

    Pointing at a block shows where it stands on the page; the colour says how sure that is. Keys:
    j and k for the next and the previous block, b for all boxes, Escape to clear. The result is
    one file that needs no network. The PDF is converted, and paid for, as by "convert":
    what was converted before comes from the store. Of a long PDF all pages are converted and the
    first ones shown; --pages converts only some.
    """
    options = output_options(table_mode, translate_to, variants, pages)
    if to is not None and not to.absolute().parent.is_dir():
        raise click.UsageError(f"--to {to}: there is no folder {to.absolute().parent}")
    reporter = Reporter(quiet=quiet, total=1)
    converter = open_converter(
        local=local,
        api_key=api_key,
        base_url=base_url,
        store=store,
        no_store=no_store,
        max_points=max_points,
        on_progress=reporter.progress,
    )
    from zhiyipdf.conversion.planning import select_pages
    from zhiyipdf.finding import find_one
    from zhiyipdf.policy import Limits
    from zhiyipdf.preview import PreviewPage, draw_pages
    from zhiyipdf.sources import opened

    try:
        ref = find_one(source, storage_options={}, fs=None)
    except ValueError as error:
        raise click.UsageError(f"SOURCE must be one PDF: {error}") from error
    # For each picture of a PDF with XFA forms it would tell how to build PDFium with them.
    logging.getLogger("pypdfium2").setLevel(logging.ERROR)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhiyipdf-")))
        # Opened here and not by the converter, whose copy of a remote PDF is gone when it is done.
        pdf = stack.enter_context(opened(ref, folder=folder, limits=Limits(), may_be_cut=True))
        numbers = select_pages(pdf, options.pages)
        stack.enter_context(reporter)
        conversion = converter.convert(replace(ref, place=Path(pdf.path)), options)
        reporter.done(ref.uri, conversion)
        if max_pages is None and options.pages is None:
            max_pages = MOST_PAGES
        page = PreviewPage(
            conversion, numbers, read_asset=converter.read_asset, most_pages=max_pages
        )
        for notice in page.notices:
            reporter.warn(notice)
        wanted = set(page.page_numbers)
        pictures = draw_pages(Path(pdf.path), [one for one in pdf.pages if one.number in wanted])
        written = to or Path(f"{free_stem(pdf.name, [], set())}.preview.html")
        size = _write(written, page.pieces(pictures))
    if not quiet:
        pages_shown = counted(len(page.page_numbers), "page")
        click.echo(f"written: {written} ({pages_shown}, {size / 1e6:.1f} MB)", err=True)
    if shown and not webbrowser.open(written.absolute().as_uri()):
        reporter.warn("there is no browser to show it in")


def _write(path: Path, pieces: Iterable[str]) -> int:
    """Write beside the place and move there, so that nobody ever reads half a page; its size."""
    partial = path.with_name(f".zhiyipdf-{secrets.token_hex(6)}.part")
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                # Lone surrogates, which a damaged text may hold, cannot be encoded.
                file.write(piece.encode("utf-8", "replace"))
            size = file.tell()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return size

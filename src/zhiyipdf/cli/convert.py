"""``zhiyipdf convert``: PDFs to Markdown or JSON lines, on standard output or into a folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, cast, get_args

import click

from zhiyipdf.cli.failures import exit_code
from zhiyipdf.cli.options import (
    open_converter,
    output_options,
    parse_options,
    service_options,
    store_options,
)
from zhiyipdf.cli.output import Folder, Format, Output, StandardOutput, ending_of
from zhiyipdf.cli.reporting import Reporter
from zhiyipdf.documents import IMAGE_MODES, METADATA_STYLES
from zhiyipdf.documents.presentation import Presentation
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import Conversion, Mode, Outcome, ParseOptions
from zhiyipdf.sources import public_uri

__all__ = ["convert"]


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--to",
    metavar="DIR|URL",
    help="Write files there, one for each source and variant, pictures into images/ beside them.  "
    "[default: standard output]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Format)),
    default="markdown",
    show_default=True,
    help="Text only, or one JSON object a line for each document: id, text, metadata.",
)
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    help="What makes one document.  [default: single for markdown, page for jsonl]",
)
@parse_options
@click.option(
    "--images",
    type=click.Choice(IMAGE_MODES),
    default="reference",
    show_default=True,
    help="Links, documents of their own (jsonl), data: URIs in the text, or none.",
)
@click.option("--image-dir", metavar="URL", help="Write pictures there.")
@click.option(
    "--metadata-style",
    type=click.Choice(METADATA_STYLES),
    default="rich",
    show_default=True,
    help="flat: lists as JSON strings.",
)
@click.option(
    "--max-points",
    metavar="N",
    type=click.IntRange(min=0),
    help="Stop before an upload would pass it.",
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "skip"]),
    default="skip",
    show_default=True,
    help="Stop at the first source that fails, or go on.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@store_options
@service_options
@click.pass_context
def convert(
    context: click.Context,
    *,
    sources: tuple[str, ...],
    to: str | None,
    form: Format,
    mode: Mode | None,
    translate_to: str | None,
    variants: tuple[str, ...],
    table_mode: str,
    pages: str | None,
    images: str,
    image_dir: str | None,
    metadata_style: str,
    max_points: int | None,
    on_error: str,
    quiet: bool,
    store: str | None,
    no_store: bool,
    local: bool,
    api_key: str | None,
    base_url: str | None,
) -> None:
    """Convert each SOURCE: a PDF, a folder, a pattern, or any URL fsspec can open.

    What was converted before comes from the store and costs nothing. After an interruption, the
    same command goes on where it was.
    """
    options = output_options(table_mode, translate_to, variants, pages)
    reporter = Reporter(quiet=quiet, total=_known_total(sources))
    converter = open_converter(
        local=local,
        api_key=api_key,
        base_url=base_url,
        store=store,
        no_store=no_store,
        max_points=max_points,
        on_progress=reporter.progress,
    )
    presentation = Presentation(
        read_asset=converter.read_asset,
        keeps_assets=converter.keeps_assets,
        mode=mode or ("single" if form == "markdown" else "page"),
        images=cast("Any", images),  # click.Choice lets only these pass
        image_dir=image_dir or (None if to is None else _below(to, "images")),
        relative_to=to if form == "markdown" else None,
        metadata_style=cast("Any", metadata_style),
    )
    run = _Run(
        presentation, _output(to, form, options, reporter), reporter, stop=on_error == "raise"
    )
    # In the order given: what is printed, and which of two equal names gets the "-2", must not
    # depend on which file happens to be finished first.
    outcomes = converter.convert_many(list(sources), options, ordered=True)
    with reporter, closing(outcomes):
        run.take(outcomes)
    context.exit(exit_code(run.errors))


class _Run:
    """Writes outcome after outcome and remembers what went wrong."""

    def __init__(
        self, presentation: Presentation, output: Output, reporter: Reporter, *, stop: bool
    ) -> None:
        self._presentation = presentation
        self._output = output
        self._reporter = reporter
        self._stop = stop
        self._warned = False
        self.errors: list[Exception] = []

    def take(self, outcomes: Iterable[Outcome]) -> None:
        done = points = 0
        for outcome in outcomes:
            error = self._take(outcome)
            if error is None:
                done += 1
            else:
                self.errors.append(error)
                if self._stop:
                    break
            points += outcome.conversion.points if outcome.conversion is not None else 0
        self._reporter.summary(done, len(self.errors), points)

    def _take(self, outcome: Outcome) -> Exception | None:
        error = outcome.error
        if outcome.conversion is None:
            self._output.skip(outcome.source)
        else:
            error = self._write(outcome.conversion)
        if error is not None:
            self._reporter.failed(outcome.source, error)
        elif outcome.conversion is not None:
            self._reporter.done(outcome.source, outcome.conversion)
        return error

    def _write(self, conversion: Conversion) -> Exception | None:
        if self._presentation.loses_pictures(conversion) and not self._warned:
            self._warned = True
            self._reporter.warn(
                "--no-store keeps no pictures, so links to them lead nowhere; "
                "use --to, --image-dir, --images inline or --images drop"
            )
        try:
            self._output.write(conversion.source.name, self._presentation.records(conversion))
        except BrokenPipeError:
            raise  # nobody reads any more, so the rest is not wanted either
        except (ZhiyiPDFError, OSError) as error:
            return error
        return None


def _output(to: str | None, form: Format, options: ParseOptions, reporter: Reporter) -> Output:
    if to is None:
        return StandardOutput(form, reporter.aside)
    endings = [".jsonl"] if form == "jsonl" else [ending_of(v) for v in options.variants]
    try:
        return Folder(to, form, endings)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--to {public_uri(to)}: {error}") from error


def _below(folder: str, name: str) -> str:
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def _known_total(sources: tuple[str, ...]) -> int | None:
    """How many PDFs there are, if each source is a file of its own."""
    try:
        return len(sources) if all(Path(source).is_file() for source in sources) else None
    except OSError:  # a URL too long to be a path
        return None

"""Options that several commands share, and the Converter they describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

import click

from zhiyipdf.models import LANGUAGES, VARIANTS, ParseOptions, Progress, TableMode, Variant

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter

__all__ = ["open_converter", "output_options", "parse_options", "service_options", "store_options"]

F = TypeVar("F", bound=Callable[..., Any])


def _with(function: F, *options: Callable[[F], F]) -> F:
    """Give a command options, listed by ``--help`` in the order given here."""
    for option in reversed(options):
        function = option(function)
    return function


def service_options(function: F) -> F:
    """Which service, and the key to it."""
    return _with(
        function,
        click.option(
            "--local",
            is_flag=True,
            help='Convert on this machine; no key needed (pip install "zhiyipdf[local]").',
        ),
        click.option(
            "--api-key",
            metavar="KEY",
            help="Better set ZHIYIPDF_API_KEY: others on this machine can see a command line. "
            "Several keys, with commas between, are used side by side.",
        ),
        click.option(
            "--base-url",
            metavar="URL",
            help="Another server.  [env var: ZHIYIPDF_BASE_URL; default: the hosted service]",
        ),
    )


def store_options(function: F) -> F:
    """Where results are kept."""
    return _with(
        function,
        click.option(
            "--store",
            metavar="URL",
            help="Folder or fsspec URL that keeps results, so that nothing is paid for twice.  "
            "[env var: ZHIYIPDF_STORE; default: the user's cache folder]",
        ),
        click.option("--no-store", is_flag=True, help="Keep nothing after this command."),
    )


def parse_options(function: F) -> F:
    """What to make of a PDF."""
    return _with(
        function,
        click.option(
            "--translate-to",
            metavar="LANG",
            type=click.Choice(LANGUAGES),
            help=f"Translate: {', '.join(LANGUAGES)} (3 points a page instead of 2).",
        ),
        click.option(
            "--variants",
            metavar="NAMES",
            multiple=True,
            callback=_variants,
            help=f"Of {', '.join(VARIANTS)}, with commas between or the option given again; all "
            "but the original need --translate-to.  "
            "[default: original, or translated with --translate-to]",
        ),
        click.option(
            "--table-mode",
            type=click.Choice(get_args(TableMode)),
            default="markdown",
            show_default=True,
            help="Tables as text or as pictures.",
        ),
        click.option(
            "--pages",
            metavar="RANGES",
            help="Of each PDF, for example 1-20,35 or 5-; only these are paid for.  [default: all]",
        ),
    )


def output_options(
    table_mode: str, translate_to: str | None, variants: Sequence[str], pages: str | None
) -> ParseOptions:
    """Put the values of :func:`parse_options` together.

    Raises:
        click.UsageError: They do not go together.
    """
    translations = [name for name in variants if name != "original"]
    if translations and translate_to is None:
        raise click.UsageError(f"--variants {','.join(translations)} needs --translate-to LANG.")
    try:
        return ParseOptions(
            table_mode=cast("Any", table_mode),  # click.Choice lets only these pass
            translate_to=cast("Any", translate_to),
            variants=cast("tuple[Variant, ...]", tuple(variants)),
            pages=pages,
        )
    except ValueError as error:
        # Of what may be wrong only the pages are left; the library names its parameter.
        raise click.UsageError(str(error).replace("pages=", "--pages ", 1)) from error


def open_converter(
    *,
    local: bool,
    api_key: str | None,
    base_url: str | None,
    store: str | None = None,
    no_store: bool = False,
    max_points: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Converter:
    """Make the Converter that the options describe; nothing is opened yet.

    Raises:
        click.UsageError: Options contradict each other, or a value cannot be right.
    """
    if local and base_url is not None:
        raise click.UsageError("--local and --base-url exclude each other.")
    if no_store and store is not None:
        raise click.UsageError("--store and --no-store exclude each other.")
    from zhiyipdf.converter import Converter
    from zhiyipdf.loading import secrets_of

    place: str | Literal[False] | None = False if no_store else store
    try:
        return Converter(
            api_key=secrets_of(api_key),
            base_url="local" if local else base_url,
            store=place,
            max_points=max_points,
            on_progress=on_progress,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _variants(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    names = tuple(name.strip() for name in ",".join(values).split(",") if name.strip())
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: not of {', '.join(VARIANTS)}")
    return names

"""``zhiyipdf estimate``: what a conversion would cost, with nothing uploaded."""

from __future__ import annotations

import click

from zhiyipdf.cli.options import (
    open_converter,
    output_options,
    parse_options,
    service_options,
    store_options,
)
from zhiyipdf.cli.reporting import counted

__all__ = ["estimate"]


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@parse_options
@store_options
@service_options
@click.pass_context
def estimate(
    context: click.Context,
    *,
    sources: tuple[str, ...],
    translate_to: str | None,
    variants: tuple[str, ...],
    table_mode: str,
    pages: str | None,
    store: str | None,
    no_store: bool,
    local: bool,
    api_key: str | None,
    base_url: str | None,
) -> None:
    """Count the pages of each SOURCE and the points an upload would cost; needs no key.

    What the store has already costs nothing.
    """
    options = output_options(table_mode, translate_to, variants, pages)
    converter = open_converter(
        local=local, api_key=api_key, base_url=base_url, store=store, no_store=no_store
    )
    result = converter.estimate(list(sources), options)
    for one in result.sources:
        note = " (in the store)" if one.in_store else ""
        cost = f"{counted(one.pages, 'page')}, {counted(one.points, 'point')}"
        click.echo(f"{one.source}: {cost}{note}")
    if len(result.sources) > 1:
        total = f"{counted(result.pages, 'page')}, {counted(result.points, 'point')}"
        click.echo(f"total: {total}")
    for source, reason in result.refused:
        click.echo(f"refused: {reason if source in reason else f'{source}: {reason}'}", err=True)
    context.exit(1 if result.refused else 0)

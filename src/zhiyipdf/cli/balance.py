"""``zhiyipdf balance``: the points left on each key."""

from __future__ import annotations

import click

from zhiyipdf.cli.options import open_converter, service_options

__all__ = ["balance"]


@click.command()
@service_options
def balance(*, local: bool, api_key: str | None, base_url: str | None) -> None:
    """Show the points left on each key.

    Keys are shown by their fingerprint, the first 8 hex digits of their SHA-256.
    """
    left = open_converter(local=local, api_key=api_key, base_url=base_url).balance()
    for fingerprint, points in left.by_key.items():
        click.echo(f"key {fingerprint}: {points} points")
    if len(left.by_key) > 1:
        click.echo(f"total: {left.points} points")

"""``zhiyipdf tasks`` and ``zhiyipdf resume``: what is paid for, and what is still to be fetched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from zhiyipdf.cli.failures import exit_code, told
from zhiyipdf.cli.options import open_converter, service_options, store_options
from zhiyipdf.models import Outcome

if TYPE_CHECKING:
    from zhiyipdf.store import TaskRecord

__all__ = ["resume", "tasks"]

# What each state means to somebody who paid.
_MEANINGS = {
    "planned": "not paid",
    "sending": "not paid",
    "committing": "unknown",
    "accepted": "running",
    "completed": "running",
    "fetched": "running",
    "unpacked": "done",
    "failed": "failed",
    "unknown": "unknown",
    "expired": "expired",
}


@click.command()
@store_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--forget",
    metavar="RECORD",
    help="Forget one record (its first 6 digits or more). Unless its result is in the store, the "
    "PDF is uploaded and paid for as if new.",
)
def tasks(*, store: str | None, no_store: bool, as_json: bool, forget: str | None) -> None:
    """List every task the store knows: running, done, failed, unknown.

    "unknown" means that an upload was sent whole and neither its answer nor the balance proves
    whether it was paid for.
    """
    converter = open_converter(
        local=False, api_key=None, base_url=None, store=store, no_store=no_store
    )
    if forget is not None:
        try:
            gone = converter.forget(forget)
        except KeyError as error:
            raise click.UsageError(str(error.args[0])) from error
        click.echo(f"forgotten: record {gone[:12]}")
        return
    for record in converter.tasks():
        if as_json:
            click.echo(record.to_json().replace(b"\n", b""))
        else:
            click.echo(_line(record))


@click.command()
@service_options
@store_options
def resume(
    *, local: bool, api_key: str | None, base_url: str | None, store: str | None, no_store: bool
) -> None:
    """Fetch the result of every task that is paid for; the PDFs are not needed."""
    converter = open_converter(
        local=local, api_key=api_key, base_url=base_url, store=store, no_store=no_store
    )
    errors: list[Exception] = []
    for outcome in converter.resume():
        if isinstance(outcome, Outcome):
            error = outcome.error or RuntimeError("no result")
            errors.append(error)
            click.echo(f"error: {told(error, outcome.source)}", err=True)
        else:
            click.echo(_line(outcome))
    click.get_current_context().exit(exit_code(errors))


def _line(record: TaskRecord) -> str:
    when = datetime.fromtimestamp(record.updated_at, tz=UTC).strftime("%Y-%m-%d %H:%M")
    facts = [
        f"{_MEANINGS[record.state]:8}",
        f"record {record.key[:12]}",
        f"{when}Z",
        f"{record.points:>5} points",
        f"{record.pages:>4} p.",
        f"task {record.task_id or '-'}",
        json.dumps(record.name, ensure_ascii=False) if record.name else "-",
    ]
    if record.code:
        facts.append(record.code)
    return "  ".join(facts)

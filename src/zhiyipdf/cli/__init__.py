"""The ``zhiyipdf`` command: only what it prints is here, what it does is the library's.

Exit codes: 0 all done, 1 some source failed (the others are written), 2 wrong usage, 3 the key is
refused or points are missing, 130 interrupted. Nothing but results goes to standard output.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from zhiyipdf._version import __version__
from zhiyipdf.cli.failures import failures

__all__ = ["main"]


class _Command(NamedTuple):
    """A command that is imported when it is asked for.

    Attributes:
        module: Where it is; the click object has the command's own name.
        summary: What ``--help`` says of it, so that listing the commands imports none.
    """

    module: str
    summary: str


_COMMANDS = {
    "convert": _Command("zhiyipdf.cli.convert", "Convert PDFs to Markdown or to documents."),
    "estimate": _Command("zhiyipdf.cli.estimate", "Count pages and points; upload nothing."),
    "preview": _Command("zhiyipdf.cli.preview", "Show a PDF's pages beside its Markdown."),
    "balance": _Command("zhiyipdf.cli.balance", "Show the points left on each key."),
    "tasks": _Command("zhiyipdf.cli.tasks", "List what the store knows of paid tasks."),
    "resume": _Command("zhiyipdf.cli.tasks", "Fetch what is paid for and not fetched yet."),
    "serve": _Command("zhiyipdf.cli.serve", "Run a server that speaks the API and converts here."),
}


class _LazyGroup(click.Group):
    """Commands in the order of ``_COMMANDS``, each imported when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(_COMMANDS[cmd_name].module), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{_COMMANDS[cmd_name].module}:{cmd_name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        with failures(ctx):
            return super().invoke(ctx)


@click.command(
    cls=_LazyGroup,
    epilog="Exit codes: 0 all done, 1 some source failed (the others are written), 2 wrong usage, "
    "3 key or points, 130 interrupted.",
)
@click.version_option(__version__, prog_name="zhiyipdf")
def main() -> None:
    """PDFs to RAG-ready documents.

    The key is read from ZHIYIPDF_API_KEY; --local converts on this machine and needs none.
    """

"""Run the ``zhiyipdf`` command: in this process where that will do, in one of its own else."""

from __future__ import annotations

import sys

from click.testing import CliRunner, Result

from zhiyipdf.cli import main

COMMAND = [sys.executable, "-c", "from zhiyipdf.cli import main; main(prog_name='zhiyipdf')"]
"""How to start it as a program, whether or not its script is on the path."""


def zhiyipdf(*arguments: object) -> Result:
    """Run the command here; what it does not foresee is raised, not turned into an exit code."""
    texts = [str(argument) for argument in arguments]
    return CliRunner().invoke(main, texts, prog_name="zhiyipdf", catch_exceptions=False)

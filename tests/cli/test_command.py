from __future__ import annotations

import subprocess
import sys

import pytest

from support.command import COMMAND, zhiyipdf
from zhiyipdf import __version__
from zhiyipdf.cli import main

SUBCOMMANDS = ["convert", "estimate", "preview", "balance", "serve"]


def test_help_lists_the_commands_and_the_exit_codes() -> None:
    result = zhiyipdf("--help")

    assert result.exit_code == 0
    for name in SUBCOMMANDS:
        assert f"\n  {name} " in result.stdout
    for meaning in ("0 all done", "1 some source failed", "3 key or points", "130 interrupted"):
        assert meaning in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_listed_command_exists_and_has_help(name: str) -> None:
    result = zhiyipdf(name, "--help")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: zhiyipdf {name}")
    assert main.commands == {}, "commands are looked up, not registered"


def test_help_and_version_import_none_of_the_commands_nor_what_they_need() -> None:
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from zhiyipdf.cli import main\n"
            "main(['--help'], standalone_mode=False)\n"
            "print(*sorted(sys.modules), file=sys.stderr)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(listed.stderr.split())

    assert "zhiyipdf.cli" in imported
    heavy = {"zhiyipdf.converter", "zhiyipdf.cli.convert", "httpx", "fsspec", "numpy", "tqdm"}
    assert not imported & heavy


def test_version_is_the_packages() -> None:
    assert zhiyipdf("--version").stdout == f"zhiyipdf, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["convert"],
        ["convert", "a.pdf", "--mode", "chapter"],
        ["convert", "a.pdf", "--variants", "original,spanish"],
        ["convert", "a.pdf", "--variants", "translated"],
        ["convert", "a.pdf", "--translate-to", "xx"],
        ["convert", "a.pdf", "--local", "--base-url", "https://service.example"],
        ["convert", "a.pdf", "--store", "somewhere", "--no-store"],
        ["convert", "a.pdf", "--max-points", "-1"],
        ["convert", "a.pdf", "--base-url", "no url"],
        ["convert", "a.pdf", "--to", "nosuchprotocol://folder"],
        ["estimate"],
        ["preview"],
        ["preview", "a.pdf", "b.pdf"],
        ["preview", "a.pdf", "--max-pages", "0"],
        ["preview", "a.pdf", "--to", "."],
        ["balance", "too", "much"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_with_nothing_on_standard_output(arguments: list[str]) -> None:
    result = zhiyipdf(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: zhiyipdf" in result.stderr


@pytest.mark.parametrize("command", ["convert", "estimate", "preview"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--variants", "bilingual"], "--variants bilingual needs --translate-to LANG."),
        (
            ["--variants", "original", "--variants", "translated"],
            "--variants translated needs --translate-to LANG.",
        ),
        (["--pages", "5-3"], "--pages '5-3': '5-3' runs backwards"),
    ],
)
def test_wrong_options_are_told_in_words_of_the_command_line(
    command: str, options: list[str], told: str
) -> None:
    result = zhiyipdf(command, "a.pdf", *options)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {told}"


def test_help_says_that_a_key_on_the_command_line_can_be_seen() -> None:
    told = " ".join(zhiyipdf("convert", "--help").stdout.split())

    assert "Better set ZHIYIPDF_API_KEY: others on this machine can see a command line" in told


def test_the_command_runs_as_a_program() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"zhiyipdf, version {__version__}\n"

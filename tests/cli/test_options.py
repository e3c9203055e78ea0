from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from zhiyipdf.cli.options import output_options, parse_options
from zhiyipdf.models import ParseOptions


def options_of(*arguments: str) -> ParseOptions:
    """What a command with these options makes of a PDF."""
    made: list[ParseOptions] = []

    @click.command()
    @parse_options
    def command(
        translate_to: str | None, variants: tuple[str, ...], table_mode: str, pages: str | None
    ) -> None:
        made.append(output_options(table_mode, translate_to, variants, pages))

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return made[0]


@pytest.mark.parametrize(
    "given",
    [
        ["--variants", "original,bilingual"],
        ["--variants", "original", "--variants", "bilingual"],
        ["--variants", "bilingual, original", "--variants", "bilingual"],
    ],
    ids=" ".join,
)
def test_variants_given_twice_are_all_taken(given: list[str]) -> None:
    made = options_of("--translate-to", "de", *given)

    assert made == ParseOptions(translate_to="de", variants=("original", "bilingual"))


def test_without_variants_a_translation_is_all_that_is_asked_for() -> None:
    assert options_of("--translate-to", "de").variants == ("translated",)
    assert options_of().variants == ("original",)

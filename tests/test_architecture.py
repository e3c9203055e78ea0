"""The rules of the house that a linter of lines cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "src" / "zhiyipdf"
MODULES = sorted(SOURCES.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Packages a module imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def users_of(package: str) -> set[str]:
    return {
        path.relative_to(SOURCES).as_posix()
        for path in MODULES
        if any(name.split(".")[0] == package for name in imported(path))
    }


def test_each_third_party_has_one_door() -> None:
    assert {name.split("/")[0] for name in users_of("httpx")} == {"transport"}
    assert {name.split("/")[0] for name in users_of("pypdfium2")} == {"textlayer", "server"}
    assert {name.split("/")[0] for name in users_of("langchain_core")} == {"langchain"}
    assert {name.split("/")[0] for name in users_of("llama_index")} == {"llama_index"}


def test_the_server_shares_no_code_with_the_client() -> None:
    shared = {
        name
        for path in (SOURCES / "server").rglob("*.py")
        for name in imported(path)
        if name.startswith("zhiyipdf") and not name.startswith("zhiyipdf.server")
    }
    assert shared <= {"zhiyipdf.models", "zhiyipdf.errors"}


def test_importing_the_package_imports_no_framework_and_no_transport() -> None:
    program = "import sys, zhiyipdf; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"httpx", "fsspec", "langchain_core", "llama_index", "numpy", "pypdfium2", "asyncio"}
    assert heavy.isdisjoint(loaded)


@pytest.mark.parametrize("name", ["Converter", "ParseOptions"])
def test_the_core_needs_no_framework(name: str) -> None:
    program = f"import sys; from zhiyipdf import {name}; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"langchain_core", "llama_index", "starlette", "uvicorn"}.isdisjoint(loaded)


def test_every_public_name_can_be_imported() -> None:
    import zhiyipdf

    for name in zhiyipdf.__all__:
        assert getattr(zhiyipdf, name) is not None
    with pytest.raises(AttributeError):
        _ = zhiyipdf.nothing_of_that_name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_a_module_says_its_job_in_one_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "no docstring"
    first = docstring.splitlines()[0]
    assert first.endswith((".", "?"))
    assert not re.match(r"(this|the) module", first, re.I)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_a_module_is_not_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500

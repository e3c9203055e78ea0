"""What a newcomer types first, in an empty folder with a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("fresh") / "zhiyipdf"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def run(command: list[str], folder: Path) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "ZHIYIPDF"))}
    done = subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_demo_prints_documents_with_pages_and_pictures(clone: Path) -> None:
    output = run(["make", "demo", f"PYTHON={sys.executable}"], clone)
    for word in ('"page_number"', '"total_pages"', '"images"', "points"):
        assert word in output


def test_the_package_installs_from_the_clone_with_its_extras(clone: Path, tmp_path: Path) -> None:
    run([sys.executable, "-m", "venv", str(tmp_path / "venv")], clone)
    python = str(tmp_path / "venv" / "bin" / "python")
    run([python, "-m", "pip", "install", "-q", ".[langchain,local]"], clone)
    program = (
        "from zhiyipdf import ZhiyiPDFLoader;"
        "print(len(ZhiyiPDFLoader('tests/data/jo.pdf', base_url='local', store=False).load()))"
    )
    assert run([python, "-c", program], clone).strip() == "1"


def test_the_wheel_holds_the_package_and_nothing_of_the_tests(clone: Path, tmp_path: Path) -> None:
    import zipfile

    run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), "."],
        clone,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "zhiyipdf/py.typed" in names
    assert {f"zhiyipdf/preview/static/page.{kind}" for kind in ("html", "css", "js")} <= {*names}
    assert not [name for name in names if name.endswith(".pdf") or name.startswith("tests")]

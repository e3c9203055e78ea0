"""Every block of the README is run, as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [code for language, code in BLOCKS if language == "sh"]
COMMANDS = [line for code in SHELL for line in code.splitlines() if line.strip()]


def title(code: str) -> str:
    return next(line for line in code.splitlines() if "import" not in line and line.strip())[:50]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's folder, with a ``paper.pdf`` in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "data" / "loc_land_ownership_5p.pdf", folder / "paper.pdf")
    return folder


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ZHIYIPDF_STORE": str(tmp_path / "store"), **more}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The server that the README starts, on a free port: its address and a key."""
    data = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "zhiyipdf", "serve"]
    key = subprocess.run(
        [*command, "key", "add", "--data-dir", str(data), "--points", "1000"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen([*command, "--data-dir", str(data), "--port", str(port)]) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", key
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


@pytest.mark.parametrize("code", PYTHON, ids=title)
def test_python_block_runs(
    code: str, folder: Path, tmp_path: Path, server: tuple[str, str]
) -> None:
    url, key = server
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code],
        cwd=folder,
        env=environment(tmp_path, ZHIYIPDF_BASE_URL=url, ZHIYIPDF_API_KEY=key),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("line", [c for c in COMMANDS if re.match(r"zhiyipdf (?!serve)", c)])
def test_command_runs(line: str, folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        line,
        shell=True,
        cwd=folder,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_server_the_readme_starts_answers_with_the_key_it_printed(
    server: tuple[str, str],
) -> None:
    url, key = server
    request = urllib.request.Request(
        f"{url}/api/pdf-to-markdown-proxy/balance", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request) as response:
        assert b'"success"' in response.read()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_lines_work_with_that_server(
    server: tuple[str, str], folder: Path, tmp_path: Path
) -> None:
    url, key = server
    for line in [c for c in COMMANDS if c.startswith("curl ")]:
        done = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env=environment(tmp_path, ZHIYIPDF_BASE_URL=url, ZHIYIPDF_API_KEY=key),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert json.loads(done.stdout)["success"] is True


def test_every_other_command_is_one_that_another_test_runs() -> None:
    """test_fresh_clone.py runs the make and pip lines; the server's are run above."""
    rest = [line for line in COMMANDS if not re.match(r"zhiyipdf (?!serve)", line)]
    words = sorted({" ".join(line.split()[:2]) for line in rest})
    assert words == ["curl -H", "make demo", "make test", "pip install", "zhiyipdf serve"]


def test_every_error_stands_in_the_table_and_no_other() -> None:
    from zhiyipdf import errors

    text = (ROOT / "README.md").read_text()
    table = text[text.index("| error | meaning") :].partition("\n\n")[0]
    named = set(re.findall(r"`([A-Z]\w+)`", table)) - {"ZHIYIPDF_API_KEY"}
    abstract = {"ZhiyiPDFError", "InputError", "ServiceError"}
    assert named == set(errors.__all__) - abstract


def test_every_option_of_the_loader_stands_in_the_settings() -> None:
    import inspect

    from zhiyipdf import ZhiyiPDFLoader

    text = (ROOT / "README.md").read_text()
    options = set(inspect.signature(ZhiyiPDFLoader).parameters) - {"file_path", "converter"}
    assert {name for name in options if f"\n| `{name}` |" not in text} == set()

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from support.command import COMMAND, zhiyipdf
from support.pdfs import write_pdf
from support.scripted_server import ScriptedServer, Wire, answer
from support.scripts import PATIENCE_S

pytest.importorskip("liteparse", reason="converts on the embedded server")

API = "/api/pdf-to-markdown-proxy"
KEY = "sk-" + "k" * 20


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A service that answers what a test makes it answer; the key is in the environment."""
    scripted = ScriptedServer()
    monkeypatch.setenv("ZHIYIPDF_BASE_URL", scripted.url)
    monkeypatch.setenv("ZHIYIPDF_API_KEY", KEY)
    yield scripted
    scripted.close()


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two PDFs of one and two pages."""
    return (
        write_pdf(tmp_path / "one.pdf", 1, text="The first file"),
        write_pdf(tmp_path / "two.pdf", 2, text=["Another one begins", "It ends here"]),
    )


# --- standard output -----------------------------------------------------------------------------


def test_markdown_goes_to_standard_output_and_everything_else_to_standard_error(
    two: tuple[Path, Path],
) -> None:
    result = zhiyipdf("convert", "--local", *two)

    assert result.exit_code == 0
    assert result.stdout == "The first file\n\nAnother one begins\n\nIt ends here\n"
    assert result.stderr.splitlines() == [
        f"{two[0]}: done, 1 page, 2 points",
        f"{two[1]}: done, 2 pages, 4 points",
        "2 done, 0 failed, 6 points",
    ]


def test_a_second_run_takes_everything_from_the_store(two: tuple[Path, Path]) -> None:
    first = zhiyipdf("convert", "--local", *two)
    second = zhiyipdf("convert", "--local", *two)

    assert second.stdout == first.stdout
    assert f"{two[1]}: done, 2 pages, 0 points (from the store)" in second.stderr
    assert "2 done, 0 failed, 0 points" in second.stderr


def test_without_a_store_nothing_is_remembered(two: tuple[Path, Path]) -> None:
    for _ in range(2):
        result = zhiyipdf("convert", "--local", "--no-store", two[0])
        assert result.stdout == "The first file\n"
        assert "2 points" in result.stderr
        assert "from the store" not in result.stderr


def test_quiet_says_nothing_but_errors(two: tuple[Path, Path], pdf_dir: Path) -> None:
    locked = pdf_dir / "r6-both-passwords.pdf"
    result = zhiyipdf("convert", "--local", "--quiet", *two, locked)

    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(f"error: {locked}: ")


def test_jsonl_is_one_object_a_line_for_each_page(two: tuple[Path, Path]) -> None:
    result = zhiyipdf("convert", "--local", "--format", "jsonl", *two)
    documents = [json.loads(line) for line in result.stdout.splitlines()]

    assert all(document.keys() == {"id", "text", "metadata"} for document in documents)
    assert [document["metadata"]["source"] for document in documents] == [
        str(two[0]),
        *[str(two[1])] * (len(documents) - 1),
    ]
    assert documents[0]["text"].strip() == "The first file"
    assert documents[0]["metadata"]["page_number"] == 1


def test_modes_decide_what_one_document_is(pdf_dir: Path) -> None:
    path = pdf_dir / "upstage_ai_packs_slides_4p.pdf"
    found = {
        mode: zhiyipdf("convert", "--local", "-q", "--format", "jsonl", "--mode", mode, path)
        for mode in ("single", "block")
    }

    assert len(found["single"].stdout.splitlines()) == 1
    blocks = [json.loads(line) for line in found["block"].stdout.splitlines()]
    assert len(blocks) > 1
    assert all("kind" in block["metadata"] for block in blocks)


def test_flat_metadata_holds_only_scalars(pdf_dir: Path) -> None:
    path = pdf_dir / "upstage_ai_packs_slides_4p.pdf"
    result = zhiyipdf(
        "convert", "--local", "-q", "--format", "jsonl", "--metadata-style", "flat", path
    )

    for line in result.stdout.splitlines():
        metadata = json.loads(line)["metadata"]
        assert all(isinstance(value, str | int | float | bool) for value in metadata.values())


def test_output_is_utf_8_whatever_the_locale(tmp_path: Path, pdf_dir: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "convert", "--local", "-q", str(pdf_dir / "jo.pdf")],
        capture_output=True,
        env=os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        timeout=PATIENCE_S,
    )

    assert done.returncode == 0, done.stderr
    assert "宇" in done.stdout.decode("utf-8")


# --- into a folder -------------------------------------------------------------------------------


def test_files_are_written_one_for_each_source(two: tuple[Path, Path], tmp_path: Path) -> None:
    to = tmp_path / "made" / "here"
    result = zhiyipdf("convert", "--local", "--to", to, *two)

    assert (result.exit_code, result.stdout) == (0, "")
    assert sorted(path.name for path in to.iterdir()) == ["one.md", "two.md"]
    assert (to / "one.md").read_text() == "The first file\n"


def test_json_lines_are_written_into_one_file_for_each_source(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    to = tmp_path / "out"
    zhiyipdf("convert", "--local", "--to", to, "--format", "jsonl", *two)

    assert sorted(path.name for path in to.iterdir()) == ["one.jsonl", "two.jsonl"]
    assert json.loads((to / "one.jsonl").read_text())["text"].strip() == "The first file"


def test_sources_of_the_same_name_get_files_of_their_own_in_the_order_given(
    tmp_path: Path,
) -> None:
    for folder, text in (("b", "from b"), ("a", "from a"), ("c", "from c")):
        (tmp_path / folder).mkdir()
        write_pdf(tmp_path / folder / "x.pdf", 1, text=text)
    to = tmp_path / "out"
    sources = [tmp_path / folder / "x.pdf" for folder in ("b", "a", "c")]
    zhiyipdf("convert", "--local", "--to", to, *sources)

    written = {path.name: path.read_text() for path in to.iterdir()}
    assert written == {"x.md": "from b\n", "x-2.md": "from a\n", "x-3.md": "from c\n"}


def test_a_failing_source_does_not_change_the_names_of_the_others(
    tmp_path: Path, pdf_dir: Path
) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
    broken = tmp_path / "a" / "x.pdf"
    broken.write_bytes((pdf_dir / "r6-both-passwords.pdf").read_bytes())
    write_pdf(tmp_path / "b" / "x.pdf", 1, text="from b")
    to = tmp_path / "out"
    result = zhiyipdf("convert", "--local", "--to", to, broken, tmp_path / "b" / "x.pdf")

    assert result.exit_code == 1
    assert [path.name for path in to.iterdir()] == ["x-2.md"]


def test_a_second_run_replaces_its_files(two: tuple[Path, Path], tmp_path: Path) -> None:
    to = tmp_path / "out"
    for _ in range(2):
        zhiyipdf("convert", "--local", "--to", to, two[0])

    assert [path.name for path in to.iterdir()] == ["one.md"]


def test_pictures_are_exported_beside_the_text_and_linked(pdf_dir: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    zhiyipdf("convert", "--local", "--to", to, pdf_dir / "ocr_test.pdf")

    [picture] = (to / "images").iterdir()
    assert picture.read_bytes()[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
    # Relative, so that the folder can be moved.
    assert f'"images/{picture.name}"' in (to / "ocr_test.md").read_text()


def test_pictures_can_be_put_elsewhere_inlined_or_dropped(pdf_dir: Path, tmp_path: Path) -> None:
    path = pdf_dir / "ocr_test.pdf"

    elsewhere = tmp_path / "pictures"
    linked = zhiyipdf("convert", "--local", "-q", "--image-dir", elsewhere, path)
    assert elsewhere.as_uri() in linked.stdout
    inlined = zhiyipdf("convert", "--local", "-q", "--images", "inline", path)
    assert "data:image/" in inlined.stdout
    dropped = zhiyipdf("convert", "--local", "-q", "--images", "drop", path)
    assert "<img" not in dropped.stdout


def test_links_that_will_lead_nowhere_are_warned_of(pdf_dir: Path) -> None:
    path = pdf_dir / "ocr_test.pdf"

    lost = zhiyipdf("convert", "--local", "--no-store", path)
    assert "warning: --no-store keeps no pictures" in lost.stderr
    kept = zhiyipdf("convert", "--local", "--no-store", "--images", "inline", path)
    assert "warning" not in kept.stderr
    assert "data:image/" in kept.stdout


def test_files_can_be_written_to_any_filesystem(two: tuple[Path, Path], pdf_dir: Path) -> None:
    to = "memory://cli-test/out"
    result = zhiyipdf("convert", "--local", "--to", to, two[0], pdf_dir / "ocr_test.pdf")

    assert result.exit_code == 0
    memory = fsspec.filesystem("memory")
    assert memory.cat_file("/cli-test/out/one.md") == b"The first file\n"
    [picture] = memory.ls("/cli-test/out/images", detail=False)
    link = picture.rpartition("/out/")[2]
    assert f'"{link}"' in memory.cat_file("/cli-test/out/ocr_test.md").decode()
    memory.rm("/cli-test", recursive=True)


def test_a_folder_that_is_a_file_is_wrong_usage(two: tuple[Path, Path]) -> None:
    result = zhiyipdf("convert", "--local", "--to", two[1], two[0])

    assert (result.exit_code, result.stdout) == (2, "")
    assert str(two[1]) in result.stderr


# --- failures ------------------------------------------------------------------------------------


def test_a_failing_source_is_exit_code_1_and_the_others_are_written(
    two: tuple[Path, Path], pdf_dir: Path, tmp_path: Path
) -> None:
    locked, missing = pdf_dir / "r6-both-passwords.pdf", tmp_path / "missing.pdf"
    result = zhiyipdf("convert", "--local", two[0], locked, missing, two[1])

    assert result.exit_code == 1
    assert result.stdout.startswith("The first file\n")
    assert "It ends here" in result.stdout
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert [str(locked) in errors[0], str(missing) in errors[1]] == [True, True]
    assert "password" in errors[0]
    assert result.stderr.endswith("2 done, 2 failed, 6 points\n")


def test_a_file_that_cannot_be_written_fails_its_source_only(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    to = tmp_path / "out"
    (to / "one.md").mkdir(parents=True)
    result = zhiyipdf("convert", "--local", "--to", to, *two)

    assert result.exit_code == 1
    assert f"error: {two[0]}: " in result.stderr
    assert sorted(path.name for path in to.iterdir()) == ["one.md", "two.md"], "no temporary file"


def test_a_store_that_cannot_be_opened_is_exit_code_1_without_a_traceback(
    two: tuple[Path, Path],
) -> None:
    result = zhiyipdf("convert", "--local", "--store", two[1], two[0])

    assert (result.exit_code, result.stdout) == (1, "")
    assert str(two[1]) in result.stderr


def test_on_error_raise_stops_at_the_first_failure(two: tuple[Path, Path], tmp_path: Path) -> None:
    result = zhiyipdf(
        "convert", "--local", "--on-error", "raise", two[0], tmp_path / "missing.pdf", two[1]
    )

    assert result.exit_code == 1
    assert result.stdout == "The first file\n"


def test_no_key_is_exit_code_3_and_says_what_to_do(two: tuple[Path, Path]) -> None:
    result = zhiyipdf("convert", two[0])

    assert (result.exit_code, result.stdout) == (3, "")
    assert "Set ZHIYIPDF_API_KEY; --local needs no key." in result.stderr


def test_a_refused_key_is_exit_code_3_and_is_not_shown(
    server: ScriptedServer, two: tuple[Path, Path]
) -> None:
    server.on(f"{API}/parse", answer(401, {"success": False, "message": "Invalid API key"}))
    result = zhiyipdf("convert", two[0])

    assert (result.exit_code, result.stdout) == (3, "")
    assert KEY not in result.stderr
    assert server.requests(f"{API}/parse")[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_given_as_an_option_wins(server: ScriptedServer, two: tuple[Path, Path]) -> None:
    server.on(f"{API}/parse", answer(401, {"success": False, "message": "Invalid API key"}))
    zhiyipdf("convert", "--api-key", "sk-other", two[0])

    headers = [seen.headers["authorization"] for seen in server.requests(f"{API}/parse")]
    assert headers == ["Bearer sk-other"]


def test_the_budget_is_exit_code_3(two: tuple[Path, Path]) -> None:
    result = zhiyipdf("convert", "--local", "--max-points", "2", *two)

    assert result.exit_code == 3
    assert result.stdout == "The first file\n"
    assert "Raise --max-points" in result.stderr


def test_a_key_or_points_failure_outweighs_an_ordinary_one(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    result = zhiyipdf("convert", "--local", "--max-points", "2", *two, tmp_path / "missing.pdf")

    assert result.exit_code == 3


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX's")
def test_ctrl_c_is_exit_code_130_without_a_traceback(
    server: ScriptedServer, two: tuple[Path, Path]
) -> None:
    polling, over = threading.Event(), threading.Event()

    def hold(_wire: Wire) -> None:
        polling.set()
        over.wait(PATIENCE_S)

    accepted = {"success": True, "task_id": "t1", "status": "processing"}
    server.on(f"{API}/parse", answer(200, accepted))
    server.on(f"{API}/status/t1", hold)
    with subprocess.Popen(
        [*COMMAND, "convert", *map(str, two)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert polling.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    over.set()

    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith("interrupted; ")
    assert "Traceback" not in stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes differ")
def test_a_reader_that_leaves_ends_the_command_quietly(two: tuple[Path, Path]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [*COMMAND, "convert", "--local", *map(str, two)],
            stdout=write_end,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )
    finally:
        os.close(write_end)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


# --- the terminal --------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_a_terminal_shows_a_bar_and_a_pipe_does_not(two: tuple[Path, Path]) -> None:
    import pty  # neither exists on Windows
    import termios

    control, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 120))
    with subprocess.Popen(
        [*COMMAND, "convert", "--local", *map(str, two)], stdout=subprocess.PIPE, stderr=terminal
    ) as process:
        os.close(terminal)
        stdout, _ = process.communicate(timeout=PATIENCE_S)
    shown = _read_all(control)

    assert process.returncode == 0, shown
    assert "| 0/2 [" in shown
    assert f"{two[1]}: done, 2 pages, 4 points" in shown
    piped = zhiyipdf("convert", "--local", *two)
    assert stdout.decode() == piped.stdout
    assert "0/2" not in piped.stderr
    assert "\r" not in piped.stderr


def _read_all(descriptor: int) -> str:
    pieces = []
    with os.fdopen(descriptor, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(65536):
                pieces.append(piece)
        except OSError:  # Linux's way to say that the other end is closed
            pass
    return b"".join(pieces).decode()

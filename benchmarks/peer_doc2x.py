"""The known Doc2X client and this package on the same embedded Doc2X v2 server, same 40 PDFs.

pdfdeal 1.0.2 runs as its users run it: defaults, Markdown with dollars, in a virtual environment of
its own (made under benchmarks/.cache by the first run). Ours is the Converter with the provider
"doc2x". Each run has a fresh server, a fresh key and a process of its own; the second pair of runs
answers 5 % of the calls with a throttle: HTTP 429 where files are announced or ordered, the two
throttle codes at the status. The PDFs are six of tests/data, each several times with another last
line, so that no two are alike. Ours also fetches every picture; the peer's archives hold them. The
two take turns, in three rounds with throttles of other calls: seconds and their ratio are medians,
charges and losses are of all rounds together.

    python benchmarks/peer_doc2x.py [--documents N] [--rounds N]

It fails if ours loses a document or pays one twice.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.embedded import running
from zhiyipdf.server.database import open_database
from zhiyipdf.server.doc2x.settings import Doc2XSettings
from zhiyipdf.server.settings import ServerSettings

ROOT = Path(__file__).parent.parent
PEER = "pdfdeal==1.0.2"
CACHE = Path(__file__).parent / ".cache"
SOURCES = (
    "jo.pdf",
    "loc_land_ownership_5p.pdf",
    "nics-background-checks-2015-11-rotated.pdf",
    "r4-owner-password.pdf",
    "upstage_ai_packs_slides_4p.pdf",
    "us-017.pdf",
)
PAGES = 1_000_000
DEADLINE_S = 1800

PEER_PROGRAM = """
import importlib, json, logging, sys
base, key, target, *files = sys.argv[1:]
import pdfdeal
importlib.import_module("pdfdeal.Doc2X.ConvertV2")
sys.modules["pdfdeal.Doc2X.ConvertV2"].Base_URL = base + "/api"
client = pdfdeal.Doc2X(apikey=key)
logging.getLogger("pdfdeal").setLevel(logging.CRITICAL)
made, failed, _ = client.pdf2file(files, output_path=target, output_format="md_dollar")
print(json.dumps({"done": sum(bool(path) for path in made),
                  "errors": sorted({str(f["error"])[:100] for f in failed if f["error"]})}))
"""

OUR_PROGRAM = """
import json, sys
base, key, target, *files = sys.argv[1:]
from zhiyipdf import Converter
done, errors = 0, set()
with Converter(api_key=key, base_url=base, provider="doc2x", store=target) as converter:
    for outcome in converter.convert_many(files):
        done += outcome.error is None
        if outcome.error is not None:
            errors.add(str(outcome.error)[:100])
print(json.dumps({"done": done, "errors": sorted(errors)}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one client made of the documents.

    Attributes:
        seconds: Wall time, the interpreter's start included.
        done: Documents that came out.
        charges: Tasks that were paid.
        errors: What went wrong, each text once.
    """

    seconds: float
    done: int
    charges: int
    errors: list[str]


def peer_python() -> Path:
    """The interpreter of the peer's environment; made if it is not there."""
    home = CACHE / "pdfdeal"
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
        (home / "ready").touch()
    return python


def documents(folder: Path, count: int) -> list[Path]:
    """PDFs that differ from each other in their last line."""
    made = []
    for number in range(count):
        source = ROOT / "tests" / "data" / SOURCES[number % len(SOURCES)]
        target = folder / f"{number:02d}-{source.name}"
        target.write_bytes(source.read_bytes() + f"\n% copy {number}\n".encode())
        made.append(target)
    return made


def run(python: Path, program: str, files: list[Path], share: float, seed: int) -> Run:
    """Let a client convert all documents on a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        faults = Doc2XSettings(throttle_share=share, throttle_seed=seed)
        settings = ServerSettings(folder=folder / "server", doc2x=faults)
        with running(settings, points=PAGES) as api:
            begun = time.monotonic()
            done = subprocess.run(
                [python, "-c", program, api.base, api.key, folder / "out", *files],
                check=True,
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                cwd=folder,
            )
            seconds = time.monotonic() - begun
        answer = json.loads(done.stdout.splitlines()[-1])
        with open_database(settings.folder) as database, database.reading() as connection:
            charges = connection.execute(
                "SELECT COUNT(*) FROM ledger WHERE reason = 'charge'"
            ).fetchone()[0]
    return Run(seconds=seconds, done=answer["done"], charges=charges, errors=answer["errors"])


def line(client: str, share: float, runs: list[Run], over: float, count: int) -> str:
    """A line of the table."""
    seconds = statistics.median(made.seconds for made in runs)
    charges = sum(made.charges for made in runs) / (count * len(runs))
    lost = sum(count - made.done for made in runs)
    return f"| {client} | {share:.0%} | {seconds:.1f} | {over:.2f} | {charges:.3f} | {lost} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    count = arguments.documents
    peer = peer_python()
    print("| client | calls throttled | wall s | over ours | charges a document | lost |")
    print("|---|---|---|---|---|---|")
    lost = double = 0
    notes = []
    with tempfile.TemporaryDirectory() as name:
        files = documents(Path(name), count)
        for share in (0.0, 0.05):
            ours: list[Run] = []
            theirs: list[Run] = []
            for seed in range(arguments.rounds):
                ours.append(run(Path(sys.executable), OUR_PROGRAM, files, share, seed))
                theirs.append(run(peer, PEER_PROGRAM, files, share, seed))
            over = statistics.median(
                their.seconds / our.seconds for our, their in zip(ours, theirs, strict=True)
            )
            print(line("ours", share, ours, 1.0, count))
            print(line(PEER.replace("==", " "), share, theirs, over, count))
            notes += [f"ours, {share:.0%}: {error}" for made in ours for error in made.errors]
            notes += [f"peer, {share:.0%}: {error}" for made in theirs for error in made.errors]
            lost += sum(count - made.done for made in ours)
            double += sum(max(0, made.charges - count) for made in ours)
    for note in notes:
        print(f"- {note}")
    if lost or double:
        sys.exit(f"ours lost {lost} documents and paid {double} twice")


if __name__ == "__main__":
    main()

"""What `import zhiyipdf` costs beside the frameworks' own imports.

CPU seconds (user + system) of a fresh interpreter, less those of an empty one; the least of several
interleaved rounds, so that a busy machine weighs on all alike.

    python benchmarks/imports.py
"""

from __future__ import annotations

import resource
import subprocess
import sys

STATEMENTS = [
    "import zhiyipdf",
    "from zhiyipdf import ParseOptions",
    "from zhiyipdf import Converter",
    "from langchain_core.document_loaders import BaseLoader",
    "from zhiyipdf import ZhiyiPDFLoader",
    "import llama_index.core.readers.base",
    "from zhiyipdf import ZhiyiPDFReader",
]
ROUNDS = 5
LIMIT_MS = 100.0  # contract: `import zhiyipdf` takes well under 100 ms of CPU


def cpu_ms(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def main() -> int:
    for statement in STATEMENTS:
        cpu_ms(statement)  # compile once, warm the disk
    least = {statement: float("inf") for statement in ["pass", *STATEMENTS]}
    for _ in range(ROUNDS):
        for statement in least:
            least[statement] = min(least[statement], cpu_ms(statement))
    empty = least.pop("pass")
    ours = least["import zhiyipdf"] - empty
    print("| statement | CPU ms | times `import zhiyipdf` |\n|---|---|---|")
    for statement, ms in least.items():
        print(f"| `{statement}` | {ms - empty:.0f} | {(ms - empty) / max(ours, 1.0):.0f} |")
    return 0 if ours < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())

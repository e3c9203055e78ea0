"""Turn a PDF of this repository into LangChain documents, without a key and without a network.

The embedded server converts it; with an API key, leave ``base_url`` out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from zhiyipdf import ZhiyiPDFLoader

PDF = Path(__file__).parent.parent / "tests" / "data" / "us-017.pdf"


def main() -> None:
    """Print each document's metadata and first words; the pictures stay in demo-output."""
    path = sys.argv[1] if len(sys.argv) > 1 else str(PDF.relative_to(Path.cwd()))
    loader = ZhiyiPDFLoader(
        path,
        base_url="local",
        pages="2-",
        table_mode="image",
        store="demo-output",
        show_progress=True,
    )
    for number, document in enumerate(loader.lazy_load(), 1):
        text = " ".join(document.page_content.split())
        print(f"--- document {number}: {len(document.page_content)} characters")
        print(json.dumps(document.metadata, indent=2, ensure_ascii=False))
        print(f"{text[:200]} …\n")
    print(loader.report)


if __name__ == "__main__":
    main()

"""Finds the PDFs: those beside the clone, and manuals out of Debian packages, kept in a cache."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pypdfium2

__all__ = ["CACHE", "SHARED", "Document", "Half", "documents", "first_pages", "sha256"]

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / "benchmarks" / ".cache"
SHARED = ROOT.parent / "shared" / "pdfs"

MOST_PAGES = 150  # of one document: its first ones
LEAST_PAGES = 3
FETCH_S = 300

Half = Literal["tune", "held"]

DOC = "usr/share/doc"
TEX = f"{DOC}/texlive-doc"
GUIDES = ("ca", "cs", "de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "sv", "vi", "zh_CN")
# Installed they are larger; as packages these are 136 MB.
PACKAGES: dict[str, dict[str, str]] = {
    "installation-guide-amd64": {
        f"{DOC}/installation-guide-amd64/{code}/install.{code}.pdf.gz": code[:2] for code in GUIDES
    },
    "debmake-doc": {
        f"{DOC}/debmake-doc/debmake-doc.{code}.pdf": code[:2]
        for code in ("de", "en", "ja", "ru", "zh-cn", "zh-tw")
    },
    "developers-reference": {"usr/share/developers-reference/developers-reference.pdf": "en"},
    "developers-reference-de": {"usr/share/developers-reference/de/developers-reference.pdf": "de"},
    "developers-reference-fr": {"usr/share/developers-reference/fr/developers-reference.pdf": "fr"},
    "developers-reference-ja": {"usr/share/developers-reference/ja/developers-reference.pdf": "ja"},
    "texlive-lang-arabic": {
        f"{TEX}/xelatex/persian-bib/Persian-bib-userguide.pdf": "fa",
        f"{TEX}/bibtex/alpha-persian/alpha-persian-p.userguide.pdf": "fa",
        f"{TEX}/latex/arabi/samplebook.pdf": "ar",
        f"{TEX}/xelatex/sexam/sexam_wexam_doc_ar.pdf": "ar",
    },
    "texlive-lang-korean": {
        f"{TEX}/latex/lshort-korean/lshort-ko.pdf": "ko",
        f"{TEX}/latex/kotex-oblivoir/oblivoir-simpledoc.pdf": "ko",
        f"{TEX}/latex/kotex-utf/kotex-utf-doc.pdf": "ko",
    },
    "texlive-lang-other": {
        f"{TEX}/latex/lshort-vietnamese/lshort-vi.pdf": "vi",
        f"{TEX}/latex/latex-mr/latex-mr.pdf": "mr",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A PDF to be measured on.

    Attributes:
        name: Short and unique.
        path: The file, cut to its first :data:`MOST_PAGES`.
        whole: The file as it was found.
        language: Of most of its text, two letters.
        pages: Number of pages of ``path``.
        half: Which half of the documents it is in.
    """

    name: str
    path: Path
    whole: Path
    language: str
    pages: int
    half: Half


def sha256(path: Path) -> str:
    """Give the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def documents() -> list[Document]:
    """Give every document that can be had; what cannot is told on stderr."""
    found = [*_shared(), *_packaged()]
    halves = _halves([(name, language) for name, _, language in found])
    result = []
    for name, path, language in found:
        cut = first_pages(path, MOST_PAGES)
        pdf = pypdfium2.PdfDocument(cut)
        pages = len(pdf)
        pdf.close()
        if pages >= LEAST_PAGES:
            result.append(
                Document(
                    name=name,
                    path=cut,
                    whole=path,
                    language=language,
                    pages=pages,
                    half=halves[name],
                )
            )
    return result


def first_pages(path: Path, count: int, start: int = 0) -> Path:
    """Give a PDF of ``count`` pages from the 0-based ``start`` on, in the cache.

    The file itself where it has no more pages than that.
    """
    pdf = pypdfium2.PdfDocument(path)
    try:
        if start == 0 and len(pdf) <= count:
            return path
        cut = CACHE / "cut" / f"{sha256(path)[:24]}-{start}-{count}.pdf"
        if not cut.exists():
            cut.parent.mkdir(parents=True, exist_ok=True)
            part = pypdfium2.PdfDocument.new()
            part.import_pages(pdf, list(range(start, min(len(pdf), start + count))))
            part.save(cut)
            part.close()
        return cut
    finally:
        pdf.close()


def _halves(names: list[tuple[str, str]]) -> dict[str, Half]:
    """Deal the documents of each language, in the order of their names' hashes, to both halves.

    A language with a single document is in the half that its hash says.
    """
    by_language = defaultdict(list)
    for name, language in names:
        by_language[language].append(name)
    halves: dict[str, Half] = {}
    for group in by_language.values():
        group.sort(key=_hash)
        for place, name in enumerate(group):
            halves[name] = "tune" if (place + _hash(group[0])) % 2 else "held"
    return halves


def _hash(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)


def _shared() -> list[tuple[str, Path, str]]:
    manifest = SHARED / "manifest.json"
    if not manifest.exists():
        print(f"no {manifest.name} beside the clone: its PDFs are left out", file=sys.stderr)
        return []
    found = []
    for entry in json.loads(manifest.read_text())["files"]:
        usable = (entry["pages"] or 0) >= LEAST_PAGES and entry["encrypted"] == "no"
        if usable and entry["text_layer"] in {"yes", "partial"}:
            path = SHARED / entry["file"]
            found.append((path.stem[:32].strip(), path, entry["language"][:2]))
    return found


def _packaged() -> list[tuple[str, Path, str]]:
    found = []
    for package, files in PACKAGES.items():
        folder = CACHE / "packages" / package
        if not folder.exists() and not _fetch(package, folder):
            print(f"{package} could not be had: left out", file=sys.stderr)
            continue
        for inside, language in files.items():
            path = folder / inside
            if path.suffix == ".gz" and path.exists():
                path = path.with_suffix("")
                if not path.exists():
                    path.write_bytes(gzip.decompress((folder / inside).read_bytes()))
            if not path.exists():
                print(f"{package} has no {Path(inside).name}: left out", file=sys.stderr)
                continue
            name = path.stem
            if package.startswith("developers"):
                name = f"{name}.{language}"
            found.append((name, path, language))
    return found


def _fetch(package: str, folder: Path) -> bool:
    """Unpack a Debian package, without installing it; tell whether that worked."""
    download = CACHE / "downloads"
    download.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "download", "-qq", package],
            cwd=download,
            check=True,
            capture_output=True,
            timeout=FETCH_S,
        )
        (archive,) = download.glob(f"{package}_*.deb")
        folder.parent.mkdir(parents=True, exist_ok=True)
        unpacking = folder.with_suffix(".part")
        subprocess.run(["dpkg-deb", "-x", archive, unpacking], check=True, timeout=FETCH_S)
        archive.unlink()
        unpacking.rename(folder)
    except (OSError, subprocess.SubprocessError, ValueError):
        return False
    return True

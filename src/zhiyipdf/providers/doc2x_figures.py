"""The figures that come with the result of a picture: a ZIP in base64, hostile until unpacked."""

from __future__ import annotations

import base64
import binascii
import logging
from pathlib import Path

from zhiyipdf.bundle import plan_archive
from zhiyipdf.bundle.extraction import extract
from zhiyipdf.bundle.sniffing import media_type_of
from zhiyipdf.errors import UnsafeArchive
from zhiyipdf.policy import ArchiveLimits

__all__ = ["unpack_figures"]

log = logging.getLogger(__name__)


def unpack_figures(encoded: str, folder: Path) -> dict[str, Path]:
    """Unpack the figures; blocking.

    What is no ZIP, or not to be trusted, costs the figures and not the text: a warning is logged.

    Args:
        encoded: From :func:`~zhiyipdf.providers.doc2x_wire.read_zip`.
        folder: Existing and empty.

    Returns:
        Picture files by their names in the ZIP.
    """
    archive = folder / "figures.zip"
    into = folder / "figures"
    into.mkdir()
    try:
        archive.write_bytes(base64.b64decode(encoded, validate=False))
        found = extract(archive, plan_archive(archive, ArchiveLimits()).files, into)
    except (binascii.Error, ValueError, UnsafeArchive) as error:
        log.warning("the figures of a picture were refused: %s", error)
        return {}
    return {
        name: file.path
        for name, file in found.items()
        if media_type_of(file.head).startswith("image/")
    }

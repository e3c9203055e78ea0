"""Fetches the pictures that a Doc2X result shows before their addresses die (24 hours)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from zhiyipdf.bundle.links import is_remote
from zhiyipdf.bundle.sniffing import media_type_of
from zhiyipdf.errors import ProtocolError, ServiceUnavailable
from zhiyipdf.images import image_references, rewrite_images
from zhiyipdf.models import SUFFIXES, Secret
from zhiyipdf.providers.doc2x_pages import StatusPage
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import BytesSink, ElsewhereURL, HttpTransport

__all__ = ["Fetched", "fetch_pictures", "wanted_pictures", "with_names"]

log = logging.getLogger(__name__)

MIB = 1024 * 1024
MAX_PICTURE_BYTES = (
    64 * MIB
)  # a page of A0 at 300 dpi as an uncompressed bitmap is 400 MB; crops of
# pages are served as JPEG, so this is far above any of them
MAX_TOTAL_BYTES = 1024 * MIB
AT_ONCE = 6  # what browsers open to one host
GONE = (400, 401, 403, 404, 410)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Pictures that were fetched.

    Attributes:
        names: New name by address as the Markdown has it.
        files: File by new name.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def wanted_pictures(pages: Sequence[StatusPage]) -> dict[str, str]:
    """Name the pictures on other hosts that the pages show, without suffix.

    Returns:
        By address, in order of the text: ``images/<page>-<number on the page>``.
    """
    stems: dict[str, str] = {}
    for page in pages:
        number = 0
        for reference in image_references(page.markdown):
            target = reference.target
            if target in stems or not is_remote(target) or target.startswith("data:"):
                continue
            number += 1
            stems[target] = f"images/{page.number}-{number}"
    return stems


def with_names(page: StatusPage, names: Mapping[str, str]) -> StatusPage:
    """Let a page show its pictures by their new names."""
    return StatusPage(
        number=page.number,
        markdown=rewrite_images(page.markdown, names.get),
        width=page.width,
        height=page.height,
        blocks=page.blocks,
    )


async def fetch_pictures(
    transport: HttpTransport,
    stems: Mapping[str, str],
    folder: Path,
    *,
    key: Secret,
    on_bytes: BytesSink,
) -> Fetched:
    """Fetch pictures, a few at a time.

    One that the service does not have, or whose address is not public, keeps its address in the
    text, with a warning in the log.

    Args:
        transport: To the service; the pictures may be elsewhere and get no key.
        stems: From :func:`wanted_pictures`.
        folder: Where the files go.
        key: Whose call this is.
        on_bytes: Told bytes so far.

    Raises:
        ServiceUnavailable: A picture cannot be had for now; the paid result can be fetched again.
        ProtocolError: They are larger together than any documented result.
    """
    room, sizes = asyncio.Semaphore(AT_ONCE), [0]

    async def fetch(number: int, target: str) -> Path | None:
        to = folder / f"picture-{number}"
        async with room:
            fetched = await _fetch_one(transport, target, to, key=key)
        if fetched:
            sizes[0] += (await in_thread(to.stat)).st_size
            on_bytes(sizes[0], None)
        if sizes[0] > MAX_TOTAL_BYTES:
            raise ProtocolError(f"the pictures are larger than {MAX_TOTAL_BYTES} bytes")
        return to if fetched else None

    tasks = [asyncio.ensure_future(fetch(n, target)) for n, target in enumerate(stems)]
    try:
        paths = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    names: dict[str, str] = {}
    files: dict[str, Path] = {}
    for target, path in zip(stems, paths, strict=True):
        suffix = None if path is None else await in_thread(partial(_suffix, path))
        if path is None or suffix is None:
            continue
        names[target] = f"{stems[target]}{suffix}"
        files[names[target]] = path
    return Fetched(names=names, files=files)


async def _fetch_one(transport: HttpTransport, target: str, to: Path, *, key: Secret) -> bool:
    try:
        url = ElsewhereURL.parse(target, transport.origin)
        reply = await transport.download_elsewhere(
            url,
            key=key,
            to=to,
            max_bytes=MAX_PICTURE_BYTES,
            on_bytes=lambda _done, _total: None,
            what="picture",
        )
    except ProtocolError as error:
        log.warning("a picture stays where it is: %s", error.message)
        return False
    if reply.status == 200:
        return True
    if reply.status in GONE or reply.status < 400:
        log.warning("a picture of %s stays where it is: HTTP %d", url.host, reply.status)
        return False
    raise ServiceUnavailable(f"picture: {url.host} answered HTTP {reply.status}")


def _suffix(path: Path) -> str | None:
    """The suffix of a picture's format, by its bytes; None if it is no picture."""
    with path.open("rb") as file:
        media_type = media_type_of(file.read(4096))
    if not media_type.startswith("image/"):
        log.warning("what should be a picture is %s; its address stays in the text", media_type)
        return None
    return SUFFIXES.get(media_type, ".bin")

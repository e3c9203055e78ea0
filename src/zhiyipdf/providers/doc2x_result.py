"""Makes an archive of a Doc2X result: its pages, and the pictures they show."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from zhiyipdf.models import Secret
from zhiyipdf.providers.doc2x_archive import write_archive
from zhiyipdf.providers.doc2x_figures import unpack_figures
from zhiyipdf.providers.doc2x_layout import join_pages
from zhiyipdf.providers.doc2x_pages import StatusPage
from zhiyipdf.providers.doc2x_pictures import fetch_pictures, wanted_pictures, with_names
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import BytesSink, HttpTransport

__all__ = ["fetch_result"]


async def fetch_result(
    transport: HttpTransport,
    pages: Sequence[StatusPage],
    *,
    key: Secret,
    to: Path,
    on_bytes: BytesSink,
    figures: str | None = None,
    in_points: bool = False,
) -> None:
    """Fetch what the pages show and write the archive.

    Args:
        transport: To the service.
        pages: In order.
        key: Whose call this is; it is sent nowhere.
        to: The archive.
        on_bytes: Told bytes of pictures so far.
        figures: Pictures that came along, as a ZIP in base64.
        in_points: Whether a pixel of the pages is a point.

    Raises:
        ServiceUnavailable: A picture cannot be had for now.
        ProtocolError: The pictures are larger together than any documented result.
    """
    stems = await in_thread(partial(wanted_pictures, pages))
    with tempfile.TemporaryDirectory(prefix="zhiyipdf-doc2x-", dir=to.parent) as name:
        folder = Path(name)
        pictures = await fetch_pictures(transport, stems, folder, key=key, on_bytes=on_bytes)

        def put_together() -> None:
            named = [with_names(page, pictures.names) for page in pages]
            joined = join_pages(
                named,
                lambda target: pictures.names.get(target, target),
                in_points=in_points,
            )
            came_along = unpack_figures(figures, folder) if figures else {}
            write_archive(to, joined, {**came_along, **pictures.files})

        await in_thread(put_together)

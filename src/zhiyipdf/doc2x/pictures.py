"""One picture read while you wait: the synchronous call of Doc2X's second API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from zhiyipdf.clock import Clock
from zhiyipdf.doc2x.sending import gated_file, send
from zhiyipdf.errors import ProtocolError
from zhiyipdf.keys import ApiKey
from zhiyipdf.policy import Retry, Timeouts
from zhiyipdf.providers.doc2x import LIMITS
from zhiyipdf.providers.doc2x_addresses import V2_PREFIX
from zhiyipdf.providers.doc2x_figures import unpack_figures
from zhiyipdf.providers.doc2x_wire import read_image_result, read_zip
from zhiyipdf.services import service
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import HttpTransport, Origin, RawUpload, Reply

__all__ = ["Picture", "read_picture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What was read in a picture.

    Attributes:
        uid: The service's name for it.
        markdown: As the service wrote it.
        width: In pixels; 0 where the service does not say.
        height: The same.
        figures: Crops that the Markdown shows, by their names.
    """

    uid: str
    markdown: str
    width: float = 0.0
    height: float = 0.0
    figures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


async def read_picture(
    imgfile: str | os.PathLike[str],
    *,
    api_key: ApiKey | None = None,
    base_url: str | None = None,
) -> Picture:
    """Read a PNG or JPEG picture and wait for it; costs one page.

    It is sent once: nobody can tell whether a picture whose answer was lost was charged.
    ``Doc2XLoader`` takes pictures too and keeps their results.

    Args:
        imgfile: Path of the picture, up to 7 MB.
        api_key: ``DOC2X_API_KEY`` if omitted.
        base_url: ``DOC2X_BASE_URL`` or the hosted service if omitted.

    Raises:
        FileError: It cannot be opened, is no picture, or is too large.
        AuthenticationError: There is no key, or the service refuses it.
        RateLimited: Too many pictures (30 in 30 s).
        ZhiyiPDFError: What else went wrong; ``points_charged`` is None if nobody can tell.
    """
    doc2x = service("doc2x")
    key = doc2x.first_key(api_key)
    origin = Origin.parse(doc2x.address(doc2x.base_url(base_url)))
    limit = LIMITS.max_image_bytes or 0
    look = partial(gated_file, Path(imgfile), max_bytes=limit, pictures_only=True)
    file = await in_thread(look)
    transport = HttpTransport(origin, retry=Retry(), timeouts=Timeouts(), clock=Clock())
    async with transport:
        upload = partial(
            transport.direct.upload,
            f"{V2_PREFIX}/parse/img/layout",
            RawUpload(file=file),
            key=key,
            max_bytes=LIMITS.max_answer_bytes,
        )
        outcome = await send(file, upload)
    reply = outcome.answer()
    with outcome.judged():
        return await in_thread(partial(_picture, reply))


def _picture(reply: Reply) -> Picture:
    uid, pages = read_image_result(reply)
    if len(pages) != 1:
        raise ProtocolError(f"a picture of {len(pages)} pages", task_id=uid, points_charged=True)
    encoded = read_zip(reply)
    figures: dict[str, bytes] = {}
    if encoded:
        with tempfile.TemporaryDirectory(prefix="zhiyipdf-doc2x-") as folder:
            found = unpack_figures(encoded, Path(folder))
            figures = {name: path.read_bytes() for name, path in found.items()}
    (page,) = pages
    return Picture(
        uid=uid, markdown=page.markdown, width=page.width, height=page.height, figures=figures
    )

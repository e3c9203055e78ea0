"""Doc2X's asynchronous requests, as its page of that name has them, one coroutine for each.

::

    from zhiyipdf.doc2x import get_limit, refresh_key, upload_pdf, uuid2file, uuid_status

    key = await refresh_key("identity token")  # a key that begins with sk- is used as it is
    uuid = await upload_pdf(key, "paper.pdf")
    progress, status, texts = await uuid_status(key, uuid)
    path = await uuid2file(key, uuid, "md_dollar")

Names, parameters, defaults and results are the page's; each call is tried three times, waiting 1 s
and 2 s, except after :class:`RateLimit`, :class:`FileError`, :class:`RequestError` or an answer
that is final. They speak the service's first API, which its maker said in October 2024 would be
retired; ``Doc2XLoader`` and ``Converter(provider="doc2x")`` speak the second. The service is where
``DOC2X_BASE_URL`` says, else at its own address.

:class:`Exporter` fetches the files that the second API makes of a task, :func:`read_picture` reads
one picture through it while you wait.
"""

from __future__ import annotations

from pathlib import Path

from zhiyipdf.doc2x.errors import FileError, KeyRefused, RateLimit, RequestError, StatusError
from zhiyipdf.doc2x.exporting import Exporter
from zhiyipdf.doc2x.pictures import Picture, read_picture
from zhiyipdf.doc2x.session import ExportFormat, V1Session

__all__ = [
    "Exporter",
    "FileError",
    "KeyRefused",
    "Picture",
    "RateLimit",
    "RequestError",
    "StatusError",
    "get_limit",
    "read_picture",
    "refresh_key",
    "upload_img",
    "upload_pdf",
    "uuid2file",
    "uuid_status",
]

MIB = 1024 * 1024
MAX_PDF_BYTES = 100 * MIB  # wire notes 1.2
MAX_IMAGE_BYTES = 10 * MIB  # the same


async def refresh_key(key: str) -> str:
    """Get an access token for a personal key.

    Args:
        key: The identity token of the web page. A key that begins with ``sk-`` needs no exchange
            and is given back.

    Returns:
        The access token.

    Raises:
        KeyRefused: The key could not be validated.
        ZhiyiPDFError: The service could not be reached.
    """
    return await V1Session(key).refresh()


# The page has these as positional booleans.
async def upload_pdf(
    apikey: str,
    pdffile: str,
    ocr: bool = True,  # noqa: FBT001, FBT002 - the documented signature
    translate: bool = False,  # noqa: FBT001, FBT002 - the same
    language: str = "zh",
    model: str = "deepseek",
) -> str:
    """Upload a PDF.

    Args:
        apikey: Access token, or a key that begins with ``sk-``.
        pdffile: Path of the PDF.
        ocr: Whether to recognise text in pictures.
        translate: Whether to translate. Not official, and refused for ``sk-`` keys as far as is
            known (wire notes 1.1).
        language: To translate into; only with ``translate``.
        model: That translates, ``deepseek`` or ``glm4``; only with ``translate``.

    Returns:
        The file's UUID.

    Raises:
        FileError: It is too large (100 MB) or cannot be opened.
        RateLimit: Too many requests or live tasks.
        RequestError: The service calls the file bad.
        ZhiyiPDFError: Anything else that went wrong.
    """
    fields = {"ocr": _flag(ocr), "parse_to": "2" if translate else "1"}
    if translate:
        fields |= {"lang": language, "model": model}
    return await V1Session(apikey).upload("pdf", Path(pdffile), fields, max_bytes=MAX_PDF_BYTES)


async def upload_img(
    apikey: str,
    imgfile: str,
    formula: bool = False,  # noqa: FBT001, FBT002 - the documented signature
    img_correction: bool = False,  # noqa: FBT001, FBT002 - the same
) -> str:
    """Upload a picture.

    Args:
        apikey: Access token, or a key that begins with ``sk-``.
        imgfile: Path of the picture.
        formula: Whether it is nothing but a formula.
        img_correction: Whether to straighten the picture first.

    Returns:
        The file's UUID.

    Raises:
        FileError: It is too large (10 MB) or cannot be opened.
        RateLimit: Too many requests or live tasks.
        RequestError: The service calls the file bad, or has locked it.
        ZhiyiPDFError: Anything else that went wrong.
    """
    fields = {"equation": _flag(formula), "img_correction": _flag(img_correction)}
    return await V1Session(apikey).upload("img", Path(imgfile), fields, max_bytes=MAX_IMAGE_BYTES)


async def uuid_status(
    apikey: str,
    uuid: str,
    convert: bool = False,  # noqa: FBT001, FBT002 - the documented signature
    translate: bool = False,  # noqa: FBT001, FBT002 - the same
) -> tuple[int, str, list[str]]:
    r"""Ask how a PDF or picture stands.

    Args:
        apikey: The key it was uploaded with.
        uuid: Of the file.
        convert: Whether to write formulas with dollars instead of ``\( \)`` and ``\[ \]``.
        translate: Whether it was uploaded to be translated.

    Returns:
        Progress in percent, the status in words (``Waiting for processing``, ``Processing file``,
        ``Translating file``, ``Success`` or ``Translate success``), and at the end the texts: one
        for each page, or each translated piece.

    Raises:
        StatusError: Page limit exceeded, a task that failed, or an unknown state. It is a
            ``RuntimeError``.
        ZhiyiPDFError: The state could not be had.
    """
    return await V1Session(apikey).status(uuid, convert=convert, translate=translate)


async def uuid2file(
    apikey: str, uuid: str, output_format: ExportFormat, output_path: str = "./Output"
) -> str:
    """Save a finished file in a format of your choice.

    Args:
        apikey: The key it was uploaded with.
        uuid: Of the file, when :func:`uuid_status` says that it is done.
        output_format: ``md``, ``md_dollar`` and ``latex`` give a ZIP, ``docx`` a .docx.
        output_path: Folder; made if need be.

    Returns:
        Path of the file, ``<output_path>/<uuid>.zip`` or ``.docx``.

    Raises:
        NotADirectoryError: ``output_path`` is a file.
        RateLimit: Too many requests.
        RequestError: The service does not know the UUID, or is not done with it.
        ZhiyiPDFError: The file could not be had.
        ValueError: ``output_format`` is none of these.
    """
    return await V1Session(apikey).export(uuid, output_format, Path(output_path))


async def get_limit(apikey: str) -> int:
    """Ask how many pages are left.

    Args:
        apikey: Access token, or a key that begins with ``sk-``.

    Returns:
        Pages left.

    Raises:
        KeyRefused: The key is not valid. It is a ``RuntimeError``.
        ZhiyiPDFError: The service could not be reached.
    """
    return await V1Session(apikey).limit()


def _flag(value: bool) -> str:  # noqa: FBT001 - there is nothing else to name
    return "1" if value else "0"

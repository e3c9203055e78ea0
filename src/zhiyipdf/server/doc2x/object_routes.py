"""The object store and the picture host: signed URLs to put and get, crops of pages to look at."""

from __future__ import annotations

import contextlib
import uuid
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from zhiyipdf.server.doc2x.answering import answering, body_of, content_length, file_answer
from zhiyipdf.server.doc2x.desk import Desk, Found
from zhiyipdf.server.doc2x.links import (
    CDN,
    OBJECTS,
    export_path,
    read_crop,
    read_picture_name,
    upload_path,
)
from zhiyipdf.server.upload import FileTooLarge, UploadStalled, receive_body

__all__ = ["object_routes"]


def object_routes(desk: Desk) -> list[Route]:
    """The routes of the object store and of pictures; none of them wants a key."""
    store = _ObjectStore(desk)
    linger_s = desk.service.settings.linger_s
    return [
        Route(
            f"{OBJECTS}/incoming/{{uid}}.pdf",
            answering(store.put, linger_s=linger_s),
            methods=["PUT"],
        ),
        Route(f"{OBJECTS}/{{uid}}/{{name}}", store.get, methods=["GET"]),
        Route(f"{CDN}/{{name}}", store.picture, methods=["GET"]),
    ]


def _xml(status: int, code: str, message: str) -> Response:
    # The shape of S3's errors, which object stores have in common.
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Response(body, status, media_type="application/xml")


class _ObjectStore:
    """Answers as an S3-like store does."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def put(self, request: Request) -> Response:
        """Take a PDF in: raw bytes, once, while the URL is valid."""
        uid = request.path_params["uid"]
        if not self._opens(request, upload_path(uid)):
            return _xml(403, "AccessDenied", "Request has expired, or is not signed")
        upload = await self._desk.upload(uid)
        if upload is None or upload.state != "announced":
            return _xml(403, "AccessDenied", "The URL has been used")
        length = content_length(request)
        if length is None:
            return _xml(411, "MissingContentLength", "Send Content-Length, not chunks")
        form = request.headers.get("content-type", "").startswith("multipart/")
        if form and self._desk.settings.refuse_multipart:
            return _xml(400, "InvalidRequest", "Send the bytes of the file, not a form")
        if length > self._desk.settings.v2_pdf_bytes:
            return await self._too_large(uid)
        return await self._take(request, uid, length)

    async def _take(self, request: Request, uid: str, length: int) -> Response:
        service = self._desk.service
        part = service.files(uid).path / f"{uuid.uuid4().hex}.part"
        try:
            await receive_body(
                body_of(request),
                target=part,
                max_bytes=self._desk.settings.v2_pdf_bytes,
                idle_s=service.settings.upload_idle_s,
            )
            if part.stat().st_size != length:
                return _xml(400, "IncompleteBody", "Fewer bytes came than were announced")
            if not await self._desk.store(uid, part):
                return _xml(403, "AccessDenied", "The URL has been used")
        except FileTooLarge:
            return await self._too_large(uid)
        except UploadStalled as error:
            return _xml(400, "RequestTimeout", str(error))
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return Response(status_code=200)

    async def _too_large(self, uid: str) -> Response:
        await self._desk.refuse(uid, "parse_file_too_large", "the file is over the limit")
        return _xml(400, "EntityTooLarge", "The file is over the limit")

    async def get(self, request: Request) -> Response:
        """Hand out a file that was made."""
        uid, name = request.path_params["uid"], request.path_params["name"]
        if not self._opens(request, export_path(uid, name)):
            return _xml(403, "AccessDenied", "Request has expired, or is not signed")
        export = await self._desk.find_export(uid)
        if export is None or export.state != "success" or export.request.name != name:
            return _xml(404, "NoSuchKey", "Another format has taken its place")
        file = self._desk.export_file(uid, export)
        if not file.exists():
            return _xml(404, "NoSuchKey", "The file is no longer kept")
        return file_answer(file, name)

    async def picture(self, request: Request) -> Response:
        """Hand out a page's picture or a part of it."""
        named = read_picture_name(request.path_params["name"])
        try:
            crop = read_crop(request.query_params)
        except ValueError as error:
            return _xml(400, "InvalidArgument", str(error))
        found = await self._found(named[0]) if named else None
        file = None
        if named and found and found.completed:
            file = await self._desk.picture(found, named[1], crop)
        if file is None:
            return _xml(404, "NoSuchKey", "There is no such picture, or no longer")
        return FileResponse(file, media_type="image/png")

    async def _found(self, uid: str) -> Found | None:
        upload = await self._desk.upload(uid)
        return None if upload is None else await self._desk.find(upload.account_id, uid)

    def _opens(self, request: Request, path: str) -> bool:
        now = self._desk.service.now
        return self._desk.signer.opens(request.method, path, request.query_params, now=now)

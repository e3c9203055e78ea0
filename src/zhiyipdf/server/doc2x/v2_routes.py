"""Doc2X version 2: announce a PDF, ask how it stands, have files made of it, read images."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zhiyipdf.server.accounts import Account
from zhiyipdf.server.doc2x.answering import answering, bearer, body_of, content_length, json_answer
from zhiyipdf.server.doc2x.desk import Desk, Found
from zhiyipdf.server.doc2x.exports import Export
from zhiyipdf.server.doc2x.links import export_path, upload_path
from zhiyipdf.server.doc2x.throttling import Rehearsal, Window
from zhiyipdf.server.doc2x.uploads import DocumentUpload
from zhiyipdf.server.doc2x.v2_answers import (
    bad_request,
    not_found,
    refuse,
    result_of,
    slow_down,
    state_of,
    success,
    unauthorized,
)
from zhiyipdf.server.doc2x.v2_requests import (
    WrongParameter,
    read_export,
    read_model,
    read_object,
)
from zhiyipdf.server.tasks import TaskOptions
from zhiyipdf.server.upload import (
    FileTooLarge,
    UploadStalled,
    looks_like_image,
    looks_like_pdf,
    receive_body,
)

__all__ = ["v2_routes"]

PREFIX = "/api/v2"
# Generous for an object of six short fields.
JSON_MAX_BYTES = 64 * 1024

Endpoint = Callable[[Request, Account], Awaitable[Response]]
_PDF = TaskOptions(protocol="doc2x", ocr=True)
_IMAGE = TaskOptions(protocol="doc2x", source="image")


def v2_routes(desk: Desk) -> list[Route]:
    """The routes of version 2."""
    wire = _Wire(desk)
    table: list[tuple[str, str, Endpoint]] = [
        ("POST", "/parse/preupload", wire.preupload),
        ("POST", "/parse/pdf", wire.direct),
        ("GET", "/parse/status", wire.status),
        ("POST", "/convert/parse", wire.convert),
        ("GET", "/convert/parse/result", wire.converted),
        ("POST", "/parse/img/layout", wire.image),
        ("POST", "/async/parse/img/layout", wire.image_later),
        ("GET", "/parse/img/layout/status", wire.image_status),
    ]
    return [
        Route(f"{PREFIX}{path}", wire.guarded(endpoint), methods=[method])
        for method, path, endpoint in table
    ]


class _Wire:
    """Answers in the service's own words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        settings = desk.settings
        self._images = Window(settings.images_per_window, settings.image_window_s)
        self._rehearsal = Rehearsal(settings.throttle_share, settings.throttle_seed)
        self._codes = itertools.cycle(("parse_task_limit_exceeded", "parse_concurrency_limit"))

    def guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Authenticate first, before anything of the body is read."""

        async def answer(request: Request) -> Response:
            key = bearer(request)
            account = await self._desk.service.authenticate(key) if key else None
            if account is None:
                raise unauthorized()
            return await endpoint(request, account)

        return answering(answer, linger_s=self._desk.service.settings.linger_s)

    async def preupload(self, request: Request, account: Account) -> Response:
        """Answer POST /parse/preupload: a uid, and a URL to put the PDF to."""
        if self._rehearsal.strikes():
            raise slow_down()
        try:
            model = read_model(read_object(await _small_body(request)))
        except WrongParameter as error:
            raise bad_request(str(error)) from error
        uid = await self._desk.announce(account, model, _PDF)
        path = upload_path(uid)
        expires_at = self._desk.service.now + self._desk.settings.upload_url_s
        query = self._desk.signer.query("PUT", path, expires_at=expires_at)
        return json_answer(success({"uid": uid, "url": f"{_base(request)}{path}?{query}"}))

    async def direct(self, request: Request, account: Account) -> Response:
        """Answer POST /parse/pdf: the older way, whose end is announced; the body is the PDF."""
        if self._rehearsal.strikes():
            raise slow_down()
        limit = self._desk.settings.v2_direct_bytes
        return json_answer(success({"uid": await self._receive(request, account, _PDF, limit)}))

    async def status(self, request: Request, account: Account) -> Response:
        """Answer GET /parse/status."""
        if self._rehearsal.strikes():
            raise refuse(next(self._codes), "a rehearsed throttle; ask again")
        found = await self._found(request, account, source="pdf")
        data = await self._state(request, found)
        return json_answer(success(data))

    async def _state(self, request: Request, found: Found) -> dict[str, object]:
        uid = found.upload.uid
        if not found.completed:
            progress = self._desk.service.progress(uid)
            return state_of(found, self._desk.intake.throttle(uid), progress)
        image = found.upload.options.source == "image"
        pages = await self._desk.pages(found)
        result = result_of(found, pages, base=_base(request), image=image)
        return {"status": "success", "progress": 100, "detail": "", "result": result}

    async def _found(self, request: Request, account: Account, *, source: str) -> Found:
        found = await self._desk.find(account, request.query_params.get("uid", ""))
        if found is None or found.upload.options.source != source or found.upload.model == "v1":
            raise not_found()
        return found

    async def convert(self, request: Request, account: Account) -> Response:
        """Answer POST /convert/parse: begin to make a file; the slot's former content is gone."""
        if self._rehearsal.strikes():
            raise slow_down()
        try:
            uid, wanted = read_export(read_object(await _small_body(request)))
        except WrongParameter as error:
            raise bad_request(str(error)) from error
        found = await self._desk.find(account, uid)
        if found is None or found.upload.model == "v1":
            raise not_found()
        if not found.completed:
            raise bad_request("the parse of this uid has not succeeded")
        await self._desk.begin_export(found, wanted)
        return json_answer(success({"status": "processing", "url": ""}))

    async def converted(self, request: Request, account: Account) -> Response:
        """Answer GET /convert/parse/result."""
        uid = request.query_params.get("uid", "")
        found = await self._desk.find(account, uid)
        if found is None:
            raise not_found()
        export = await self._desk.find_export(uid)
        if export is None:
            raise bad_request("nothing was asked to be made of this uid")
        url = self._export_url(request, uid, export) if export.state == "success" else ""
        return json_answer(success({"status": export.state, "url": url}))

    def _export_url(self, request: Request, uid: str, export: Export) -> str:
        path = export_path(uid, export.request.name)
        expires_at = self._desk.service.now + self._desk.settings.download_url_s
        return (
            f"{_base(request)}{path}?{self._desk.signer.query('GET', path, expires_at=expires_at)}"
        )

    async def image(self, request: Request, account: Account) -> Response:
        """Answer POST /parse/img/layout: read an image now."""
        if await self._desk.is_full(account):
            # Refused before it is stored: an image nobody can ask for must not be paid for.
            raise refuse("parse_task_limit_exceeded", "wait for earlier tasks to end")
        uid = await self._receive_image(request, account)
        found = await self._desk.settled(account, uid)
        if found is None:
            raise not_found()
        if not found.completed:
            state_of(found, self._desk.intake.throttle(uid), self._desk.service.progress(uid))
            raise refuse("parse_error", "the image was not read")
        pages = await self._desk.pages(found)
        result = result_of(found, pages, base=_base(request), image=True)
        return json_answer(success({"uid": uid, "convert_zip": None, "result": result}))

    async def image_later(self, request: Request, account: Account) -> Response:
        """Answer POST /async/parse/img/layout: read an image in the queue."""
        return json_answer(success({"uid": await self._receive_image(request, account)}))

    async def image_status(self, request: Request, account: Account) -> Response:
        """Answer GET /parse/img/layout/status."""
        found = await self._found(request, account, source="image")
        data = await self._state(request, found)
        if found.completed:
            # Figures are not cut out of images here: there is nothing to put into the ZIP.
            data["convert_zip"] = None
        return json_answer(success(data))

    async def _receive_image(self, request: Request, account: Account) -> str:
        if not self._images.lets(account.id, self._desk.service.now):
            raise refuse("request_limit_exceeded", "too many images in a short time")
        return await self._receive(request, account, _IMAGE, self._desk.settings.v2_image_bytes)

    async def _receive(
        self, request: Request, account: Account, options: TaskOptions, max_bytes: int
    ) -> str:
        service = self._desk.service
        if (content_length(request) or 0) > max_bytes:
            raise refuse("parse_file_too_large", "the file is over the limit")
        async with service.receiving() as upload:
            try:
                head = await receive_body(
                    body_of(request),
                    target=upload.folder.upload,
                    max_bytes=max_bytes,
                    idle_s=service.settings.upload_idle_s,
                )
            except FileTooLarge as error:
                raise refuse("parse_file_too_large", "the file is over the limit") from error
            except UploadStalled as error:
                raise bad_request(str(error)) from error
            if options.source == "image" and not looks_like_image(head):
                raise refuse("parse_file_not_image", "the body is neither a PNG nor a JPEG")
            if options.source == "pdf" and not looks_like_pdf(head):
                raise refuse("parse_file_not_pdf", "the body is not a PDF")
            stored = DocumentUpload(
                uid=upload.task_id,
                account_id=account.id,
                model="v2",
                options=options,
                state="stored",
            )
            await self._desk.add(stored)
            upload.owned = True
            return stored.uid


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def _small_body(request: Request) -> bytes:
    body = b""
    async for chunk in body_of(request):
        body += chunk
        if len(body) > JSON_MAX_BYTES:
            raise WrongParameter("the body is too long")
    return body

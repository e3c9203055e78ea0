"""Doc2X version 1: tokens, uploads as forms, one status call, files as one binary answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zhiyipdf.server.accounts import Account
from zhiyipdf.server.archive import result_stem
from zhiyipdf.server.doc2x.answering import (
    answering,
    bearer,
    body_of,
    content_length,
    file_answer,
    json_answer,
)
from zhiyipdf.server.doc2x.conversion import read_translation
from zhiyipdf.server.doc2x.desk import Desk, Found
from zhiyipdf.server.doc2x.intake import Refused
from zhiyipdf.server.doc2x.signing import TOKEN_PREFIX
from zhiyipdf.server.doc2x.uploads import DocumentUpload
from zhiyipdf.server.doc2x.v1_answers import (
    PAGES_LIMIT,
    bad_params,
    bad_request,
    broken,
    result_of,
    state_of,
    task_limit,
    translation_of,
    unauthorized,
    unreadable,
)
from zhiyipdf.server.doc2x.v1_requests import (
    WrongField,
    asks_for_translation,
    read_export,
    read_image,
    read_pdf,
)
from zhiyipdf.server.refusal import Refusal
from zhiyipdf.server.service import Upload
from zhiyipdf.server.tasks import TaskOptions
from zhiyipdf.server.upload import (
    BadForm,
    FileTooLarge,
    Form,
    UploadStalled,
    WrongFile,
    receive_form,
)

__all__ = ["v1_routes"]

logger = logging.getLogger(__name__)

PREFIX = "/api"
Namespace = Literal["platform", "v1"]
Endpoint = Callable[[Request, Account], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Credential:
    """Who asks, and in which namespace such a one may."""

    account: Account
    namespace: Namespace


def v1_routes(desk: Desk) -> list[Route]:
    """The routes of version 1, in both namespaces."""
    wire = _Wire(desk)
    routes = [
        Route(f"{PREFIX}/token/refresh", wire.unguarded(wire.refresh), methods=["POST"]),
        Route(f"{PREFIX}/export", wire.guarded(wire.export, None), methods=["GET"]),
    ]
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "limit", wire.limit),
        ("POST", "async/pdf", wire.pdf),
        ("POST", "async/img", wire.image),
        ("GET", "async/status", wire.status),
    ]
    namespaces: tuple[Namespace, ...] = ("platform", "v1")
    return routes + [
        Route(f"{PREFIX}/{space}/{path}", wire.guarded(endpoint, space), methods=[method])
        for space in namespaces
        for method, path, endpoint in table
    ]


class _Wire:
    """Answers in the service's own words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._service = desk.service

    def unguarded(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that looks at credentials itself."""
        return answering(endpoint, linger_s=self._service.settings.linger_s)

    def guarded(
        self, endpoint: Endpoint, namespace: Namespace | None
    ) -> Callable[[Request], Awaitable[Response]]:
        """Authenticate first, before anything of the body is read.

        Args:
            endpoint: What answers.
            namespace: Where it is; None where both kinds of credential may go.
        """

        async def answer(request: Request) -> Response:
            credential = await self._credential(request)
            if credential is None or namespace not in (None, credential.namespace):
                raise unauthorized()
            return await endpoint(request, credential.account)

        return self.unguarded(answer)

    async def _credential(self, request: Request) -> _Credential | None:
        token = bearer(request)
        if token is None:
            return None
        if not token.startswith(TOKEN_PREFIX):
            account = await self._service.authenticate(token)
            return None if account is None else _Credential(account, "v1")
        number = self._desk.signer.account_of(token, now=self._service.now)
        account = None if number is None else await self._service.account(number)
        return None if account is None else _Credential(account, "platform")

    async def refresh(self, request: Request) -> Response:
        """Answer POST /token/refresh: an access token for an identity token."""
        identity = bearer(request)
        account = await self._service.identify(identity) if identity else None
        if account is None:
            raise unauthorized()
        expires_at = self._service.now + self._desk.settings.access_token_s
        token = self._desk.signer.token(account.id, expires_at=expires_at)
        return json_answer({"code": "success", "data": {"token": token}})

    async def limit(self, request: Request, account: Account) -> Response:  # noqa: ARG002
        """Answer GET /limit: pages left."""
        return json_answer({"code": "success", "data": {"remain": account.points}})

    async def pdf(self, request: Request, account: Account) -> Response:
        """Answer POST /async/pdf."""
        return await self._upload(request, account, image=False)

    async def image(self, request: Request, account: Account) -> Response:
        """Answer POST /async/img."""
        return await self._upload(request, account, image=True)

    async def _upload(self, request: Request, account: Account, *, image: bool) -> Response:
        if await self._desk.is_full(account):
            return json_answer(task_limit())
        async with self._service.receiving() as upload:
            form = await self._receive(request, upload, image=image)
            options = self._options(form, image=image)
            stored = DocumentUpload(
                uid=upload.task_id,
                account_id=account.id,
                model="v1",
                options=options,
                stem=result_stem(form.file_name or ""),
                state="stored",
            )
            await self._desk.add(await self._looked_at(stored))
            upload.owned = True
            return json_answer({"code": "success", "data": {"uuid": stored.uid}})

    async def _receive(self, request: Request, upload: Upload, *, image: bool) -> Form:
        settings = self._desk.settings
        limit = settings.v1_image_bytes if image else settings.v1_pdf_bytes
        try:
            form = await receive_form(
                body_of(request),
                content_type=request.headers.get("content-type", ""),
                content_length=content_length(request),
                target=upload.folder.upload,
                max_file_bytes=limit,
                idle_s=self._service.settings.upload_idle_s,
                image=image,
            )
        except FileTooLarge as error:
            raise bad_request("file too large", f"at most {limit} bytes") from error
        except (WrongFile, BadForm) as error:
            raise bad_params() from error
        except UploadStalled as error:
            raise bad_request("upload timed out", str(error)) from error
        except OSError as error:
            logger.exception("an upload cannot be stored")
            raise unreadable() from error
        if form.file_name is None:
            raise bad_params()
        return form

    def _options(self, form: Form, *, image: bool) -> TaskOptions:
        try:
            options = read_image(form.fields) if image else read_pdf(form.fields)
        except WrongField as error:
            raise bad_request("bad params", str(error)) from error
        if options.translate_to is not None and not self._service.translates():
            raise bad_request(
                "translation is not available", "this server has no translation endpoint"
            )
        return options

    async def _looked_at(self, stored: DocumentUpload) -> DocumentUpload:
        """Refuse a broken file now; one that is too long only shows in its status."""
        stored = replace(stored, sha256=await self._desk.intake.sha256(stored.uid))
        try:
            pages = await self._desk.intake.look_at(stored)
        except Refused as refused:
            found = replace(stored, state="refused", code=refused.code, message=refused.message)
            if refused.code in PAGES_LIMIT:
                return found
            await self._desk.add(found)  # whoever sends it again and again is locked out
            raise broken(refused.code, refused.message) from refused
        return replace(stored, pages=pages)

    async def status(self, request: Request, account: Account) -> Response:
        """Answer GET /async/status."""
        found = await self._found(account, request.query_params.get("uuid", ""))
        if not found.completed:
            progress = self._service.progress(found.upload.uid)
            return json_answer({"data": state_of(found, progress)})
        pages = await self._desk.pages(found)
        if asks_for_translation(request.query_params):
            folder = self._service.files(found.upload.uid).pages
            translated = await asyncio.to_thread(read_translation, folder)
            if translated is not None:
                return json_answer({"data": translation_of(pages, translated)})
        base = str(request.base_url).rstrip("/")
        return json_answer({"data": result_of(found, pages, base=base)})

    async def export(self, request: Request, account: Account) -> Response:
        """Answer GET /export: the file itself."""
        found = await self._found(account, request.query_params.get("request_id", ""))
        try:
            wanted = read_export(request.query_params.get("to", ""))
        except WrongField as error:
            raise bad_request("bad params", str(error)) from error
        if not found.completed:
            raise bad_request("not finished", "poll the status until it is success")
        try:
            file = await self._desk.export(found, wanted)
        except ImportError as error:
            message = f"{error}: pip install 'zhiyipdf[local]'"
            raise Refusal(500, {"code": "service unavailable", "msg": message}) from error
        return file_answer(file, f"{found.upload.stem}{file.suffix}")

    async def _found(self, account: Account, uid: str) -> Found:
        found = await self._desk.find(account, uid)
        if found is None or found.upload.model != "v1":
            raise bad_request("unknown uuid", "it does not exist, or is no longer kept")
        return found

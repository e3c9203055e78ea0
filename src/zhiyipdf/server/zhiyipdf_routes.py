"""The ZhiyiPDF API to the letter: four routes, their fields, messages and codes."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from zhiyipdf.server.accounts import Account, InsufficientPoints, UnknownKey
from zhiyipdf.server.archive import result_stem
from zhiyipdf.server.conversion import TaskFailure
from zhiyipdf.server.early_answer import EarlyAnswer
from zhiyipdf.server.refusal import Refusal
from zhiyipdf.server.service import Service, Upload
from zhiyipdf.server.task_table import ChargeFailed, TooManyWaiting
from zhiyipdf.server.tasks import Receipt, Task, TaskOptions, TaskOrder
from zhiyipdf.server.upload import (
    BadForm,
    FileTooLarge,
    Form,
    NotAPdf,
    UploadStalled,
    receive_form,
)
from zhiyipdf.server.zhiyipdf_answers import (
    FAILED_STATUS,
    PREFIX,
    accepted,
    balance_of,
    megabytes,
    plain_refusal,
    refuse,
    status_of,
    too_many,
)
from zhiyipdf.server.zhiyipdf_form import InvalidField, points_per_page, read_options

__all__ = ["zhiyipdf_routes"]

logger = logging.getLogger(__name__)

IDEMPOTENCY_KEY_MAX = 255


Endpoint = Callable[[Request, Account], Awaitable[Response]]


def zhiyipdf_routes(service: Service) -> list[Route]:
    """The routes of the ZhiyiPDF API over a service."""
    wire = _Wire(service)
    return [
        Route(f"{PREFIX}/parse", wire.guarded(wire.parse), methods=["POST"]),
        Route(f"{PREFIX}/status/{{task_id}}", wire.guarded(wire.status), methods=["GET"]),
        Route(f"{PREFIX}/download/{{task_id}}", wire.guarded(wire.download), methods=["GET"]),
        Route(f"{PREFIX}/balance", wire.guarded(wire.balance), methods=["GET"]),
    ]


class _Wire:
    """Answers in the API's own words."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Authenticate first, before anything of the body is read; turn refusals into answers."""

        async def answer(request: Request) -> Response:
            try:
                key = _presented_key(request)
                account = await self._service.authenticate(key) if key else None
                if account is None:
                    raise refuse("invalid_api_key", "Invalid API key")
                return await endpoint(request, account)
            except Refusal as refusal:
                answer = JSONResponse(refusal.content, refusal.status, refusal.headers)
            return self._before_the_body_ends(request, answer)

        return answer

    def _before_the_body_ends(self, request: Request, answer: JSONResponse) -> Response:
        if request.method == "POST" and not getattr(request.state, "body_ended", False):
            return EarlyAnswer(answer, linger_s=self._service.settings.linger_s)
        return answer

    async def balance(self, request: Request, account: Account) -> Response:  # noqa: ARG002
        """Answer GET /balance."""
        return JSONResponse(balance_of(account))

    async def status(self, request: Request, account: Account) -> Response:
        """Answer GET /status/{task_id}."""
        task = await self._task(request, account)
        content = status_of(task, self._service.progress(task.id))
        return JSONResponse(content, FAILED_STATUS if task.state == "failed" else 200)

    async def download(self, request: Request, account: Account) -> Response:
        """Answer GET /download/{task_id}."""
        task = await self._task(request, account)
        if task.state == "failed":
            raise Refusal(400, status_of(task))
        if task.state != "completed":
            raise plain_refusal(409, "任务尚未完成")
        archive = self._service.files(task.id).result
        if not archive.exists():
            raise plain_refusal(404, "Task not found")
        return FileResponse(archive, media_type="application/zip", filename=f"{task.stem}.zip")

    async def _task(self, request: Request, account: Account) -> Task:
        task = await self._service.find(account, request.path_params["task_id"])
        if task is None or task.options.protocol != "zhiyipdf":
            # The same for unknown, expired and somebody else's.
            raise plain_refusal(404, "Task not found")
        return task

    async def parse(self, request: Request, account: Account) -> Response:
        """Answer POST /parse."""
        idempotency_key = _idempotency_key(request)
        if idempotency_key is not None:
            earlier = await self._service.earlier_receipt(account, idempotency_key)
            if earlier is not None:
                return self._before_the_body_ends(request, JSONResponse(accepted(earlier)))
        if await self._service.queue_is_full(account):
            raise too_many()
        async with self._service.receiving() as upload:
            form = await self._receive(request, upload)
            options = self._options(form)
            pages = await self._pages(upload)
            order = TaskOrder(
                id=upload.task_id,
                account_id=account.id,
                stem=result_stem(form.file_name or ""),
                pages=pages,
                points=pages * points_per_page(options),
                options=options,
                idempotency_key=idempotency_key,
            )
            return JSONResponse(accepted(await self._order(order, upload)))

    async def _receive(self, request: Request, upload: Upload) -> Form:
        settings = self._service.settings
        limit = settings.max_file_bytes
        try:
            form = await receive_form(
                _body(request),
                content_type=request.headers.get("content-type", ""),
                content_length=_content_length(request),
                target=upload.folder.upload,
                max_file_bytes=limit,
                idle_s=settings.upload_idle_s,
            )
        except FileTooLarge as error:
            raise refuse(
                "parse_file_too_large",
                f"File size exceeds limit ({megabytes(limit)})",
                file_size=error.size,
                max_size=limit,
            ) from error
        except NotAPdf as error:
            raise refuse("parse_file_not_pdf", "File is not a PDF file") from error
        except BadForm as error:
            raise refuse("no_file_found", f"No file found in request: {error}") from error
        except UploadStalled as error:
            raise plain_refusal(408, f"Upload timed out: {error}") from error
        except ClientDisconnect:
            raise plain_refusal(400, "The client went away") from None  # nobody reads this
        except OSError as error:
            logger.exception("an upload cannot be stored")
            raise refuse("file_upload_failed", "File upload failed") from error
        if form.file_name is None:
            raise refuse("no_file_found", "No file found in request")
        return form

    def _options(self, form: Form) -> TaskOptions:
        try:
            options = read_options(form.fields)
        except InvalidField as error:
            raise plain_refusal(400, str(error)) from error
        if options.translate_to is not None and not self._service.translates():
            raise plain_refusal(
                400,
                "Translation is not available: this server has no translation endpoint. "
                "Start it with --translation-url, or send enable_translation=false.",
            )
        return options

    async def _pages(self, upload: Upload) -> int:
        try:
            pages = await self._service.count_pages(upload.folder.upload)
        except TaskFailure as failure:
            raise refuse(failure.code, failure.message) from failure
        limit = self._service.settings.max_pages
        if pages > limit:
            raise refuse(
                "parse_page_limit_exceeded",
                f"Page count exceeds limit ({limit} pages)",
                page_count=pages,
                max_pages=limit,
            )
        return pages

    async def _order(self, order: TaskOrder, upload: Upload) -> Receipt:
        try:
            return await self._service.order(order, upload)
        except InsufficientPoints as error:
            raise refuse(
                "insufficient_points",
                "Insufficient points",
                points_required=error.required,
                current_points=error.available,
            ) from error
        except UnknownKey as error:
            raise refuse("invalid_api_key", "Invalid API key") from error
        except TooManyWaiting as error:
            raise too_many() from error
        except ChargeFailed as error:
            logger.exception("points cannot be taken")
            raise refuse("points_deduction_failed", "Points deduction failed") from error
        except sqlite3.Error as error:
            logger.exception("a task cannot be made")
            raise refuse("task_creation_failed", "Task creation failed") from error


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk
    request.state.body_ended = True


def _presented_key(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") or request.query_params.get("api_key")


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > IDEMPOTENCY_KEY_MAX:
        raise plain_refusal(400, f"Idempotency-Key is longer than {IDEMPOTENCY_KEY_MAX}")
    return key or None


def _content_length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None

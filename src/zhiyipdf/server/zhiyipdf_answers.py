"""Pure: the JSON bodies of the ZhiyiPDF API, word for word as in its document."""

from __future__ import annotations

from typing import Any

from zhiyipdf.server.accounts import Account
from zhiyipdf.server.conversion import Progress
from zhiyipdf.server.refusal import Refusal
from zhiyipdf.server.tasks import Receipt, Task

__all__ = [
    "FAILED_STATUS",
    "PREFIX",
    "accepted",
    "balance_of",
    "megabytes",
    "plain_refusal",
    "refuse",
    "status_of",
    "too_many",
]

PREFIX = "/api/pdf-to-markdown-proxy"

# HTTP status by error code: 401 and 402 are in the document, 400 and 500 in the vendor's client.
_STATUS = {
    "invalid_api_key": 401,
    "insufficient_points": 402,
    "no_file_found": 400,
    "parse_file_too_large": 400,
    "parse_page_limit_exceeded": 400,
    "parse_file_not_pdf": 400,
    "file_upload_failed": 500,
    "points_deduction_failed": 500,
    "task_creation_failed": 500,
    "parse_error": 500,
    "parse_file_invalid": 500,
    "parse_timeout": 500,
}
# What a poll of a failed task answers, by the vendor's own client.
FAILED_STATUS = 500
# Seconds, for 429: about the time a conversion takes.
RETRY_AFTER_S = 10


def refuse(code: str, message: str, **facts: int) -> Refusal:
    """A refusal with one of the document's error codes.

    Args:
        code: The error code; decides the HTTP status.
        message: For a person.
        facts: Further fields, such as ``max_size``.
    """
    content = {"success": False, "message": message, "error_code": code, **facts}
    return Refusal(_STATUS[code], content)


def plain_refusal(status: int, message: str) -> Refusal:
    """A refusal for which the document has no error code."""
    return Refusal(status, {"success": False, "message": message})


def too_many() -> Refusal:
    """429: "需等待先前提交的任务完成"."""
    message = "Too many tasks are waiting; wait for earlier tasks to finish"
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Refusal(429, {"success": False, "message": message}, headers)


def megabytes(size: int) -> str:
    """A size as the document writes it: ``300MB``."""
    return f"{size / (1 << 20):g}MB"


def balance_of(account: Account) -> dict[str, Any]:
    """The answer to GET /balance."""
    return {"success": True, "points": account.points, "api_key": f"{account.prefix}..."}


def accepted(receipt: Receipt) -> dict[str, Any]:
    """The answer to a POST /parse that made a task, or to its repetition."""
    waiting = receipt.position is not None
    content: dict[str, Any] = {
        "success": True,
        "task_id": receipt.task_id,
        "status": "waiting" if waiting else "processing",
        "message": "任务已加入队列,等待处理" if waiting else "PDF处理任务已启动",
        "points_deducted": receipt.points,
        "remaining_points": receipt.remaining,
    }
    if waiting:
        content["queue_info"] = {"position": receipt.position, "ahead_tasks": receipt.ahead}
    return content


def status_of(task: Task, progress: Progress | None = None) -> dict[str, Any]:
    """The answer to GET /status/{task_id}.

    Args:
        task: As it is now.
        progress: How far it is; matters only while it is in process.
    """
    match task.state:
        case "waiting":
            return _waiting(task)
        case "processing":
            return _processing(progress or Progress())
        case "completed":
            result = {"task_id": task.id, "download_url": f"{PREFIX}/download/{task.id}"}
            return {
                "success": True,
                "status": "completed",
                "progress": 100,
                "message": "处理完成",
                "result": result,
            }
        case "failed":
            return {
                "success": False,
                "status": "failed",
                "message": task.message or "解析错误",
                "error_code": task.error_code or "parse_error",
            }


def _waiting(task: Task) -> dict[str, Any]:
    position, ahead = (task.place.position, task.place.ahead) if task.place else (1, 0)
    return {
        "success": True,
        "status": "waiting",
        "progress": 0,
        "message": f"等待中(前面{ahead}个任务)",
        "queue_info": {"position": position, "ahead_tasks": ahead},
    }


def _processing(progress: Progress) -> dict[str, Any]:
    if progress.page is not None:
        message = f"正在解析第 {progress.page} 页..."
    else:
        message = "正在翻译..." if progress.translating else "PDF处理任务已启动"
    return {
        "success": True,
        "status": "processing",
        "progress": progress.percent,
        "message": message,
    }

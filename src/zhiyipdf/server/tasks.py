"""The nouns of a task: what was ordered, what was answered, and how it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from zhiyipdf.server.scheduling import Place

__all__ = [
    "Protocol",
    "Receipt",
    "TableMode",
    "Task",
    "TaskOptions",
    "TaskOrder",
    "TaskState",
    "Variant",
    "options_from_json",
]

TaskState = Literal["waiting", "processing", "completed", "failed"]
TableMode = Literal["markdown", "image"]
Variant = Literal["original", "translated", "bilingual"]
Protocol = Literal["zhiyipdf", "doc2x"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """What to make of the PDF.

    Attributes:
        table_mode: ``markdown`` or ``image``.
        translate_to: Language code, or None for no translation.
        variants: Which Markdown files the archive holds.
        protocol: Whose wire it came by: the task is found by that one only.
        source: What was uploaded.
        ocr: Whether to read pages without text.
        straighten: Whether to turn an image upright first.
    """

    table_mode: TableMode = "markdown"
    translate_to: str | None = None
    variants: tuple[Variant, ...] = ("original",)
    protocol: Protocol = "zhiyipdf"
    source: Literal["pdf", "image"] = "pdf"
    ocr: bool = False
    straighten: bool = False


def options_from_json(text: str) -> TaskOptions:
    """Read options as the database keeps them; what an older server did not know is default."""
    fields = json.loads(text)
    fields["variants"] = tuple(fields["variants"])
    return TaskOptions(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOrder:
    """A task to be made.

    Attributes:
        id: Chosen by the caller, who has already put the PDF in the task's folder.
        account_id: Who pays.
        stem: Stem of the result's file names.
        pages: Pages of the PDF.
        points: The price.
        options: What to make of it.
        idempotency_key: A second order of the account with the same one is the first task.
    """

    id: str
    account_id: int
    stem: str
    pages: int
    points: int
    options: TaskOptions
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of an order at the moment it was accepted.

    Attributes:
        task_id: The task; another than ordered if the order is a repetition.
        position: Place among the waiting tasks from 1; None if it entered process at once.
        ahead: Tasks before it; None likewise.
        points: Points taken.
        remaining: Points left right after that.
    """

    task_id: str
    position: int | None
    ahead: int | None
    points: int
    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it is now.

    Attributes:
        id: The task.
        account_id: Whose it is.
        state: ``waiting``, ``processing``, ``completed`` or ``failed``.
        stem: Stem of the result's file names.
        pages: Pages of the PDF.
        points: Points taken for it.
        options: What to make of it.
        place: Where it waits, if it does.
        error_code: Why it failed, as the wire names it.
        message: The same for a person.
        finished_at: Seconds since 1970.
    """

    id: str
    account_id: int
    state: TaskState
    stem: str
    pages: int
    points: int
    options: TaskOptions
    place: Place | None = None
    error_code: str | None = None
    message: str | None = None
    finished_at: float | None = None

"""The durable record of exports: one slot for each parsed file; a new request takes it over."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Literal

from zhiyipdf.server.database import Database

__all__ = ["Export", "ExportFormat", "ExportRequest", "ExportState", "ExportTable", "FormulaMode"]

ExportFormat = Literal["md", "tex", "docx"]
FormulaMode = Literal["normal", "dollar"]
ExportState = Literal["processing", "success", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    r"""What file to make.

    Attributes:
        to: Its format.
        formula_mode: ``normal`` for ``\(…\)``, ``dollar`` for ``$…$``; Markdown only.
        file_name: Stem of the text file within the ZIP; not for Word.
        merge_tables: Whether to join tables that go on over a page break.
        formula_level: Formulas as text: 0 none, 1 those within lines, 2 all.
    """

    to: ExportFormat
    formula_mode: FormulaMode = "normal"
    file_name: str = "output"
    merge_tables: bool = False
    formula_level: int = 0

    @property
    def name(self) -> str:
        """The object's name, which begins ``convert_<format>_`` (notes 2.3)."""
        match self.to:
            case "md":
                return f"convert_md_{self.formula_mode}.zip"
            case "tex":
                return "convert_tex_none.zip"
            case "docx":
                return "convert_docx_origin.docx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is in a slot.

    Attributes:
        number: Counts the requests; an older one that ends late changes nothing.
        state: How it stands.
        request: What was asked for last.
    """

    number: int
    state: ExportState
    request: ExportRequest


class ExportTable:
    """The slots of a server.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, uid: str, request: ExportRequest) -> int:
        """Take the slot over.

        Returns:
            The request's number.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO doc2x_exports (uid, number, state, request)"
                " VALUES (?, 1, 'processing', ?) ON CONFLICT (uid) DO UPDATE"
                " SET number = number + 1, state = 'processing', request = excluded.request",
                (uid, json.dumps(asdict(request))),
            )
            row = connection.execute(
                "SELECT number FROM doc2x_exports WHERE uid = ?", (uid,)
            ).fetchone()
        return int(row["number"])

    def end(self, uid: str, number: int, state: ExportState) -> None:
        """The file is there, or will not be; nothing happens if a newer request came."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE doc2x_exports SET state = ? WHERE uid = ? AND number = ?",
                (state, uid, number),
            )

    def find(self, uid: str) -> Export | None:
        """What is in the slot."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM doc2x_exports WHERE uid = ?", (uid,)).fetchone()
        return None if row is None else _export(row)

    def unfinished(self) -> list[tuple[str, Export]]:
        """Slots a former server left in process."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM doc2x_exports WHERE state = 'processing'"
            ).fetchall()
        return [(row["uid"], _export(row)) for row in rows]


def _export(row: sqlite3.Row) -> Export:
    request = ExportRequest(**json.loads(row["request"]))
    return Export(number=row["number"], state=row["state"], request=request)

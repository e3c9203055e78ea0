"""Tables as the ICDAR 2013 table competition has them: cells, pages and regions, set by people."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from zhiyipdf.models import BBox

__all__ = ["Table", "tables"]

Table = tuple[int, str, BBox]
"""1-based page, Markdown, and region in the PDF's own coordinates, y upwards."""


def tables(folder: Path) -> list[Table]:
    """Read the tables of ``*-str.xml`` (cells) and ``*-reg.xml`` (regions), in order; or none."""
    regions = {
        (region.get("page"), region.get("id"), name): box
        for name, region, box in _regions(folder, "reg")
    }
    found: list[Table] = []
    for name, region, _ in _regions(folder, "str"):
        page, number = region.get("page"), region.get("id")
        box = regions.get((page, number, name))
        if page is not None and box is not None:
            found.append((int(page), _markdown(region), box))
    return found


def _regions(folder: Path, kind: str) -> list[tuple[str | None, ET.Element, BBox | None]]:
    return [
        (table.get("id"), region, _box(region.find("bounding-box")))
        for file in sorted(folder.glob(f"*-{kind}.xml"))
        for table in ET.parse(file).getroot().iter("table")
        for region in table.iter("region")
    ]


def _box(found: ET.Element | None) -> BBox | None:
    if found is None:
        return None
    x0, y0, x1, y1 = (float(found.get(edge, "nan")) for edge in ("x1", "y1", "x2", "y2"))
    return x0, y0, x1, y1


def _markdown(region: ET.Element) -> str:
    """Write a pipe table; a cell over several columns or rows stands in its first."""
    cells = {
        (int(cell.get("start-row", 0)), int(cell.get("start-col", 0))): " ".join(
            (cell.findtext("content") or "").replace("|", "\\|").split()
        )
        for cell in region.iter("cell")
    }
    first = min(row for row, _ in cells)
    rows = range(first, max(row for row, _ in cells) + 1)
    columns = range(max(column for _, column in cells) + 1)
    lines = ["| " + " | ".join(cells.get((r, c), "") for c in columns) + " |" for r in rows]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])

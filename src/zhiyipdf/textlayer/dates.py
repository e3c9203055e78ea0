"""Read the dates that PDFs carry."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

__all__ = ["iso_date"]

_PDF_DATE = re.compile(
    r"(?:D:)?(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)"
    r"(?:(?P<minute>\d\d)(?P<second>\d\d)?)?)?)?)?"
    r"(?:(?P<sign>[Zz+-])(?:(?P<zone_hours>\d\d)'?(?:(?P<zone_minutes>\d\d)'?)?)?)?",
    re.ASCII,
)


def iso_date(text: str) -> str:
    """Write a PDF date (ISO 32000-1, 7.9.4) as ISO 8601, no more precise than it is.

    ``D:20050312101500+02'00'`` becomes ``2005-03-12T10:15:00+02:00``, ``D:200503`` becomes
    ``2005-03``. What is no PDF date, or no moment of the calendar, is returned unchanged.
    """
    match = _PDF_DATE.fullmatch(text.strip())
    if match is None:
        return text
    part = match.groupdict()
    try:
        moment = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
            tzinfo=_zone(part["sign"], part["zone_hours"], part["zone_minutes"]),
        )
    except ValueError:
        return text
    if part["hour"]:
        return moment.isoformat()
    known = len("2005-03-12") if part["day"] else len("2005-03") if part["month"] else len("2005")
    return moment.isoformat()[:known]


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> tzinfo | None:
    if sign is None:
        return None
    if sign in "Zz":
        return UTC
    if int(minutes or 0) >= 60:
        raise ValueError(minutes)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)

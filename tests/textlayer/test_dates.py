from __future__ import annotations

import re
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyipdf.textlayer.dates import iso_date


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("D:20050312101500+02'00'", "2005-03-12T10:15:00+02:00"),
        ("D:20050312101500+02'00", "2005-03-12T10:15:00+02:00"),
        ("D:20050312101500-0530", "2005-03-12T10:15:00-05:30"),
        ("D:20050312101500Z", "2005-03-12T10:15:00+00:00"),
        ("D:20050312101500Z00'00'", "2005-03-12T10:15:00+00:00"),
        ("D:20050312101500", "2005-03-12T10:15:00"),
        ("D:200503121015", "2005-03-12T10:15:00"),
        ("D:20050312", "2005-03-12"),
        ("D:200503", "2005-03"),
        ("D:2005", "2005"),
        ("20050312", "2005-03-12"),
        ("D:20051301", "D:20051301"),
        ("D:20050312101500+02'75'", "D:20050312101500+02'75'"),
        ("D:20050312101500+99'00'", "D:20050312101500+99'00'"),
        ("D:00000101", "D:00000101"),
        ("12 March 2005", "12 March 2005"),
        ("", ""),
    ],
)
def test_dates_become_iso_8601_no_more_precise_than_they_are(written, read):
    assert iso_date(written) == read


@settings(deadline=None)
@given(st.datetimes(), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_every_whole_second_survives_the_way_through_a_pdf_date(moment, offset_minutes):
    zone = timezone(timedelta(minutes=offset_minutes))
    moment = moment.replace(microsecond=0, tzinfo=zone)
    offset = moment.strftime("%z")
    written = f"D:{moment.year:04}{moment:%m%d%H%M%S}{offset[:3]}'{offset[3:]}'"

    assert iso_date(written) == moment.isoformat()


@settings(deadline=None)
@given(st.text(alphabet="D:0123456789Zz+-'٣", max_size=25))
def test_whatever_stands_there_is_a_date_or_stays_as_it_is(text):
    read = iso_date(text)

    assert read == text or re.fullmatch(r"\d{4}(-\d\d(-\d\d(T[\d:]{8}([+-][\d:]{5})?)?)?)?", read)

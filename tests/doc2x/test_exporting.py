"""Files that the service makes: one place for each task, and addresses that may be stale."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.doc2x_service import Doc2XService, coded, says
from support.fake_time import FakeTime
from zhiyipdf.doc2x import Exporter
from zhiyipdf.errors import (
    AuthenticationError,
    ConversionTimeout,
    ResultExpired,
    TaskFailed,
    ZhiyiPDFError,
)

KEY = "sk-0a1b2c3d4e5f"
UID = "0192d745-5776-7261-abbd-814df3af3449"


@pytest.fixture
def service() -> Iterator[Doc2XService]:
    service = Doc2XService()
    yield service
    service.close()


@pytest.fixture
def exporter(service: Doc2XService) -> Exporter:
    return Exporter(api_key=KEY, base_url=service.url, clock=FakeTime().clock())


def answered(service: Doc2XService, status: str, name: str) -> Any:
    url = f"{service.url}/objects/{UID}/{name}?X-Amz-a=1\\u0026b=2" if name else ""
    return says(200, {"code": "success", "data": {"status": status, "url": url}})


@pytest.mark.parametrize(("to", "suffix"), [("md", "zip"), ("tex", "zip"), ("docx", "docx")])
async def test_a_task_is_exported_into_a_file(
    exporter: Exporter, service: Doc2XService, tmp_path: Path, to: Any, suffix: str
) -> None:
    async with exporter:
        path = await exporter.export(UID, to, tmp_path / "out")
    assert path == str(tmp_path / "out" / f"{UID}_{to}.{suffix}")
    assert f"convert_{to}_".encode() in Path(path).read_bytes()
    (file,) = service.of("file")
    assert "authorization" not in file.headers
    assert file.target.endswith("?X-Amz-Signature=5e7d0c4a9b&b=2")


async def test_the_options_are_sent_as_the_service_has_them(
    exporter: Exporter, service: Doc2XService, tmp_path: Path
) -> None:
    async with exporter:
        await exporter.export(UID, "md", tmp_path)
        await exporter.export(
            UID,
            "tex",
            tmp_path,
            formula_mode="normal",
            formula_level=1,
            merge_cross_page_forms=True,
            filename="paper",
        )
    asked = [json.loads(seen.body) for seen in service.of("export") if seen.method == "POST"]
    assert asked == [
        {"uid": UID, "to": "md", "formula_mode": "dollar"},
        {
            "uid": UID,
            "to": "tex",
            "formula_mode": "normal",
            "formula_level": 1,
            "merge_cross_page_forms": True,
            "filename": "paper",
        },
    ]


async def test_formats_of_one_task_wait_for_one_another(
    exporter: Exporter, service: Doc2XService, tmp_path: Path
) -> None:
    async with exporter:
        paths = await asyncio.gather(
            *(exporter.export(UID, to, tmp_path) for to in ("md", "tex", "docx"))  # type: ignore[arg-type]  # a tuple of literals
        )
    for path, to in zip(paths, ("md", "tex", "docx"), strict=True):
        assert f"convert_{to}_".encode() in Path(path).read_bytes()


async def test_the_address_of_another_format_is_not_believed(
    exporter: Exporter, service: Doc2XService, tmp_path: Path
) -> None:
    service.queue("export", answered(service, "processing", ""))
    service.queue("export", answered(service, "success", "convert_md_dollar.zip"))
    service.queue("export", answered(service, "success", "convert_docx_origin.docx"))
    async with exporter:
        path = await exporter.export(UID, "docx", tmp_path)
    assert b"convert_docx_origin" in Path(path).read_bytes()


async def test_a_throttled_export_is_asked_for_again(
    exporter: Exporter, service: Doc2XService, tmp_path: Path
) -> None:
    service.queue("export", coded("parse_concurrency_limit"), says(429, {"code": "busy"}))
    async with exporter:
        await exporter.export(UID, "md", tmp_path)
    assert len([seen for seen in service.of("export") if seen.method == "POST"]) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (coded("parse_status_not_found"), ResultExpired),
        (says(200, {"code": "success", "data": {"status": "failed"}}), TaskFailed),
        (says(401, {"code": "unauthorized"}), AuthenticationError),
    ],
)
async def test_a_refused_export_says_why_and_leaves_no_file(
    exporter: Exporter,
    service: Doc2XService,
    tmp_path: Path,
    fault: Any,
    error: type[ZhiyiPDFError],
) -> None:
    service.queue("export", fault)
    async with exporter:
        with pytest.raises(error, match="trace-4711"):
            await exporter.export(UID, "md", tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_an_export_that_is_never_done_ends(
    exporter: Exporter, service: Doc2XService, tmp_path: Path
) -> None:
    service.queue("export", *[answered(service, "processing", "")] * 500)
    async with exporter:
        with pytest.raises(ConversionTimeout):
            await exporter.export(UID, "md", tmp_path)


async def test_a_file_that_is_gone_is_expired(
    exporter: Exporter, service: Doc2XService, tmp_path: Path
) -> None:
    service.queue("file", says(403, b"<Error><Code>AccessDenied</Code></Error>"))
    async with exporter:
        with pytest.raises(ResultExpired):
            await exporter.export(UID, "md", tmp_path)


@pytest.mark.parametrize("options", [{"to": "pdf"}, {"formula_level": 3}, {"formula_mode": "x"}])
async def test_options_that_cannot_be_are_refused(
    exporter: Exporter, tmp_path: Path, options: dict[str, Any]
) -> None:
    async with exporter:
        with pytest.raises(ValueError, match=next(iter(options))):
            await exporter.export(UID, **{"to": "md", "output_path": tmp_path, **options})


def test_an_exporter_needs_a_key() -> None:
    with pytest.raises(AuthenticationError, match="DOC2X_API_KEY"):
        Exporter()

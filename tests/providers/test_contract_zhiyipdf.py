"""The provider contract for ZhiyiPDF."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.contract import ProviderContract, Situation, Trouble
from support.fault_service import FaultService, Wire, after_body, at_byte, html, rst, says


def trouble(service: FaultService, kind: Trouble) -> None:
    match kind:
        case "reset in the body":
            service.queue("upload", at_byte(1_000_000, rst))
        case "answer lost, kept":
            service.queue("upload", after_body(rst, processed=True))
        case "answer lost, not kept":
            service.queue("upload", after_body(rst, processed=False))
        case "throttled":
            service.queue("upload", after_body(says(429, {"success": False}), processed=False))
        case "refused for its pages":
            refusal = {"success": False, "error_code": "parse_page_limit_exceeded"}
            service.queue("upload", after_body(says(400, refusal), processed=False))
        case "poll fails":
            service.queue("status", html(502))
        case "poll throttled":
            service.queue("status", says(429, {"success": False}))
        case "fetch fails":
            service.queue("download", rst)


def at_last_byte(service: FaultService, look: Callable[[], None]) -> None:
    def fault(service: FaultService, wire: Wire) -> None:
        status, answer = service.process(wire)
        look()
        service.reply(wire, status, answer)

    service.queue("upload", fault)


def never_done(service: FaultService, on: bool) -> None:
    service.polls = 1_000_000 if on else 1
    for task in service.tasks.values():
        task.polls_left = service.polls


class TestZhiyiPDF(ProviderContract):
    @pytest.fixture
    def situation(self) -> Situation:
        service = FaultService()
        return Situation(
            provider="zhiyipdf",
            server=service,
            trouble=lambda kind: trouble(service, kind),
            fail_tasks=lambda code: setattr(service, "code", code),
            forget_tasks=service.tasks.clear,
            refuse=service.refused_keys.add,
            never_done=lambda on: never_done(service, on),
            charges=lambda: +service.charges_by_pdf(),
            uploads=lambda: service.uploads,
            at_last_byte=lambda look: at_last_byte(service, look),
        )

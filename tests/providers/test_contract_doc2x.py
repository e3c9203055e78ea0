"""The provider contract for Doc2X."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.contract import ProviderContract, Situation, Trouble
from support.doc2x_service import (
    Doc2XService,
    Wire,
    coded,
    lost,
    reset,
    reset_at,
    says,
    stored_then,
)


def trouble(service: Doc2XService, kind: Trouble) -> None:
    match kind:
        case "reset in the body":
            service.queue("put", reset_at(1_000_000))
        case "answer lost, kept":
            service.queue("put", stored_then(reset))
        case "answer lost, not kept":
            service.queue("put", lost)
        case "throttled":
            service.queue("preupload", coded("parse_task_limit_exceeded"))
        case "refused for its pages":
            service.queue("preupload", coded("parse_page_limit_exceeded"))
        case "poll fails":
            service.queue("status", says(502, b"<html>"))
        case "poll throttled":
            service.queue("status", says(429, {"code": "busy"}))
        case "fetch fails":
            service.queue("picture", reset)


def at_last_byte(service: Doc2XService, look: Callable[[], None]) -> None:
    def fault(service: Doc2XService, wire: Wire) -> None:
        status = service.store(wire)
        look()
        service.reply(wire, status, b"")

    service.queue("put", fault)


def never_done(service: Doc2XService, on: bool) -> None:
    service.polls = 1_000_000 if on else 1
    for task in service.tasks.values():
        task.polls_left = service.polls


class TestDoc2X(ProviderContract):
    @pytest.fixture
    def situation(self) -> Situation:
        service = Doc2XService()
        return Situation(
            provider="doc2x",
            server=service,
            trouble=lambda kind: trouble(service, kind),
            fail_tasks=lambda code: setattr(service, "code", code),
            forget_tasks=service.tasks.clear,
            refuse=service.refused_keys.add,
            never_done=lambda on: never_done(service, on),
            charges=service.charges_by_pdf,
            uploads=lambda: len(service.of("put")),
            at_last_byte=lambda look: at_last_byte(service, look),
        )

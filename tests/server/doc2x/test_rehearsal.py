"""What the rehearsed throttles are for: a client that loses nothing and pays nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.doc2x import Doc2X
from support.embedded import Running
from support.pdfs import write_pdf
from zhiyipdf import Converter
from zhiyipdf.server.doc2x.settings import Doc2XSettings

ENGINE = "zhiyipdf.server.liteparse_engine:LiteparseEngine"


def test_a_third_of_the_calls_throttled_costs_the_converter_nothing_but_time(
    serve: Callable[..., Running], tmp_path: Path
) -> None:
    faults = Doc2XSettings(throttle_share=0.3, throttle_seed=3)
    api = serve(points=100, engine=ENGINE, doc2x=faults)
    pdfs = [write_pdf(tmp_path / f"{n}.pdf", 1, text=[f"Text {n}"]) for n in range(4)]
    with Converter(
        api_key=api.key, base_url=api.base, provider="doc2x", store=str(tmp_path / "store")
    ) as converter:
        outcomes = list(converter.convert_many(pdfs))
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert Doc2X(api).remain() == 96

"""Conversions built by hand, for tests of what becomes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from zhiyipdf.models import (
    Asset,
    BBox,
    Block,
    BlockKind,
    Conversion,
    DocumentProperties,
    Page,
    PageSource,
    ParseOptions,
    Provenance,
    Source,
    TaskRef,
    Variant,
)

PNG = b"\x89PNG\r\n\x1a\n"


def on(*pages: int, source: PageSource = "exact", score: float = 1.0, bbox: BBox | None = None):
    """Provenance on some pages."""
    return tuple(
        Provenance(page_number=page, source=source, score=score, bbox=bbox) for page in pages
    )


def blocks(*pieces: tuple[Any, ...]) -> tuple[Block, ...]:
    """Blocks from ``(kind, text)``, ``(kind, text, provenance)`` or with a dict of more fields."""
    made: list[Block] = []
    at = 0
    for kind, text, *rest in pieces:
        provenance = rest[0] if rest and isinstance(rest[0], tuple) else ()
        more: Mapping[str, Any] = rest[-1] if rest and isinstance(rest[-1], dict) else {}
        end = at + len(text)
        made.append(Block(kind=kind, start=at, end=end, text=text, provenance=provenance, **more))
        at = end
    return tuple(made)


def asset(name: str, content: bytes = PNG, media_type: str = "image/png", **more: Any) -> Asset:
    return Asset(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        media_type=media_type,
        uri=more.pop("uri", f"file:///store/{name}"),
        **more,
    )


def conversion(
    original: Sequence[Block],
    *,
    pages: int = 3,
    labels: Sequence[str] = (),
    assets: Sequence[Asset] = (),
    properties: DocumentProperties | None = None,
    options: ParseOptions | None = None,
    name: str = "paper.pdf",
    uri: str = "papers/paper.pdf",
    sha256: str = "ab" * 32,
    **variants: Sequence[Block],
) -> Conversion:
    by_variant: dict[Variant, tuple[Block, ...]] = {"original": tuple(original)}
    by_variant.update({v: tuple(b) for v, b in variants.items()})  # type: ignore[misc]
    return Conversion(
        source=Source(
            uri=uri,
            name=name,
            path="/tmp/copy.pdf",
            size_bytes=1000,
            sha256=sha256,
            pages=tuple(
                Page(number=n + 1, label=labels[n] if labels else str(n + 1)) for n in range(pages)
            ),
            properties=properties or DocumentProperties(),
        ),
        options=options or ParseOptions(),
        markdown={v: "".join(block.text for block in b) for v, b in by_variant.items()},
        blocks_by_variant=by_variant,
        assets=tuple(assets),
        tasks=(TaskRef(provider="zhiyipdf", id="task-1", key_fingerprint="0" * 8),),
        points=6,
        seconds=1.5,
    )


__all__ = ["PNG", "BlockKind", "asset", "blocks", "conversion", "on"]

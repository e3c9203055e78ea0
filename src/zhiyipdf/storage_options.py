"""Which of the caller's ``storage_options`` belong to which URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["options_for"]


def options_for(url: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Pick the options of a URL.

    Options are either flat, and then go to every filesystem, or by protocol, as fsspec has it for
    chained URLs: ``{"s3": {"key": …}, "http": {"headers": …}}``. The second form lets sources,
    store and pictures be in different places.

    Args:
        url: Plain or chained with ``::``; without a protocol it is local.
        options: As the caller gave them.

    Returns:
        Options for :func:`fsspec.core.url_to_fs`.
    """
    if not options:
        return {}
    if not _by_protocol(options):
        return dict(options)
    links = [link.partition("://")[0] if "://" in link else link for link in url.split("::")]
    protocols = set(links) if "://" in url or "::" in url else {"file"}
    if "s3a" in protocols or "s3" in protocols:
        protocols |= {"s3", "s3a"}
    if {"http", "https"} & protocols:
        protocols |= {"http", "https"}
    return {name: dict(value) for name, value in options.items() if name in protocols}


def _by_protocol(options: Mapping[str, Any]) -> bool:
    if not all(isinstance(value, Mapping) for value in options.values()):
        return False
    from fsspec.registry import known_implementations, registry

    return all(name in known_implementations or name in registry for name in options)

"""Keep the store within its limits: the oldest finished work goes first, unfinished work never."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zhiyipdf.policy import StoreLimits
from zhiyipdf.store.files import Files
from zhiyipdf.store.records import TaskRecord

__all__ = ["Entry", "choose", "prune"]

log = logging.getLogger(__name__)

# What is paid for and not safely here yet, or in doubt, is worth more than the space it takes.
UNPACKING = frozenset({"accepted", "completed", "fetched"})
FINISHED = frozenset({"unpacked", "failed", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All that is stored for one piece of finished work.

    Attributes:
        key: Of the work.
        updated_at: Seconds since 1970.
        size_bytes: Of archive and texts; pictures are shared and counted apart.
        names: The files.
    """

    key: str
    updated_at: float
    size_bytes: int
    names: tuple[str, ...]


def choose(
    entries: Iterable[Entry], limits: StoreLimits, *, now: float, shared_bytes: int = 0
) -> list[Entry]:
    """Decide what goes: everything too old, then the oldest until the rest fits.

    Args:
        entries: Finished work.
        limits: Age and size.
        now: Seconds since 1970.
        shared_bytes: Size of the pictures, which go with the last work that shows them.
    """
    kept: list[Entry] = []
    gone: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.updated_at):
        too_old = limits.max_age_s is not None and now - entry.updated_at > limits.max_age_s
        (gone if too_old else kept).append(entry)
    total = shared_bytes + sum(entry.size_bytes for entry in kept)
    while kept and limits.max_bytes is not None and total > limits.max_bytes:
        oldest = kept.pop(0)
        total -= oldest.size_bytes
        gone.append(oldest)
    return gone


def prune(
    files: Files, records: Sequence[TaskRecord], limits: StoreLimits, *, now: float
) -> tuple[str, ...]:
    """Delete what the limits leave no room for; blocking.

    The record of a deleted result stays while the service keeps the result: it can be fetched
    again for free until then.

    Args:
        files: The store's folder.
        records: Every record in it.
        limits: Age and size.
        now: Seconds since 1970.

    Returns:
        Keys of the work whose results are gone.
    """
    sizes = files.sizes("results") | files.sizes("bundles")
    pictures = files.sizes("images")
    entries = [_entry(record, sizes) for record in records if record.state in FINISHED]
    gone = choose(entries, limits, now=now, shared_bytes=sum(pictures.values()))
    for entry in gone:
        # The manifest first: without it the rest counts as absent.
        for name in sorted(entry.names, key=lambda name: not name.endswith("manifest.json")):
            files.remove(name)
    # A conversion that is being unpacked has pictures before it has a manifest that shows them.
    if gone and not any(record.state in UNPACKING for record in records):
        shown = _shown_pictures(files)
        for name in pictures:
            if name.rpartition("/")[2].partition(".")[0] not in shown:
                files.remove(name)
        log.info("removed %d stored results", len(gone))
    return tuple(entry.key for entry in gone if entry.names)


def _entry(record: TaskRecord, sizes: dict[str, int]) -> Entry:
    key = record.key
    archive, folder = f"results/{key[:2]}/{key}.zip", f"bundles/{key[:2]}/{key}/"
    names = tuple(name for name in sizes if name == archive or name.startswith(folder))
    return Entry(
        key=key,
        updated_at=record.updated_at,
        size_bytes=sum(sizes[name] for name in names),
        names=names,
    )


def _shown_pictures(files: Files) -> set[str]:
    """Hashes of all pictures that a bundle still shows."""
    shown: set[str] = set()
    for name in files.names("bundles", "manifest.json"):
        content = files.read(name)
        try:
            manifest = json.loads(content or b"{}")
            shown |= {asset["sha256"] for asset in manifest.get("assets", ())}
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read: %s", name, error)
    return shown

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.bundle import unpack
from zhiyipdf.policy import ArchiveLimits, StoreLimits
from zhiyipdf.store import Store, TaskRecord
from zhiyipdf.store.pruning import Entry, choose

ENTRIES = st.lists(
    st.builds(
        Entry,
        key=st.text("0123456789abcdef", min_size=4, max_size=4),
        updated_at=st.floats(0, 1000),
        size_bytes=st.integers(0, 100),
        names=st.just(()),
    ),
    unique_by=lambda entry: entry.key,
)


@given(ENTRIES, st.integers(0, 500), st.floats(0, 1000))
def test_what_stays_fits_and_what_goes_is_older(
    entries: list[Entry], max_bytes: int, max_age_s: float
) -> None:
    limits = StoreLimits(max_bytes=max_bytes, max_age_s=max_age_s)
    gone = choose(entries, limits, now=1000.0)
    kept = [entry for entry in entries if entry not in gone]
    assert sum(entry.size_bytes for entry in kept) <= max_bytes
    assert all(1000.0 - entry.updated_at <= max_age_s for entry in kept)
    if kept and gone:
        assert max(e.updated_at for e in gone) <= min(e.updated_at for e in kept)


@given(ENTRIES)
def test_without_limits_everything_stays(entries: list[Entry]) -> None:
    assert choose(entries, StoreLimits(), now=1e9) == []


RECORD = TaskRecord(
    key="", state="unpacked", sha256="a" * 64, provider="zhiyipdf", base_url="x", pages=1,
    points=2, key_fingerprint="00000000", task_id="t",
)  # fmt: skip


def stored(store: Store, key: str, picture: bytes, tmp_path: Path, **changes: object) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a.md", "![](images/1-1.png)")
        packed.writestr("images/1-1.png", picture)
    archive = tmp_path / f"{key[:8]}.zip"
    archive.write_bytes(buffer.getvalue())
    store.keep_archive(key, archive)
    quarantine = tmp_path / f"{key[:8]}"
    quarantine.mkdir()
    unpacked = unpack(
        archive, quarantine, requested=("original",), stem="a", limits=ArchiveLimits()
    )
    store.write_bundle(key, unpacked, None)
    store.write_record(dataclasses.replace(RECORD, key=key, **changes))  # type: ignore[arg-type]


def test_the_oldest_finished_work_goes_and_shared_pictures_stay(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    shared, own = b"\x89PNG\r\n\x1a\n shared", b"\x89PNG\r\n\x1a\n own"
    stored(store, "a" * 64, shared, tmp_path, updated_at=1.0)
    stored(store, "b" * 64, own, tmp_path, updated_at=2.0)
    stored(store, "c" * 64, shared, tmp_path, updated_at=900.0)
    stored(store, "d" * 64, own, tmp_path, updated_at=3.0, state="accepted")
    gone = store.prune(StoreLimits(max_age_s=500.0), now=1000.0)
    assert set(gone) == {"a" * 64, "b" * 64}
    assert store.read_bundle("a" * 64) is None
    kept = store.read_bundle("c" * 64)
    assert kept is not None
    assert store.read_asset(kept.bundle.assets[0]) == shared
    assert store.read_bundle("d" * 64) is not None  # paid for, and not finished
    assert {record.key for record in store.records()} == {c * 64 for c in "abcd"}


def test_a_picture_nobody_shows_any_more_goes_too(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    stored(store, "a" * 64, b"\x89PNG\r\n\x1a\n x", tmp_path, updated_at=1.0)
    store.prune(StoreLimits(max_bytes=0), now=10.0)
    assert store.files.sizes("images") == {}

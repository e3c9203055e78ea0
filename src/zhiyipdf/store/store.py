"""Look up, write and rebuild what is stored for one piece of work."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhiyipdf.bundle import Unpacked, UnpackedFile, layout_facts, read_layout
from zhiyipdf.models import SUFFIXES, Asset, Block, Bundle, TaskRef, Variant
from zhiyipdf.policy import StoreLimits
from zhiyipdf.store.files import Files
from zhiyipdf.store.placed_blocks import blocks_from_json, blocks_to_json
from zhiyipdf.store.pruning import prune
from zhiyipdf.store.records import TaskRecord

__all__ = ["Store", "StoredBundle"]

log = logging.getLogger(__name__)

FORMAT = 1
MANIFEST = "manifest.json"
BLOCKS = "blocks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBundle:
    """A bundle and what it is known by.

    Attributes:
        key: Of the work.
        bundle: The unpacked result.
        task: The task that made it.
    """

    key: str
    bundle: Bundle
    task: TaskRef | None


class Store:
    """All that is kept, under one URL. Blocking: call it from a worker thread.

    Args:
        url: Any fsspec URL or local path.
        storage_options: For fsspec.
    """

    def __init__(self, url: str, storage_options: Mapping[str, Any] | None = None) -> None:
        self.files = Files(url, storage_options)

    # -- records ---------------------------------------------------------------------------------

    def read_record(self, key: str) -> TaskRecord | None:
        """The record of a piece of work.

        Raises:
            ValueError: There is one that cannot be read.
        """
        content = self.files.read(_record_name(key))
        return None if content is None else TaskRecord.from_json(content)

    def write_record(self, record: TaskRecord) -> None:
        """Write a record; when this returns it is durable."""
        self.files.publish(_record_name(record.key), record.to_json(), private=True)

    def records(self) -> Iterator[TaskRecord]:
        """Every record there is, in no order of meaning; what cannot be read is logged."""
        for name in self.files.names("claims", ".json"):
            content = self.files.read(name)
            if content is None:
                continue
            try:
                yield TaskRecord.from_json(content)
            except ValueError as error:
                log.warning("%s cannot be read: %s", self.files.uri(name), error)

    def forget(self, key: str) -> str:
        """Delete the record of a piece of work, readable or not.

        Args:
            key: Of the work, or at least its first 6 digits.

        Returns:
            The whole key.

        Raises:
            KeyError: No record, or more than one, begins like that.
        """
        names = self.files.names("claims", ".json")
        found = [name.rpartition("/")[2].removesuffix(".json") for name in names]
        found = [name for name in found if len(key) >= 6 and name.startswith(key)]
        if len(found) != 1:
            raise KeyError(f"{len(found)} records begin with {key!r}")
        self.files.remove(_record_name(found[0]))
        return found[0]

    def prune(self, limits: StoreLimits, *, now: float) -> tuple[str, ...]:
        """Delete the oldest results that the limits leave no room for; see ``pruning``."""
        return prune(self.files, tuple(self.records()), limits, now=now)

    # -- archives --------------------------------------------------------------------------------

    def keep_archive(self, key: str, archive: Path) -> str:
        """Keep an archive as it was served.

        Returns:
            Where it is kept.
        """
        name = _archive_name(key)
        self.files.publish(name, archive)
        return self.files.uri(name)

    def fetch_archive(self, key: str, to: Path) -> bool:
        """Copy a kept archive to a local path; False if there is none."""
        return self.files.copy_to(_archive_name(key), to)

    def has_archive(self, key: str) -> bool:
        """Whether an archive is kept."""
        return self.files.size(_archive_name(key)) is not None

    def archive_uri(self, key: str) -> str:
        """Where the archive of a piece of work is, or would be."""
        return self.files.uri(_archive_name(key))

    # -- bundles ---------------------------------------------------------------------------------

    def write_bundle(self, key: str, unpacked: Unpacked, task: TaskRef | None) -> StoredBundle:
        """Publish an unpacked result: pictures, then text, then the manifest that makes it true."""
        folder = _bundle_folder(key)
        assets = tuple(self._keep_asset(file) for file in unpacked.files)
        texts = {f"{variant}.md": text for variant, text in unpacked.markdown.items()}
        sidecars = {f"sidecar-{n}.md": name for n, name in enumerate(sorted(unpacked.sidecars))}
        texts.update({file: unpacked.sidecars[name] for file, name in sidecars.items()})
        listed = {}
        for file, text in texts.items():
            content = text.encode("utf-8", "surrogatepass")
            self.files.publish(f"{folder}/{file}", content)
            listed[file] = {"sha256": _sha256(content), "size": len(content)}
        manifest = {
            "format": FORMAT,
            "texts": listed,
            "variants": {variant: f"{variant}.md" for variant in unpacked.markdown},
            "sidecars": sidecars,
            "assets": [
                {
                    "name": asset.name,
                    "sha256": asset.sha256,
                    "size": asset.size_bytes,
                    "media_type": asset.media_type,
                    "referenced": asset.referenced,
                    "pixels": asset.pixels,
                }
                for asset in assets
            ],
            "missing": list(unpacked.missing),
            "layout": layout_facts(unpacked.layout),
            "task": None
            if task is None
            else {"provider": task.provider, "id": task.id, "key": task.key_fingerprint},
        }
        self.files.publish(f"{folder}/{MANIFEST}", json.dumps(manifest, indent=1).encode())
        bundle = Bundle(
            markdown=dict(unpacked.markdown),
            assets=assets,
            missing=tuple(unpacked.missing),
            sidecars=dict(unpacked.sidecars),
            layout=dict(unpacked.layout),
        )
        return StoredBundle(key=key, bundle=bundle, task=task)

    def read_bundle(self, key: str) -> StoredBundle | None:
        """A stored result, if it is there and whole.

        Every text is checked by its hash and every picture by its size; what does not fit is
        treated as absent, so that it is rebuilt from the kept archive.
        """
        folder = _bundle_folder(key)
        content = self.files.read(f"{folder}/{MANIFEST}")
        if content is None:
            return None
        try:
            manifest = json.loads(content)
            if manifest["format"] != FORMAT:
                return None
            texts = {
                name: self._read_text(folder, name, facts)
                for name, facts in manifest["texts"].items()
            }
            assets = tuple(self._read_asset_entry(entry) for entry in manifest["assets"])
            variants: dict[Variant, str] = {v: texts[f] for v, f in manifest["variants"].items()}
            sidecars = {name: texts[file] for file, name in manifest["sidecars"].items()}
            task = manifest["task"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the stored result %s is damaged and will be rebuilt: %s", key[:12], error)
            return None
        return StoredBundle(
            key=key,
            bundle=Bundle(
                markdown=variants,
                assets=assets,
                missing=tuple(manifest["missing"]),
                sidecars=sidecars,
                layout=read_layout(manifest.get("layout", {}), variants),
            ),
            task=None
            if task is None
            else TaskRef(provider=task["provider"], id=task["id"], key_fingerprint=task["key"]),
        )

    def write_blocks(
        self,
        key: str,
        blocks: Mapping[Variant, Sequence[Block]],
        markdown: Mapping[Variant, str],
        *,
        version: int,
    ) -> None:
        """Keep the blocks of a stored result with their pages and boxes.

        Args:
            key: Of the work.
            blocks: By variant.
            markdown: Their text.
            version: Of what placed them; a newer one places them again, without paying.
        """
        content = blocks_to_json(blocks, markdown, version)
        self.files.publish(f"{_bundle_folder(key)}/{BLOCKS}", content)

    def read_blocks(
        self, key: str, markdown: Mapping[Variant, str], *, version: int
    ) -> dict[Variant, tuple[Block, ...]] | None:
        """The kept blocks of a result; None if there are none for this text and version."""
        content = self.files.read(f"{_bundle_folder(key)}/{BLOCKS}")
        return None if content is None else blocks_from_json(content, markdown, version)

    def read_asset(self, asset: Asset) -> bytes:
        """The bytes of a stored picture.

        Raises:
            FileNotFoundError: It is not there any more.
        """
        content = self.files.read(_asset_name(asset.sha256, asset.media_type))
        if content is None:
            raise FileNotFoundError(asset.uri)
        return content

    def _keep_asset(self, file: UnpackedFile) -> Asset:
        name = _asset_name(file.sha256, file.media_type)
        same = self.files.size(name) == file.size_bytes
        if same and self.files.is_local:
            same = _sha256(self.files.read(name) or b"") == file.sha256
        if not same:
            self.files.publish(name, file.path)
        return Asset(
            name=file.name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            media_type=file.media_type,
            uri=self.files.uri(name),
            referenced=file.referenced,
            pixels=file.pixels,
        )

    def _read_text(self, folder: str, name: str, facts: Mapping[str, Any]) -> str:
        content = self.files.read(f"{folder}/{name}")
        if content is None or _sha256(content) != facts["sha256"]:
            raise ValueError(f"{name} is missing or changed")
        return content.decode("utf-8", "surrogatepass")

    def _read_asset_entry(self, entry: Mapping[str, Any]) -> Asset:
        name = _asset_name(entry["sha256"], entry["media_type"])
        if self.files.size(name) != entry["size"]:
            raise ValueError(f"the picture {entry['name']} is missing or has another size")
        # Over a network the size must do: reading every picture would cost more than it saves.
        if self.files.is_local and _sha256(self.files.read(name) or b"") != entry["sha256"]:
            raise ValueError(f"the picture {entry['name']} has changed")
        pixels = entry.get("pixels")  # results that were stored before it was read have none
        return Asset(
            name=entry["name"],
            sha256=entry["sha256"],
            size_bytes=entry["size"],
            media_type=entry["media_type"],
            uri=self.files.uri(name),
            referenced=entry["referenced"],
            pixels=tuple(pixels) if pixels is not None else None,
        )


def _record_name(key: str) -> str:
    return f"claims/{key[:2]}/{key}.json"


def _archive_name(key: str) -> str:
    return f"results/{key[:2]}/{key}.zip"


def _bundle_folder(key: str) -> str:
    return f"bundles/{key[:2]}/{key}"


def _asset_name(sha256: str, media_type: str) -> str:
    return f"images/{sha256[:2]}/{sha256}{SUFFIXES.get(media_type, '')}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

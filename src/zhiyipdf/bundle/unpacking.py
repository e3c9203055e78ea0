"""Turns a fetched answer into Markdown by variant and the files it shows."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zhiyipdf.bundle.archive import PlannedFile, plan_archive
from zhiyipdf.bundle.directory import LOCAL_SIGNATURE, refused
from zhiyipdf.bundle.extraction import Extracted, clear_folder, extract
from zhiyipdf.bundle.layout import LAYOUT_NAME, read_layout
from zhiyipdf.bundle.links import AssetNames, hide_keys, is_remote, keys_in
from zhiyipdf.bundle.pixels import pixels_of
from zhiyipdf.bundle.roles import Roles, assign_roles, common_folder, is_ignored, is_markdown
from zhiyipdf.bundle.sniffing import decode_text, describe_head, is_text_answer, media_type_of
from zhiyipdf.errors import ProtocolError, UnsafeArchive
from zhiyipdf.images import image_references, rewrite_images
from zhiyipdf.models import LayoutSpan, Variant
from zhiyipdf.policy import ArchiveLimits

__all__ = ["Unpacked", "UnpackedFile", "unpack"]

log = logging.getLogger(__name__)

_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedFile:
    """A file that came with the Markdown.

    Attributes:
        name: As the Markdown refers to it.
        path: Where it is now.
        sha256: Of its bytes.
        size_bytes: How many there are.
        media_type: From its bytes.
        referenced: Whether a variant's text shows it.
        pixels: Width and height of a picture, where its format tells.
    """

    name: str
    path: Path
    sha256: str
    size_bytes: int
    media_type: str
    referenced: bool
    pixels: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What an answer holds.

    Attributes:
        markdown: Text by variant: those that were asked for. A picture's target reads as the
            ``name`` of the file it means; where the service spelt it otherwise (``./``, percent
            signs, backslashes), it was rewritten. Targets without a file stay as they are, except
            that no key is left in them.
        files: Everything but Markdown, by name.
        missing: Targets that no file answers to, each once; web addresses are none.
        sidecars: The other Markdown files by their path in the archive.
        layout: See :class:`~zhiyipdf.models.Bundle`.
    """

    markdown: Mapping[Variant, str]
    files: tuple[UnpackedFile, ...] = ()
    missing: tuple[str, ...] = ()
    sidecars: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[Variant, tuple[LayoutSpan, ...]] = field(default_factory=dict)


def unpack(
    archive: Path,
    into: Path,
    *,
    requested: tuple[Variant, ...],
    stem: str,
    limits: ArchiveLimits,
) -> Unpacked:
    """Unpack what the service answered: a ZIP archive, or the Markdown itself.

    Blocking: call it from a worker thread. Memory grows with the texts, not with the pictures.

    Args:
        archive: The fetched file. Its bytes decide what it is.
        into: An existing, empty folder; nothing is written outside it.
        requested: The variants that were asked for.
        stem: Name of the uploaded PDF without suffix.
        limits: What the archive may hold.

    Raises:
        UnsafeArchive: The answer is hostile, damaged, or no archive; see ``.reason``.
        ProtocolError: A requested variant is not in it.
        ValueError: ``into`` is not empty.
        OSError: The disk is full, for example. After any error ``into`` is empty.
    """
    if next(into.iterdir(), None) is not None:
        raise ValueError(f"{into} is not empty")
    try:
        with archive.open("rb") as file:
            is_zip = file.read(4) == LOCAL_SIGNATURE
        if not is_zip:
            return _unpack_text(archive, requested, limits)
        return _unpack_archive(archive, into, requested, stem, limits)
    except UnsafeArchive as error:
        clear_folder(into)
        error.archive = str(archive)
        raise
    except BaseException:
        clear_folder(into)
        raise


def _unpack_text(archive: Path, requested: tuple[Variant, ...], limits: ArchiveLimits) -> Unpacked:
    """Take an answer that is no archive for the Markdown itself, if it looks like that."""
    if archive.stat().st_size > limits.max_text_bytes:
        raise refused(f"it is no archive, and too long for a text ({limits.max_text_bytes} bytes)")
    content = archive.read_bytes()
    if not is_text_answer(content):
        raise refused(f"it is not an archive but {describe_head(content)}")
    if len(requested) > 1:
        raise _variant_missing(requested[1:], (f"one text ({requested[0]})",))
    names = AssetNames({})
    texts = {variant: decode_text(content, "the answer") for variant in requested}
    keys = keys_in(texts.values())
    markdown = {variant: hide_keys(text, keys, names) for variant, text in texts.items()}
    return Unpacked(markdown=markdown, missing=_missing(markdown.values(), frozenset()))


def _unpack_archive(
    archive: Path, into: Path, requested: tuple[Variant, ...], stem: str, limits: ArchiveLimits
) -> Unpacked:
    planned = [f for f in plan_archive(archive, limits).files if not is_ignored(f.name)]
    root = common_folder([file.name for file in planned])
    roles = _roles(planned, root, requested, stem, limits)
    extracted = extract(archive, planned, into)

    def read(name: str) -> str:
        return decode_text(extracted[root + name].path.read_bytes(), name)

    texts = {variant: read(name) for variant, name in roles.markdown.items()}
    sidecars = {name: read(name) for name in roles.sidecars}
    folders = {v: posixpath.dirname(root + name) for v, name in roles.markdown.items()}
    layout_file = extracted.get(root + LAYOUT_NAME)
    others = [f.name for f in planned if not is_markdown(f.name) and f.name != root + LAYOUT_NAME]
    names = _file_names(others, folders, root)
    lookup = AssetNames(names)
    keys = keys_in([*texts.values(), *sidecars.values()])
    markdown = {
        variant: _linked(hide_keys(text, keys, lookup), lookup, f"{folders[variant]}/", root)
        for variant, text in texts.items()
    }
    shown = frozenset(r.target for text in markdown.values() for r in image_references(text))
    return Unpacked(
        markdown=markdown,
        files=tuple(
            _file(extracted[path], name, referenced=name in shown) for path, name in names.items()
        ),
        missing=_missing(markdown.values(), frozenset(names.values())),
        sidecars={name: hide_keys(text, keys, lookup) for name, text in sidecars.items()},
        layout={} if layout_file is None else _layout(layout_file.path, texts, markdown),
    )


def _layout(
    path: Path, texts: Mapping[Variant, str], markdown: Mapping[Variant, str]
) -> dict[Variant, tuple[LayoutSpan, ...]]:
    """Read the layout of those texts that were left to the letter: its offsets are theirs."""
    unchanged = {v: text for v, text in texts.items() if markdown[v] == text}
    if len(unchanged) < len(texts):
        log.warning("the layout is not used: the text was changed while it was unpacked")
    return read_layout(path.read_bytes(), unchanged)


def _roles(
    planned: Sequence[PlannedFile],
    root: str,
    requested: tuple[Variant, ...],
    stem: str,
    limits: ArchiveLimits,
) -> Roles:
    """Decide which file is which variant, before anything is written."""
    sizes = {f.name.removeprefix(root): f.size_bytes for f in planned if is_markdown(f.name)}
    if sum(sizes.values()) > limits.max_text_bytes:
        raise refused(f"its texts are longer than {limits.max_text_bytes} bytes")
    roles = assign_roles(sizes, requested=requested, stem=stem)
    missing = tuple(variant for variant in requested if variant not in roles.markdown)
    if missing:
        raise _variant_missing(missing, [file.name for file in planned])
    return roles


def _file_names(paths: Sequence[str], folders: Mapping[Variant, str], root: str) -> dict[str, str]:
    """Name each file as the Markdown would, from the folder that all texts are in.

    Texts in several folders, or files beside that folder, are named from the common one instead:
    no name leads upwards, and no two files have the same.
    """
    shared = {f"{folder}/" if folder else "" for folder in folders.values()}
    base = shared.pop() if len(shared) == 1 else root
    if not all(path.startswith(base) for path in paths):
        base = root
    return {path: path.removeprefix(base) for path in sorted(paths)}


def _linked(text: str, names: AssetNames, folder: str, root: str) -> str:
    """Spell the targets of a text as the files are named."""

    def named(target: str) -> str | None:
        if is_remote(target):
            return None
        return names.resolve(target, folder.lstrip("/"), root)

    return rewrite_images(text, named)


def _missing(texts: Iterable[str], names: frozenset[str]) -> tuple[str, ...]:
    """List the targets that no file answers to, in the order they are shown."""
    targets = (r.target for text in texts for r in image_references(text))
    wanted = (t for t in targets if t and t not in names and not is_remote(t))
    return tuple(dict.fromkeys(wanted))


def _file(extracted: Extracted, name: str, *, referenced: bool) -> UnpackedFile:
    with extracted.path.open("rb") as file:
        pixels = pixels_of(file)
    return UnpackedFile(
        name=name,
        path=extracted.path,
        sha256=extracted.sha256,
        size_bytes=extracted.size_bytes,
        media_type=media_type_of(extracted.head),
        referenced=referenced,
        pixels=pixels,
    )


def _variant_missing(missing: Sequence[Variant], present: Sequence[str]) -> ProtocolError:
    shown = ", ".join(present[:_SHOWN_NAMES]) or "nothing"
    more = f" and {len(present) - _SHOWN_NAMES} more" if len(present) > _SHOWN_NAMES else ""
    variants = " and ".join(missing)
    return ProtocolError(
        f"The result has no Markdown for {variants}; it holds {shown}{more}.",
        hint="The archive is kept; report what it holds.",
        points_charged=True,
    )

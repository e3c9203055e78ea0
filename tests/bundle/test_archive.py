"""Unpacking: what comes out, and that nothing hostile does."""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.archives import (
    HOSTILE,
    MARKDOWN,
    PNG,
    Hostile,
    Member,
    real_zip,
    result_zip,
    write_zip,
)
from zhiyipdf.bundle import Unpacked, plan_archive, unpack
from zhiyipdf.errors import ProtocolError, UnsafeArchive
from zhiyipdf.models import Variant
from zhiyipdf.policy import ArchiveLimits


def unpacked(
    tmp_path: Path,
    archive: bytes,
    *requested: Variant,
    stem: str = "paper",
    limits: ArchiveLimits | None = None,
) -> Unpacked:
    into = tmp_path / "deep" / "quarantine"
    into.mkdir(parents=True, exist_ok=True)
    path = tmp_path / "answer.bin"
    path.write_bytes(archive)
    return unpack(
        path,
        into,
        requested=requested or ("original",),
        stem=stem,
        limits=limits or ArchiveLimits(),
    )


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.label)
def test_a_hostile_archive_is_refused_or_contained(tmp_path: Path, hostile: Hostile) -> None:
    if hostile.reason is None:
        result = unpacked(tmp_path, hostile.build())
        assert result.missing == ()
        assert any(file.referenced for file in result.files)
    else:
        with pytest.raises(UnsafeArchive) as caught:
            unpacked(tmp_path, hostile.build())
        assert caught.value.archive == str(tmp_path / "answer.bin")
        assert caught.value.points_charged is True
        assert re.search(hostile.reason, caught.value.reason, re.DOTALL)
        assert everything_below(tmp_path / "deep") == {"quarantine"}
    outside = {n for n in everything_below(tmp_path) if not n.startswith("deep/quarantine/")}
    assert outside == {"deep", "deep/quarantine", "answer.bin"}


def test_files_are_written_without_the_modes_they_ask_for(tmp_path: Path) -> None:
    result = unpacked(tmp_path, next(h for h in HOSTILE if h.label == "setuid").build())
    (tool,) = (file for file in result.files if file.name == "tool")
    assert not tool.path.stat().st_mode & 0o7111


def test_a_name_no_windows_can_hold_is_kept_for_the_markdown_only(tmp_path: Path) -> None:
    archive = write_zip(
        [
            Member(name=b"paper.md", content=b"![](images/CON.png) ![](images/_ON.png)"),
            Member(name=b"images/CON.png", content=PNG),
            Member(name=b"images/_ON.png", content=b"other"),
            Member(name=b"images/a:b?.png", content=PNG),
            Member(name=b"images/dots...", content=PNG),
        ]
    )
    result = unpacked(tmp_path, archive)
    on_disk = {file.name: file.path.name for file in result.files}
    assert on_disk == {
        "images/CON.png": "_ON-2.png",
        "images/_ON.png": "_ON.png",
        "images/a:b?.png": "a_b_.png",
        "images/dots...": "dots.._",
    }
    assert result.missing == ()
    plan = plan_archive(tmp_path / "answer.bin", ArchiveLimits())
    assert plan.renamed["images/CON.png"] == "images/_ON-2.png"


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
@pytest.mark.parametrize("name", ["论文", "图", "双语", "研究报告（终稿）", "附件1-图表", "étude"])
def test_chinese_names_come_out_right_in_either_encoding(
    tmp_path: Path, name: str, encoding: str
) -> None:
    try:
        raw = name.encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("GBK has no such character")
    picture = f"{name}图.png"
    archive = write_zip(
        [
            Member(name=raw + b".md", content=f"![](images/{picture})".encode()),
            Member(name=b"images/" + picture.encode(encoding), content=PNG),
        ]
    )
    result = unpacked(tmp_path, archive, stem=name)
    assert [file.name for file in result.files] == [f"images/{picture}"]
    assert result.missing == ()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("图.md".encode("gbk"), "图.md"),  # valid UTF-8 too: U+037C
        ("résumé.md".encode(), "résumé.md"),  # valid GBK too: r茅sum茅
        ("руководство.md".encode(), "руководство.md"),
        ("résumé.md".encode("cp437"), "résumé.md"),  # as DOS would
    ],
)
def test_an_unmarked_name_is_read_as_what_it_most_likely_is(
    tmp_path: Path, raw: bytes, name: str
) -> None:
    path = tmp_path / "names.zip"
    path.write_bytes(write_zip([Member(name=raw)]))
    assert [file.name for file in plan_archive(path, ArchiveLimits()).files] == [name]


def test_names_marked_as_utf_8_do_not_decide_about_the_others(tmp_path: Path) -> None:
    path = tmp_path / "names.zip"
    members = [
        Member(name="表.md".encode(), flags=0x800),
        Member(name="论文.png".encode("gbk")),
    ]
    path.write_bytes(write_zip(members))
    plan = plan_archive(path, ArchiveLimits())
    assert {file.name for file in plan.files} == {"表.md", "论文.png"}
    assert plan.encoding == "gb18030"


def test_planning_writes_nothing_and_says_what_would_be_written(tmp_path: Path) -> None:
    path = tmp_path / "answer.zip"
    path.write_bytes(result_zip())
    plan = plan_archive(path, ArchiveLimits())
    assert [file.name for file in plan.files] == ["paper.md", "images/1-1.png"]
    assert plan.total_bytes == len(MARKDOWN) + len(PNG)
    assert everything_below(tmp_path) == {"answer.zip"}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ArchiveLimits(max_entries=1), "2 files, more than 1"),
        (ArchiveLimits(max_directory_bytes=10), "directory of"),
        (ArchiveLimits(max_archive_bytes=10), "are above 10"),
        (ArchiveLimits(max_entry_bytes=10), "unpacks to"),
        (ArchiveLimits(max_total_bytes=100), "it unpacks to"),
        (ArchiveLimits(max_depth=1), "more than 1 parts"),
        (ArchiveLimits(max_name_bytes=5), "too long"),
        (ArchiveLimits(max_path_bytes=10), "too long"),
        (ArchiveLimits(max_text_bytes=10), "texts are longer"),
    ],
)
def test_each_limit_refuses_what_passes_it(
    tmp_path: Path, limits: ArchiveLimits, reason: str
) -> None:
    with pytest.raises(UnsafeArchive, match=reason):
        unpacked(tmp_path, result_zip(), limits=limits)
    assert everything_below(tmp_path / "deep") == {"quarantine"}


@pytest.mark.parametrize(("said", "reason"), [(1, "more files"), (9, "fewer files")])
def test_a_wrong_number_of_files_is_noticed(tmp_path: Path, said: int, reason: str) -> None:
    archive = write_zip([Member(name=b"a.md"), Member(name=b"b.md")], count=said)
    with pytest.raises(UnsafeArchive, match=reason):
        unpacked(tmp_path, archive)


def test_a_size_that_is_too_large_is_noticed_though_the_crc_is_right(tmp_path: Path) -> None:
    archive = result_zip(Member(name=b"short.bin", content=b"abc", size=4))
    with pytest.raises(UnsafeArchive, match="shorter than it says"):
        unpacked(tmp_path, archive)


def test_a_damaged_stream_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match=r"cannot be unpacked|cut off"):
        unpacked(tmp_path, result_zip(Member(name=b"a.bin", packed=b"\xff\xff\xff", size=3)))


def test_a_stream_cut_inside_its_bytes_is_refused(tmp_path: Path) -> None:
    whole = real_zip({"x": bytes(range(256)) * 40})
    start = 30 + len("x")
    packed = whole[start : start + 40]
    with pytest.raises(UnsafeArchive, match="cut off"):
        unpacked(tmp_path, result_zip(Member(name=b"a.bin", packed=packed, size=10240)))


def test_a_link_marked_the_windows_way_is_refused(tmp_path: Path) -> None:
    archive = bytearray(write_zip([Member(name=b"link.md", system=0)]))
    at = archive.index(b"PK\1\2") + 38
    archive[at : at + 4] = (0x400).to_bytes(4, "little")
    with pytest.raises(UnsafeArchive, match="a link"):
        unpacked(tmp_path, bytes(archive))


def test_a_folder_that_holds_files_must_be_empty_before(tmp_path: Path) -> None:
    path = tmp_path / "answer.zip"
    path.write_bytes(result_zip())
    with pytest.raises(ValueError, match="is not empty"):
        unpack(path, tmp_path, requested=("original",), stem="paper", limits=ArchiveLimits())
    assert path.exists()


def test_an_archive_written_to_a_pipe_is_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    with (
        zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("paper.md", "w", force_zip64=True) as file,
    ):
        file.write(b"# Streamed\n")
    assert unpacked(tmp_path, pipe.getvalue()).markdown == {"original": "# Streamed\n"}


def test_files_say_what_they_are_by_their_bytes(tmp_path: Path) -> None:
    contents = {
        "a.bin": (PNG, "image/png"),
        "b.png": (b"\xff\xd8\xff\xe0", "image/jpeg"),
        "c": (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        "d.png": (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "image/svg+xml"),
        "e.png": (b"<html></html>", "text/html"),
        "f.png": ("文字".encode(), "text/plain"),
        "g.png": (b'{"a": 1}', "application/json"),
        "h.png": (b"\0\1\2", "application/octet-stream"),
        "i.png": (b"BM\x10\0\0\0\0\0\0\0", "image/bmp"),
        "j.png": (b"\0\0\0\x1cftypavif", "image/avif"),
        "k.png": (b"", "application/octet-stream"),
    }
    archive = real_zip({"paper.md": b"", **{n: content for n, (content, _) in contents.items()}})
    files = unpacked(tmp_path, archive).files
    assert {f.name: f.media_type for f in files} == {n: m for n, (_, m) in contents.items()}
    for file in files:
        content = contents[file.name][0]
        assert file.path.read_bytes() == content
        assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


names = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"], blacklist_characters="/\\:."),
    min_size=1,
    max_size=12,
).filter(lambda name: name.isprintable() and name.strip() == name)
trees = st.dictionaries(
    st.lists(names, min_size=1, max_size=4).map("/".join),
    st.binary(max_size=3000),
    max_size=8,
).filter(lambda tree: _fits_any_disk(tree))


def _fits_any_disk(tree: dict[str, bytes]) -> bool:
    folded = [unicodedata.normalize("NFC", name.casefold()) for name in tree]
    inside = {"/".join(n.split("/")[:i]) for n in folded for i in range(1, n.count("/") + 1)}
    return (
        len(set(folded)) == len(tree)
        and not inside & set(folded)
        and all(unicodedata.is_normalized("NFC", name) for name in tree)
    )


@settings(max_examples=60, deadline=None)
@given(tree=trees, stored=st.booleans())
def test_any_tree_of_files_comes_out_as_it_was_packed(
    tree: dict[str, bytes], stored: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    packed = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("paper.md", "text")
        for name, content in tree.items():
            archive.writestr(f"files/{name}", content)
    result = unpacked(tmp_path_factory.mktemp("tree"), packed.getvalue())
    assert {f.name.removeprefix("files/"): f.path.read_bytes() for f in result.files} == tree


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 10_000),
)
def test_a_damaged_archive_is_refused_or_right_but_never_crashes(
    changes: list[tuple[int, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = bytearray(result_zip())
    for at, value in changes:
        archive[at % len(archive)] = value
    del archive[cut or len(archive) :]
    folder = tmp_path_factory.mktemp("damaged")
    try:
        unpacked(folder, bytes(archive))
    except (UnsafeArchive, ProtocolError):
        assert everything_below(folder / "deep") == {"quarantine"}
    assert {n for n in everything_below(folder) if not n.startswith("deep")} == {"answer.bin"}


def test_a_missing_variant_is_named_with_what_is_there(tmp_path: Path) -> None:
    archive = real_zip({"paper.md": b"a", "outline.md": b"b", "images/1-1.png": PNG})
    with pytest.raises(ProtocolError, match=r"for translated; it holds .*outline.md") as caught:
        unpacked(tmp_path, archive, "original", "translated")
    assert caught.value.points_charged is True
    assert everything_below(tmp_path / "deep") == {"quarantine"}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("# Überschrift\n".encode(), "# Überschrift\n"),
        (b"\xef\xbb\xbf# Title", "# Title"),
        ("# 标题\n中文".encode("gb18030"), "# 标题\n中文"),
        (b"{0}" + b"-" * 48 + b"\n# Title", "{0}" + "-" * 48 + "\n# Title"),
        (b"[a link](x) to begin with", "[a link](x) to begin with"),
        (b"<table><tr><td>1</td></tr></table>", "<table><tr><td>1</td></tr></table>"),
        (b"<!-- page 1 -->\n<div>x</div>", "<!-- page 1 -->\n<div>x</div>"),
    ],
)
def test_an_answer_that_is_text_is_the_markdown(tmp_path: Path, answer: bytes, text: str) -> None:
    result = unpacked(tmp_path, answer, "translated")
    assert result == Unpacked(markdown={"translated": text})


@pytest.mark.parametrize(
    "answer",
    [
        b'[{"code": 1}]',
        b"<!-- proxy -->\n<HTML>",
        b"<?xml version='1.0'?><Error/>",
        b"%PDF-1.7",
        PNG,
        b"\x1f\x8b\x08 gzip",
        b"  \n",
        b"\xff\xff\xff\xff",
        b"PK\5\6" + bytes(18),
    ],
)
def test_an_answer_that_is_neither_is_refused_with_its_first_bytes(
    tmp_path: Path, answer: bytes
) -> None:
    with pytest.raises(UnsafeArchive, match=r"not an archive but (empty|.* that begins with)"):
        unpacked(tmp_path, answer)


def test_an_error_page_that_repeats_the_key_does_not_pass_it_on(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive) as caught:
        unpacked(tmp_path, b'{"error": "bad key sk-1234567890abcdef"}')
    assert "sk-1234567890abcdef" not in str(caught.value)


def test_one_text_cannot_be_two_variants(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="for translated"):
        unpacked(tmp_path, b"# Text", "original", "translated")


def test_texts_are_decoded_each_for_itself(tmp_path: Path) -> None:
    archive = real_zip({"paper.md": "\ufeff正文".encode(), "outline.md": "大纲".encode("gbk")})
    result = unpacked(tmp_path, archive)
    assert result.markdown == {"original": "正文"}
    assert result.sidecars == {"outline.md": "大纲"}


def test_folders_that_are_listed_are_no_files(tmp_path: Path) -> None:
    empty = {"content": b"", "method": zipfile.ZIP_STORED}
    archive = result_zip(
        Member(name=b"images/", **empty),
        Member(name=b"empty\\", **empty),
        Member(name=b"unmarked", mode=0o040755, **empty),
    )
    assert [file.name for file in unpacked(tmp_path, archive).files] == ["images/1-1.png"]


def test_a_folder_with_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="has content"):
        unpacked(tmp_path, result_zip(Member(name=b"folder/", content=b"x")))


def test_a_file_under_the_name_of_a_listed_folder_is_refused(tmp_path: Path) -> None:
    empty = Member(name=b"A/", content=b"", method=zipfile.ZIP_STORED)
    with pytest.raises(UnsafeArchive, match="a file and a folder"):
        unpacked(tmp_path, result_zip(empty, Member(name=b"a")))


def test_sizes_and_offsets_in_64_bits_are_read(tmp_path: Path) -> None:
    archive = result_zip(Member(name=b"images/2-1.png", content=PNG, wide=True))
    files = {file.name: file.path.read_bytes() for file in unpacked(tmp_path, archive).files}
    assert files["images/2-1.png"] == PNG


def test_a_64_bit_size_is_held_to_the_limits(tmp_path: Path) -> None:
    huge = Member(name=b"huge.bin", size=1 << 50, packed_size=1 << 49, wide=True)
    # The local header cannot say so much, and need not: only the directory is believed.
    with pytest.raises(UnsafeArchive, match="unpacks to 1125899906842624 bytes"):
        unpacked(tmp_path, result_zip(huge))


def test_64_bit_numbers_that_are_announced_and_not_there_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="directory is damaged"):
        unpacked(tmp_path, result_zip(Member(name=b"a.bin", size=0xFFFFFFFF)))


def test_many_small_files_that_grow_much_together_are_refused(tmp_path: Path) -> None:
    zeros = (Member(name=b"%d.bin" % n, content=bytes(9 << 20)) for n in range(2))
    with pytest.raises(UnsafeArchive, match="it grows"):
        unpacked(tmp_path, result_zip(*zeros))


def test_bytes_that_lie_in_the_directory_are_refused(tmp_path: Path) -> None:
    archive = result_zip(Member(name=b"a.bin", packed=b"abc", packed_size=200, size=3))
    with pytest.raises(UnsafeArchive, match="overlap the directory"):
        unpacked(tmp_path, archive)


def test_a_stored_file_with_two_sizes_is_refused(tmp_path: Path) -> None:
    stored = Member(name=b"a.bin", content=b"abc", method=zipfile.ZIP_STORED, size=2)
    with pytest.raises(UnsafeArchive, match="two different sizes"):
        unpacked(tmp_path, result_zip(stored))


def test_a_name_marked_as_utf_8_that_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="marked as UTF-8"):
        unpacked(tmp_path, result_zip(Member(name=b"\xff\xfe.md", flags=0x800)))


def test_a_text_in_no_known_encoding_is_kept_with_marks_for_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = unpacked(tmp_path, real_zip({"paper.md": b"good \xff\xff bad"}))
    assert result.markdown == {"original": "good \ufffd\ufffd bad"}
    assert "paper.md" in caplog.text


def test_a_word_document_is_no_result(tmp_path: Path) -> None:
    archive = real_zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    with pytest.raises(ProtocolError, match=r"for original; it holds .*word/document.xml"):
        unpacked(tmp_path, archive)

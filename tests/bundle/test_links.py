"""Pictures of an unpacked answer: which file a target means, and no key anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.archives import PNG, Member, real_zip, write_zip
from zhiyipdf.bundle import Unpacked, image_references, unpack
from zhiyipdf.models import Variant
from zhiyipdf.policy import ArchiveLimits

KEY = "sk-live-0123456789abcdefABCDEF"
TASK = "01920000-0000-0000-0000-000000000000"
URL = f"https://www.zhiyipdf.com/images/{KEY}/{TASK}"


@pytest.fixture
def unpacked(tmp_path: Path):
    def run(answer: bytes, *requested: Variant) -> Unpacked:
        into = tmp_path / "quarantine"
        into.mkdir()
        (tmp_path / "answer").write_bytes(answer)
        return unpack(
            tmp_path / "answer",
            into,
            requested=requested or ("original",),
            stem="paper",
            limits=ArchiveLimits(),
        )

    return run


def targets(text: str) -> list[str]:
    return [reference.target for reference in image_references(text)]


@pytest.mark.parametrize(
    "target",
    [
        "images/a b.png",
        "./images/a b.png",
        "images/a%20b.png",
        "images/./a b.png",
        "x/../images/a b.png",
        "/images/a b.png",
        "Images/A B.PNG",
        "images/a b.png?v=1#top",
    ],
)
@pytest.mark.parametrize("syntax", ["![x](<{}> 'title')", "<img src='{}'>"])
def test_every_spelling_of_a_target_means_the_file(unpacked, target: str, syntax: str) -> None:
    text = syntax.format(target)
    result = unpacked(real_zip({"paper.md": text.encode(), "images/a b.png": PNG}))
    assert targets(result.markdown["original"]) == ["images/a b.png"]
    assert [(f.name, f.referenced) for f in result.files] == [("images/a b.png", True)]
    assert result.missing == ()


def test_backslashes_in_targets_and_names_are_slashes(unpacked) -> None:
    archive = write_zip(
        [
            Member(name=b"paper.md", content=rb'<img src="images\1-1.png">'),
            Member(name=rb"images\1-1.png", content=PNG),
        ]
    )
    result = unpacked(archive)
    assert result.markdown["original"] == '<img src="images/1-1.png">'
    assert result.files[0].referenced


def test_percent_signs_that_are_part_of_the_name_are_left(unpacked) -> None:
    files = {"paper.md": b"![](100%25.png) ![](50%20.png)", "100%25.png": PNG, "50 .png": PNG}
    result = unpacked(real_zip(files))
    assert targets(result.markdown["original"]) == ["100%25.png", "50 .png"]


def test_a_name_percent_encoded_from_gbk_is_found(unpacked) -> None:
    files = {"paper.md": b"![](images/%CD%BC.png)", "images/图.png": PNG}
    assert unpacked(real_zip(files)).files[0].referenced


def test_text_that_is_spelt_right_is_not_touched(unpacked) -> None:
    text = '# A\r\n\r\n<img src="images/1-1.png" style="zoom:70%" />\r\n![](images/1-1.png "x")\n'
    result = unpacked(real_zip({"paper.md": text.encode(), "images/1-1.png": PNG}))
    assert result.markdown["original"] == text


def test_targets_without_a_file_are_left_and_reported_once(unpacked) -> None:
    text = (
        "![](images/no.png) ![](../../etc/passwd) <img src='images/no.png'> ![](file:///etc/passwd)"
        " ![](https://example.org/a.png) ![](//example.org/a.png) ![](data:image/png;base64,AA==)"
        " ![]()"
    )
    result = unpacked(real_zip({"paper.md": text.encode(), "images/1-1.png": PNG}))
    assert result.markdown["original"] == text
    assert result.missing == ("images/no.png", "../../etc/passwd", "file:///etc/passwd")
    assert [(f.name, f.referenced) for f in result.files] == [("images/1-1.png", False)]


@pytest.mark.parametrize("wrapper", ["", "result/", "一/two/"])
def test_one_wrapper_folder_makes_no_difference(unpacked, wrapper: str) -> None:
    files = {
        f"{wrapper}paper.md": b"![](images/1-1.png)",
        f"{wrapper}outline.md": b"1. x",
        f"{wrapper}images/1-1.png": PNG,
        "__MACOSX/._paper.md": b"\0\5\26\7",
    }
    result = unpacked(real_zip(files))
    assert [(f.name, f.referenced) for f in result.files] == [("images/1-1.png", True)]
    assert result.sidecars == {"outline.md": "1. x"}


def test_pictures_beside_the_folder_of_the_text_are_found(unpacked) -> None:
    files = {"md/paper.md": b"![](../images/1-1.png) ![](images/2-1.png)", "images/1-1.png": PNG}
    result = unpacked(real_zip({**files, "images/2-1.png": PNG}))
    assert targets(result.markdown["original"]) == ["images/1-1.png", "images/2-1.png"]
    assert result.missing == ()


def test_variants_in_folders_of_their_own_keep_their_own_pictures(unpacked) -> None:
    files = {
        "original/paper.md": b"![](images/1-1.png)",
        "original/images/1-1.png": PNG,
        "translated/paper.md": b"![](images/1-1.png)",
        "translated/images/1-1.png": PNG + b"other",
    }
    result = unpacked(real_zip(files), "original", "translated")
    sizes = {file.name: file.size_bytes for file in result.files}
    assert {v: sizes[targets(text)[0]] for v, text in result.markdown.items()} == {
        "original": len(PNG),
        "translated": len(PNG) + 5,
    }


@pytest.mark.parametrize(
    "text",
    [
        f"![a]({URL}/1-1.png)",
        f'<img style="x" src="{URL}/1-1.png?download=1">',
        f"![a][b]\n\n[b]: {URL}/1-1.png",
        f"[not a picture]({URL}/1-1.png) and {URL}/1-1.png bare",
        f"`{URL}/1-1.png`\n\n```\n{URL}/1-1.png\n```",
        f"![a]({URL}/1-1.png) and the key {KEY} itself, ?api_key={KEY}",
        f"![a](/images/{KEY}/{TASK}/1-1.png)",
        f"![a](HTTP://localhost:8000/IMAGES/{KEY}/{TASK}/1-1.png)",
    ],
)
@pytest.mark.parametrize("with_file", [True, False])
def test_a_key_in_a_url_appears_nowhere_in_the_result(
    unpacked, text: str, *, with_file: bool
) -> None:
    files = {"paper.md": text.encode(), "summary.md": f"see {URL}/1-1.png".encode()}
    if with_file:
        files["assets/1-1.png"] = PNG
    result = unpacked(real_zip(files))
    assert KEY not in repr(result)
    name = "assets/1-1.png" if with_file else "images/1-1.png"
    assert name in result.markdown["original"]
    assert result.sidecars == {"summary.md": f"see {name}"}
    shown = targets(result.markdown["original"])
    assert set(shown) <= {name}
    assert result.missing == (() if with_file or not shown else (name,))


def test_an_answer_in_text_loses_its_keys_too(unpacked) -> None:
    result = unpacked(f'<img src="{URL}/%E5%9B%BE 1.png">'.encode())
    assert result.markdown["original"] == '<img src="images/图 1.png">'
    assert result.missing == ("images/图 1.png",)


def test_a_key_of_any_shape_goes_from_a_picture_and_takes_no_words_with_it(unpacked) -> None:
    text = "short is a word. ![](https://host/images/short/task-1/9-9.png)"
    result = unpacked(real_zip({"paper.md": text.encode()}))
    assert result.markdown["original"] == "short is a word. ![](images/9-9.png)"


def test_addresses_that_only_look_similar_are_left(unpacked) -> None:
    text = (
        "![](https://blog.example.org/images/2020/05/photo.jpg) "
        "[x](https://example.org/images/icons/small/a.png) "
        "![](https://example.org/static/images/a.png)"
    )
    result = unpacked(real_zip({"paper.md": text.encode()}))
    assert result.markdown["original"] == text
    assert result.missing == ()

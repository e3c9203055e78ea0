"""Makes up translations whose pages are known, and looks which pages they inherit.

Words are replaced by other words of another script, each always by the same one; numbers, code,
pictures, links and half of the names stay. Some blocks are merged, split or lost on the way. The
original has its true pages, so that what is wrong comes from the translation alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from grounding_bench.engines import convert
from grounding_bench.running import Plan, one_engine
from grounding_bench.scoring import Tally
from grounding_bench.truth import Passage, Piece, join, pieces
from zhiyipdf.models import Block, Provenance

__all__ = ["inherited", "translate", "translations"]

MERGE_SHARE = 0.03
SPLIT_SHARE = 0.03
LOST_SHARE = 0.02
KEPT_NUMBERS = 0.93  # of the grounding study, 3.7
KEPT_NAMES = 0.5
GROWTH = (0.7, 1.5)  # of a word's length
WIDE_WORDS = 0.5  # words of the translation for each Han, kana or Hangul character

_CODE = re.compile(
    r"(```.*?```|`[^`\n]*`|!?\[[^\]\n]*\]\([^)\n]*\)|<[^<>\n]*>|\$[^$\n]+\$)", re.DOTALL
)
_WORD = re.compile(r"[⺀-鿿가-힯豈-﫿]+|\d[\d.,:]*|[^\W\d_]+")
_SENTENCE = re.compile(r"(?<=\w[.!?؟])\s+(?=\S)|(?<=\w[。！？])(?=\w)")
_PROSE = re.compile(r"\s*(?![#|<!>$]|```|[-*+]\s|\d+[.)]\s|---)")
CYRILLIC = "абвгдежзиклмнопрстуфхцчшщыэюя"
LATIN = "aaabcdeeefghiiijklmnooopqrstuuuvwxyz"


def translate(original: Sequence[Piece], language: str, seed: str) -> list[Piece]:
    """Give a made-up translation of a document's blocks; each keeps its pages."""
    chance = Random(f"{seed}/translation")
    alphabet = LATIN if language in {"ru", "zh", "ja", "ko", "fa", "ar", "mr"} else CYRILLIC
    result: list[Piece] = []
    for piece in original:
        translated = tuple(
            Passage(_translated(passage.text, alphabet, seed, chance), passage.page)
            for passage in piece
        )
        draw = chance.random()
        prose = len(piece) == 1 and _PROSE.match(piece[0].text) is not None
        if draw < LOST_SHARE:
            continue
        if draw < LOST_SHARE + MERGE_SHARE and prose and result:
            before = result[-1][-1]
            if _PROSE.match(before.text):
                glue = Passage(before.text.rstrip() + " ", before.page)
                result[-1] = (*result[-1][:-1], glue, *translated)
                continue
        if draw > 1 - SPLIT_SHARE and prose:
            sentences = _SENTENCE.split(translated[0].text)
            half = len(sentences) // 2
            parts = filter(None, (sentences[:half], sentences[half:]))
            result += [(Passage(" ".join(part), translated[0].page),) for part in parts]
            continue
        result.append(translated)
    return result


def _translated(text: str, alphabet: str, seed: str, chance: Random) -> str:
    def word(match: re.Match[str]) -> str:
        found = match.group()
        if found[0].isdigit():
            return found if chance.random() < KEPT_NUMBERS else str(chance.randrange(1000))
        if found[0] >= "⺀":
            count = max(1, round(len(found) * WIDE_WORDS))
            return " ".join(_cipher(f"{found}{i}", alphabet, seed, 6) for i in range(count))
        name = found[:1].isupper() and len(found) > 1
        if name and Random(f"{seed}/{found}").random() < KEPT_NAMES:
            return found
        cipher = _cipher(found.casefold(), alphabet, seed, len(found))
        return cipher.capitalize() if name else cipher

    parts = _CODE.split(text)
    parts[::2] = [_WORD.sub(word, part) for part in parts[::2]]
    return "".join(parts)


def _cipher(word: str, alphabet: str, seed: str, length: int) -> str:
    chance = Random(f"{seed}/{word}")
    size = max(1, round(length * chance.uniform(*GROWTH)))
    return "".join(chance.choice(alphabet) for _ in range(size))


def inherited(original: Sequence[Block], translated: Sequence[Block]) -> tuple[Block, ...]:
    """Give the translated blocks with the pages of the originals, as the package does."""
    from zhiyipdf.grounding.translation import inherit, pair_translated

    return inherit(original, translated, pair_translated(original, translated))


def translations(plan: Plan) -> Tally:
    """Translate every document of the plan and count the blocks that get the true page."""
    blocks = right = near = 0
    for document in plan.documents:
        engine = one_engine(document)
        outputs = convert(document.path, engine)[: plan.most_pages]
        all_pieces = pieces([(output.number, output.markdown) for output in outputs])
        truth = join(all_pieces)
        placed = [
            replace(
                block,
                provenance=tuple(
                    Provenance(page_number=page, source="aligned", score=1.0)
                    for page in range(first, last + 1)
                ),
            )
            for block, first, last in zip(truth.blocks, truth.first, truth.last, strict=True)
        ]
        seed = f"{document.name}/{engine}"
        other = join(translate(all_pieces, document.language, seed))
        for block, first in zip(inherited(placed, other.blocks), other.first, strict=True):
            told = block.provenance[0].page_number if block.provenance else 0
            blocks += 1
            right += told == first
            near += abs(told - first) <= 1
    return Tally(blocks=blocks, right=right, near=near)

"""Finds what each block of a translation renders, and takes over its pages and boxes. Pure."""

from zhiyipdf.grounding.translation.bilingual import pair_bilingual
from zhiyipdf.grounding.translation.inheritance import inherit, inherit_all
from zhiyipdf.grounding.translation.pairing import Pair, Pairing, pair_translated

__all__ = ["Pair", "Pairing", "inherit", "inherit_all", "pair_bilingual", "pair_translated"]

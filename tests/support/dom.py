"""Reads HTML into elements that a test can ask about."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}


@dataclass(slots=True)
class Element:
    """An element: its tag, attributes, and the text and elements in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)

    @property
    def elements(self) -> list[Element]:
        """All elements below it, in the order of the document."""
        found: list[Element] = []
        for part in self.inside:
            if isinstance(part, Element):
                found += [part, *part.elements]
        return found

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """The elements below it of that tag, class (``class_``) or with those attributes."""
        wanted_class = attributes.pop("class_", "")
        return [
            element
            for element in self.elements
            if (not tag or element.tag == tag)
            and (not wanted_class or wanted_class in element.classes)
            and all(element.attributes.get(k) == v for k, v in attributes.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> Element:
        [found] = self.all(tag, **attributes)
        return found


def parsed(html: str) -> Element:
    """Read HTML in which every element that is no void one is closed; ValueError if it is not."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if len(reader.open) != 1:
        raise ValueError(f"not closed: {[element.tag for element in reader.open[1:]]}")
    return reader.open[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag != tag:
            raise ValueError(f"</{tag}> closes <{self.open[-1].tag}>")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)

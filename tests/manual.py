"""The pages of the documentation and their code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)

FENCE = re.compile(r"^( *)```(?:\{code-block\} )?([\w+]+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
CAPTION = re.compile(r"\A:caption: (.+)\n+")
# Where a page cannot have captions, a first line says the same: the README.
COMMENT = re.compile(r"\A(?:# |\{# )([\w/]+\.(?:py|html)(?:, at the end)?)(?: #\})?\n+")


@dataclass(frozen=True)
class Block:
    """Some code of a page: in which language, under which caption, without indentation."""

    language: str
    caption: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for indent, language, body in FENCE.findall(page.read_text(encoding="utf-8")):
        text = "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
        found = CAPTION.match(text) or COMMENT.match(text)
        yield Block(language, found[1] if found else "", text[found.end() :] if found else text)

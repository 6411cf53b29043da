"""Reads the pages of the docs: their blocks of code, the words they set as code, their headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

GENERATED = ("code-map.md", "errors.md")
"""Pages that `./dev generate` writes and checks."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of code, without its page's indent."""

    page: str
    language: str
    body: str

    def commands(self) -> Iterator[str]:
        """Yield its shell commands: continued lines joined, prompts and comments gone."""
        joined = re.sub(r"\\\n\s*", "", self.body)
        for line in joined.splitlines():
            command = line.strip().removeprefix("$ ").split(" #")[0].strip()
            if command and not command.startswith("#"):
                yield command


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the tree."""
        return str(self.path.relative_to(ROOT))

    @property
    def prose(self) -> str:
        """Its text without the blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, *languages: str) -> list[Block]:
        """List its blocks in these languages, in all of them if none is named."""
        return [
            Block(page=self.name, language=found["language"], body=re.sub(f"(?m)^{found['indent']}", "", found["body"]))
            for found in _FENCE.finditer(self.text)
            if not languages or found["language"] in languages
        ]

    def block(self, language: str, *, holding: str) -> str:
        """Give the one block in a language that holds some words."""
        (found,) = (block.body for block in self.blocks(language) if holding in block.body)
        return found

    def spans(self) -> list[str]:
        """List what the running text sets as code."""
        return [" ".join(span.split()) for span in _SPAN.findall(self.prose)]

    def anchors(self) -> set[str]:
        """Give the anchors of its headings, as GitHub makes them."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}

    def links(self) -> list[str]:
        """List where its links lead."""
        return _LINK.findall(self.prose)


def _anchor(heading: str) -> str:
    plain = re.sub(r"`|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def read_page(name: str) -> Page:
    """Read one page by its path in the tree."""
    path = ROOT / name
    return Page(path=path, text=path.read_text())


def written_pages() -> list[Page]:
    """Read all pages that somebody has written."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [
        Page(path=path, text=path.read_text())
        for path in paths
        if path.name not in GENERATED and path.parent.name != "inventory"
    ]

"""An answer as the page shows it, and what of that is more than text."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from rag.records import Answer, CatalogPaper
from ui import render

_TAGS = frozenset("section h3 h4 p article mark sup a strong em ul ol li div br hr".split())  # noqa: SIM905
_ATTRIBUTES = frozenset(["class", "id", "href", "target", "rel"])


def page_of(answer: Answer, papers: Sequence[CatalogPaper]) -> str:
    """The HTML of an answer's Markdown, of its side panel, and of the question above it."""
    # As a browser gets it where nothing is cleaned on the way: raw HTML passes, bare addresses become links.
    markdown = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    parts = [
        markdown.render(render.escape_markdown(answer.question)),
        markdown.render(render.finished_markdown(answer, "t")),
        markdown.render(render.answer_markdown(answer.claims, "t", draft=answer.raw, status="writing")),
        render.panel_html(answer, papers, "t"),
    ]
    return "\n".join(parts)


def active_parts(page: str) -> list[str]:
    """Tags, attributes and addresses of `page` that may do or load something; none is as it should be."""
    finder = _Finder()
    finder.feed(page)
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name not in _ATTRIBUTES:
                self.found.append(f"{name}={value}")
            if name == "href" and not re.match(r"(?:https?://|#source-t-\d+$)", value or ""):
                self.found.append(f"href={value}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"<!{decl}")

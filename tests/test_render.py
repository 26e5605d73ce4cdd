"""Other people's text on the page stays text."""

from dataclasses import replace

import pytest

from rag.drafting import claim_text
from rag.records import Answer, CatalogPaper, Citation, Claim, Hit, Paper, Verdict
from ui import render

EVIL = 'Lakes <img src=x onerror="alert(1)"> & [link](javascript:alert(1)) *now*'
PAPER = CatalogPaper(1, "k1", Paper(EVIL, f"Before it. {EVIL}. After it.", authors=("<b>A</b>",), year=2020, venue="V"))
START = len("Before it. ")
QUOTE = f"{EVIL}."
CITATION = Citation(1, 1, "k1", EVIL, "https://x.org/p", 1, START, START + len(QUOTE), QUOTE)


def answer(*claims: Claim, refused: bool = False, dropped: int = 0) -> Answer:
    hits = (Hit(1, "k1", EVIL, "https://x.org/p", 1.0, {}, (), "<b>A</b>, 2020"),)
    citations = tuple(c for claim in claims for c in claim.citations)
    return Answer(
        "q <b>",
        "The papers do not say.",
        claims,
        citations,
        hits,
        refused,
        0.5,
        0.28,
        dropped,
        False,
        "q <b>",
        "q <b>",
        1,
        1,
        {},
    )


WRITTEN = Claim(EVIL, (CITATION,), Verdict.SUPPORTED, 1.0, EVIL)
QUOTED = Claim(QUOTE, (CITATION,), Verdict.QUOTED, 1.0, "")


def test_the_panel_marks_exactly_the_cited_sentence() -> None:
    html = render.panel_html(answer(WRITTEN), [PAPER], "t")
    assert "<img" not in html
    assert "<b>" not in html
    assert html.count("<mark") == 1
    marked = html.split('<mark id="source-t-1">')[1].split("</mark>")[0]
    assert marked == "Lakes &lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; [link](javascript:alert(1)) *now*."
    assert html.count("<article") == 1


def test_two_sentences_of_one_paper_share_a_card_in_their_order() -> None:
    first = replace(CITATION, number=2, sentence=0, start=0, end=10, quote="Before it.")
    html = render.panel_html(answer(WRITTEN, replace(QUOTED, citations=(first,))), [PAPER], "t")
    assert html.count("<article") == 1
    assert html.index('id="source-t-2">Before it.</mark>') < html.index('id="source-t-1"')
    assert "[2]</sup>" in html


@pytest.mark.parametrize(
    "link", ["https://a.b/)![x](http://evil.example/p.png", 'https://a.b/"onclick="x', "https://a.b/<i>"]
)
def test_a_link_cannot_end_early(link: str) -> None:
    refused = answer(refused=True)
    refused = replace(refused, hits=(replace(refused.hits[0], title="Lakes", link=link),))
    line = render.finished_markdown(refused, "t").splitlines()[-1]
    assert line.count("](") == 1
    assert line.count(")") == 1
    assert not set(line.split("](")[1]) & set('<>"![')
    html = render.panel_html(refused, [], "t")
    assert html.count('"') == html.count("=") * 2 or 'onclick="' not in html
    assert "<i>" not in html


def test_markdown_of_an_answer_shows_text_and_links_to_the_panel() -> None:
    text = render.finished_markdown(answer(WRITTEN, QUOTED, dropped=1), "t")
    assert "<img" not in text.replace("\\<", "")
    assert "[\\[1\\]](#source-t-1)" in text
    assert "](javascript" not in text.replace("\\]\\(", "")
    assert "\u201cLakes" in text
    assert "1 sentence written and checked against the cited text; 1 quoted word for word; 1 not supported" in text


def test_the_title_of_its_paper_stands_over_quotations_but_not_over_written_sentences() -> None:
    def paper(number: int, title: str) -> Claim:
        cited = replace(QUOTED.citations[0], number=number, paper_id=number, title=title)
        return replace(QUOTED, citations=(cited,))

    lines = render.answer_markdown([paper(1, "Lakes"), paper(1, "Lakes"), paper(2, EVIL)], "t").split("\n\n")
    assert lines[0] == "**Lakes**"
    assert lines[3] == f"**{render.escape_markdown(EVIL)}**"
    assert len(lines) == 5
    assert "**" not in render.answer_markdown([paper(1, "Lakes"), WRITTEN], "t")


def test_a_refusal_names_the_nearest_papers() -> None:
    text = render.finished_markdown(answer(refused=True), "t")
    assert text.startswith("**The papers do not say.**")
    assert "https://x.org/p" in text
    plain = render.sources_plain(answer(refused=True))
    assert f"The nearest papers:\n  - {EVIL} (<b>A</b>, 2020)  https://x.org/p" in plain


def test_the_terminal_lists_number_title_byline_link_and_quote() -> None:
    lines = render.sources_plain(answer(WRITTEN)).splitlines()
    assert lines[0] == f"[1] {EVIL} (<b>A</b>, 2020)  https://x.org/p"
    assert lines[1] == f"    \u201c{QUOTE}\u201d"
    assert claim_text(QUOTED) == f"\u201c{QUOTE}\u201d [1]"


def test_the_terminal_does_not_say_again_what_the_answer_quotes() -> None:
    other = replace(QUOTED.citations[0], number=2)
    plain = render.sources_plain(answer(QUOTED, replace(QUOTED, citations=(other,))))
    assert QUOTE not in plain
    assert plain.splitlines()[0].startswith(f"[1][2] {EVIL}")


def test_a_draft_shows_no_half_citation() -> None:
    text = render.answer_markdown([], "t", draft="Ice left early. [1", status="writing")
    assert "[" not in text
    assert "Ice left early" in text

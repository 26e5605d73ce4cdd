"""Counting and listing questions: what is understood, what is left to the search, and who meets it."""

import time
from typing import Any

import pytest

from rag.build import Engine
from rag.export import answer_to_dict
from rag.listing import is_silent, matching, parse_listing
from rag.records import CatalogPaper, Paper
from rag.venues import count_in_venue
from ui import render

PAPERS = [
    CatalogPaper(1, "k1", Paper("Warm Lakes: a survey", "Code at lakes.example.org.", ("Ada Byron",), 2019)),
    CatalogPaper(2, "k2", Paper("Why do ponds freeze?", "Principal component analysis.", ("B. Ruiz", "C. Li"), 2021)),
    CatalogPaper(3, "k3", Paper("PCA of a lake", "Nothing else.", (), None)),
    CatalogPaper(4, "k4", Paper("Blakely on ice", "Lakes thaw.", ("Mary Lindqvist",), 2021)),
]


def ids(question: str) -> list[int] | None:
    listing = parse_listing(question)
    return None if listing is None else [entry.id for entry in matching(listing, PAPERS)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many titles contain 'lake'?", [3]),  # quoted: the word as it stands
        ("How many titles contain 'lake' or 'lakes'?", [1, 3]),
        ("How many titles mention lakes?", [1, 3]),  # not quoted: by stem, and not inside "Blakely"
        ("Show me papers whose title includes ponds or lakes.", [1, 2, 3]),
        ("Which papers have \u201cice\u201d in their title?", [4]),
        ("list all papers with the word 'freeze' in the title", [2]),
        ("Which titles start with 'Why'?", [2]),
        ("Which titles end with a question mark?", [2]),
        ("How many titles have a colon?", [1]),
        ("Which titles refer to principal components (PCA)?", [3]),
        ("Which abstracts mention a lakes.example.org link?", [1]),
        ("How many abstracts contain 'principal component analysis'?", [2]),
        ("How many papers are from 2021?", [2, 4]),
        ("Which papers were published between 2018 and 2020?", [1]),
        ("How many papers came out since 2020?", [2, 4]),
        ("How many papers appeared before 2021?", [1]),
        ("Which papers are by Lindqvist?", [4]),
        ("List papers written by C. Li", [2]),
        ("List papers by Mary Lindqvist", [4]),
        ("Which papers are by Lindqvist or Ruiz et al.?", [2, 4]),
        ("Which papers did Lindqvist write?", [4]),
        ("How many papers has Mary Lindqvist published?", [4]),
        ("What have Ruiz or Byron written?", [1, 2]),
        ("papers by Ruiz", [2]),
        ("Who is Mary Lindqvist?", [4]),
        ("Is there anything by C. Li?", [2]),
        ("Do you have any articles written by Byron?", [1]),
        ("papers since 2020", [2, 4]),
        ("all articles from 2019", [1]),
        ("How many titles contain 'zebra'?", []),
        ("How many papers are there?", [1, 2, 3, 4]),
        ("How many papers are in my library?", [1, 2, 3, 4]),
        ("how many articles do you have", [1, 2, 3, 4]),
        ("List all papers.", [1, 2, 3, 4]),
        ("Show me all the titles in this collection", [1, 2, 3, 4]),
    ],
)
def test_what_is_understood(question: str, expected: list[int]) -> None:
    assert ids(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "How many lakes freeze in winter?",
        "Which papers deal with the freezing of lakes and what do they find?",
        "Which works explain why ponds freeze before lakes do?",
        "What papers contain evidence that ice shrinks lakes over several decades of warming?",
        "Which studies were run in 2019 hospitals?",
        "List the reasons for freezing.",
        "How many papers report a gain, and in which titles do they mention 'lake', if at all?",
        "What works by inhibiting kinase activity?",
        "What works in 2020?",
        "Which studies are by design observational?",
        "Which papers are by far the most cited?",
        "List papers by Lindqvist about ponds",
        "Show papers by Lindqvist and tell me what they found",
        "Which papers are by a single author?",
        "Which papers are by women?",
        "What did Lindqvist find?",
        "What has been written on ponds?",
        "What has Lindqvist written about ponds?",
        "Is there anything by then?",
        "Papers by the lake",
        "Which papers did I write?",
        "What have I published?",
        "Who is the best author?",
        "How many titles have no colon?",
        "Which titles mention both lakes and ponds?",
        "Which titles mention lakes but not ponds?",
        "How many titles have more than ten words?",
        "How many titles contain a number?",
        "Which abstracts have results on GLUE?",
        "Which titles with lake are from 2020?",
        "How many papers?",
        "papers since the war",
        "papers from 2019 hospitals",
        "How many papers are there on lakes?",
        "List all papers about ponds",
        "",
    ],
)
def test_what_is_left_to_the_search(question: str) -> None:
    assert parse_listing(question) is None


def test_a_pasted_text_is_looked_at_quickly() -> None:
    """Backtracking over blanks would take a minute, and hold everybody up."""
    began = time.perf_counter()
    for filling in (" ", "a "):
        parse_listing("how many titles contain " + filling * 5000 + "x")
    assert time.perf_counter() - began < 5


JOURNALS = [
    CatalogPaper(1, "k1", Paper("A", "A.", year=1998, venue="Nature")),
    CatalogPaper(2, "k2", Paper("B", "B.", year=2021, venue="Nature")),
    CatalogPaper(3, "k3", Paper("C", "C.", year=None, venue="Nature")),
    CatalogPaper(4, "k4", Paper("D", "D.", year=1998, venue="Nature Genetics")),
    CatalogPaper(5, "k5", Paper("E", "E.", year=2020, venue="Advances in Neural Things (NeurIPS 2020)")),
    CatalogPaper(6, "k6", Paper("F", "F.", year=2019, venue="Political Science")),
    CatalogPaper(7, "k7", Paper("G", "G.", year=2019)),
]


@pytest.mark.parametrize(
    ("question", "told", "expected"),
    [
        ("list all papers published in Nature", "3 papers in Nature.", [1, 2, 3]),
        ("Which papers appeared in nature?", "3 papers in Nature.", [1, 2, 3]),
        ("Which papers appeared in Science?", "1 paper in Political Science.", [6]),
        ("papers published in the journal Nature Genetics", "1 paper in Nature Genetics.", [4]),
        ("Show me the papers from Nature", "3 papers in Nature.", [1, 2, 3]),
        ("How many Nature papers are there?", "3 papers in Nature.", [1, 2, 3]),
        (
            "Which Nature papers are from 1998?",
            "1 paper in Nature, from 1998. 1 paper there without year could not be looked at.",
            [1],
        ),
        (
            "How many papers were published in NeurIPS since 2018?",
            "1 paper in Advances in Neural Things (NeurIPS 2020), from 2018 to now.",
            [5],
        ),
        ("Which papers appeared in Nature Genetics before 1990?", "No papers in Nature Genetics, up to 1989.", []),
        ("Which papers were published in NeurIPS or Political Science?", None, [5, 6]),
    ],
)
def test_papers_of_a_journal(question: str, told: str | None, expected: list[int]) -> None:
    counted = count_in_venue(question, lambda: JOURNALS)
    assert counted
    assert [entry.id for entry in counted[1]] == expected
    assert told is None or counted[0] == told


@pytest.mark.parametrize(
    "question",
    [
        "Which papers appeared in mice?",
        "Which papers in Nature discuss lakes?",
        "Which papers were published in Nature and what do they find?",
        "Which Nature papers discuss lakes?",
        "Which papers appeared in Nature or Cell?",
        "papers in nature",
        "nature papers",
        "Which Science papers are from 2019?",
        "Which papers were published in ?",
        "How do papers appear in Nature?",
        "papers in " + "nature and " * 5000,
    ],
)
def test_what_names_no_journal_is_left_to_the_search(question: str) -> None:
    assert count_in_venue(question, lambda: JOURNALS) is None


def test_the_papers_of_a_journal_are_listed(engine: Engine) -> None:
    answer = engine.answerer.ask("Which Nature papers are from 1985?")
    assert answer.text == "2 papers in Nature, from 1985."
    assert {(entry.paper.venue, entry.paper.year) for entry in answer.listed or ()} == {("Nature", 1985)}


def test_papers_without_the_field_are_told() -> None:
    listing = parse_listing("How many papers are from 2021?")
    assert listing is not None
    silent = sum(is_silent(listing, entry) for entry in PAPERS)
    assert listing.told(2, silent) == "2 papers from 2021. 1 paper without year in the catalog could not be looked at."
    assert listing.told(0, 0) == "No papers from 2021."
    listing = parse_listing("How many papers are there?")
    assert listing is not None
    assert listing.told(4, sum(is_silent(listing, entry) for entry in PAPERS)) == "4 papers in the collection."


def test_a_listing_names_every_paper_and_asks_no_model(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr(engine.llm, "stream", never)
    answer = engine.answerer.ask("How many titles contain a colon?")
    titles = [entry.paper.title for entry in engine.catalog.search_titles() if ":" in entry.paper.title]
    assert [entry.paper.title for entry in answer.listed or ()] == titles
    assert answer.text == f"{len(titles)} papers with \u201c:\u201d in the title."
    assert not answer.refused
    data = answer_to_dict(answer)
    assert [item["title"] for item in data["listed"]] == titles
    shown, plain = render.finished_markdown(answer, "t"), render.sources_plain(answer)
    for title in titles:
        assert render.escape_markdown(title) in shown
        assert title in plain
    hidden = (answer.listed or ())[0].id
    assert (
        len(engine.answerer.ask("How many titles contain a colon?", without={hidden}).listed or ()) == len(titles) - 1
    )


def test_a_long_list_is_cut_on_the_page_and_says_so(engine: Engine) -> None:
    answer = engine.answerer.ask("How many titles contain a colon?")
    assert answer.listed
    many = render._list_markdown(answer.listed * 300)
    assert many.count("\n- ") == 200
    assert f"and {len(answer.listed) * 300 - 200} more" in many

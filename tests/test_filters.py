"""Filters: what is read out of a question and what is left of it, how they combine, what they say, who meets them."""

import json
import time
from contextlib import suppress

import pytest

from rag.errors import UsageError
from rag.filters import combine, condition, describe, filter_of, lacking_words, parse_filter
from rag.listing import asks_for_all
from rag.matching import column_tests, id_keys, is_author, is_source
from rag.records import Filter


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("year:2020", (2020, 2020)),
        ("year:2020-2024", (2020, 2024)),
        ("year:2020\u20132024", (2020, 2024)),
        ("year:2020-2020", (2020, 2020)),
        ("year:2020-", (2020, None)),
        ("year:-2019", (None, 2019)),
        ("year:>=2020", (2020, None)),
        ("year:\u22652020", (2020, None)),
        ("year:>2019", (2020, None)),
        ("year:<2020", (None, 2019)),
        ("year:<=2020", (None, 2020)),
        ('YEARS:"2020"', (2020, 2020)),
        ("year:>=2018 year:<=2020", (2018, 2020)),
        ("year:<2020, year:>2018", (2019, 2019)),
        ("year:2020- 2021", (2020, 2021)),
        ("year:2020 to 2021", (2020, 2021)),
        ('year:"2020 - 2021"', (2020, 2021)),
        ("year:>= 2020", (2020, None)),
        ("year:0000", (0, 0)),
        ("year:<0001", (None, 0)),
        ("year:>=0000 year:<=0000", (0, 0)),
    ],
)
def test_years(text: str, years: tuple[int | None, int | None]) -> None:
    assert parse_filter(text) == ("", Filter(years=(years,)))


@pytest.mark.parametrize(
    ("text", "question", "chosen"),
    [
        ("author:Kingma how?", "how?", Filter(authors=("Kingma",))),
        ('how fast is it author:"Diederik Kingma"?', "how fast is it?", Filter(authors=("Diederik Kingma",))),
        ("author:\u201cDiederik  Kingma\u201d x", "x", Filter(authors=("Diederik Kingma",))),
        ("author:'Diederik Kingma' x", "x", Filter(authors=("Diederik Kingma",))),
        ('author:"Kingma, D." x', "x", Filter(authors=("Kingma, D.",))),
        ("author:O'Brien x", "x", Filter(authors=("O'Brien",))),
        ("author:Kingma,Welling x", "x", Filter(authors=("Kingma", "Welling"))),
        ('author:"D Kingma","M Welling" x', "x", Filter(authors=("D Kingma", "M Welling"))),
        ("author:Kingma or author:Welling x", "x", Filter(authors=("Kingma", "Welling"))),
        ("authors:Kingma x author:Kingma", "x", Filter(authors=("Kingma",))),
        (
            "author:Kingma and author:Welling x",
            "x",
            Filter(authors=("Kingma",), also=(Filter(authors=("Welling",)),)),
        ),
        ("author:Kingma, year:2020: what?", "what?", Filter(((2020, 2020),), ("Kingma",))),
        ("year:2018,2020-2021 x", "x", Filter(((2018, 2018), (2020, 2021)))),
        ("what is it, venue:Nature", "what is it", Filter(venues=("Nature",))),
        ('journal:"J. Am. Chem. Soc." x', "x", Filter(venues=("J. Am. Chem. Soc.",))),
        ("category:cs.LG,stat x", "x", Filter(categories=("cs.LG", "stat"))),
        ("What of ice (source:lakes.jsonl) in May?", "What of ice in May?", Filter(sources=("lakes.jsonl",))),
        ("doi:10.1016/S0022-2836(05)80360-2, what?", "what?", Filter(ids=("10.1016/s0022-2836(05)80360-2",))),
        ("(doi:https://doi.org/10.1/x) x", "", None),
        ("arxiv:arXiv:1706.03762v5 x", "x", Filter(ids=("1706.03762",))),
        ("pmid:123 x", "x", Filter(ids=("pmid:123",))),
        ("id:title:abc,doi:10.1000/x x", "x", Filter(ids=("title:abc", "doi:10.1000/x"))),
        ("author:\u0416\u0438 \u0447\u0442\u043e?", "\u0447\u0442\u043e?", Filter(authors=("\u0416\u0438",))),
        ("source:\"100%_'\" x", "x", Filter(sources=("100%_'",))),
        ('source:"target" x', "x", Filter(sources=("target",))),
        ('category:"computer science" id:"ego" x', "x", Filter(categories=("computer science",), ids=("ego",))),
        ("journal:Nature x", "x", Filter(venues=("Nature",))),
        ("id:26017442,ego x", "x", Filter(ids=("26017442", "ego"))),
        ("author:Kingma;venue:ICLR x", "x", Filter(authors=("Kingma",), venues=("ICLR",))),
        ("author:Kingma,venue:ICLR x", "x", Filter(authors=("Kingma",), venues=("ICLR",))),
        ('author:"Kingma";year:2020 x', "x", Filter(((2020, 2020),), ("Kingma",))),
        ("doi:10.1000/a;b;year:2020 x", "x", Filter(((2020, 2020),), ids=("10.1000/a;b",))),
        ("year:2020 - 2021 what?", "what?", Filter(((2020, 2021),))),
        ("year:2018,2020 \u2013 2021 what?", "what?", Filter(((2018, 2018), (2020, 2021)))),
        ("year:2020 2021 is next", "2021 is next", Filter(((2020, 2020),))),
        ("author:van year:2020 x", "x", Filter(((2020, 2020),), ("van",))),
        ("author:Le What is it?", "What is it?", Filter(authors=("Le",))),
        ("author:Kingma E. coli growth", "E. coli growth", Filter(authors=("Kingma",))),
        ("author:Kingma, e.g. of a VAE", "e.g. of a VAE", Filter(authors=("Kingma",))),
        ("author:Kingma, A new way?", "A new way?", Filter(authors=("Kingma",))),
    ],
)  # fmt: skip
def test_what_is_read_and_what_is_left(text: str, question: str, chosen: Filter | None) -> None:
    if chosen is None:
        with pytest.raises(UsageError, match="Write it as doi:10"):
            parse_filter(text)
    else:
        assert parse_filter(text) == (question, chosen)


@pytest.mark.parametrize(
    "text",
    [
        "a ratio of 3:1",
        "time: 5 ms",
        "see https://example.org/year:2020",
        "id: what is it?",
        "author: who wrote it?",
        "author:",
        "author:, year:?",
        "std::id::type and id::type",
        "colour:red and title:lakes",
        'How many titles contain "year:2020"?',
        "source:target language pairs in translation",
        "What is the source:sink ratio?",
        "cat:dog ratio, cats:dogs",
        "journal:impact link",
        "id:ego split",
        "arxiv:pdf or doi:link",
        "category:theory, -source:target",
        '("by author:Kingma x")',
        "what does \u201cin author:Kingma\u201d mean",
        "\u017fource:x \u0130d:y",
        "coauthor:Kingma, xyear:2020",
        "  spaces   stay\n as they are ",
        "",
    ],
)
def test_what_is_part_of_the_question(text: str) -> None:
    assert parse_filter(text) == (text, Filter())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("year:abc", "year:2020-2024"),
        ("year:2024-2020", "year:2020-2024"),
        ("year:20", "year:>=2020"),
        ("year:-", "year:-2019"),
        ("year:>abc", "year:>2019"),
        ("year:2020,", None),
        ("year:2020,x", "year:2020-"),
        ('author:""', "nothing to look for"),
        ("author:%_'", "nothing to look for"),
        ("venue:--", "nothing to look for"),
        ('author:"Kingma how', "is not closed"),
        ('author:Kingma,"Well how', "is not closed"),
        ('author:King"ma', "is not closed"),
        ("doi:abc1", "doi:10.1038/nature14539"),
        ("arxiv:1706", "arxiv:1706.03762"),
        ('pmid:"abc"', "pmid:26017442"),
        ("year:2024 - 2020", "year:2020-2024"),
        ("author:van der Maaten t-SNE?", 'author:"van der Maaten"'),
        ("author:Van der Maaten?", 'author:"Van der Maaten"'),
        ("author:Laurens van der Maaten?", 'author:"Laurens van der Maaten"'),
        ("author:Kingma, D. what?", 'author:"Kingma, D."'),
        ("author:Kingma, D", 'author:"Kingma, D"'),
        ("author:Kingma,D. P. what", 'author:"Kingma, D"'),
        ("author:Kingma D.P. what", 'author:"Kingma D.P."'),
        ("author:D. Kingma what", 'author:"D. Kingma"'),
        ("-author:Kingma x", "cannot leave papers out"),
        ("not year:2020 x", "cannot leave papers out"),
        ("author:Kingma or year:2020", "cannot be alternatives"),
    ],
)
def test_what_cannot_be_read_says_how_to_write_it(text: str, message: str | None) -> None:
    if message is None:
        assert parse_filter(text)[1]
    else:
        with pytest.raises(UsageError, match=message.replace("?", r"\?")):
            parse_filter(text)


@pytest.mark.parametrize(
    "text",
    [
        '"' * 50_001,
        ' "' * 30_000,
        "author:" * 20_000,
        "author:'" * 20_000,
        "author:a;" * 5_000,
        "author:van der " * 5_000 + "how",
        "author:van" + " van" * 30_000,
        "year:2020" + " " * 50_000,
        "year:2020 " * 5_000,
        "(" * 30_000 + "year:2020" + ")" * 30_000,
        "id:" + ",".join(f"1706.{i:05}" for i in range(5_000)),
    ],
    ids=lambda text: text[:9],
)
def test_pasted_text_is_read_quickly(text: str) -> None:
    began = time.perf_counter()
    with suppress(UsageError):
        parse_filter(text)
    assert time.perf_counter() - began < 3


def test_options_are_read_as_typed_ones_are() -> None:
    assert filter_of({"source": ["target"], "category": ["theory"], "id": ["ego"]}) == Filter(
        sources=("target",), categories=("theory",), ids=("ego",)
    )
    given = {"year": ["2018,2020-"], "author": ["Kingma, D.", "Welling"], "venue": [], "id": ["1706.03762,x"]}
    assert filter_of(given) == Filter(((2018, 2018), (2020, None)), ("Kingma, D.", "Welling"), ids=("1706.03762", "x"))
    assert not filter_of({"year": [], "author": []})
    with pytest.raises(UsageError, match="year:2020-2024"):
        filter_of({"year": ["soon"]})


def test_two_filters_hold_together() -> None:
    one, two = Filter(((2020, None),), ("Kingma",)), Filter(authors=("Welling",), venues=("ICLR",))
    both = combine(one, two)
    assert both == Filter(((2020, None),), ("Kingma",), ("ICLR",), also=(Filter(authors=("Welling",)),))
    assert combine(one, one) == one
    assert combine(one, Filter()) == combine(Filter(), one) == one
    assert describe(both) == "2020 or later, by Kingma, in ICLR, by Welling"
    assert condition(both) == "by Kingma and in ICLR and by Welling and of 2020 or later"


def test_in_words() -> None:
    assert describe(parse_filter("author:Kingma year:2020-2024")[1]) == "2020 to 2024, by Kingma"
    assert describe(Filter(((None, 2019), (2021, 2021)))) == "2019 or before or 2021"
    assert describe(Filter(ids=tuple("abcd"))) == "known as a, b, c or d"
    assert describe(Filter(ids=tuple(map(str, range(500))))) == "known as 0, 1, 2 or 497 more"
    assert len(describe(Filter(authors=("x" * 5000,)))) < 100
    assert describe(Filter(((None, 0), (0, 0), (1990, None)))) == "0 or before, 0 or 1990 or later"
    assert lacking_words(Filter(((2020, 2020),), ("A",), ids=("x",)), 1) == (
        "1 paper without year or authors in the catalog could not be looked at."
    )
    assert lacking_words(Filter(ids=("x",)), 0) == ""


@pytest.mark.parametrize(
    ("value", "name", "meets"),
    [
        ("Kingma", "Diederik P. Kingma", True),
        ("kingma diederik", "Diederik P. Kingma", True),
        ("Kingma D", "Diederik P. Kingma", True),
        ("Kingma DP", "Diederik P. Kingma", True),
        ("D.P.Kingma", "Kingma DP", True),
        ("Diederik Kingma", "Kingma, D. P.", True),
        ("Kingma P D", "Diederik P. Kingma", True),
        ("Kingma X", "Diederik P. Kingma", False),
        ("King", "Diederik P. Kingma", False),
        ("Kingma Kingma", "Diederik Kingma", False),
        ("Ann Lee", "A. L. Gray", False),
        ("Frechet", "Maurice Fr\u00e9chet", True),
        ("Fr\u00e9chet", "M. Fre\u0301chet", True),
        ("Bjorn Angstrom", "Bj\u00f8rn \u00c5ngstr\u00f6m", True),
        ("OBrien", "S. C. O'Brien", True),
        ("O\u2019Brien", "S. C. O'Brien", True),
        ("Mingwei Chang", "Ming-Wei Chang", True),
        ("Ming Wei", "Ming-Wei Chang", True),
        ("LI", "Laura Ingalls", False),
        ("Li", "LI WEI", True),
        ("\u674e\u660e", "\u674e\u660e", True),
    ],
)
def test_authors(value: str, name: str, meets: bool) -> None:
    assert is_author(value, name) is meets
    # The test that the catalog runs over its papers leaves nobody out for the sake of speed.
    assert column_tests(Filter(authors=(value,)))["authors"](json.dumps(["Ada Byron", name])) is meets


@pytest.mark.parametrize(
    ("value", "venue", "meets"),
    [
        ("emnlp", "Empirical Methods in NLP (EMNLP 2020)", True),
        ("EMNLP 2020", "Empirical Methods in NLP (EMNLP-2020)", True),
        ("2020 EMNLP", "Empirical Methods in NLP (EMNLP 2020)", False),
        ("science", "Proceedings of the National Academy of Sciences", False),
        ("revista espanola", "Revista Espa\u00f1ola de F\u00edsica", True),
    ],
)
def test_venues(value: str, venue: str, meets: bool) -> None:
    assert column_tests(Filter(venues=(value,)))["venue"](venue) is meets


@pytest.mark.parametrize(
    ("value", "meets"), [("cs.LG", True), ("CS", True), ("cs.", True), ("c", False), ("cs.L", False), ("math", False)]
)
def test_categories(value: str, meets: bool) -> None:
    assert column_tests(Filter(categories=(value,)))["categories"]('["stat.ML", "cs.LG", "math-ph"]') is meets


def test_ids_and_sources() -> None:
    assert "doi:10.1000/x" in id_keys("https://doi.org/10.1000/X.")
    assert "arxiv:1706.03762" in id_keys("10.48550/arXiv.1706.03762")
    assert "arxiv:1706.03762" in id_keys("https://arxiv.org/abs/1706.03762v5")
    assert "pmid:123" in id_keys("123")
    assert {"id:my id", "id:my%20id"} & {*id_keys("my id")}
    assert "title:abc" in id_keys("title:abc")
    assert is_source("LAKES.json", "/data/Lakes.jsonl")
    assert is_source("Cafe", "/data/Cafe\u0301.jsonl")
    assert not is_source("%", "/data/lakes.jsonl")


@pytest.mark.parametrize(
    ("question", "all_of_them"),
    [
        ("", True),
        ("?", True),
        ("papers", True),
        ("How many papers are there by?", True),
        ("List all papers published in", True),
        ("which articles?", True),
        ("how many", True),
        ("what is it?", False),
        ("papers on ice", False),
        ("which lakes", False),
        ("how many papers mention ice", False),
    ],
)
def test_what_is_left_may_ask_for_all_that_the_filter_lets_through(question: str, all_of_them: bool) -> None:
    assert asks_for_all(question) is all_of_them

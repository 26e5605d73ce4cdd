import json
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.identity import normalise_title
from rag.readers import find_files, jsonl, pagetext, read_papers
from rag.records import Paper, Skipped

ABSTRACT_A = (
    "Lakes in the far north thaw earlier every decade. We followed forty of them with drifting buoys over nine years. "
    "Ice left them eleven days sooner at the end than at the start, and small lakes changed most of all the lakes seen."
)
ABSTRACT_B = (
    "Sorting networks are small circuits that put numbers in order. Finding the smallest of them is hard beyond a few "
    "wires. Our search over symmetric halves finds one for eighteen wires with two comparators fewer than was known."
)
SECOND_PARAGRAPH = (
    "A second paragraph tells about the code, which can be had on request, and limits: twenty wires remain out of "
    "reach for this search, and nothing shows that the network found is the smallest one that there can be at all."
)


def titles(items: list[Paper | Skipped]) -> list[str]:
    return [item.title for item in items if isinstance(item, Paper)]


def test_page_without_blank_lines_and_with_a_glued_button() -> None:
    text = (
        "Get trending papers in your email inbox once a day!\nGet trending papers in your email inbox!\n"
        f"SubscribeEarly thaw of northern lakes\n{ABSTRACT_A}\nA smaller sorting network\n{ABSTRACT_B}"
    )
    papers = list(pagetext.read(text.split("\n"), "page.txt"))
    assert titles(papers) == ["Early thaw of northern lakes", "A smaller sorting network"]
    assert [p.abstract for p in papers if isinstance(p, Paper)] == [ABSTRACT_A, ABSTRACT_B]


def test_page_with_blank_lines_dates_and_bylines() -> None:
    text = (
        "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nbyAK and the research community\n\nMar 13\n\n"
        f"Early thaw of northern lakes\n\n{ABSTRACT_A}\n\nMar 12\n\n12\n\n· 4 authors\n\nA smaller sorting network\n\n"
        f"{ABSTRACT_B}\n\n{SECOND_PARAGRAPH}\n"
    )
    papers = list(pagetext.read(text.split("\n"), "page.txt"))
    assert titles(papers) == ["Early thaw of northern lakes", "A smaller sorting network"]
    assert isinstance(papers[1], Paper)
    assert papers[1].abstract == f"{ABSTRACT_B}\n\n{SECOND_PARAGRAPH}"


@pytest.mark.parametrize(
    "title",
    ["Monte Carlo methods", "Learning from 100 likes", "Marching cubes 33", "By-passing community detection", "Search"],
)
def test_titles_that_look_like_furniture_are_kept(title: str) -> None:
    lines = ["Early thaw of northern lakes", ABSTRACT_A, f"{title} revisited", ABSTRACT_B]
    assert titles(list(pagetext.read(lines, "page.txt"))) == [lines[0], lines[2]]


def test_a_title_without_abstract_and_an_abstract_without_title_are_told() -> None:
    lines = [ABSTRACT_B, "Early thaw of northern lakes", "Another line that is no abstract", ABSTRACT_A]
    items = list(pagetext.read(lines, "page.txt"))
    assert titles(items) == ["Another line that is no abstract"]
    assert [(i.line, i.reason[:20]) for i in items if isinstance(i, Skipped)] == [
        (1, "an abstract without "),
        (2, "no abstract follows "),
    ]


def test_jsonl_reads_known_fields_and_names_bad_lines(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    good = {"title": " Lakes ", "abstract": "Ice\u2028leaves.", "authors": [{"name": "A. Bee"}], "year": "2020", "x": 1}
    also = {"title": "Wires", "summary": "Sorted.", "authors": "C. Dee; E. Eff", "pmid": 123, "doi": None}
    lines = [json.dumps(good, ensure_ascii=False), "", "{not json", json.dumps({"title": "no text"}), json.dumps(also)]
    file.write_text("\n".join(lines), encoding="utf-8")
    items = list(read_papers(file))
    papers = [i for i in items if isinstance(i, Paper)]
    assert [(p.title, p.abstract, p.authors, p.year, p.pmid) for p in papers] == [
        ("Lakes", "Ice\u2028leaves.", ("A. Bee",), 2020, ""),
        ("Wires", "Sorted.", ("C. Dee", "E. Eff"), None, "123"),
    ]
    assert [i.line for i in items if isinstance(i, Skipped)] == [3, 4]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"categories": "cs.LG cs.CL hep-ph"}, ("cs.LG", "cs.CL", "hep-ph")),
        ({"categories": "cs.LG, stat.ML;cs.LG"}, ("cs.LG", "stat.ML")),
        ({"categories": ["cs.LG", "Computer science", None, 3]}, ("cs.LG", "Computer science")),
        ({"categories": ["cs.LG math.MP"]}, ("cs.LG", "math.MP")),
        ({"categories": [{"term": "cs.LG"}, {"x": "y"}]}, ("cs.LG",)),
        ({"categories": "computer science"}, ("computer science",)),
        ({"categories": "e-health systems"}, ("e-health systems",)),
        ({"categories": "deep-learning vision"}, ("deep-learning vision",)),
        ({"categories": "hep-th math-ph gr-qc"}, ("hep-th", "math-ph", "gr-qc")),
        ({"categories": "physics.ao-ph cond-mat.soft q-bio"}, ("physics.ao-ph", "cond-mat.soft", "q-bio")),
        ({"category": "cs"}, ("cs",)),
        ({"primary_category": "cs.LG", "categories": "cs.CL cs.LG"}, ("cs.CL", "cs.LG")),
        ({"primary_category": "cs.LG"}, ("cs.LG",)),
        ({"categories": None}, ()),
        ({"categories": {"a": 1}}, ()),
        ({"keywords": "cs.LG"}, ()),
    ],
)
def test_categories_of_jsonl(fields: dict[str, object], expected: tuple[str, ...]) -> None:
    (paper,) = jsonl.read([json.dumps({"title": "Ice", "abstract": "Left.", **fields})], "x")
    assert isinstance(paper, Paper)
    assert paper.categories == expected


@pytest.mark.parametrize("year", ["\u00b2", "\u2460", "soon", "20205", None])
def test_what_is_no_year_leaves_the_paper_without_one(year: str | None) -> None:
    (paper,) = jsonl.read([json.dumps({"title": "Ice", "abstract": "Left.", "year": year})], "x")
    assert isinstance(paper, Paper)
    assert paper.year is None


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00x", "not UTF-8"), (b"just a line\n", "no papers found"), (b"", "no papers found")],
)
def test_a_file_that_is_no_papers_says_what_to_do(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "odd.txt"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_papers(file))


@pytest.mark.parametrize(
    "content",
    [
        '[\n  {\n    "title": "Thaw of lakes",\n    "abstract": "' + ABSTRACT_A + '"\n  }\n]',
        "@article{x,\n  title={Thaw of lakes},\n  abstract={" + ABSTRACT_A + "}\n}",
        "title,abstract\nThaw of lakes," + ABSTRACT_A,
        "TY  - JOUR\nTI  - Thaw of lakes\nAB  - " + ABSTRACT_A,
        "PMID- 123\nTI  - Thaw of lakes\nAB  - " + ABSTRACT_A,
        "<html><body>\nThaw of lakes\n" + ABSTRACT_A,
        '{\n  "title": "Thaw",\n  "abstract": "x"\n}',
        '{"title": "no abstract"}\n{"title": "again none"}\n',
    ],
)
def test_another_format_is_refused_not_read_as_something_else(tmp_path: Path, content: str) -> None:
    file = tmp_path / "papers.txt"
    file.write_text(content)
    with pytest.raises(InputError, match="no papers found"):
        list(read_papers(file))


def test_json_of_data_frames_and_of_windows(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    framed = '{"title": "No text", "abstract": NaN}'
    wrapped = '{"title": "Ice", "abstract": "We show that\\r\\nice left.", "year": 2021.0}'
    file.write_text(f"{framed}\n{wrapped}\n")
    skipped, paper = read_papers(file)
    assert isinstance(skipped, Skipped)
    assert isinstance(paper, Paper)
    assert (paper.abstract, paper.year) == ("We show that\nice left.", 2021)


def test_what_is_no_abstract_and_control_characters(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    book = {"title": "A book", "abstract": "All of it. " * 10_000}
    odd = {
        "title": "Lakes\x1b[2J\nof ice",
        "abstract": "Ice\x07 left.",
        "authors": [None, "A"],
        "doi": ["x"],
        "year": 10**30,
    }
    file.write_text("\n".join(map(json.dumps, (book, odd))))
    skipped, paper = read_papers(file)
    assert isinstance(skipped, Skipped)
    assert "109999 characters" in skipped.reason
    assert isinstance(paper, Paper)
    assert (paper.title, paper.abstract, paper.authors) == ("Lakes [2J of ice", "Ice  left.", ("A",))
    assert (paper.doi, paper.year) == ("", None)


def test_files_come_from_folders_and_patterns_each_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.jsonl", "b.txt", "sub/c.txt", "notes.pdf"):
        (tmp_path / name).write_text(f"A title\n{ABSTRACT_A}\n")
    found = find_files([tmp_path, str(tmp_path / "*.txt"), tmp_path / "a.jsonl"])
    assert [f.path.name for f in found] == ["a.jsonl", "b.txt", "c.txt"]
    with pytest.raises(InputError, match="no such file"):
        find_files([tmp_path / "missing.txt"])


def test_the_two_real_pages_hold_292_papers_without_furniture(shared_papers: list[Path]) -> None:
    read = [list(read_papers(file)) for file in shared_papers]
    assert sorted(len(items) for items in read) == [67, 232]
    papers = [item for items in read for item in items if isinstance(item, Paper)]
    assert len(papers) == 299
    assert len({normalise_title(p.title).replace(" ", "") for p in papers}) == 292
    for paper in papers:
        assert not paper.title.startswith("Subscribe")
        assert 8 <= len(paper.title) <= 200
        assert len(paper.abstract) > 250
        for furniture in ("trending papers in your", "research community\n", "Subscribe", "inbox"):
            assert furniture not in paper.title + paper.abstract

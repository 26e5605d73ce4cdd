import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.loaders import beir, pubmedqa, smart, trec
from eval.records import Kind, Suite
from rag.errors import InputError
from rag.records import Paper, Skipped

FIXTURES = Path(__file__).parent / "fixtures"
PLACES = {
    beir: FIXTURES / "beir",
    smart: FIXTURES / "smart",
    trec: FIXTURES / "trec",
    pubmedqa: FIXTURES / "pubmedqa" / "ori_mini.json",
}
LOADERS = {module.LAYOUT: module for module in (beir, smart, trec, pubmedqa)}
Copy = Callable[[str], Path]


def questions(suite: Suite) -> dict[str, tuple[str, dict[str, int]]]:
    return {question.id: (question.question, dict(question.gold)) for question in suite.questions}


def texts(suite: Suite) -> list[tuple[str, str, str] | tuple[int, str]]:
    assert suite.corpus
    return [
        (record.own_id or record.pmid, record.title, record.abstract)
        if isinstance(record, Paper)
        else (record.line, record.reason)
        for record in suite.corpus.read()
    ]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A copy of a fixture folder that a test may spoil."""
    return lambda layout: Path(shutil.copytree(FIXTURES / layout, tmp_path / layout))


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_layout_knows_its_own_collections_alone(tmp_path: Path) -> None:
    for module in PLACES:
        assert [place for place in PLACES.values() if module.looks_like(place)] == [PLACES[module]]
        assert not module.looks_like(tmp_path)
        assert not module.looks_like(tmp_path / "missing.json")
        assert not module.looks_like(Path(__file__))


def test_beir() -> None:
    suite = beir.load(PLACES[beir], {})
    assert (suite.name, suite.layout, suite.path) == ("beir", "beir", PLACES[beir])
    assert {question.kind for question in suite.questions} == {Kind.FIND}
    assert questions(suite) == {
        "q1": ("When does the ice leave small lakes?", {"id:ice-1": 1, "id:ice%202%25": 2}),
        "q2": ("How few comparators can sort?", {"id:wire-3": 1, "id:not-there": 1}),
    }
    assert suite.notes == (
        "2 of 4 queries are asked.",
        "The split is test, of dev, test; queries.jsonl may hold those of others too.",
        "Scores are grades as they stand. Below 1 is not relevant: 2 judgements.",
        "Queries left out: 1 without any judgement, 1 without a relevant document.",
    )
    assert texts(suite) == [
        ("ice-1", "Thaw of small lakes", "Small lakes thaw eleven days sooner than they did."),
        ("ice 2%", "", "Drifting buoys followed forty lakes."),
        ("wire-3", "", "A smaller sorting network"),
        (4, "document 'empty-4' has neither title nor text"),
        ("5", "", "Symmetric halves are searched."),
    ]


def test_beir_takes_another_split_if_told_or_if_it_is_the_only_one(copy: Copy) -> None:
    assert list(questions(beir.load(PLACES[beir], {"split": "dev"}))) == ["q4"]
    folder = copy("beir")
    (folder / "qrels" / "test.tsv").unlink()
    assert questions(beir.load(folder, {})) == {"q4": ("A query of the other split", {"id:5": 1})}


def test_smart() -> None:
    suite = smart.load(PLACES[smart], {})
    assert questions(suite) == {
        "1": ("when does the ice leave small lakes .", {"id:1": 4, "id:2": 1}),
        "2": ("how do wings bend .", {"id:2": 3, "id:99": 3}),
    }
    assert suite.notes == (
        "2 of 4 queries are asked.",
        "Judgements number the queries by their order in the query file. Queries whose order and own number differ: 3.",
        "Codes of relevance (grades=descending): 1 is the best, 4 the least; they become the grades 4 to 1.",
        "Judged not relevant: 2 with -1, 0 with 0, 1 with 5.",
        "Sources differ on the direction. Measures that only ask whether a paper is relevant do not depend on it.",
        "Where a document's text begins with its title, the title is taken off the text. Line breaks become spaces.",
        "Queries left out: 1 without any judgement, 1 without a relevant document.",
        "Documents judged again for the same query: 1. The highest grade counts.",
    )
    assert texts(suite) == [
        ("1", "thaw of small lakes in the north .", "small lakes thaw eleven days sooner than they did ."),
        ("2", "wings", "wings bend under load ."),
        (21, "document '3' has neither title nor text"),
        ("4", "", "a title alone ."),
    ]


@pytest.mark.parametrize(
    ("grades", "gold"),
    [
        ("ascending", [{"id:1": 1, "id:2": 4}, {"id:2": 3, "id:1": 5, "id:99": 2}]),
        ("binary", [{"id:1": 1, "id:2": 1}, {"id:2": 1, "id:99": 1}]),
    ],
)
def test_smart_codes_are_read_as_told(grades: str, gold: list[dict[str, int]]) -> None:
    suite = smart.load(PLACES[smart], {"grades": grades})
    assert [dict(question.gold) for question in suite.questions] == gold
    assert f"(grades={grades})" in suite.notes[2]
    assert ("with 5" in suite.notes[3]) == (grades == "binary")


def test_smart_numbers_queries_by_id_if_told(copy: Copy) -> None:
    folder = copy("smart")
    (folder / "minirel").write_text("4 1 1\n009 2 3\n")
    suite = smart.load(folder, {"numbering": "id"})
    assert questions(suite) == {"4": ("how do wings bend .", {"id:1": 4}), "9": ("what is a title .", {"id:2": 2})}
    assert "by their own numbers (.I). Queries whose order and own number differ: 3." in suite.notes[1]


@pytest.mark.parametrize(
    ("qrels", "relevant"),
    [
        ("1 2\n1 4\n", ["id:2", "id:4"]),
        ("1 0 2 1\n1 0 4 1\n1 0 1 0\n", ["id:2", "id:4"]),
        ("    1    02  0   0.000000\n    1     4  0   0.000000\n", ["id:2", "id:4"]),
        ("01 0002  0 0\n", ["id:2"]),
    ],
)
def test_smart_shapes_without_degrees(copy: Copy, qrels: str, relevant: list[str]) -> None:
    folder = copy("smart")
    (folder / "minirel").write_text(qrels)
    suite = smart.load(folder, {})
    assert dict(suite.questions[0].gold) == dict.fromkeys(relevant, 1)
    assert suite.notes[2].startswith("Documents are relevant or not, without degrees.")


def test_pubmedqa() -> None:
    suite = pubmedqa.load(PLACES[pubmedqa], {})
    assert suite.name == "ori_mini"
    assert [(q.id, q.kind, q.question, dict(q.gold), q.answer) for q in suite.questions[:2]] == [
        (
            "pubmedqa-101",
            Kind.FACT,
            "Do small lakes thaw sooner?",
            {"pmid:101": 1},
            "Small lakes thaw sooner.",
        ),
        ("pubmedqa-102", Kind.FACT, "Does load bend wings?", {"pmid:102": 1}, "Few wings bend."),
    ]
    assert texts(suite) == [
        ("101", "", "Forty lakes were followed\n\nIce left eleven days sooner."),
        ("102", "", "Nine wings were loaded. Two bent."),
        (0, "record '103' has no text in CONTEXTS"),
        ("104", "", "Foxes were kept for ten years."),
    ]
    assert suite.notes[0] == "4 questions are asked, each about one paper."
    assert "title is the question" in suite.notes[1]
    assert "gives the answer away" in suite.notes[2]


def test_trec() -> None:
    suite = trec.load(PLACES[trec], {})
    assert questions(suite) == {
        "301": ("Thaw of lakes", {"id:LK-1": 2, "id:LK-2": 1}),
        "302": ("How do wings bend?", {"id:WG-1": 1}),
    }
    assert suite.notes == (
        "2 of 4 queries are asked.",
        "The text of a question is the title of its topic (field=title).",
        "Topics that lack it: 1. There it is what they have of title and desc (XML: query and question).",
        "Judgements are grades as they stand. Below 1 is not relevant: 2 judgements.",
        "Queries left out: 1 without any judgement, 1 without a relevant document.",
    )
    assert texts(suite) == [
        ("LK-1", "Thaw of small lakes", "Small lakes thaw eleven days sooner."),
        ("LK-2", "", "Buoys followed forty lakes."),
        ("WG-1", "Wings", "Wings bend under load."),
        (4, "document 'WG-2' has neither title nor text"),
    ]


@pytest.mark.parametrize("form", ["classic", "xml"])
@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("desc", ["When does the ice leave small lakes?", "How do wings bend?", "Who tamed the fox?",
                  "Sorting networks"]),
        ("both", ["Thaw of lakes When does the ice leave small lakes?", "How do wings bend?",
                  "Tame foxes Who tamed the fox?", "Sorting networks"]),
    ],
)  # fmt: skip
def test_trec_fields_and_forms(copy: Copy, form: str, field: str, asked: list[str]) -> None:
    folder = copy("trec")
    if form == "xml":
        (folder / "topics.txt").unlink()
        (folder / "topics.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<topics task="T">\n'
            '<topic number="301"><query>Thaw of lakes</query>\n<question>When does the ice leave\n small lakes?'
            "</question><narrative>Lakes &lt; 1 km</narrative></topic>\n"
            '<topic number="302"><desc>How do wings bend?</desc></topic>'
            '<topic number=" 303"><title>Tame foxes</title><description>Who tamed the fox?</description></topic>'
            "<topic><num>304</num><title>Sorting networks</title></topic></topics>\n"
        )
    (folder / "qrels.txt").write_text("".join(f"{number} 0 LK-1 1\n" for number in (301, 302, 303, 304)))
    suite = trec.load(folder, {"field": field})
    assert [question.question for question in suite.questions] == asked
    assert suite.notes[2].startswith(f"Topics that lack it: {1 if field == 'desc' else 2}.")


def test_digests_follow_content_and_options_not_places(copy: Copy) -> None:
    here, there = smart.load(PLACES[smart], {}), copy("smart")
    moved = smart.load(there, {"grades": "descending"})
    binary = smart.load(there, {"grades": "binary"})
    assert here.corpus
    assert moved.corpus
    assert binary.corpus
    assert len(here.digest) == 16
    assert (here.digest, here.corpus.digest) == (moved.digest, moved.corpus.digest)
    assert here.digest != binary.digest
    assert here.corpus.digest == binary.corpus.digest
    spoil(there / "minirel", "1 1 1", "1 1 2")
    judged = smart.load(there, {})
    spoil(there / "mini.all", "eleven", "twelve")
    written = smart.load(there, {})
    assert judged.corpus
    assert written.corpus
    assert judged.corpus.digest == here.corpus.digest != written.corpus.digest
    assert len({here.digest, judged.digest, written.digest}) == 3


@pytest.mark.parametrize("layout", LOADERS)
def test_papers_are_read_anew_each_time(layout: str) -> None:
    module = LOADERS[layout]
    corpus = module.load(PLACES[module], {}).corpus
    assert corpus
    first = list(corpus.read())
    assert list(corpus.read()) == first
    assert sum(isinstance(record, Skipped) for record in first) == 1


# Layout, options, and what is spoilt: a file, a piece of it, and what takes its place (None: the file goes).
Spoilt = tuple[str, dict[str, str], str, str, str | None, str]
BAD: list[Spoilt] = [
    ("beir", {"splits": "dev"}, "", "", "", "option 'splits' is unknown here. Known: split."),
    ("beir", {"split": "train"}, "", "", "", "option split='train' is unknown. Known: test, dev."),
    ("beir", {}, "corpus.jsonl", "", None, "corpus.jsonl: cannot be read (No such file or directory)."),
    ("beir", {}, "queries.jsonl", "", None, "queries.jsonl: cannot be read"),
    ("beir", {}, "queries.jsonl", '{"_id": "q2"', '{"_id" "q2"', "queries.jsonl:2: not JSON"),
    ("beir", {}, "queries.jsonl", '{"_id": "q2"', '["q2"]\n{"_id": "q2"', "queries.jsonl:2: not a JSON object."),
    ("beir", {}, "queries.jsonl", '"_id": "q2", ', "", "queries.jsonl:2: field '_id' is missing."),
    ("beir", {}, "queries.jsonl", '"text": "When', '"text": ["When"], "x": "', "jsonl:1: field 'text' is no text."),
    ("beir", {}, "queries.jsonl", "Who tamed the fox?", " ", "queries.jsonl:3: field 'text' is empty."),
    ("beir", {}, "queries.jsonl", '"q2"', '"q1"', "queries.jsonl:2: query 'q1' is there a second time."),
    ("beir", {}, "qrels/test.tsv", "q2\t", "q9\t", "test.tsv:5: query 'q9' is judged, but it is not among"),
    ("beir", {}, "qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "", "test.tsv:1: the header is missing."),
    ("beir", {}, "qrels/test.tsv", "ice-1\t1", "ice-1", "test.tsv:2: not three columns."),
    ("beir", {}, "qrels/test.tsv", "ice-1\t1", "ice-1\t0.5", "test.tsv:2: score '0.5' is no whole number."),
    ("beir", {"split": "dev"}, "qrels/dev.tsv", "5\t1", "5\t0", "beir: no question is left"),
    ("smart", {"split": "test"}, "", "", "", "option 'split' is unknown here. Known: numbering, grades."),
    ("smart", {"grades": "up"}, "", "", "", "option grades='up' is unknown. Known: descending, ascending, binary."),
    ("smart", {}, "mini.qry", "", None, "exactly one file with queries (.qry) is needed; found: none. Add it."),
    ("smart", {}, "mini.qry", ".I 009", ".I 4", "mini.qry:11: query '4' is there a second time."),
    ("smart", {}, "mini.qry", "who tamed the fox .\n", "", "mini.qry:8: query 8 has no text."),
    ("smart", {}, "mini.qry", ".I 001", "?", "mini.qry:1: '?' stands outside of any field."),
    ("smart", {}, "mini.qry", ".I 001", ".I one", "mini.qry:1: number 'one' is no whole number."),
    ("smart", {}, "minirel", "3 1 -1", "5 1 -1", "minirel:7: query '5' is judged"),
    ("smart", {}, "minirel", "3 1 -1", "0 1 -1", "There are 4, numbered by order. Try the option numbering=id."),
    ("smart", {"numbering": "id"}, "", "", "", "minirel:4: query '2' is judged"),
    ("smart", {}, "minirel", "1 2 4", "1 2 6", "minirel:2: code 6 is not known"),
    ("smart", {}, "minirel", "1 2 4", "1 2 x", "minirel:2: code 'x' is no whole number."),
    ("smart", {}, "minirel", "1 2 4", "1 2", "minirel:2: '1 2' is not of the shape query document code."),
    ("smart", {}, "minirel", "1 1 1", "1 0 0 0", "minirel:1: '1 0 0 0' is not of the shape query document, query"),
    ("smart", {}, "minirel", "1 1 1", "1 429 1 10.6", "minirel:1: '1 429 1 10.6' is not of the shape"),
    ("trec", {"field": "narr"}, "", "", "", "option field='narr' is unknown. Known: title, desc, both."),
    ("trec", {}, "qrels.txt", "", None, "exactly one file with 'qrels' in its name is needed; found: none"),
    ("trec", {}, "topics.txt", "<num> Number: 302\n", "", "topics.txt:15: a topic without a number."),
    ("trec", {}, "topics.txt", "Number: 302", "Number: 301", "topics.txt:15: query '301' is there a second time."),
    ("trec", {}, "topics.txt", "How do wings bend?", "", "topics.txt:15: topic '302' has neither title nor desc."),
    ("trec", {}, "qrels.txt", "302 Q0", "309 Q0", "qrels.txt:4: query '309' is judged"),
    ("trec", {}, "qrels.txt", "302 Q0", "302", "qrels.txt:4: not four columns."),
    ("trec", {}, "qrels.txt", "WG-1 1", "WG-1 yes", "qrels.txt:4: relevance 'yes' is no whole number."),
    ("pubmedqa", {"split": "test"}, "", "", "", "option 'split' is unknown here. Known: none."),
    ("pubmedqa", {}, "ori_mini.json", "", None, "ori_mini.json: cannot be read"),
    ("pubmedqa", {}, "ori_mini.json", '"102": {', '"102": ', "ori_mini.json:22: not JSON"),
    ("pubmedqa", {}, "ori_mini.json", '"102"', '"101"', "ori_mini.json: '101' is there a second time."),
    ("pubmedqa", {}, "ori_mini.json", '"102"', '"a2"', "ori_mini.json: record 'a2': not a PubMed id."),
    ("pubmedqa", {}, "ori_mini.json", '"LONG_ANSWER"', '"X"', "ori_mini.json: 101.LONG_ANSWER: field required."),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "options", "file", "old", "new", "message"), BAD)
def test_bad_input_is_named(
    copy: Copy, layout: str, options: dict[str, str], file: str, old: str, new: str | None, message: str
) -> None:
    folder = copy(layout)
    if new is None:
        (folder / file).unlink()
    elif file:
        spoil(folder / file, old, new)
    place = folder / "ori_mini.json" if layout == "pubmedqa" else folder
    with pytest.raises(InputError) as raised:
        LOADERS[layout].load(place, options)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("layout", "file", "old", "new", "message"),
    [
        ("beir", "corpus.jsonl", '"_id": "wire-3"', '"_id": "ice-1"', "corpus.jsonl:3: document 'ice-1' is there a"),
        ("beir", "corpus.jsonl", '"_id": "wire-3"', '"id": "wire-3"', "corpus.jsonl:3: field '_id' is missing."),
        ("beir", "corpus.jsonl", '"text": ""', '"body": ""', "corpus.jsonl:3: field 'text' is missing."),
        ("beir", "corpus.jsonl", '{"_id": "wire-3"', '{"_id" "wire-3"', "corpus.jsonl:3: not JSON"),
        ("trec", "corpus.jsonl", '"docno"', '"number"', "corpus.jsonl:3: field '_id' or 'id' or 'docno' is missing."),
        ("smart", "mini.all", ".I 2", ".I 1", "mini.all:14: document '1' is there a second time."),
        ("smart", "mini.all", ".I 1\n.T\n", "", "mini.all:1: 'thaw of small lakes' stands outside of any field."),
    ],
)  # fmt: skip
def test_bad_documents_are_named_when_the_papers_are_read(
    copy: Copy, layout: str, file: str, old: str, new: str, message: str
) -> None:
    folder = copy(layout)
    spoil(folder / file, old, new)
    suite = LOADERS[layout].load(folder, {})
    assert suite.corpus
    with pytest.raises(InputError) as raised:
        list(suite.corpus.read())
    assert message in str(raised.value)


def test_files_that_are_not_text_several_or_none(copy: Copy) -> None:
    folder = copy("beir")
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"queries\.jsonl: not UTF-8 text \(byte 26\)"):
        beir.load(folder, {})
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "train.tsv")
    with pytest.raises(InputError, match=r"no test\.tsv\. Choose with the option split: dev, train\."):
        beir.load(folder, {})
    shutil.rmtree(folder / "qrels")
    with pytest.raises(InputError, match=r"qrels: no \.tsv file with judgements"):
        beir.load(folder, {})
    folder = copy("smart")
    shutil.copy(folder / "minirel", folder / "mini.rel")
    with pytest.raises(InputError, match=r"judgements \(rel\) is needed; found: mini\.rel, minirel\."):
        smart.load(folder, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<topics>\n<topic number='1'><query>a & b</query></topic></topics>", "topics.txt:2: not well-formed XML"),
        ("<topics><topic><query>a</query></topic></topics>", "topics.txt: a topic without a number."),
        ("1: a query", "topics.txt: neither <top> nor <topic> is in it."),
    ],
)
def test_bad_topics_are_named(copy: Copy, text: str, message: str) -> None:
    folder = copy("trec")
    (folder / "topics.txt").write_text(text)
    with pytest.raises(InputError) as raised:
        trec.load(folder, {})
    assert message in str(raised.value)


@pytest.mark.parametrize("content", ["{}", "[]", json.dumps({"1": []})])
def test_pubmedqa_without_questions(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ori.json"
    file.write_text(content)
    with pytest.raises(InputError, match=r"ori\.json: "):
        pubmedqa.load(file, {})

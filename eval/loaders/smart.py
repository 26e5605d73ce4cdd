"""The layout of SMART's collections (Cranfield, Medline, CISI, CACM): a folder of documents, queries and judgements.

Documents (*.all) and queries (*.qry) are records of fields: `.I` and a number, then `.T` title, `.W` text and others,
which are not read. Judgements (*rel) have one of four shapes, the same in all lines: `query document`,
`query document code`, `query 0 document code` (as in TREC), `query document 0 0` (there all are relevant).

Cranfield's judgements number the queries by their order in the file (1 to 225), not by their `.I` (1 to 365); where
the two agree, `numbering` changes nothing. The codes are Cleverdon's, as CRANQREL.TXT on Virginia Disc One quotes him:
1 is a complete answer, 4 of minimum interest, 5 of none. Others describe 1 to 4 the other way round. The -1 that each
query of Cranfield has once is not explained there.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from eval.loaders import (
    choose,
    digest,
    files_like,
    find_suite,
    integer,
    judge,
    lines,
    only_file,
    papers,
    queries_of,
    wrong,
)
from eval.records import Corpus, Suite

LAYOUT = "smart"
_DOCUMENTS, _QUERIES, _QRELS = r".*\.all(\.\d+)?(\.txt)?", r".*\.qry|query\.text", r".*rel(\.txt)?|qrels\.text"
_COLUMNS = {2: "query document", 3: "query document code"}
_GRADES = {
    "descending": "1 is the best, 4 the least; they become the grades 4 to 1",
    "ascending": "more is better; a code is the grade as it stands",
    "binary": "1 to 4 are relevant, all alike",
}
# Where 1 is the only code above 0, it says that a document is relevant, not how much.
_NO_DEGREES = "none"


def looks_like(path: Path) -> bool:
    """Whether `path` is a folder with files named as documents, queries and judgements are."""
    return all(files_like(path, pattern) for pattern in (_DOCUMENTS, _QUERIES, _QRELS))


def load(path: Path, options: Mapping[str, str]) -> Suite:
    """The suite of a SMART collection.

    Option `numbering`: order (the default) or id, by which judgements name queries. Option `grades`: descending (the
    default), ascending or binary, what the codes 1 to 4 mean; -1 and 0 are never relevant, 5 only if ascending.
    Raises InputError for files that are missing or wrong, for unknown options, and if no question is left.
    """
    chosen = choose(options, {"numbering": ("order", "id"), "grades": tuple(_GRADES)})
    files = (only_file(path, _DOCUMENTS, "documents (such as cran.all.1400)"),
             only_file(path, _QUERIES, "queries (.qry)"), only_file(path, _QRELS, "judgements (rel)"))  # fmt: skip
    corpus_file, query_file, qrels_file = files
    by_id = queries_of(query_file, _queries(query_file))
    by_order = {str(place): text for place, text in enumerate(by_id.values(), start=1)}
    queries = by_order if chosen["numbering"] == "order" else by_id
    codes = list(_codes(qrels_file))
    grades = chosen["grades"] if any(code > 1 for *_, code in codes) else _NO_DEGREES
    rows = ((line, query, key, _grade(qrels_file, line, code, grades)) for line, query, key, code in codes)
    other = "id" if chosen["numbering"] == "order" else "order"
    hint = f"There are {len(queries)}, numbered by {chosen['numbering']}. Try the option numbering={other}."
    judged = judge(qrels_file, rows, queries, hint)
    notes = [
        _numbering_note(chosen["numbering"], list(by_id)),
        *_grades_notes(grades, Counter(code for *_, code in codes)),
        "Where a document's text begins with its title, the title is taken off the text. Line breaks become spaces.",
    ]
    name = path.resolve().name
    corpus = Corpus(name, digest([corpus_file]), lambda: papers(corpus_file, _documents(corpus_file)))
    return find_suite(path, LAYOUT, chosen, files, corpus, queries, judged, notes)


def _numbering_note(numbering: str, ids: list[str]) -> str:
    apart = sum(query != str(place) for place, query in enumerate(ids, start=1))
    meant = "their order in the query file" if numbering == "order" else "their own numbers (.I)"
    return f"Judgements number the queries by {meant}. Queries whose order and own number differ: {apart}."


def _grades_notes(grades: str, codes: Counter[int]) -> list[str]:
    if grades == _NO_DEGREES:
        return [f"Documents are relevant or not, without degrees. Not relevant: {codes[0] + codes[-1]} judgements."]
    never = (-1, 0) if grades == "ascending" else (-1, 0, 5)
    counts = ", ".join(f"{codes[code]} with {code}" for code in never)
    return [
        f"Codes of relevance (grades={grades}): {_GRADES[grades]}.",
        f"Judged not relevant: {counts}.",
        "Sources differ on the direction. Measures that only ask whether a paper is relevant do not depend on it.",
    ]


def _grade(path: Path, line: int, code: int, grades: str) -> int:
    if code < -1 or (code > 5 and grades != "ascending"):
        raise wrong(path, line, f"code {code} is not known (-1 to 5 are). Correct it, or see the option grades.")
    if code < 1 or (code == 5 and grades != "ascending"):
        return 0
    return {"descending": 5 - code, "ascending": code}.get(grades, 1)


def _codes(path: Path) -> Iterator[tuple[int, str, str, int]]:
    """Rows `(line, query, document, code)`; code 1 where the shape has none. Raises InputError for mixed shapes."""
    first = ""
    for line, text in lines(path):
        columns = text.split()
        shape = _shape(columns)
        first = first or shape
        if not shape or shape != first:
            known = "query document, query document code, query 0 document code, or query document 0 0"
            raise wrong(path, line, f"{text.strip()!r} is not of the shape {first or known}. Use one in all lines.")
        document = columns[2] if shape == "query 0 document code" else columns[1]
        code = integer(path, line, columns[-1], "code") if shape.endswith("code") else 1
        yield line, _number(path, line, columns[0]), _number(path, line, document), code


def _shape(columns: list[str]) -> str:
    if len(columns) != 4:
        return _COLUMNS.get(len(columns), "")
    # Four columns show by their zeros which of them is the document. With both or neither, nothing is certain.
    trec, plain = columns[1] == "0", columns[2] == "0" and re.fullmatch(r"0(\.0*)?", columns[3]) is not None
    return "" if trec == plain else "query 0 document code" if trec else "query document 0 0"


def _number(path: Path, line: int, text: str) -> str:
    # Leading zeros do not count: queries and judgements differ in them (".I 001" is judged as 1).
    return str(integer(path, line, text, "number"))


def _queries(path: Path) -> Iterator[tuple[int, str, str]]:
    for line, number, fields in _records(path):
        text = fields.get("W") or fields.get("T")
        if not text:
            raise wrong(path, line, f"query {number} has no text. Give it a field .W.")
        yield line, number, text


def _documents(path: Path) -> Iterator[tuple[int, str, str, str]]:
    for line, number, fields in _records(path):
        title, text = fields.get("T", ""), fields.get("W", "")
        core = title.rstrip(" .?!")
        # The title must end there as a sentence does: "Wings" is no title repeated in "Wings bend".
        if core and text.startswith(core) and (end := re.match(r"\s*(?:[.?!](?=\s|$)|$)", text[len(core) :])):
            text = text[len(core) + end.end() :].strip()
        yield line, number, title, text


def _records(path: Path) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Records as `(line of .I, number, fields)`, white space in fields made single. Raises InputError."""
    start, number, field = 0, "", ""
    parts: dict[str, list[str]] = {}
    for line, text in lines(path):
        if opening := re.fullmatch(r"\.I\s+(\S+)\s*", text):
            if number:
                yield start, number, {name: " ".join(words) for name, words in parts.items()}
            start, number, field, parts = line, _number(path, line, opening[1]), "", {}
        elif number and (marker := re.fullmatch(r"\.([A-Z])\s*", text)):
            field = marker[1]
        elif field:
            parts.setdefault(field, []).extend(text.split())
        else:
            raise wrong(path, line, f"{text.strip()[:40]!r} stands outside of any field. Begin with .I NUMBER and .W.")
    if number:
        yield start, number, {name: " ".join(words) for name, words in parts.items()}

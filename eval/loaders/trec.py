"""The layout of TREC: a folder with topics, qrels of four columns, and a corpus in JSON Lines.

Topics are read in the classic form (`<top>`, `<num> Number: 301`, `<title>`, `<desc>`) and as XML (`<topic number="1">`
with `<query>` or `<title>`, and `<question>`, `<desc>` or `<description>`). TREC's own document formats are not read.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from eval.loaders import (
    choose,
    files_like,
    find_suite,
    integer,
    jsonl_corpus,
    judge,
    lines,
    only_file,
    queries_of,
    unreadable,
    wrong,
)
from eval.records import Suite
from rag.errors import InputError

LAYOUT = "trec"
_TOPICS, _QRELS, _CORPUS = r"(?!.*qrels).*topics.*", r".*qrels.*", r".*\.jsonl"
_FIELDS = {"title": ("title", "query"), "desc": ("desc", "question", "description")}
# A field goes on to its closing tag, if it has one, or to the next field. The names are those of TREC-1 and later.
_NAME = r"<(num|dom|title|desc|smry|narr|con|fac|def)>"
_FIELD = re.compile(
    rf"{_NAME}\s*(?:(?:Number|Domain|Topic|Description|Summary|Narrative):)?(.*?)(?=</\1>|{_NAME}|\Z)",
    re.DOTALL | re.IGNORECASE,
)


def looks_like(path: Path) -> bool:
    """Whether `path` is a folder with files named topics and qrels, and a .jsonl file."""
    return all(files_like(path, pattern) for pattern in (_TOPICS, _QRELS, _CORPUS))


def load(path: Path, options: Mapping[str, str]) -> Suite:
    """The suite of a TREC collection. Option `field`: title (the default), desc or both, as the text of a question.

    Raises InputError for files that are missing or wrong, for unknown options, and if no question is left.
    """
    chosen = choose(options, {"field": ("title", "desc", "both")})
    topics_file, qrels_file = (
        only_file(path, _TOPICS, "'topics' in its name"),
        only_file(path, _QRELS, "'qrels' in its name"),
    )
    corpus_file = path / "corpus.jsonl"
    if not corpus_file.is_file():
        corpus_file = only_file(path, _CORPUS, "documents (.jsonl)")
    topics = list(_topics(topics_file))
    field = chosen["field"]
    queries = queries_of(
        topics_file, ((line, number, _text(topics_file, line, number, topic, field)) for line, number, topic in topics)
    )
    judged = judge(qrels_file, _judgements(qrels_file), queries, f"Add its topic to {topics_file.name}.")
    wanted = _FIELDS if field == "both" else (field,)
    lacking = sum(not all(topic[name] for name in wanted) for _, _, topic in topics)
    notes = [
        f"The text of a question is the {'title and desc' if field == 'both' else field} of its topic (field={field}).",
        f"Topics that lack it: {lacking}. There it is what they have of title and desc (XML: query and question).",
        f"Judgements are grades as they stand. Below 1 is not relevant: {judged.rejected} judgements.",
    ]
    corpus = jsonl_corpus(path.resolve().name, corpus_file, ("_id", "id", "docno"), ("text", "abstract"))
    files = (corpus_file, topics_file, qrels_file)
    return find_suite(path, LAYOUT, chosen, files, corpus, queries, judged, notes)


def _text(path: Path, line: int, number: str, topic: Mapping[str, str], field: str) -> str:
    title, desc = topic["title"], topic["desc"]
    text = f"{title} {desc}".strip() if field == "both" else topic[field] or title or desc
    if not text:
        raise wrong(path, line, f"topic {number!r} has neither title nor desc. Add one.")
    return text


def _topics(path: Path) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Topics as `(line, number, fields)` with the fields title and desc; XML tells no lines (0)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    if "<top>" in text:
        return _classic_topics(path, text)
    if re.search(r"<topic[\s>]", text):
        return _xml_topics(path, text)
    raise InputError(f"{path}: neither <top> nor <topic> is in it. Give TREC topics, classic or as XML.")


def _xml_topics(path: Path, text: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    try:
        root = ET.fromstring(text)  # noqa: S314 - expat bounds what entities expand to, and loads no others
    except ET.ParseError as error:
        raise wrong(path, error.position[0], f"not well-formed XML ({error.msg}). Correct it.") from None
    for topic in root.iter("topic"):
        fields = {child.tag: " ".join("".join(child.itertext()).split()) for child in topic}
        number = (topic.get("number") or fields.get("num") or fields.get("number") or "").strip()
        yield _checked(path, 0, number, fields)


def _classic_topics(path: Path, text: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    for block in re.finditer(r"<top>(.*?)(?=</top>|<top>|\Z)", text, re.DOTALL):
        line = text.count("\n", 0, block.start()) + 1
        fields = {match[1].lower(): " ".join(match[2].split()) for match in _FIELD.finditer(block[1])}
        yield _checked(path, line, fields.get("num", ""), fields)


def _checked(path: Path, line: int, number: str, fields: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    if not number:
        raise wrong(path, line, "a topic without a number. Add <num>, or the attribute number in XML.")
    found = {name: next((fields[tag] for tag in tags if fields.get(tag)), "") for name, tags in _FIELDS.items()}
    return line, number, found


def _judgements(path: Path) -> Iterator[tuple[int, str, str, int]]:
    for line, text in lines(path):
        columns = text.split()
        if len(columns) != 4:
            raise wrong(path, line, "not four columns. Write: topic iteration document relevance.")
        yield line, columns[0], columns[2], integer(path, line, columns[3], "relevance")

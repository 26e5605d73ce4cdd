"""The layout of BEIR: a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.

queries.jsonl holds the queries of all splits; option `split` says which are asked. A score is a grade as it stands.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from eval.loaders import choose, find_suite, integer, jsonl_corpus, judge, lines, objects, queries_of, text_of, wrong
from eval.records import Suite
from rag.errors import InputError

LAYOUT = "beir"
_HEADER = ["query-id", "corpus-id", "score"]


def looks_like(path: Path) -> bool:
    """Whether `path` is a folder with corpus.jsonl, queries.jsonl and a folder qrels."""
    return (path / "corpus.jsonl").is_file() and (path / "queries.jsonl").is_file() and (path / "qrels").is_dir()


def load(path: Path, options: Mapping[str, str]) -> Suite:
    """The suite of one split. Option `split`: a file in qrels, test if it is there, else the only one.

    Raises InputError for files that are missing or wrong, for unknown options, and if no question is left.
    """
    splits = sorted(file.stem for file in (path / "qrels").glob("*.tsv"))
    if not splits:
        raise InputError(f"{path / 'qrels'}: no .tsv file with judgements. Add one, such as test.tsv.")
    if "test" in splits:
        splits = ["test", *(split for split in splits if split != "test")]
    elif len(splits) > 1 and "split" not in options:
        raise InputError(f"{path / 'qrels'}: no test.tsv. Choose with the option split: {', '.join(splits)}.")
    chosen = choose(options, {"split": splits})
    corpus_file, query_file = path / "corpus.jsonl", path / "queries.jsonl"
    qrels_file = path / "qrels" / f"{chosen['split']}.tsv"
    queries = queries_of(query_file, _queries(query_file))
    judged = judge(qrels_file, _judgements(qrels_file), queries, f"Add it to {query_file.name} or leave it out.")
    notes = [
        f"The split is {chosen['split']}, of {', '.join(sorted(splits))}; queries.jsonl may hold those of others too.",
        f"Scores are grades as they stand. Below 1 is not relevant: {judged.rejected} judgements.",
    ]
    files = (corpus_file, query_file, qrels_file)
    corpus = jsonl_corpus(path.resolve().name, corpus_file)
    return find_suite(path, LAYOUT, chosen, files, corpus, queries, judged, notes)


def _queries(path: Path) -> Iterator[tuple[int, str, str]]:
    for line, record in objects(path):
        yield line, text_of(record, path, line, "_id"), text_of(record, path, line, "text")


def _judgements(path: Path) -> Iterator[tuple[int, str, str, int]]:
    headed = False
    for line, text in lines(path):
        columns = [column.strip() for column in text.split("\t")]
        if not headed:
            # Readers of this layout drop the first line unseen: without the header that would be a judgement.
            if columns != _HEADER:
                raise wrong(path, line, f"the header is missing. Begin with {' TAB '.join(_HEADER)}.")
            headed = True
        elif len(columns) != len(_HEADER) or not all(columns):
            raise wrong(path, line, f"not three columns. Write {' TAB '.join(_HEADER)}.")
        else:
            yield line, columns[0], columns[1], integer(path, line, columns[2], "score")

"""`python -m eval QUESTIONS.jsonl`: ask every question of a file and count what the answers got right."""

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from eval.answers import Score, score, share
from rag.build import Engine
from rag.config import load_config
from rag.errors import CitableError, InputError
from rag.export import answer_to_dict


def main(argv: Sequence[str] | None = None) -> int:
    """Run the evaluation; returns the exit code, 1 if a citation was invalid."""
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    parser.add_argument("questions", type=Path, help="JSONL with id, kind, question, gold, nuggets")
    parser.add_argument("--index", help="name or path of the index (default: papers)")
    parser.add_argument("--kind", action="append", help="only questions of this kind; may be repeated")
    parser.add_argument("--limit", type=int, help="only the first N questions")
    parser.add_argument("--out", type=Path, help="write each answer with its question to this JSONL file")
    args = parser.parse_args(argv)
    try:
        questions = [q for q in load_questions(args.questions) if not args.kind or q.get("kind") in args.kind]
        scores = ask_all(questions[: args.limit], args.index, args.out)
    except CitableError as error:
        print(f"eval: {error}", file=sys.stderr)
        return error.exit_code
    print(table(scores))
    return 1 if any(s.invalid for kind in scores.values() for s in kind) else 0


def load_questions(path: Path) -> list[dict[str, Any]]:
    """The questions of a JSONL file. Raises InputError naming file and line of what cannot be read."""
    questions = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
            question["question"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}:{number}: not a question ({error}). Each line is an object with 'question'."
            ) from None
        questions.append(question)
    if not questions:
        raise InputError(f"{path}: holds no questions.")
    return questions


def ask_all(questions: Sequence[dict[str, Any]], index: str | None, out: Path | None) -> dict[str, list[Score]]:
    """Scores by kind, unanswerable questions by their subkind."""
    scores: dict[str, list[Score]] = defaultdict(list)
    with Engine(load_config(overrides={"index": index})) as engine:
        abstracts = {entry.key: entry.paper.abstract for entry in engine.catalog.search_titles()}
        sink = out.open("w", encoding="utf-8") if out else None
        try:
            for question in tqdm(questions, unit="question"):
                answer = answer_to_dict(engine.answerer.ask(question["question"]))
                kind = "/".join(filter(None, (question.get("kind", "all"), question.get("subkind"))))
                scores[kind].append(score(question, answer, abstracts))
                if sink:
                    sink.write(json.dumps({"asked": question, **answer}, ensure_ascii=False) + "\n")
                    sink.flush()
        finally:
            if sink:
                sink.close()
    return scores


def table(scores: dict[str, list[Score]]) -> str:
    """A line a kind: shares with their denominators, seconds as median and 95th percentile."""
    lines = []
    for kind, rows in scores.items():
        parts = [f"{kind}: n={len(rows)}"]
        for name in ("answered", "gold_first", "gold_cited", "nuggets_in_answer", "nuggets_in_evidence"):
            value, count = share([getattr(row, name) for row in rows])
            if count:
                parts.append(f"{name} {value:.3f}")
        parts.append(f"citations {sum(r.citations for r in rows)}, invalid {sum(r.invalid for r in rows)}")
        seconds = sorted(r.seconds for r in rows)
        parts.append(f"seconds p50 {statistics.median(seconds):.1f} p95 {seconds[int(0.95 * (len(seconds) - 1))]:.1f}")
        if first := [r.first_token for r in rows if r.first_token is not None]:
            parts.append(f"first token p50 {statistics.median(first):.1f}")
        lines.append(", ".join(parts))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""`metrics.json` -> Markdown for terminals, logs and CI. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# The columns of the table by kind: what is worth a glance. `metrics.json` and the report have all.
_COLUMNS = (
    "Success@1", "R@10", "citation precision", "citation recall", "nuggets with quotes", "answered", "rightly refused",
    "lexical support",
)  # fmt: skip


def summary_markdown(manifest: Mapping[str, Any], metrics: Mapping[str, Any], looks: int | None = None) -> str:
    """A table by kind, the refusal score, the cost, and what a reader must know before believing them."""
    lines = [f"# {plain(manifest['name'])}: {metrics['questions']} questions", ""]
    lines += [f"- {line}" for line in provenance(manifest, metrics, looks)]
    names = [name for name in _COLUMNS if any(name in part["metrics"] for part in metrics["slices"].values())]
    rows = [
        [plain(name), str(part["n"]), *(cell(part["metrics"].get(column)) for column in names)]
        for name, part in metrics["slices"].items()
    ]
    lines += ["", *table(["", "n", *names], rows)]
    lines += ["", f"Citations: {_citations(metrics)}."]
    for key, what in (("refusal", "Refusal score"), ("refusal, generated", "Refusal score, generated questions")):
        if refusal := metrics.get(key):
            overall = [name for name in ("AUROC", "coverage at 90% refusal", "AURC") if name in refusal]
            parts = [f"{name} {cell(refusal[name])}" for name in overall]
            parts += [
                f"AUROC {plain(kind) or 'other'} {cell(value)}" for kind, value in refusal["AUROC by subkind"].items()
            ]
            lines += ["", f"{what}: {'; '.join(parts)}."]
    if metrics["cost"]:
        lines += ["", "Cost: " + "; ".join(f"{name} {_amount(value)}" for name, value in metrics["cost"].items()) + "."]
    return "\n".join(lines) + "\n"


def provenance(manifest: Mapping[str, Any], metrics: Mapping[str, Any], looks: int | None) -> Iterable[str]:
    """What a reader must know, a sentence each."""
    code = manifest["code"]
    llm, reranker = manifest["models"]["llm"], manifest["models"].get("reranker")
    read = f"papers read by {reranker['name']}, " if reranker else ""
    yield (
        f"{manifest['created']}, commit {(code['commit'] or 'unknown')[:10]}{' and changes' if code['dirty'] else ''}, "
        f"{llm['name'] if llm else 'retrieval alone'}, embedding {manifest['models']['embedding']['name']}, "
        f"{read}{manifest['index']['papers']} papers, {manifest['machine']['cpu']}"
    )
    yield "In brackets: 95% intervals, by bootstrap; exact binomial ones where all cases are alike."
    yield from map(plain, manifest["notes"])
    if any(name.startswith("generated") for name in metrics["slices"]):
        yield (
            "Generated questions are made from the papers' own sentences: their absolute values are optimistic; use "
            "them to compare configurations."
        )
    if looks is not None:
        yield f"Locked suite: its score has been looked at {looks} time{'s' * (looks != 1)}."
    for count, what in (
        (metrics["errors"], "questions ended in an error and count as 0"),
        (metrics["unparsed"], "answers broke the form that the grammar promises"),
        (metrics["gold_not_in_index"], "gold papers are not in the index and count as not found"),
    ):
        if count:
            yield f"{count} {what}."


def _citations(metrics: Mapping[str, Any]) -> str:
    figures = metrics["slices"].get("all", {"metrics": {}})["metrics"]
    names = ("valid citations", "verbatim quotes", "quoted sentences")
    return (
        "; ".join(f"{name} {cell(figures[name])} of {figures[name]['n']}" for name in names if name in figures)
        or "none"
    )


def cell(figure: Mapping[str, Any] | None) -> str:
    """`.812 [.74, .88]`, or a dash."""
    if figure is None or figure["value"] is None:
        return "-"
    return f"{short(figure['value'])} [{short(figure['low'], 2)}, {short(figure['high'], 2)}]"


def short(value: float | None, digits: int = 3) -> str:
    """A figure with so many decimals, without the leading zero."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _amount(figure: Mapping[str, Any]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    digits = 2 if value < 10 else 0
    interval = "" if low == high else f" [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{value:.{digits}f}{interval}"


def plain(text: str) -> str:
    """Other people's text on one line: no control characters, which a terminal obeys, and no table columns."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.replace("|", "/").split())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"

    return [line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)]

"""A run -> its report: one HTML file that loads nothing and needs no network. Pure, but for reading its own templates.

Text of papers, questions and models is other people's: the template escapes all of it, and the page allows no script
but its own. Knows how to show figures, not how they are computed.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eval import plots
from eval.metrics import answers
from eval.metrics.intervals import ratio
from eval.records import CitedSentence, Gold, Kind, Record
from eval.scoring import ANSWERABLE, LOWER_IS_BETTER, gold_retrieved, score_records, slices
from eval.summary import provenance, short

# What a reader is told about each metric, in the order and under the heads of the table.
GROUPS: dict[str, dict[str, str]] = {
    "Retrieval": {
        "Success@1": "the first paper found is a gold paper, one that answers the question",
        "R@5": "share of the gold papers among the first 5",
        "R@10": "share of the gold papers among the first 10",
        "R@100": "share of the gold papers among the first 100",
        "nDCG@10": "how high the gold papers stand among the first 10, by grade",
        "RR@10": "1 over the rank of the first gold paper, 0 below rank 10",
        "AP": "average precision of the ranking",
    },
    "Citations": {
        "any gold cited": "the answer cites a gold paper",
        "citation precision": "gold papers cited over papers cited, mean over questions",
        "citation recall": "gold papers cited over gold papers, mean over questions",
        "citation F1": "harmonic mean of the two, mean over questions",
        "citation precision, micro": "gold papers cited over papers cited, of all questions together",
        "citation recall, micro": "gold papers cited over gold papers, of all questions together",
        "citation F1, micro": "harmonic mean of the two micro figures",
        "valid citations": "citations of sentences that were shown as evidence; n counts citations",
        "verbatim quotes": "citations whose quote stands word for word at its place; n counts citations",
    },
    "Answers": {
        "nuggets in answer": "key facts that stand in the answer",
        "nuggets with quotes": "key facts that stand in the answer or in the sentences it cites",
        "all nuggets with quotes": "every key fact of the question stands there",
        "ROUGE-L": "longest common word sequence with the expected answer",
        "lexical support": "sentences whose content words all stand in what they cite; n counts sentences",
        "quoted sentences": "sentences replaced by the sentence they cite; n counts sentences",
        "exact list": "exactly the papers asked for are cited (counting and listing questions)",
        "count stated": "the number asked for stands in the answer (counting questions)",
    },
    "Refusal": {
        "answered": "answered rather than refused, where there is an answer",
        "rightly refused": "refused, where no paper answers",
    },
    "Counterfactual": {
        "changed without cited": "the answer changes when the papers it cites are hidden",
        "refused without cited": "the answer becomes a refusal then",
        "keeps facts without cited": "all key facts are stated all the same then",
    },
}
_CAPTIONS = {
    "risk": "The line shows how many answers would be wrong if only the most confident share of the questions were "
    "answered, lower is better; the dot is this run, which may lie off the line as the model also refuses by itself. "
    "A refused question counts as one whose answer would have been wrong.",
    "calibration": "Where a point lies on the dashed line, the confidence equals the share of questions in its bin "
    "that have an answer; above it, the confidence is too low (bars: 95% intervals).",
    "latency": "Each bar counts questions by the seconds they took: half of them took less than p50, 19 of 20 less "
    "than p95.",
    "recall": "Each line shows the share of the gold papers among the first k papers found, with the number of "
    "questions in brackets; the band is the 95% interval of the first line.",
}
_VERDICTS = {
    "supported": "as the model wrote and cited it",
    "moved": "as the model wrote it, citation corrected",
    "quoted": "replaced by the cited sentence",
}


@dataclass(frozen=True)
class _Plot:
    """A plot with the sentence that says how to read it; without `svg`, the sentence says why there is none."""

    title: str
    svg: Markup | None
    caption: str


@dataclass(frozen=True)
class _Place:
    """A gold paper, its rank (from 1, or 0 where it is not in the ranking), and that in words."""

    gold: Gold
    rank: int
    where: str
    retrieved: bool

    @property
    def colour(self) -> str:
        """Retrieved, only ranked, or neither, as the page colours it."""
        return "good" if self.retrieved else "half" if self.rank else "bad"


@dataclass(frozen=True)
class _Cited:
    """A citation, and what is wrong with it."""

    sentence: CitedSentence
    faults: tuple[str, ...]


@dataclass(frozen=True)
class _Item:
    """A record with what its entry says about it; `slices`, `outcome`, `state` and `gold` are what it is filtered by.

    `outcome` is empty where right and wrong are not known, `state` in a run of retrieval alone, `gold` after an error.
    """

    record: Record
    slices: tuple[str, ...]
    outcome: str
    state: str
    gold: str
    best: _Place | None
    places: tuple[_Place, ...]
    nuggets: tuple[tuple[tuple[str, ...], str], ...]
    citations: Mapping[int, _Cited]
    titles: Mapping[str, str]
    parts: tuple[str, ...]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class _Failures:
    """A row of the table that tells failures of retrieval from failures of generation."""

    label: str
    choose: Mapping[str, str]
    n: int
    right: int
    wrong: int
    refused: int


def report_html(
    manifest: Mapping[str, Any], records: Sequence[Record], metrics: Mapping[str, Any], looks: int | None
) -> str:
    """The report as the text of one HTML file. `looks` is how often a locked suite's score has been looked at."""
    environment = Environment(
        loader=PackageLoader("eval"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": short, "amount": _amount, "share": lambda part, whole: f"{part / whole:.0%}"}
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    retrieval_only = bool(manifest["mode"]["retrieval_only"])
    items = _items(records, retrieval_only)
    asked = [item for item in items if "answerable" in item.slices]
    return environment.get_template("report.html").render(
        suite=manifest["name"],
        notes=[*_unfinished(manifest, records), *provenance(manifest, metrics, looks)],
        metrics=metrics,
        retrieval_only=retrieval_only,
        groups=_groups(metrics),
        blocks=_blocks(metrics),
        lower=LOWER_IS_BETTER,
        totals=_totals(records),
        refusal=_refusal_figures(_refusal(metrics)),
        failures=_failures(asked),
        asked=asked,
        plots=_plots(records, metrics),
        items=items,
        kinds=list(dict.fromkeys(name for item in items for name in item.slices if name != "answerable")),
        states=sorted({item.state for item in items if item.state}),
        verdicts=_VERDICTS,
        manifest=json.dumps(manifest, ensure_ascii=False, indent=2, default=str),
        style=style,
        script=script,
        # Only the script with this digest may run.
        digest=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _source(environment: Environment, name: str) -> Markup:
    assert environment.loader
    return Markup(environment.loader.get_source(environment, name)[0])  # noqa: S704 - a file of ours


def _unfinished(manifest: Mapping[str, Any], records: Sequence[Record]) -> Iterable[str]:
    if len(records) < manifest["selection"]["questions"]:
        yield f"The run is not finished: {len(records)} of {manifest['selection']['questions']} questions are answered."


def _groups(metrics: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The groups of `GROUPS` with the metrics that occur; what stands in none of them comes last."""
    present = dict.fromkeys(name for part in metrics["slices"].values() for name in part["metrics"])
    known = {name for group in GROUPS.values() for name in group}
    groups = {title: {name: text for name, text in group.items() if name in present} for title, group in GROUPS.items()}
    groups["Other"] = {name: name for name in present if name not in known}
    return {title: group for title, group in groups.items() if group}


def _blocks(metrics: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The rows of the table: those of written questions, and apart from them those of generated ones."""
    parts = metrics["slices"].items()
    blocks = [
        ("", {name: part for name, part in parts if not name.startswith("generated")}),
        (
            "Generated questions: optimistic, use them to compare configurations",
            {name: part for name, part in parts if name.startswith("generated")},
        ),
    ]
    return [(label, rows) for label, rows in blocks if rows]


def _base(records: Iterable[Record]) -> list[Record]:
    """The questions that totals are about: the written ones, or the generated ones where there are no others."""
    records = list(records)
    return [record for record in records if not record.question.generated] or records


def _totals(records: Sequence[Record]) -> list[tuple[str, dict[str, Any], str]]:
    """What became of all citations, and of all sentences, of the answers."""
    citations, valid, verbatim = zip(*map(answers.validity_counts, _base(records)), strict=True)
    claims, supported, quoted = zip(*map(answers.support_counts, _base(records)), strict=True)
    rows = (
        ("citations are of sentences shown as evidence", valid, citations, "citations"),
        ("quotes stand word for word at their place", verbatim, citations, "citations"),
        ("sentences have all their content words in what they cite", supported, claims, "sentences"),
        ("sentences were replaced by the sentence they cite", quoted, claims, "sentences"),
    )
    return [(label, asdict(ratio(part, whole)), noun) for label, part, whole, noun in rows if sum(whole)]


def _refusal(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures on refusal of the written questions; of the generated ones where there are no others."""
    return dict(metrics["refusal"] or metrics["refusal, generated"])


def _refusal_figures(refusal: Mapping[str, Any]) -> dict[str, Any]:
    names = ("AUROC", "coverage at 90% refusal", "AURC")
    figures = {name: refusal[name] for name in names if name in refusal}
    by_subkind = refusal.get("AUROC by subkind", {})
    return figures | {f"AUROC, {subkind or 'other'}": figure for subkind, figure in by_subkind.items()}


def _amount(figure: Mapping[str, Any]) -> str:
    """`3.21 [3.02, 3.50]`: quantities, where `short` is for shares."""
    digits = 2 if figure["value"] < 10 else 1 if figure["value"] < 100 else 0
    value, low, high = (f"{figure[name]:.{digits}f}" for name in ("value", "low", "high"))
    return value if low == high else f"{value} [{low}, {high}]"


def _failures(asked: Sequence[_Item]) -> list[_Failures]:
    """Answerable questions by whether a gold paper was retrieved, and by what became of them."""
    rows = {
        "Gold retrieved": {"gold": "retrieved"},
        "Gold not retrieved": {"gold": "not retrieved"},
        "Ended in an error": {"state": "error"},
    }
    table = []
    for label, choose in rows.items():
        part = [item for item in asked if all(getattr(item, name) == value for name, value in choose.items())]
        right = sum(item.outcome == "right" for item in part)
        refused = sum(item.state == "refused" and item.outcome == "wrong" for item in part)
        if part or label != "Ended in an error":
            chosen = {"kind": "answerable", **choose}
            table.append(_Failures(label, chosen, len(part), right, len(part) - right, refused))
    return table


def _items(records: Sequence[Record], retrieval_only: bool) -> list[_Item]:
    scored = score_records(records)
    parts: dict[str, list[str]] = {}
    for name, part in slices(scored).items():
        for item in part:
            if name not in {"all", "gold retrieved", "gold not retrieved"}:
                parts.setdefault(item.record.question.id, []).append(name)
    for record in _base(records):
        if record.gold and record.question.kind in ANSWERABLE:
            parts[record.question.id].append("answerable")
    return [
        _item(item.record, tuple(parts[item.record.question.id]), item.scores, retrieval_only=retrieval_only)
        for item in scored
    ]


def _item(record: Record, names: tuple[str, ...], scores: Mapping[str, float], *, retrieval_only: bool) -> _Item:
    places = tuple(_places(record))
    best = min(places, key=lambda place: place.rank or len(record.ranking) + 1, default=None)
    reply = record.reply
    state = "error" if record.error else "" if reply is None else "refused" if reply.refused else "answered"
    judged = not retrieval_only and (record.gold or record.question.kind is Kind.NONE)
    gold = "no gold paper" if not record.gold else "retrieved" if gold_retrieved(record) else "not retrieved"
    shown = {(item.key, item.sentence) for item in reply.evidence} if reply else set()
    citations = reply.citations if reply else ()
    return _Item(
        record=record,
        slices=names,
        outcome=("right" if answers.right(record) else "wrong") if judged else "",
        state=state,
        gold="" if record.error else gold,
        best=best,
        places=places,
        nuggets=tuple((nugget, _nugget_place(record, nugget)) for nugget in record.question.nuggets),
        citations={item.number: _Cited(item, tuple(_faults(item, shown))) for item in citations},
        titles=(
            {hit.key: hit.title for hit in record.hits}
            | {citation.key: citation.title for citation in citations}
            | {paper.key: paper.title for paper in record.gold}
        ),
        parts=tuple(dict.fromkeys(part for hit in record.hits for part in hit.parts)),
        scores=scores,
    )


def _places(record: Record) -> Iterable[_Place]:
    hits = {hit.key for hit in record.hits}
    ranks = {item.key: rank for rank, item in enumerate(record.ranking, start=1)}
    for gold in record.gold:
        rank = ranks.get(gold.key, 0)
        if rank:
            where = f"rank {rank}"
        elif not gold.key:
            where = "not in the index"
        else:
            where = f"not in the first {len(ranks)}" if ranks else "not looked for"
        yield _Place(gold, rank, where, retrieved=gold.key in hits)


def _nugget_place(record: Record, nugget: tuple[str, ...]) -> str:
    """Where a key fact stands, by the rule that it is scored by."""
    text = answers.answer_text(record)
    quotes = " ".join(citation.quote for citation in record.reply.citations) if record.reply else ""
    if answers.nugget_recall(text, (nugget,)):
        return "in answer"
    return "in quotes only" if answers.nugget_recall(f"{text} {quotes}", (nugget,)) else "missing"


def _faults(citation: CitedSentence, shown: set[tuple[str, int]]) -> Iterable[str]:
    if not citation.verbatim:
        yield "not word for word in the paper"
    if (citation.key, citation.sentence) not in shown:
        yield "was not shown as evidence"


def _plots(records: Sequence[Record], metrics: Mapping[str, Any]) -> list[_Plot]:
    refusal, latency, curves = _refusal(metrics), _latency(metrics), _curves(metrics)
    lacking = _why_no_refusal(records)
    unwritten = lacking or "No answers were written in this run, or not to all questions, so their risk is not known."
    chosen = refusal.get("risk-coverage")
    risk = chosen and plots.risk_coverage(chosen["coverage"], chosen["risk"], refusal["operating point"])
    calibration = refusal.get("calibration") and plots.calibration(refusal["calibration"])
    return [
        _plot("Risk and coverage", risk, "risk", unwritten),
        _plot("Calibration of the confidence", calibration, "calibration", lacking),
        _plot("Latency", latency and plots.latency(latency), "latency", "The records of this run hold no times."),
        _plot("Recall by depth", curves and plots.recall_by_depth(curves), "recall", "No question has gold papers."),
    ]


def _plot(title: str, svg: Any, name: str, lacking: str) -> _Plot:
    # Our own drawing of numbers and names of kinds.
    return _Plot(title, Markup(svg), _CAPTIONS[name]) if svg else _Plot(title, None, lacking)  # noqa: S704


def _why_no_refusal(records: Sequence[Record]) -> str:
    """Why the metrics hold no figures on refusal."""
    for generated in (False, True):
        kinds = {
            record.question.kind for record in records if record.question.generated == generated and not record.error
        }
        if Kind.NONE in kinds and kinds & ANSWERABLE:
            return ""
    which = "with" if any(record.question.kind is Kind.NONE for record in records) else "without"
    return f"There are no questions {which} an answer in this run."


def _latency(metrics: Mapping[str, Any]) -> dict[str, list[float]]:
    names = {"first_token": "first token", "total": "total"}
    return {name: metrics["latency"][key] for key, name in names.items() if metrics["latency"][key]}


def _curves(metrics: Mapping[str, Any], most: int = 6) -> dict[str, Any]:
    """The recall curves worth a line: of all questions, and of each kind."""
    known = metrics["recall_by_depth"]
    names = ["all", *Kind, *(f"generated: {kind}" for kind in Kind)]
    return {str(name): known[name] for name in [name for name in names if name in known][:most]}

"""One frozen configuration: visible defaults, then a TOML file, then environment variables, then arguments."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ConfigDict, TypeAdapter, ValidationError

from rag.errors import UsageError

AUTO = "auto"


@dataclass(frozen=True)
class Config:
    """Every setting of Citable. Variants are made with `dataclasses.replace`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    home: Path = Path(platformdirs.user_data_dir("citable", appauthor=False))
    """Folder that holds the indexes; `CITABLE_HOME` moves it."""
    index: str = "papers"
    """Name of the index inside `home`, or a path to one."""
    embedding_model: str = AUTO
    """`auto` (the one of the index; for a new one the best that is here), `bundled`, a name, or a folder."""
    llm: str = "bundled"
    """`bundled`, a name that `citable models` lists, the path of a GGUF file, or the URL of a server."""
    llm_model: str = ""
    """Which model of the server, where it has several."""
    context_tokens: int = 2048
    """Context of the language model: prompt and answer together."""
    threads: int = 0
    """CPU threads of the language model; 0 takes the physical cores."""
    gpu_layers: int = -1
    """Layers of the language model on the GPU; -1 is all, where the build has GPU support."""
    rankings: str = "passage,sentence,bm25,tokens"
    """Rankings of papers that a search fuses, with commas: passage, sentence, bm25, and over their finds tokens."""
    candidates: int = 100
    """Passages that each index brings to the fusion, and papers whose sentences and tokens are then compared."""
    rerank_papers: int = 0
    """Papers that a model reads to put them in a better order, 5 for instance; for a GPU. 0 is none."""
    reranker: str = ""
    """Which model reads them: a cross-encoder, by name or folder; empty is the language model."""
    papers: int = 5
    """Papers that a question retrieves for its evidence."""
    broad_papers: int = 8
    """The same for a question that asks for several papers; each that is about as good a hit is quoted."""
    evidence_sentences: int = 6
    """Numbered sentences shown to the language model at the most; where several papers are asked for, those of each."""
    evidence_tokens: int = 300
    """Tokens of evidence shown to the language model at the most; twice as many where several papers are asked for."""
    answer_tokens: int = 160
    """Tokens that the language model may write; twice as many where several papers are asked for."""
    writing: str = AUTO
    """How answers are written: `quote`, `compose`, `free`, or `auto` by the size of the language model."""
    temperature: float = 0.0
    """Sampling temperature; 0 is deterministic."""
    seed: int = 0
    """Seed of the sampling, of effect above temperature 0."""
    best_of: int = 1
    """Drafts that are written for each answer, each with the next seed; the one that is best supported is shown."""
    answer_threshold: float = 0.3
    """Probability that the papers found answer a question, under which it is refused; higher refuses more."""

    @property
    def index_dir(self) -> Path:
        """The folder of the index."""
        if os.sep in self.index or self.index.startswith("."):
            return Path(self.index).expanduser().absolute()
        return self.home.expanduser() / "indexes" / self.index


WRITING = (AUTO, "quote", "compose", "free")
RANKINGS = frozenset({"passage", "sentence", "bm25", "tokens"})
ENV_PREFIX = "CITABLE_"
_ADAPTER = TypeAdapter(Config)


def load_config(
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """The configuration from `file` (TOML), the environment (`CITABLE_LLM=...`) and `overrides`, later ones first.

    Without `file`, `config.toml` in the home folder is read if it is there. Raises UsageError for a file that cannot
    be read, an unknown setting or a value of the wrong type.
    """
    environ = os.environ if environ is None else environ
    names = {field.name for field in fields(Config)}
    env = {
        key.removeprefix(ENV_PREFIX).lower(): value
        for key, value in environ.items()
        if key.startswith(ENV_PREFIX) and key.removeprefix(ENV_PREFIX).lower() in names
    }
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    home = Path(given.get("home") or env.get("home") or Config.home)
    default_file = home.expanduser() / "config.toml"
    source = file or (default_file if default_file.is_file() else None)
    settings: dict[str, Any] = {}
    if source is not None:
        try:
            settings = tomllib.loads(source.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{source}: not a readable TOML file ({error}). Correct it or leave out --config."
            ) from None
    try:
        config = _ADAPTER.validate_python({**settings, **env, **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"setting {name!r}: {first['msg'].lower()}. The settings are: {', '.join(sorted(names))}."
        ) from None
    _check(config)
    return config


def _check(config: Config) -> None:
    positive = ("candidates", "papers", "broad_papers", "evidence_sentences", "evidence_tokens", "answer_tokens")
    for name in positive:
        if getattr(config, name) < 1:
            raise UsageError(f"setting {name!r}: must be at least 1.")
    if config.rerank_papers < 0 or config.rerank_papers == 1:
        raise UsageError("setting 'rerank_papers': must be 0 (none) or at least 2.")
    if config.reranker and not config.rerank_papers:
        raise UsageError(
            "setting 'reranker': it would read nothing, as rerank_papers is 0. Set rerank_papers to how many papers it "
            "should read, 10 for instance, or leave reranker empty."
        )
    if config.context_tokens - config.answer_tokens < 256:
        raise UsageError("setting 'context_tokens': must be at least 256 more than answer_tokens, or no evidence fits.")
    chosen = set(config.rankings.split(","))
    if not chosen <= RANKINGS or chosen == {"tokens"}:
        raise UsageError(
            f"setting 'rankings': one or more of {', '.join(sorted(RANKINGS))}, with commas between; tokens not alone."
        )
    if not 0 <= config.answer_threshold <= 1:
        raise UsageError("setting 'answer_threshold': must lie between 0 and 1; higher refuses more.")
    if config.threads < 0:
        raise UsageError("setting 'threads': must be 0 (the physical cores) or more.")
    if config.writing not in WRITING:
        raise UsageError(f"setting 'writing': one of {', '.join(WRITING)}.")
    if config.best_of < 1:
        raise UsageError("setting 'best_of': must be at least 1.")
    if config.best_of > 1 and config.temperature == 0:
        raise UsageError(
            f"setting 'best_of': at temperature 0 all {config.best_of} drafts are the same. Set temperature above 0, "
            "for instance 0.7, or best_of to 1."
        )
    if not 0 <= config.seed < 2**32 - config.best_of:
        raise UsageError("setting 'seed': must be 0 or more, and below 4294967295.")
    if not 0 <= config.temperature <= 2:
        raise UsageError("setting 'temperature': must lie between 0 and 2.")

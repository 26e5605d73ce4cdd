"""A suite's own papers -> an index of their own, made once and used by every run of the same papers and model.

They lie under `eval/` in the data folder and can be deleted at any time: the next run makes them again.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from eval.records import Corpus
from rag.build import index_exists, index_records
from rag.config import Config

_DONE = "corpus.json"
# To be raised when the loaders make other papers of the same files: then indexes of before are not used any more.
_READING = 1


def index_corpus(config: Config, corpus: Corpus, progress: Callable[[int, int], None]) -> tuple[Config, int]:
    """The configuration with the index of `corpus`, made or finished where it is not whole, and how many were skipped.

    Raises what `rag.build.index_records` raises.
    """
    model = sha256(config.embedding_model.encode()).hexdigest()[:6]
    name = re.sub(r"[^\w.-]", "_", corpus.name)
    folder = config.home.expanduser() / "eval" / f"{name}-{corpus.digest}-{model}-{_READING}"
    config = replace(config, index=str(folder.absolute()))
    done = folder / _DONE
    if done.is_file() and index_exists(config):
        return config, int(json.loads(done.read_text(encoding="utf-8"))["skipped"])
    report = index_records(config, corpus.read(), progress)
    skipped = len(report.read.skipped)
    done.write_text(json.dumps({"papers": report.counts.papers, "skipped": skipped}), encoding="utf-8")
    return config, skipped

"""A suite's own papers -> an index of their own, made once and used by every run of the same papers and model.

They lie under `eval/` in the data folder and can be deleted at any time: the next run makes them again.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from eval.records import Corpus
from eval.storage import write_whole
from rag.build import choose_embedding, index_records
from rag.config import RANKINGS, Config
from rag.index_files import FORMAT, index_exists

# Written when the index is whole; holds how many records were skipped.
_DONE = "skipped.txt"
# To be raised when the loaders make other papers of the same files: then indexes of before are not used any more.
_READING = 2


def index_corpus(config: Config, corpus: Corpus, progress: Callable[[int, int], None]) -> tuple[Config, int]:
    """The configuration with the index of `corpus`, made or finished where it is not whole, and how many were skipped.

    Raises what `rag.build.index_records` raises.
    """
    # `auto` may stand for another model once one has been fetched.
    model = sha256(choose_embedding(config, None, papers=0).embedding_model.encode()).hexdigest()[:6]
    name = f"{plain_name(corpus.name)}-{corpus.digest}-{model}-{_READING}.{FORMAT}"
    folder = config.home.expanduser() / "eval" / name
    config = replace(config, index=str(folder.absolute()))
    done = folder / _DONE
    if done.is_file() and index_exists(config):
        return config, int(done.read_text(encoding="utf-8"))
    # With all that any ranking needs: the next run may be of another configuration.
    report = index_records(replace(config, rankings=",".join(sorted(RANKINGS))), corpus.read(), progress)
    skipped = len(report.read.skipped)
    write_whole(done, f"{skipped}\n")
    return config, skipped


def plain_name(name: str) -> str:
    """A name as part of a file name."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:60] or "unnamed"

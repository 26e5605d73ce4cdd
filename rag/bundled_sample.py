"""The papers that come with Citable, and their index."""

from importlib.resources import files
from pathlib import Path

from rag.build import index_papers, keeps_tokens, rebuild_index
from rag.catalog import Catalog
from rag.config import Config
from rag.digests import sha256_of
from rag.index_files import FORMAT, index_exists
from rag.ingest import Progress, no_progress
from rag.tokens import TokenStore


def sample_path() -> Path:
    """The papers that come with Citable."""
    return Path(str(files("rag") / "sample" / "papers.jsonl"))


def ensure_sample(config: Config, progress: Progress = no_progress) -> None:
    """Index the bundled sample into the index that `config` names, unless it is there as it is shipped.

    Raises what `index_papers` raises. Where nothing is to be done, an index that is in use elsewhere does not matter.
    """
    shipped = sha256_of(sample_path())
    if index_exists(config):
        catalog = Catalog(config.index_dir / "catalog.db")
        try:
            whole = catalog.setting("format") == FORMAT and (not keeps_tokens(config) or _has_tokens(config, catalog))
            if whole and catalog.setting("sample") == shipped and not catalog.pending():
                return
        finally:
            catalog.close()
        if not whole:
            # Made without late interaction, or by an earlier version.
            rebuild_index(config, progress)
    index_papers(config, [sample_path()], progress)
    catalog = Catalog(config.index_dir / "catalog.db")
    catalog.set_setting("sample", shipped)
    catalog.close()


def _has_tokens(config: Config, catalog: Catalog) -> bool:
    tokens = TokenStore(config.index_dir / "tokens.db")
    try:
        return tokens.count() == catalog.counts().passages
    finally:
        tokens.close()

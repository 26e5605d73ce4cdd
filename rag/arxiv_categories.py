"""The archives of arXiv: what tells `hep-ph` and `cs.LG` from words with a hyphen or a dot. Pure."""

import re

_TODAY = """
    astro-ph cond-mat cs econ eess gr-qc hep-ex hep-lat hep-ph hep-th math math-ph nlin nucl-ex nucl-th physics q-bio
    q-fin quant-ph stat
"""
# They were merged into those of today, but are still on old papers.
_ONCE = """
    acc-phys adap-org alg-geom ao-sci atom-ph bayes-an chao-dyn chem-ph cmp-lg comp-gas dg-ga funct-an mtrl-th patt-sol
    plasm-ph q-alg solv-int supr-con
"""
_ARCHIVES = frozenset(f"{_TODAY} {_ONCE}".split())


def is_arxiv_category(text: str) -> bool:
    """Whether `text` is an archive, or one of its categories, in any case."""
    archive, dot, category = text.casefold().partition(".")
    return archive in _ARCHIVES and (not dot or re.fullmatch("[a-z-]+", category) is not None)

"""When are two records the same paper? Pure functions over `Paper`.

A DOI, an arXiv id without its version, or a PMID names a paper; without one, its title does, compared without case,
accents and punctuation. In a test collection, whose judgements go by its own ids, that id alone does: there two records
with one title are two. The content hash says whether its text changed.
"""

import hashlib
import re
import unicodedata
from urllib.parse import quote

from rag.records import Paper


def normalise_title(title: str) -> str:
    """`title` in lower case, only its letters and digits, words joined by single spaces."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", plain))


def _title_key(title: str) -> str:
    # Spaces do not count either: "multi-task" and "multitask" differ in nothing else.
    letters = normalise_title(title).replace(" ", "") or title.strip()
    return "title:" + hashlib.sha256(letters.encode()).hexdigest()[:20]


def normalise_doi(doi: str) -> str:
    """A DOI without its resolver address, in lower case; empty if it is none."""
    found = re.search(r"10\.\d{4,9}/\S+", doi.strip().lower())
    return found.group().rstrip(".,;)") if found else ""


def normalise_arxiv_id(arxiv_id: str) -> str:
    """An arXiv id without address and version; empty if it is none."""
    found = re.search(r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})", arxiv_id.strip())
    return found.group() if found else ""


def strong_keys(paper: Paper) -> list[str]:
    """Keys that name the paper by themselves, the best first."""
    if paper.own_id:
        return [own_key(paper.own_id)]
    keys = []
    doi = normalise_doi(paper.doi)
    arxiv_id = normalise_arxiv_id(paper.arxiv_id)
    if doi.startswith("10.48550/arxiv."):
        arxiv_id = arxiv_id or normalise_arxiv_id(doi.removeprefix("10.48550/arxiv."))
    elif doi:
        keys.append("doi:" + doi)
    if arxiv_id:
        keys.append("arxiv:" + arxiv_id)
    if paper.pmid.strip().isdigit():
        keys.append("pmid:" + paper.pmid.strip())
    return keys


def own_key(own_id: str) -> str:
    """The key of a paper by its id in its own collection; white space and percent signs are encoded."""
    return "id:" + quote(own_id, safe="/:;,.+-_()<>#@!~*'=&?$")


def title_key(paper: Paper) -> str:
    """The key of the paper's normalised title."""
    return _title_key(paper.title)


def content_hash(paper: Paper) -> str:
    """Hash of the text that is embedded and quoted: title and abstract, byte for byte."""
    return hashlib.sha256(f"{paper.title}\0{paper.abstract}".encode()).hexdigest()


def link_of(paper: Paper) -> str:
    """Where the paper can be read, or an empty string. Only http addresses: the text is other people's."""
    if re.fullmatch(r"https?://[^\s<>\"'\x00-\x1f\x7f-\x9f]+", paper.url):
        return paper.url
    for key in strong_keys(paper):
        kind, _, value = key.partition(":")
        value = quote(value, safe="/:;().,+-_~*'=&@!$")  # a DOI may hold any sign
        return {
            "doi": f"https://doi.org/{value}",
            "arxiv": f"https://arxiv.org/abs/{value}",
            "pmid": f"https://pubmed.ncbi.nlm.nih.gov/{value}/",
        }.get(kind, "")
    return ""


def byline_of(paper: Paper) -> str:
    """Who wrote the paper, and when, as far as its record says: "Ashish Vaswani et al., 2017".

    Names stand as they are given: which part is the family name cannot be told.
    """
    names = " and ".join(paper.authors) if len(paper.authors) < 3 else f"{paper.authors[0]} et al."
    return ", ".join(fact for fact in (names, str(paper.year or "")) if fact)

from dataclasses import replace
from pathlib import Path

import pytest

from rag import identity
from rag.catalog import Catalog
from rag.errors import IndexMismatchError
from rag.records import Added, Paper

LAKES = Paper("Early thaw of lakes", "Ice leaves. Fish stay.", source="a.txt")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt", "c.txt"):
        Path(name).touch()
    return Catalog(tmp_path / "catalog.db")


def test_the_same_paper_from_two_files_is_one(catalog: Catalog) -> None:
    other = replace(LAKES, title="EARLY THAW: of Lakes!", source="b.txt", doi="10.1000/x1", year=2020)
    assert catalog.add([LAKES, other]) == Added(new=1, duplicates=1)
    (entry,) = catalog.search_titles()
    assert entry.paper.title == LAKES.title
    # What the second file knows besides is kept.
    assert (entry.paper.doi, entry.paper.year) == ("10.1000/x1", 2020)
    # And names the paper from now on, under whatever title.
    renamed = Paper("Thaw", "Other text.", doi="https://doi.org/10.1000/X1", source="c.txt")
    assert catalog.add([renamed]) == Added(duplicates=1)


def test_reading_again_changes_nothing(catalog: Catalog) -> None:
    other = replace(LAKES, abstract="Another version of it.", source="b.txt")
    for paper in (LAKES, other):
        catalog.add([paper])
    assert [catalog.add([paper]) for paper in (LAKES, other)] == [Added(unchanged=1)] * 2


def test_a_file_that_changed_changes_its_paper(catalog: Catalog) -> None:
    catalog.add([LAKES])
    (entry,) = catalog.search_titles()
    catalog.finish_indexing({entry.id: (1, 2)})
    assert catalog.pending() == []
    assert catalog.add([replace(LAKES, abstract="One. Two. Three.")]) == Added(changed=1)
    assert catalog.pending() == [entry.id]
    (entry,) = catalog.search_titles()
    assert [s.text for s in catalog.sentences(entry)] == ["One.", "Two.", "Three."]


def test_two_versions_in_one_file_do_not_take_turns(catalog: Catalog) -> None:
    versions = [LAKES, replace(LAKES, abstract="A second version.")]
    assert catalog.add(versions) == Added(new=1, duplicates=1)
    assert catalog.add(versions) == Added(unchanged=1, duplicates=1)
    (entry,) = catalog.search_titles()
    assert entry.paper.abstract == LAKES.abstract


def test_a_corrected_detail_of_the_same_file_is_taken_over(catalog: Catalog) -> None:
    catalog.add([replace(LAKES, year=2019)])
    assert catalog.add([replace(LAKES, year=2020)]) == Added(unchanged=1)
    (entry,) = catalog.search_titles()
    assert entry.paper.year == 2020


def test_a_file_that_moved_and_changed_changes_its_paper(catalog: Catalog) -> None:
    catalog.add([LAKES])
    Path("a.txt").unlink()
    assert catalog.add([replace(LAKES, source="b.txt")]) == Added(unchanged=1)
    assert catalog.add([replace(LAKES, source="b.txt", abstract="Other text now.")]) == Added(changed=1)


def test_different_ids_of_one_kind_keep_equal_titles_apart(catalog: Catalog) -> None:
    first = Paper("Editorial", "About lakes.", doi="10.1000/a", source="a")
    second = Paper("Editorial", "About wires.", doi="10.1000/b", source="a")
    assert catalog.add([first, second]) == Added(new=2)
    assert {e.key for e in catalog.search_titles()} == {"doi:10.1000/a", "doi:10.1000/b"}


@pytest.mark.parametrize(
    ("paper", "key"),
    [
        (Paper("t", "a", doi="https://doi.org/10.1000/ABC."), "doi:10.1000/abc"),
        (Paper("t", "a", arxiv_id="arXiv:2403.11273v2"), "arxiv:2403.11273"),
        (Paper("t", "a", doi="10.48550/arXiv.2403.11273"), "arxiv:2403.11273"),
        (Paper("t", "a", arxiv_id="hep-th/9901001v1"), "arxiv:hep-th/9901001"),
        (Paper("t", "a", pmid=" 123 "), "pmid:123"),
    ],
)
def test_keys(paper: Paper, key: str) -> None:
    assert identity.strong_keys(paper) == [key]


def test_links_are_web_addresses_only() -> None:
    assert identity.link_of(Paper("t", "a", url="javascript:alert(1)")) == ""
    assert identity.link_of(Paper("t", "a", url='https://x.org/"onload=')) == ""
    assert identity.link_of(Paper("t", "a", url="https://x.org/p")) == "https://x.org/p"
    assert identity.link_of(Paper("t", "a", arxiv_id="2403.11273v1")) == "https://arxiv.org/abs/2403.11273"


def test_titles_are_searched_without_case_accents_and_punctuation(catalog: Catalog) -> None:
    catalog.add([replace(LAKES, title="Fréchet means: a graph-theoretic view"), replace(LAKES, title="Other")])
    assert [e.paper.title[:7] for e in catalog.search_titles("FRECHET MEANS a graph")] == ["Fréchet"]
    assert len(list(catalog.search_titles())) == 2
    assert list(catalog.search_titles("100%_")) == []


def test_a_foreign_file_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"no database " * 100)
    with pytest.raises(IndexMismatchError, match="Move it away"):
        Catalog(tmp_path / "catalog.db")

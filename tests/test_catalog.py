import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rag import identity
from rag.catalog import SCHEMA_VERSION, Catalog
from rag.errors import IndexMismatchError
from rag.filters import parse_filter
from rag.records import Added, Filter, Paper

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


# -- filters ---------------------------------------------------------------------------------------------------------

SHELF = [
    Paper("Lakes", "Ice.", ("Mary Lindqvist", "B. Ruiz"), 2019, "Nature", "10.1000/lakes", source="/p/Caf\u00e9_a.txt"),
    Paper("Ponds", "Ice.", ("Lindqvist, M.",), 2021, "Nature Physics", arxiv_id="2101.00001", source="/p/b.txt",
          categories=("cs.LG", "stat.ML")),
    Paper("Rivers", "Ice.", ("Jos\u00e9 Mu\u00f1oz", "S. C. O'Brien"), None, "", pmid="77", source="/p/b.txt",
          categories=("physics.ao-ph",)),
    Paper("Seas", "Ice.", (), 2020, "", source="/p/100%_'x.txt", own_id="S 1"),
]  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Catalog:
    catalog = Catalog(tmp_path / "shelf.db")
    catalog.add(SHELF)
    # Seen in another file too.
    catalog.add([replace(SHELF[0], source="/p/c.txt")])
    return catalog


def titles(catalog: Catalog, typed: str) -> list[str]:
    rest, chosen = parse_filter(typed)
    assert rest == ""
    return [entry.paper.title for entry in catalog.search_titles(within=catalog.matching(chosen))]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("year:2019-2020", ["Lakes", "Seas"]),
        ("year:2020-", ["Ponds", "Seas"]),
        ("year:<2020", ["Lakes"]),
        ("year:2019,2021", ["Lakes", "Ponds"]),
        ("year:0000", []),
        ("year:<0001", []),
        ("year:0000-2019", ["Lakes"]),
        ("author:lindqvist", ["Lakes", "Ponds"]),
        ('author:"M Lindqvist"', ["Lakes", "Ponds"]),
        ("author:Munoz,ruiz", ["Lakes", "Rivers"]),
        ("author:OBrien", ["Rivers"]),
        ("author:lind", []),
        ("venue:nature", ["Lakes", "Ponds"]),
        ('venue:"nature physics"', ["Ponds"]),
        ("category:cs", ["Ponds"]),
        ("category:CS.lg,physics", ["Ponds", "Rivers"]),
        ("source:b.TXT", ["Ponds", "Rivers"]),
        ("source:/cafe", ["Lakes"]),
        ("source:c.txt", ["Lakes"]),
        ("source:100%_'x.txt", ["Seas"]),
        ('source:"a%txt"', []),
        ('source:"b_txt"', []),
        ("doi:10.1000/LAKES", ["Lakes"]),
        ("arxiv:2101.00001v3", ["Ponds"]),
        ("pmid:77", ["Rivers"]),
        ("id:77,https://arxiv.org/abs/2101.00001", ["Ponds", "Rivers"]),
        ('id:"S 1"', ["Seas"]),
        ("id:doi:10.1000/lakes", ["Lakes"]),
        ('id:"x\');DROP"', []),
        ("author:Lindqvist year:2020- venue:nature category:stat source:b.txt id:2101.00001", ["Ponds"]),
        ("author:Lindqvist and author:Ruiz", ["Lakes"]),
        ("author:Lindqvist year:2000", []),
    ],
)
def test_filters(shelf: Catalog, typed: str, expected: list[str]) -> None:
    assert titles(shelf, typed) == expected


def test_a_filter_that_says_nothing_means_all(shelf: Catalog) -> None:
    assert shelf.matching(Filter()) is None
    assert shelf.scope(Filter()) is None
    assert len(list(shelf.search_titles(within=None))) == 4
    assert list(shelf.search_titles(within=())) == []


def test_five_hundred_ids(shelf: Catalog) -> None:
    typed = "id:" + ",".join([*(f"10.1000/{i}" for i in range(5000)), "2101.00001", "10.1000/lakes"])
    assert titles(shelf, typed) == ["Lakes", "Ponds"]


def test_papers_that_cannot_be_told_are_counted(shelf: Catalog) -> None:
    scope = shelf.scope(Filter(((2019, 2019),), ("Lindqvist",)))
    assert scope
    assert (scope.papers, scope.total, scope.lacking) == (1, 4, 2)
    by_id = shelf.scope(Filter(ids=("77",)))
    assert by_id
    assert by_id.lacking == 0


def test_categories_fill_a_gap_and_change_no_text(catalog: Catalog) -> None:
    catalog.add([LAKES])
    (entry,) = catalog.search_titles()
    catalog.finish_indexing({entry.id: (1, 2)})
    assert catalog.add([replace(LAKES, source="b.txt", categories=("cs.LG",))]) == Added(duplicates=1)
    assert catalog.add([replace(LAKES, source="c.txt", categories=("cs.CL",))]) == Added(duplicates=1)
    (entry,) = catalog.search_titles()
    assert entry.paper.categories == ("cs.LG",)
    assert catalog.add([replace(LAKES, categories=("stat.ML",))]) == Added(unchanged=1)
    (entry,) = catalog.search_titles()
    assert entry.paper.categories == ("stat.ML",)
    assert catalog.pending() == []


# What a catalog looked like before there were categories.
FIRST_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE papers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, title TEXT NOT NULL, title_norm TEXT NOT NULL,
    abstract TEXT NOT NULL, authors TEXT NOT NULL, year INTEGER, venue TEXT NOT NULL, doi TEXT NOT NULL,
    arxiv_id TEXT NOT NULL, pmid TEXT NOT NULL, url TEXT NOT NULL, source TEXT NOT NULL,
    content_hash TEXT NOT NULL, indexed_hash TEXT NOT NULL DEFAULT '',
    passages INTEGER NOT NULL DEFAULT 0, indexed_sentences INTEGER NOT NULL DEFAULT 0);
CREATE INDEX papers_pending ON papers(id) WHERE indexed_hash <> content_hash;
CREATE TABLE aliases (alias TEXT PRIMARY KEY, paper_id INTEGER NOT NULL REFERENCES papers(id));
CREATE TABLE sentences (
    paper_id INTEGER NOT NULL REFERENCES papers(id), number INTEGER NOT NULL, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, PRIMARY KEY (paper_id, number)) WITHOUT ROWID;
CREATE TABLE sightings (
    source TEXT NOT NULL, paper_id INTEGER NOT NULL REFERENCES papers(id), content_hash TEXT NOT NULL,
    PRIMARY KEY (source, paper_id)) WITHOUT ROWID;
PRAGMA user_version=1;
"""
TABLES = ("settings", "papers", "aliases", "sentences", "sightings")


def first_catalog(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Write a catalog of the first schema, with one paper that is indexed; returns its rows."""
    digest = identity.content_hash(LAKES)
    title = identity.title_key(LAKES)
    database = sqlite3.connect(path)
    database.executescript(FIRST_SCHEMA)
    with database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("INSERT INTO settings VALUES ('embedding_digest', 'abc')")
        database.execute(
            "INSERT INTO papers VALUES (7,?,?,?,?,?,2020,'V','','','','','a.txt',?,?,1,2)",
            (title, LAKES.title, "early thaw of lakes", LAKES.abstract, json.dumps(["Ada \u00c5"]), digest, digest),
        )
        database.execute("INSERT INTO aliases VALUES (?, 7)", (title,))
        database.executemany("INSERT INTO sentences VALUES (7, ?, ?, ?)", [(0, 0, 11), (1, 12, 22)])
        database.execute("INSERT INTO sightings VALUES ('a.txt', 7, ?)", (digest,))
    rows = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    database.close()
    return rows


def test_a_catalog_of_the_first_schema_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    before = first_catalog(path)
    catalog = Catalog(path)
    (entry,) = catalog.search_titles()
    assert (entry.id, entry.paper.authors, entry.paper.year, entry.paper.categories) == (7, ("Ada \u00c5",), 2020, ())
    assert [s.text for s in catalog.sentences(entry)] == ["Ice leaves.", "Fish stay."]
    assert catalog.pending() == []
    assert catalog.setting("embedding_digest") == "abc"
    # Reading the file again fills in what it could not hold, and nothing need be embedded.
    assert catalog.add([replace(LAKES, categories=("cs.LG",))]) == Added(unchanged=1)
    assert catalog.pending() == []
    assert catalog.matching(Filter(categories=("cs",), authors=("ada",))) == {7}
    catalog.close()
    database = sqlite3.connect(path)
    after = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    assert after == {**before, "papers": [(*before["papers"][0], '["cs.LG"]')]}
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    # And it is the same as one that is made today.
    Catalog(tmp_path / "new.db").close()
    layouts = [
        {name: " ".join(str(sql).replace(" IF NOT EXISTS", "").split()) for name, sql in schema}
        for schema in (
            sqlite3.connect(tmp_path / name).execute("SELECT name, sql FROM sqlite_master WHERE sql > ''").fetchall()
            for name in ("old.db", "new.db")
        )
    ]
    assert layouts[0] == layouts[1]


def test_several_may_bring_a_catalog_up_to_date_at_once(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    first_catalog(path)
    opened: list[Catalog] = []
    threads = [threading.Thread(target=lambda: opened.append(Catalog(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    for catalog in opened:
        assert len(list(catalog.search_titles())) == 1
        catalog.close()


def test_a_failed_upgrade_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    before = first_catalog(path)
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE papers_details (x)")  # in the way of the new index
    with pytest.raises(Exception, match="papers_details"):
        Catalog(path)
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    assert database.execute("SELECT * FROM papers").fetchall() == before["papers"]


def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    Catalog(tmp_path / "catalog.db").close()
    database = sqlite3.connect(tmp_path / "catalog.db")
    database.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    database.close()
    with pytest.raises(IndexMismatchError, match="another version"):
        Catalog(tmp_path / "catalog.db")

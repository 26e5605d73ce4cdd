"""Indexing as a user meets it: again, interrupted, changed, with another model, from two processes."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rag import build
from rag.build import Engine, index_papers, rebuild_index
from rag.bundled_sample import ensure_sample, sample_path
from rag.config import Config
from rag.errors import IndexBusyError, IndexMismatchError, InputError, NoIndexError
from rag.index_files import IndexFiles, index_exists, require_papers
from tests.fakes import FakeComprehender, FakeEmbedder, FakeModel


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(Config(), home=tmp_path / "data")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEmbedder:
    embedder = FakeEmbedder()
    monkeypatch.setattr(build, "load_embedder", lambda config: embedder)
    monkeypatch.setattr(build, "load_comprehender", lambda config, embedder: FakeComprehender())
    monkeypatch.setattr(build, "load_llm", lambda config: FakeModel())
    return embedder


def write(path: Path, count: int, word: str = "ice") -> Path:
    lines = [
        {"title": f"Lake {n}", "abstract": f"Lake {n} has {word}. " + "It thaws in spring and freezes again. " * 4}
        for n in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def agreement(config: Config) -> list[str]:
    parts = IndexFiles(config.index_dir)
    try:
        return parts.disagreements(["tokens"])
    finally:
        parts.close()


def test_running_again_embeds_nothing(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    papers = write(tmp_path / "p.jsonl", 40)
    steps: list[tuple[int, int]] = []
    first = index_papers(config, [papers], lambda done, total: steps.append((done, total)))
    assert (first.embedded, first.counts.papers, first.counts.indexed) == (40, 40, 40)
    assert steps[-1] == (40, 40)
    assert len(steps) > 1
    fake.encoded.clear()
    second = index_papers(config, [papers])
    assert (second.embedded, second.read.added.unchanged, fake.encoded) == (0, 40, [])
    assert agreement(config) == []


def test_only_what_changed_is_embedded_again(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    papers = write(tmp_path / "p.jsonl", 20)
    index_papers(config, [papers])
    lines = papers.read_text().splitlines()
    lines[3] = json.dumps({"title": "Lake 3", "abstract": "Short now."})
    papers.write_text("\n".join(lines))
    fake.encoded.clear()
    report = index_papers(config, [papers])
    assert (report.read.added.changed, report.embedded) == (1, 1)
    assert all("Lake 3" in text for text in fake.encoded)
    assert agreement(config) == []


@pytest.mark.parametrize("fail_at", [1, 2, 3, 5])
def test_an_interrupted_run_is_finished_by_the_next(
    tmp_path: Path, config: Config, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, fail_at: int
) -> None:
    papers = write(tmp_path / "p.jsonl", 40)
    calls = 0
    encode = fake.encode

    def interrupted(texts: list[str]) -> object:
        nonlocal calls
        calls += 1
        if calls == fail_at:
            raise KeyboardInterrupt
        return encode(texts)

    monkeypatch.setattr(fake, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index_papers(config, [papers])
    # Meanwhile a paper gets shorter: what was half done of it must not stay behind.
    lines = papers.read_text().splitlines()
    lines[0] = json.dumps({"title": "Lake 0", "abstract": "Short now."})
    papers.write_text("\n".join(lines))
    report = index_papers(config, [papers])
    assert report.counts.indexed == 40
    assert report.embedded < 40 or fail_at <= 2
    assert agreement(config) == []


def test_a_kill_while_indexing_loses_nothing(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    papers = write(tmp_path / "p.jsonl", 40)
    script = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from rag import build
from rag.config import Config
from tests.fakes import FakeEmbedder
build.load_embedder = lambda config: FakeEmbedder()
def progress(done, total):
    if done >= 16:
        os.kill(os.getpid(), signal.SIGKILL)
build.index_papers(replace(Config(), home=Path(sys.argv[1])), [sys.argv[2]], progress)
"""
    killed = subprocess.run([sys.executable, "-c", script, str(config.home), str(papers)], check=False)
    assert killed.returncode == -9
    report = index_papers(config, [papers])
    assert report.counts.indexed == 40
    assert report.embedded == 24
    assert agreement(config) == []


def test_a_bad_file_stops_before_the_index_is_touched(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    with pytest.raises(InputError):
        index_papers(config, [tmp_path / "missing.jsonl"])
    assert not index_exists(config)


def test_a_stray_file_in_a_folder_is_skipped_and_told(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "p.jsonl", 3)
    (folder / "notes.txt").write_text("nothing here")
    report = index_papers(config, [folder])
    assert report.counts.indexed == 3
    assert [(Path(s.source).name, s.line) for s in report.read.skipped] == [("notes.txt", 0)]
    with pytest.raises(InputError):
        index_papers(config, [folder / "notes.txt"])


def test_moving_a_broken_catalog_away_and_indexing_again_works(
    tmp_path: Path, config: Config, fake: FakeEmbedder
) -> None:
    papers = write(tmp_path / "p.jsonl", 3)
    index_papers(config, [papers])
    (config.index_dir / "catalog.db").unlink()
    assert index_papers(config, [papers]).embedded == 3
    assert agreement(config) == []


def test_an_interrupted_reindex_goes_on(
    tmp_path: Path, config: Config, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_papers(config, [write(tmp_path / "p.jsonl", 40)])

    def interrupt(done: int, total: int) -> None:
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild_index(config, interrupt)
    assert rebuild_index(config)[0] == 24
    assert agreement(config) == []
    assert rebuild_index(config)[0] == 40
    with pytest.raises(KeyboardInterrupt):
        rebuild_index(config, interrupt)
    # The unfinished work can also be finished by indexing; the next rebuild is a whole one again.
    index_papers(config, [tmp_path / "p.jsonl"])
    assert rebuild_index(config)[0] == 40


def test_the_sample_is_indexed_once_and_then_needs_no_writing(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = FakeEmbedder(max_tokens=400)
    monkeypatch.setattr(build, "load_embedder", lambda config: embedder)
    monkeypatch.setattr(build, "load_comprehender", lambda config, embedder: FakeComprehender())
    monkeypatch.setattr(build, "load_llm", lambda config: FakeModel())
    ensure_sample(config)
    with Engine(config) as engine:
        assert engine.catalog.counts().indexed >= 60
        # Another command on the sample while its chat is open.
        ensure_sample(config)
        ensure_sample(replace(config, rankings="bm25"))


def test_token_vectors_of_an_older_text_do_not_stay(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    papers = tmp_path / "p.jsonl"
    papers.write_text('{"title": "Lake", "abstract": "Ice in March."}\n{"title": "Pond", "abstract": "Mud."}\n')
    index_papers(config, [papers])
    papers.write_text('{"title": "Lake", "abstract": "Fish in June."}\n{"title": "Pond", "abstract": "Mud."}\n')
    index_papers(replace(config, rankings="passage,bm25"), [papers])
    with pytest.raises(IndexMismatchError, match=r"token vectors of 1 of 2 passages.*rankings=passage"):
        Engine(config)


@pytest.mark.parametrize("made_by", ["chat", "index"])
def test_a_sample_without_token_vectors_gets_them(config: Config, fake: FakeEmbedder, made_by: str) -> None:
    fake.max_tokens = 400
    plain = replace(config, rankings="passage,bm25")
    if made_by == "chat":
        ensure_sample(plain)
    else:
        index_papers(plain, [sample_path()])
    Engine(plain).close()
    ensure_sample(config)
    Engine(config).close()
    Engine(plain).close()


def test_skipped_lines_are_reported(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    papers = tmp_path / "p.jsonl"
    papers.write_text('{"title": "Lake", "abstract": "Ice."}\n{"title": "No text"}\n')
    report = index_papers(config, [papers])
    assert report.counts.papers == 1
    assert [(s.line, s.reason) for s in report.read.skipped] == [(2, "abstract: field required")]


def test_another_embedding_model_is_refused_until_reindexed(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    index_papers(config, [write(tmp_path / "p.jsonl", 3)])
    other = replace(config, embedding_model="other")
    with pytest.raises(IndexMismatchError, match="citable reindex"):
        Engine(other)
    with pytest.raises(IndexMismatchError):
        index_papers(other, [tmp_path / "p.jsonl"])
    fake.digest = "changed files"
    with pytest.raises(IndexMismatchError, match="files have changed"):
        Engine(config)
    assert rebuild_index(other)[0] == 3
    Engine(other).close()
    assert agreement(config) == []


def test_lost_vectors_are_noticed_and_reindex_brings_them_back(
    tmp_path: Path, config: Config, fake: FakeEmbedder
) -> None:
    index_papers(config, [write(tmp_path / "p.jsonl", 3)])
    parts = IndexFiles(config.index_dir)
    parts.store.delete([10_000])
    parts.close()
    with pytest.raises(IndexMismatchError, match="do not agree"):
        Engine(config)
    rebuild_index(config)
    Engine(config).close()


def test_an_index_of_another_version_loses_no_paper(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    index_papers(config, [write(tmp_path / "p.jsonl", 3)])
    parts = IndexFiles(config.index_dir)
    parts.catalog.set_setting("format", "1")
    parts.close()
    (config.index_dir / "lexical.db").write_text("of an earlier version")
    for use in (Engine, lambda config: index_papers(config, [tmp_path / "p.jsonl"])):
        with pytest.raises(IndexMismatchError, match=r"another version.*no paper is lost.*citable reindex"):
            use(config)
    assert rebuild_index(config)[0] == 3
    Engine(config).close()
    assert not (config.index_dir / "lexical.db").exists()


@pytest.mark.parametrize("lost", ["acronyms.db", "lexical", "tokens.db"])
def test_a_lost_part_is_told_and_made_again(tmp_path: Path, config: Config, fake: FakeEmbedder, lost: str) -> None:
    index_papers(config, [write(tmp_path / "p.jsonl", 3)])
    path = config.index_dir / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(IndexMismatchError, match=f"lacks {lost}.*citable reindex"):
        Engine(config)
    assert rebuild_index(config) == (3, "bundled")
    Engine(config).close()


def test_reindexing_keeps_the_embedding_model_unless_told(
    tmp_path: Path, config: Config, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_papers(replace(config, embedding_model="my-own"), [write(tmp_path / "p.jsonl", 3)])
    assert rebuild_index(config) == (3, "my-own")
    assert rebuild_index(replace(config, embedding_model="bundled")) == (3, "bundled")
    Engine(config).close()


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("cost", [0.0, 1.0])
def test_a_search_within_some_papers_finds_as_if_there_were_no_others(
    tmp_path: Path, config: Config, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, count: int, cost: float
) -> None:
    # Both ways: by asking for more where that costs nothing, and by the papers' ids where it is dear.
    monkeypatch.setattr("rag.retrieval._EACH_RESULT", cost)
    index_papers(config, [write(tmp_path / "p.jsonl", 40)])
    with Engine(replace(config, candidates=3, papers=50)) as engine:
        within = set(range(40, 40 - count, -1))
        found = engine.retriever.search("Which lake has ice?", within=within)
        assert {hit.paper_id for hit in found.hits} <= within
        assert len(found.hits) >= min(3, count)
        none = engine.retriever.search("Which lake has ice?", without=[40], within=[40])
        assert (none.hits, none.similarity) == ((), 0.0)
        assert engine.retriever.search("Which lake has ice?", within=[]).hits == ()


def test_no_index_says_how_to_make_one(config: Config, fake: FakeEmbedder) -> None:
    for call in (Engine, rebuild_index, require_papers):
        with pytest.raises(NoIndexError, match="citable index"):
            call(config)


def test_one_writes_or_many_read(tmp_path: Path, config: Config, fake: FakeEmbedder) -> None:
    papers = write(tmp_path / "p.jsonl", 3)
    index_papers(config, [papers])
    script = """
import sys
from dataclasses import replace
from pathlib import Path
from rag import build
from rag.config import Config
from rag.errors import IndexBusyError
from tests.fakes import FakeComprehender, FakeEmbedder, FakeModel
build.load_embedder = lambda config: FakeEmbedder()
build.load_comprehender = lambda config, embedder: FakeComprehender()
build.load_llm = lambda config: FakeModel()
config = replace(Config(), home=Path(sys.argv[1]))
with build.Engine(config) as engine:
    print(len(engine.retriever.search("lake ice").hits))
try:
    build.index_papers(config, [sys.argv[2]])
except IndexBusyError as error:
    print(error.exit_code)
"""
    with Engine(config):
        other = subprocess.run(
            [sys.executable, "-c", script, str(config.home), str(papers)], capture_output=True, text=True, check=True
        )
        assert other.stdout.split() == ["3", "7"]
        with pytest.raises(IndexBusyError, match="try again"):
            index_papers(config, [papers])
    index_papers(config, [papers])

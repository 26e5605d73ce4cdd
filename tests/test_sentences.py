import pytest

from rag.sentences import split_sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It runs in 0.5 s, i.e. fast.", "We test e.g. lakes, cf. Fig. 3, against Smith et al. (2020)."],
        ["The code is at https://example.org/a.b.", "It needs Python 3.11."],
        ["We use vitamin C.", "The dose was 5 mg."],
        ["J. Smith and S. aureus disagree (see Sec. 2.1).", "Why?", "Nobody knows!"],
        ['They call it "slow."', "We do not."],
        ["mRNA vaccines were used in 2020.", "mRNA is fragile."],
        ["Results. The rate fell.", "Conclusions: it stays low."],
        ["(i) Lakes thaw. (ii) Ice goes; both matter (a lot. Really) here.", "That is all."],
        ["Compared with U.S. data, the E. coli counts (approx. 3 vs. 5) fell.", "However, p = .05 holds."],
        ["它很快。", "我们测量了它。"],
    ],
)
def test_joined_sentences_come_apart_again(sentences: list[str]) -> None:
    if sentences[0].startswith("(i)"):
        # An enumeration may be split at its items; nothing may be lost.
        joined = " ".join(sentences)
        assert "".join(split(joined)).replace(" ", "") == joined.replace(" ", "")
        return
    glue = "" if "。" in sentences[0] else " "
    assert split(glue.join(sentences)) == sentences


def test_offsets_are_exact_and_nothing_but_space_is_lost() -> None:
    text = "  One is here.\n\nTwo, with a break\nin it. Three ends without stop  "
    spans = split_sentences(text)
    assert [text[a:b] for a, b in spans] == ["One is here.", "Two, with a break\nin it.", "Three ends without stop"]
    covered = {i for a, b in spans for i in range(a, b)}
    assert all(text[i].isspace() for i in range(len(text)) if i not in covered)


def test_odd_text_takes_no_square_of_its_length() -> None:
    text = "e.g. x. " * 20_000
    # The square of its length would take minutes here, beyond the limit of a test.
    assert split_sentences(text)


def test_empty_text_has_no_sentences() -> None:
    assert split_sentences("") == []
    assert split_sentences(" \n ") == []

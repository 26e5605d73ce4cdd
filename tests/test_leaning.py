"""A sentence that points back is told from one that stands for itself."""

import pytest

from rag.leaning import leans_back

LEANS = (
    "We reexamine these approximations and bound their error.",
    "It reaches 91% on the held-out set.",
    "They were followed for six years.",
    "This allows training on a single machine.",
    "This method needs no labels.",
    "Such systems forget slowly.",
    "The latter doubles the yield.",
    "With this assumption removed, the bound is tight.",
    "Its cost grows with the square of the length.",
)
STANDS = (
    "We show that green tea shortens the time to fall asleep.",
    "It is known that sleep helps memory.",
    "This paper studies the effect of tea on sleep.",
    "These results suggest that tea shortens the time to fall asleep.",
    "In this work, we train a network of 34 layers.",
    "Methods such as boosting overfit slowly.",
    "It has been shown that attention is enough.",
    "The method of least squares is older than that.",
)


@pytest.mark.parametrize("text", LEANS)
def test_a_sentence_that_points_back_leans(text: str) -> None:
    assert leans_back(text)


@pytest.mark.parametrize("text", STANDS)
def test_a_sentence_about_its_own_paper_stands_for_itself(text: str) -> None:
    assert not leans_back(text)

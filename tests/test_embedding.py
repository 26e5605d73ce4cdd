"""The embedding models that are here: whose token vectors are read, and that text vectors do not depend on it."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from rag.embedding import SentenceEmbedder
from rag.errors import ModelError
from rag.models import embedding_path

TEXTS = ["Tea cools.", "Green tea shortens the time to fall asleep by twelve minutes, black tea does not."]


@pytest.mark.parametrize(("name", "layers"), [("bundled", [6]), ("all-mpnet-base-v2", [9, 12])])
def test_token_vectors_are_those_of_the_layers_that_tell_most(
    name: str, layers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITABLE_MODELS")
    try:
        path = embedding_path(name)
    except ModelError as error:
        pytest.skip(str(error))
    embedder = SentenceEmbedder(name, path)
    vectors, tokens = embedder.encode_tokens(TEXTS)
    assert np.allclose(vectors, embedder.encode(TEXTS), atol=1e-5)

    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()
    unit = torch.nn.functional.normalize
    for text, found in zip(TEXTS, tokens, strict=True):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        expected = unit(torch.stack([unit(states[layer][0], dim=-1) for layer in layers]).sum(0), dim=-1)[1:-1]
        assert np.allclose(found.vectors, expected.numpy(), atol=1e-4)

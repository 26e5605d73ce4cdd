"""Config -> the models that it names, loaded. Each library is imported when its model is asked for."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from rag import models
from rag.config import Config
from rag.records import Sampling

if TYPE_CHECKING:
    from rag.comprehension import PaperComprehender
    from rag.cross_encoder import RelevanceModel
    from rag.embedding import SentenceEmbedder
    from rag.llm import LlamaModel
    from rag.llm_server import ServerModel


def load_embedder(config: Config) -> "SentenceEmbedder":
    """The configured embedding model."""
    # torch takes seconds to import; a run that embeds nothing does without it.
    from rag.embedding import SentenceEmbedder

    return SentenceEmbedder(config.embedding_model, models.embedding_path(config.embedding_model))


def load_comprehender(config: Config, embedder: "SentenceEmbedder") -> "PaperComprehender":
    """What reads papers for a question: over the bundled embedding model, which `embedder` may be."""
    from rag.comprehension import PaperComprehender

    bundled = config.embedding_model == "bundled"
    return PaperComprehender(embedder if bundled else load_embedder(replace(config, embedding_model="bundled")))


def load_cross_encoder(config: Config) -> "RelevanceModel":
    """The cross-encoder that the setting `reranker` names. Raises ModelError."""
    from rag.cross_encoder import RelevanceModel

    return RelevanceModel(config.reranker, models.reranker_path(config.reranker))


def load_llm(config: Config) -> "LlamaModel | ServerModel":
    """The configured language model: in this process, or on a server where `llm` is a URL."""
    if models.is_server(config.llm):
        return load_server(config)
    from rag.llm import LlamaModel

    return LlamaModel(
        models.llm_path(config.llm),
        context_tokens=config.context_tokens,
        threads=config.threads,
        gpu_layers=config.gpu_layers,
        sampling=Sampling(config.temperature, config.seed),
    )


def load_server(config: Config) -> "ServerModel":
    """The language model on the server whose URL is the setting `llm`; its key comes from the environment alone."""
    from rag.http_api import KEY_VARIABLE
    from rag.llm_server import ServerModel

    return ServerModel(
        config.llm,
        model=config.llm_model,
        api_key=os.environ.get(KEY_VARIABLE, ""),
        context_tokens=config.context_tokens,
        sampling=Sampling(config.temperature, config.seed),
    )

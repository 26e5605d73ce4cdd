"""Real, tiny cross-encoders whose order is known: their weights are set by hand."""

from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from rag.models import embedding_path


def save_cross_encoder(folder: Path, word: str, *, max_tokens: int = 512, outputs: int = 1) -> Path:
    """A BERT of one layer that tells which share of the tokens it reads is `word`, one token of the bundled model.

    All tokens are zero but that one, attention is even, so that the first token gets the mean, which the head reads.
    """
    tokenizer = BertTokenizerFast.from_pretrained(embedding_path("bundled"), model_max_length=max_tokens)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=max_tokens, num_labels=outputs,
        # Layers would scale a small share to the size of a large one.
        layer_norm_eps=1.0,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "LayerNorm.weight" not in name:
                weights.zero_()
        attention = model.bert.encoder.layer[0].attention
        for layer in (attention.self.value, attention.output.dense, model.bert.pooler.dense):
            layer.weight.copy_(torch.eye(8))
        (token,) = tokenizer(word, add_special_tokens=False)["input_ids"]
        model.bert.embeddings.word_embeddings.weight[token, 0] = 8.0
        model.classifier.weight[:, 0] = 1.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

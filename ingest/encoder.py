"""Sentence encoders: sentence-transformers models, with the prefixes, pooling and window that their authors gave them.

Invariants. A fingerprint tells model, prefixes and backend apart; chunks are counted in the model's tokens, whatever the
backend. Batches are of texts of like length (the library sorts them). What is computed how: `ingest.encoder_backends`.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from functools import partial
from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings

from ingest.checkpoint import encodable_text, load_checkpoint
from ingest.chunk_size import ChunkSize
from ingest.embedding import Vectors, unit_rows
from ingest.encoder_backends import Backend, BackendChoices, backends_on, converted
from ingest.errors import UsageError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Of what a model reads of a text; the rest is for prefix, title and headings.
_SHARE_OF_WINDOW = 0.75
# On one core, texts of 60 to 240 tokens took 85, 99, 119 and 181 CPU-ms each in batches of 8, 16, 32 and 64 (12 layers of 384,
# n = 64): what padding costs. A GPU wants more at once.
_BATCH_TEXTS_ON_CPU = 8
_BATCH_TEXTS = 32
# The names under which a checkpoint may keep a prefix, in the library's own order.
_QUERY_PROMPTS = ("query",)
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


class EncoderEmbeddings(Embeddings):
    """A sentence-transformers model from a folder."""

    def __init__(
        self,
        folder: str,
        *,
        query_prefix: str | None = None,
        document_prefix: str | None = None,
        backend: Backend | BackendChoices = Backend.FP32,
        device: str | None = None,
    ) -> None:
        """Loads the weights. A prefix of None is the checkpoint's own, none where it names none.

        With `BackendChoices` the backend is the one chosen there for this model and machine, or is chosen now, in some seconds.

        Raises:
            InputRefused: there is no such model, or none that may be loaded.
            UsageError: the device has no such backend.
        """
        from sentence_transformers import SentenceTransformer  # takes seconds, and the mini profile needs none

        model = load_checkpoint(SentenceTransformer, folder, device=device)
        self._query_prefix = _prefix(model, _QUERY_PROMPTS) if query_prefix is None else query_prefix
        self._document_prefix = _prefix(model, _DOCUMENT_PROMPTS) if document_prefix is None else document_prefix
        self._tokens_as = f"encoder-{_digest(model, self._query_prefix, self._document_prefix)}"
        # A tokenizer of its own: counting switches truncation off, which must not happen while another thread encodes.
        self._tokenizer = copy.deepcopy(model.tokenizer)
        where = model.device.type
        self._batch_texts = _BATCH_TEXTS_ON_CPU if where == "cpu" else _BATCH_TEXTS
        able = backends_on(where)
        if isinstance(backend, BackendChoices):
            ways = {one: partial(self._computing, model, one) for one in able}
            backend = backend.best(self._tokens_as, ways, device=where)
        if backend not in able:
            raise UsageError(f"setting embedding.backend: {where} has no backend {backend}; it has {', '.join(able)}")
        self._model = converted(model, backend)
        self.fingerprint = self._tokens_as if backend is Backend.FP32 else f"{self._tokens_as}-{backend}"

    def _computing(self, model: SentenceTransformer, backend: Backend) -> EncoderEmbeddings:
        """The same embedder with the model computed another way, for a trial."""
        other = copy.copy(self)
        other._model = converted(model, backend)
        return other

    def chunk_size(self, tokens: int) -> ChunkSize:
        """The size of chunks with so many of the model's tokens, or as many as it reads of a text beside title and headings."""
        window = self._model.max_seq_length or math.inf
        return ChunkSize(int(min(tokens, _SHARE_OF_WINDOW * window)), self._count_tokens, self._tokens_as)

    def _count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(encodable_text(text), add_special_tokens=False))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See `Embedder`."""
        vectors: list[list[float]] = self._encode(texts, self._document_prefix).tolist() if texts else []
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """See `Embedder`."""
        vector: list[float] = self._encode([text], self._query_prefix)[0].tolist()
        return vector

    def _encode(self, texts: list[str], prefix: str) -> Vectors:
        # The prefix is given by itself, because some models leave its tokens out of the mean. An empty one is given
        # too: without any, the library would take the checkpoint's default.
        tensor = self._model.encode(
            [encodable_text(text) for text in texts],
            prompt=prefix,
            batch_size=self._batch_texts,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        return unit_rows(tensor.float().cpu().numpy())


def _prefix(model: SentenceTransformer, names: tuple[str, ...]) -> str:
    return next((prompt for name in names if (prompt := model.prompts.get(name))), "")


def _digest(model: SentenceTransformer, *settings: str) -> str:
    """Of the settings, and of the beginning of every tensor: a model trained on differs in its first values too."""
    digest = hashlib.sha256(json.dumps(settings).encode())
    for name, tensor in sorted(model.state_dict().items()):
        start = tensor.detach().flatten()[:256].float().cpu().numpy()
        digest.update(f"{name}{tuple(tensor.shape)}".encode() + start.tobytes())
    return digest.hexdigest()[:16]

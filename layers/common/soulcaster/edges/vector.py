"""Upstash Vector: a cache of embeddings, asked for neighbours. It never knows clusters."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx
import numpy as np
from numpy.typing import NDArray
from upstash_vector import Index
from upstash_vector.errors import UpstashError

if TYPE_CHECKING:
    from upstash_vector.types import QueryRequest

TIMEOUT_SECONDS = 20.0
BATCH = 1_000  # what one upsert may hold
# What the client stumbles over when the answer is not Upstash's, such as a proxy's page.
_NOT_VECTOR = (ValueError, KeyError, TypeError, AttributeError)


class VectorError(Exception):
    """The index did not answer, or answered with an error."""


class Vectors:
    """The embeddings of all projects; a namespace for each project and model."""

    def __init__(self, url: str, token: str, model: str, dimensions: int) -> None:
        self._index = Index(url, token, retries=0, allow_telemetry=False)
        # The client waits ten minutes and can't be told otherwise.
        self._index._client = httpx.Client(timeout=TIMEOUT_SECONDS)  # noqa: SLF001
        self._model = f"{re.sub(r'[^a-z0-9]+', '-', model.lower())}-{dimensions}"

    def _namespace(self, project: str) -> str:
        return f"{project}.{self._model}"

    def nearest(
        self, project: str, vectors: NDArray[np.float32], top: int
    ) -> list[list[tuple[str, float]]]:
        """For each row of ``vectors``, up to ``top`` (feedback id, cosine), nearest first.

        One request. The index may lag behind what was put. Raises ``VectorError``.
        """
        queries: list[QueryRequest] = [{"vector": row, "top_k": top} for row in _rounded(vectors)]
        try:
            found = self._index.query_many(queries=queries, namespace=self._namespace(project))
        except (UpstashError, httpx.HTTPError, *_NOT_VECTOR) as error:
            raise VectorError(f"query: {type(error).__name__}: {error}") from error
        # Upstash scores cosine as (1 + cos) / 2.
        return [[(hit.id, 2 * hit.score - 1) for hit in hits] for hits in found]

    def put(self, project: str, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Insert or replace the vectors of ``ids``; one request per 1,000."""
        rows = list(zip(ids, _rounded(vectors), strict=True))
        try:
            for start in range(0, len(rows), BATCH):
                self._index.upsert(rows[start : start + BATCH], namespace=self._namespace(project))
        except (UpstashError, httpx.HTTPError, *_NOT_VECTOR) as error:
            raise VectorError(f"upsert: {type(error).__name__}: {error}") from error


def _rounded(vectors: NDArray[np.float32]) -> list[list[float]]:
    # Six digits are all that float32 holds; more would only be sent.
    return [[round(x, 6) for x in row] for row in vectors.tolist()]

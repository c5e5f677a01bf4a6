"""Upstash Vector: a cache of embeddings, asked for neighbours. It never knows clusters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx
import numpy as np
from numpy.typing import NDArray
from upstash_vector import Index
from upstash_vector.errors import UpstashError

from soulcaster.rules.grouping.background import slug

if TYPE_CHECKING:
    from upstash_vector.types import FetchResult, QueryRequest

TIMEOUT_SECONDS = 20.0
HURRIED_SECONDS = 3.0
BATCH = 1_000  # what one upsert may hold
# What the client stumbles over when the answer is not Upstash's, such as a proxy's page.
_NOT_VECTOR = (ValueError, KeyError, TypeError, AttributeError)


class VectorError(Exception):
    """The index did not answer, or answered with an error."""


class Vectors:
    """The embeddings of all projects; a namespace for each project and model.

    A request may take 20 seconds; where somebody waits for the answer (``hurried``), 3.
    """

    def __init__(
        self, url: str, token: str, model: str, dimensions: int, hurried: bool = False
    ) -> None:
        self._index = Index(url, token, retries=0, allow_telemetry=False)
        # The client waits ten minutes and can't be told otherwise.
        seconds = HURRIED_SECONDS if hurried else TIMEOUT_SECONDS
        self._index._client = httpx.Client(timeout=seconds)  # noqa: SLF001
        self.model = model
        self.dimensions = dimensions
        self.space = slug(model, dimensions)

    def _namespace(self, project: str) -> str:
        return f"{project}.{self.space}"

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

    def fetch(self, project: str, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those of ``ids`` that the index has; one request per 1,000.

        Raises ``VectorError``.
        """
        found = self._fetch(project, ids, include_vectors=True)
        return {hit.id: np.array(hit.vector, np.float32) for hit in found}

    def known(self, project: str, ids: Sequence[str]) -> set[str]:
        """Those of ``ids`` that the index has; one request per 1,000. Raises ``VectorError``."""
        return {hit.id for hit in self._fetch(project, ids, include_vectors=False)}

    def _fetch(
        self, project: str, ids: Sequence[str], *, include_vectors: bool
    ) -> list["FetchResult"]:
        space, found = self._namespace(project), []
        try:
            for start in range(0, len(ids), BATCH):
                part = list(ids[start : start + BATCH])
                hits = self._index.fetch(part, include_vectors=include_vectors, namespace=space)
                found += [hit for hit in hits if hit is not None]
        except (UpstashError, httpx.HTTPError, *_NOT_VECTOR) as error:
            raise VectorError(f"fetch: {type(error).__name__}: {error}") from error
        return found

    def put(self, project: str, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Insert or replace the vectors of ``ids``; one request per 1,000."""
        rows = list(zip(ids, _rounded(vectors), strict=True))
        try:
            for start in range(0, len(rows), BATCH):
                self._index.upsert(rows[start : start + BATCH], namespace=self._namespace(project))
        except (UpstashError, httpx.HTTPError, *_NOT_VECTOR) as error:
            raise VectorError(f"upsert: {type(error).__name__}: {error}") from error

    def delete(self, project: str, ids: Sequence[str]) -> None:
        """Delete the vectors of those of ``ids`` that the index has; one request per 1,000.

        Raises ``VectorError``.
        """
        try:
            for start in range(0, len(ids), BATCH):
                part = list(ids[start : start + BATCH])
                self._index.delete(ids=part, namespace=self._namespace(project))
        except (UpstashError, httpx.HTTPError, *_NOT_VECTOR) as error:
            raise VectorError(f"delete: {type(error).__name__}: {error}") from error


def _rounded(vectors: NDArray[np.float32]) -> list[list[float]]:
    # Six digits are all that float32 holds; more would only be sent.
    return [[round(x, 6) for x in row] for row in vectors.tolist()]

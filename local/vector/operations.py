"""What each endpoint of the emulated index does with its namespace and its JSON body."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from local.vector.filter import FilterError, Predicate, compiled
from local.vector.index import Index, Lag
from local.vector.store import Floats, Record, Store

MOST = 1000  # vectors in one request or one answer
INCLUDES = {"includeVectors", "includeMetadata", "includeData"}


class RefusedError(Exception):
    """A request that is not served, with the status and the words to answer it with."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class Vectors:
    """The index: every operation takes a namespace, "" being the default one, and a body."""

    def __init__(self, store: Store, dimension: int, lag: float) -> None:
        self._store = store
        self._dimension = dimension
        self._lag = Lag(lag)
        self._indexes: dict[str, Index] = {}

    def set_lag(self, body: Any) -> Any:
        """Change the delay, for waiting upserts too, but not for what has become visible."""
        for index in self._indexes.values():
            index.settle()
        given = _fields(body, {"seconds", "held"})
        self._lag.seconds = float(given.get("seconds", self._lag.seconds))
        self._lag.held = bool(given.get("held", self._lag.held))
        return {"seconds": self._lag.seconds, "held": self._lag.held}

    def upsert(self, namespace: str, body: Any) -> Any:
        items = body if isinstance(body, list) else [body]
        _within(len(items), "number of vectors")
        records = []
        for item in items:
            given = _fields(item, {"id", "vector", "metadata", "data"})
            vector = self._vector(given.get("vector"))
            records.append(
                Record(_identity(given), vector, given.get("metadata"), given.get("data"))
            )
        self._put(namespace, records)
        return "Success"

    def update(self, namespace: str, body: Any) -> Any:
        given = _fields(body, {"id", "vector", "metadata", "data", "metadataUpdateMode"})
        if given.get("metadataUpdateMode", "OVERWRITE") != "OVERWRITE":
            raise RefusedError("metadataUpdateMode other than OVERWRITE is not emulated", 501)
        old = self._store.get(namespace, _identity(given))
        if old is None:
            return {"updated": 0}
        vector = self._vector(given["vector"]) if "vector" in given else old.vector
        metadata, data = given.get("metadata", old.metadata), given.get("data", old.data)
        self._put(namespace, [Record(old.id, vector, metadata, data)])
        return {"updated": 1}

    def query(self, namespace: str, body: Any) -> Any:
        queries = [
            _fields(query, {"vector", "topK", "filter", *INCLUDES})
            for query in (body if isinstance(body, list) else [body])
        ]
        by_filter: dict[str, list[int]] = defaultdict(list)
        for number, query in enumerate(queries):
            by_filter[query.get("filter", "")].append(number)
        answers: list[list[Any]] = [[] for _ in queries]
        for text, numbers in by_filter.items():
            found = self._index(namespace).query(
                np.stack([self._vector(queries[number].get("vector")) for number in numbers]),
                [_within(queries[number].get("topK", 10), "topK") for number in numbers],
                _predicate(text) if text else None,
            )
            for number, nearest in zip(numbers, found, strict=True):
                answers[number] = [
                    {"score": score, **_shown(record, queries[number])} for record, score in nearest
                ]
        return answers if len(queries) != 1 else answers[0]  # a list of one is answered as one

    def fetch(self, namespace: str, body: Any) -> Any:
        given = _fields(body, {"ids", "prefix", *INCLUDES})
        if "ids" not in given:
            page = self._store.page(namespace, limit=MOST, prefix=_required(given, "prefix"))
            return [_shown(record, given) for _, record in page]
        ids = _ids(given["ids"])
        _within(len(ids), "number of ids")
        records = [self._store.get(namespace, identity) for identity in ids]
        return [record and _shown(record, given) for record in records]

    def range(self, namespace: str, body: Any) -> Any:
        given = _fields(body, {"cursor", "limit", "prefix", *INCLUDES})
        limit = _within(_required(given, "limit"), "limit")
        cursor = str(given.get("cursor") or 0)
        if not cursor.isdecimal():
            raise RefusedError(f"Invalid cursor: {cursor}")
        page = self._store.page(namespace, int(cursor), limit + 1, given.get("prefix", ""))
        return {
            "nextCursor": str(page[limit][0]) if len(page) > limit else "",
            "vectors": [_shown(record, given) for _, record in page[:limit]],
        }

    def delete(self, namespace: str, body: Any) -> Any:
        given = _fields(body, {"ids", "prefix", "filter"})
        if "ids" in given:
            ids = _ids(given["ids"])
        elif "filter" in given:
            passes = _predicate(given["filter"])
            page = self._store.page(namespace)
            ids = [record.id for _, record in page if passes(record.metadata or {})]
        else:
            page = self._store.page(namespace, prefix=_required(given, "prefix"))
            ids = [record.id for _, record in page]
        deleted = self._store.delete(namespace, ids)
        self._index(namespace).remove(ids)
        return {"deleted": deleted}

    def reset(self, namespace: str, _: Any) -> Any:
        self._store.clear(namespace)
        self._indexes.pop(namespace, None)
        return "Success"

    def reset_all(self) -> Any:
        for namespace in self._store.namespaces():
            self.reset(namespace, None)
        return "Success"

    def info(self, _: str, __: Any) -> Any:
        counts = {name: self._index(name).counts() for name in self._store.namespaces()}
        ready = sum(ready for ready, _ in counts.values())
        shape = {"dimension": self._dimension, "similarityFunction": "COSINE"}
        return {
            **shape,
            "denseIndex": {**shape, "embeddingModel": ""},
            "vectorCount": ready,
            "pendingVectorCount": sum(pending for _, pending in counts.values()),
            "indexSize": ready * self._dimension * 4,
            "namespaces": {
                name: {"vectorCount": ready, "pendingVectorCount": pending}
                for name, (ready, pending) in counts.items()
            },
        }

    def list_namespaces(self, _: str, __: Any) -> Any:
        return self._store.namespaces()

    def delete_namespace(self, namespace: str, _: Any) -> Any:
        if namespace == "":
            raise RefusedError("The default namespace cannot be deleted", 400)
        if namespace not in self._store.namespaces():
            raise RefusedError(f"Namespace {namespace} for the index local does not exist", 404)
        self._store.delete_namespace(namespace)
        self._indexes.pop(namespace, None)
        return "Success"

    def _index(self, namespace: str) -> Index:
        if namespace not in self._indexes:
            self._store.add_namespace(namespace)
            stored = [record for _, record in self._store.page(namespace)]
            self._indexes[namespace] = Index(self._dimension, self._lag, stored)
        return self._indexes[namespace]

    def _put(self, namespace: str, records: list[Record]) -> None:
        index = self._index(namespace)  # before storing: what it finds stored is indexed
        self._store.put(namespace, records)
        index.put(records)

    def _vector(self, values: Any) -> Floats:
        if not isinstance(values, list):
            raise RefusedError("A vector must be given as an array of numbers")
        if len(values) != self._dimension:
            raise RefusedError(
                f"Invalid vector dimension: {len(values)}, expected: {self._dimension}"
            )
        try:
            numbers = np.array(values)
        except ValueError as error:  # arrays of unequal lengths within
            raise RefusedError("A vector must consist of numbers") from error
        if numbers.ndim != 1 or numbers.dtype.kind not in "if":
            raise RefusedError("A vector must consist of numbers")
        with np.errstate(over="ignore"):  # it becomes infinite, which is refused
            vector = numbers.astype(np.float32)
        if not np.isfinite(vector).all():
            raise RefusedError("A vector must consist of finite numbers")
        return vector


OPERATIONS: dict[str, Callable[[Vectors, str, Any], Any]] = {
    "upsert": Vectors.upsert,
    "update": Vectors.update,
    "query": Vectors.query,
    "fetch": Vectors.fetch,
    "range": Vectors.range,
    "delete": Vectors.delete,
    "reset": Vectors.reset,
    "info": Vectors.info,
    "list-namespaces": Vectors.list_namespaces,
    "delete-namespace": Vectors.delete_namespace,
}


def _fields(body: Any, known: set[str]) -> dict[str, Any]:
    """The members of the object ``body`` that are not null; raises on one that is not known."""
    if not isinstance(body, dict):
        raise RefusedError("expected a JSON object", 400)
    given = {name: value for name, value in body.items() if value is not None}
    if unknown := given.keys() - known:
        raise RefusedError(f"{', '.join(sorted(unknown))} is not emulated here", 501)
    if not isinstance(given.get("metadata", {}), dict):
        raise RefusedError("metadata must be an object")
    return given


def _required(given: dict[str, Any], name: str) -> Any:
    if name not in given:
        raise RefusedError(f"{name} is missing")
    return given[name]


def _identity(given: dict[str, Any]) -> str:
    identity = _required(given, "id")
    if identity == "" or not isinstance(identity, str | int):
        raise RefusedError("An id must be a non-empty string")
    return str(identity)


def _ids(given: Any) -> list[str]:
    if not isinstance(given, list):
        raise RefusedError("ids must be an array")
    return [str(identity) for identity in given]


def _within(count: Any, what: str) -> int:
    if not isinstance(count, int) or not 0 < count <= MOST:
        raise RefusedError(f"Invalid {what}: {count}, expected: 1 to {MOST}")
    return count


def _predicate(text: str) -> Predicate:
    try:
        return compiled(text)
    except FilterError as error:
        raise RefusedError(str(error)) from error


def _shown(record: Record, wanted: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": record.id}
    if wanted.get("includeVectors"):
        # by their shortest notation, so that 0.1 comes back as 0.1
        shown["vector"] = [float(str(number)) for number in record.vector]
    if wanted.get("includeMetadata") and record.metadata is not None:
        shown["metadata"] = record.metadata
    if wanted.get("includeData") and record.data is not None:
        shown["data"] = record.data
    return shown

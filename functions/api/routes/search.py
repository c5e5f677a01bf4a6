"""Search."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel

from routes.auth import Who
from routes.clusters import ClusterOut
from routes.errors import NOT_FOUND, not_found
from routes.feedback import FeedbackOut
from routes.kinds import KindName
from routes.paging import ProjectId
from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.cluster_list import Status
from soulcaster.rules.text import clean

router = APIRouter(tags=["search"])

QUERY_CHARS = 400


def _said(query: str) -> str:
    query = clean(query, QUERY_CHARS)
    if not query:
        raise ValueError("says nothing")
    return query


class FeedbackFound(FeedbackOut):
    """An item, by which of its words it was found, and its rank among those near in meaning."""

    words: list[str]
    meaning_rank: int | None


class ClusterFound(ClusterOut):
    """A cluster, and which of the words are in its name."""

    words: list[str]


class Found(BaseModel):
    """What was found, best first. `meaning` is false when it was searched by words alone, as the
    model or the vector index did not answer.
    """

    query: str
    meaning: bool
    feedback: list[FeedbackFound]
    clusters: list[ClusterFound]


@router.get("/search", responses=NOT_FOUND)
def search(
    who: Who,
    project: ProjectId,
    q: Annotated[str, Query(min_length=1, max_length=QUERY_CHARS), AfterValidator(_said)],
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    source: KindName | None = None,
    status: Status | None = None,
) -> Found:
    """Feedback and clusters by words and by meaning.

    The clusters are those of the feedback found, and those in whose names the words are. `source`
    is a kind of source, `status` that of the cluster.
    """
    # Needs numpy, which no other route does.
    from soulcaster.use_cases import search as use_case  # noqa: PLC0415

    # The model is asked before Redis is, and it costs money.
    wiring.projects(who).admit(project)
    found = use_case.search(
        project,
        q,
        limit,
        searches=wiring.searches(who),
        gemini=wiring.gemini(hurried=True),
        vectors=wiring.vectors(hurried=True),
        now=now_ms(),
        source=source or "",
        status=status or "",
    )
    if found is None:
        raise not_found("project")
    return Found(
        query=q,
        meaning=found.meaning,
        feedback=[FeedbackFound(**item) for item in found.feedback],
        clusters=[ClusterFound(**cluster) for cluster in found.clusters],
    )

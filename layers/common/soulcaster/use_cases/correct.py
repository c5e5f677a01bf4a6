"""A person corrects the clustering, for good.

Each verb is one round trip. They raise ``NotThere`` for what is not there or belongs to another
project, ``Conflict`` for what the present state does not allow, and ``RedisError``.
"""

from collections.abc import Sequence

from soulcaster.edges.correction_store import Corrected, CorrectionStore
from soulcaster.rules import ids
from soulcaster.rules.correction import Decision, NotThere


def merge(
    cluster: str, others: Sequence[str], decided: Decision, *, corrections: CorrectionStore
) -> Corrected:
    """Put ``others`` into ``cluster``."""
    project = _project([cluster, *others], "cl", "cluster")
    return corrections.merge(project, cluster, others, decided)


def split(
    cluster: str, items: Sequence[str], decided: Decision, *, corrections: CorrectionStore
) -> Corrected:
    """Take ``items`` out of ``cluster`` into a new cluster."""
    project = _project([cluster], "cl", "cluster")
    _project(items, "fb", "feedback", project)
    return corrections.split(project, cluster, list(dict.fromkeys(items)), decided)


def move(
    cluster: str, item: str, to: str, decided: Decision, *, corrections: CorrectionStore
) -> Corrected:
    """Take ``item`` out of ``cluster`` into the cluster ``to``."""
    project = _project([cluster, to], "cl", "cluster")
    _project([item], "fb", "feedback", project)
    return corrections.move(project, cluster, item, to, decided)


def undo(correction: str, decided: Decision, *, corrections: CorrectionStore) -> Corrected:
    """Take ``correction`` back."""
    _project([correction], "cor", "correction")
    return corrections.undo(correction, decided)


def _project(identifiers: Sequence[str], kind: str, what: str, expected: str | None = None) -> str:
    """The one project of all ``identifiers``, which is the ``expected`` one if there is one."""
    project = expected or ids.project_of(identifiers[0], kind)
    if project is None or any(ids.project_of(each, kind) != project for each in identifiers):
        raise NotThere(what)
    return project

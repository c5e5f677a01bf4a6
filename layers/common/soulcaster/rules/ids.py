"""Identifiers: every one says what it names and which project it belongs to.

``fb_larder_3f…``: a kind, the project, and a hash of content (for jobs randomness, for
corrections their number in the project).
So a redelivery has the same id for ever, and the project of any id is known without a
look-up.
"""

import hashlib
import re
import secrets

PROJECT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_ID = re.compile(rf"(fb|cl|job|src|cor|imp)_({PROJECT.pattern})_([a-z0-9-]{{1,40}})")


def project_of(identifier: str, kind: str) -> str | None:
    """The project of an id of ``kind`` (fb, cl, job, src, cor, imp); None if it is no such id."""
    match = _ID.fullmatch(identifier)
    return match[2] if match and match[1] == kind else None


def _hash(*parts: str) -> str:
    # Length-prefixed, so that no two different tuples of parts hash alike.
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def feedback_id(project: str, source: str, external_id: str) -> str:
    """The id of the feedback that ``source`` knows as ``external_id``."""
    return f"fb_{project}_{_hash(project, source, external_id)}"


def cluster_id(project: str, founder: str) -> str:
    """The id of the cluster that feedback ``founder`` opened."""
    return f"cl_{project}_{_hash(project, founder)}"


def new_job_id(project: str) -> str:
    """A fresh job id; jobs are asked for, so nothing in their content names them."""
    return f"job_{project}_{secrets.token_hex(10)}"


def new_import_id(project: str) -> str:
    """A fresh id of an import; the same file may be imported again."""
    return f"imp_{project}_{secrets.token_hex(10)}"


def source_id(project: str, name: str) -> str:
    """The id of the source that the project calls ``name`` (letters, digits and hyphens)."""
    return f"src_{project}_{name}"

"""Who may call what, as the tests want it; rules/access.py has to come to the same."""

from dataclasses import dataclass
from typing import Literal

Needs = Literal["ingest", "read", "triage", "fix", "admin", "self", "installation"]


@dataclass(frozen=True)
class Row:
    """What a route needs, its status when all is well, and whether only people may call it."""

    needs: Needs
    done: int = 200
    people: bool = False


TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/projects"): Row("self"),
    ("POST", "/projects"): Row("installation", 201, people=True),
    ("GET", "/projects/{project}"): Row("read"),
    ("PUT", "/projects/{project}"): Row("admin"),
    ("GET", "/projects/{project}/intake"): Row("read"),
    ("GET", "/projects/{project}/grouping"): Row("read"),
    ("GET", "/projects/{project}/trend"): Row("read"),
    ("GET", "/stats"): Row("read"),
    ("GET", "/search"): Row("read"),
    ("GET", "/sources"): Row("read"),
    ("POST", "/sources"): Row("admin", 201),
    ("GET", "/source-kinds"): Row("self"),
    ("GET", "/sources/{source}"): Row("read"),
    ("PATCH", "/sources/{source}"): Row("admin"),
    ("DELETE", "/sources/{source}"): Row("admin", 204),
    ("POST", "/sources/{source}/secret"): Row("admin"),
    ("GET", "/feedback"): Row("read"),
    ("POST", "/feedback"): Row("ingest", 202),
    ("DELETE", "/feedback/{feedback}"): Row("triage", 204),
    ("GET", "/feedback/{feedback}"): Row("read"),
    ("GET", "/clusters"): Row("read"),
    ("POST", "/clusters/rebalance"): Row("triage", 202),
    ("GET", "/clusters/{cluster}"): Row("read"),
    ("PATCH", "/clusters/{cluster}"): Row("triage"),
    ("POST", "/clusters/{cluster}/merge"): Row("triage", 201),
    ("POST", "/clusters/{cluster}/split"): Row("triage", 201),
    ("POST", "/clusters/{cluster}/move"): Row("triage", 201),
    ("POST", "/corrections/{correction}/undo"): Row("triage"),
    ("GET", "/corrections"): Row("read"),
    ("POST", "/clusters/{cluster}/plan"): Row("fix", 503),  # no model answers in these tests
    ("PUT", "/clusters/{cluster}/plan"): Row("fix"),
    ("GET", "/clusters/{cluster}/plans"): Row("read"),
    ("POST", "/clusters/{cluster}/plans/{version}/approve"): Row("fix"),
    ("POST", "/clusters/{cluster}/fix"): Row("fix", 202),
    ("GET", "/imports"): Row("read"),
    ("POST", "/imports"): Row("ingest", 201),
    ("GET", "/imports/{import}"): Row("read"),
    ("GET", "/imports/{import}/refused"): Row("read"),
    ("POST", "/imports/{import}/start"): Row("ingest", 202),
    ("POST", "/imports/{import}/cancel"): Row("ingest"),
    ("GET", "/jobs"): Row("read"),
    ("GET", "/jobs/{job}"): Row("read"),
    ("GET", "/jobs/{job}/logs"): Row("read"),
    ("GET", "/jobs/{job}/record"): Row("read"),
    ("POST", "/jobs/{job}/cancel"): Row("fix"),
    ("GET", "/projects/{project}/keys"): Row("admin"),
    ("POST", "/projects/{project}/keys"): Row("admin", 201),
    ("POST", "/projects/{project}/keys/{key}/rotate"): Row("admin"),
    ("DELETE", "/projects/{project}/keys/{key}"): Row("admin", 204),
    ("GET", "/projects/{project}/members"): Row("read", people=True),
    ("DELETE", "/projects/{project}/members/me"): Row("read", 204, people=True),
    ("PUT", "/projects/{project}/members/{person}"): Row("admin", 204, people=True),
    ("DELETE", "/projects/{project}/members/{person}"): Row("admin", 204, people=True),
    ("GET", "/projects/{project}/invitations"): Row("admin", people=True),
    ("POST", "/projects/{project}/invitations"): Row("admin", 201, people=True),
    ("DELETE", "/projects/{project}/invitations/{invitation}"): Row("admin", 204, people=True),
    ("POST", "/invitations/accept"): Row("self", people=True),
    ("GET", "/audit"): Row("admin"),
    ("GET", "/me"): Row("self"),
    ("POST", "/installation/owner"): Row("self", 204, people=True),
    ("GET", "/installation/owners"): Row("installation", people=True),
    ("DELETE", "/installation/owners/{person}"): Row("installation", 204, people=True),
    ("GET", "/installation/audit"): Row("installation", people=True),
}

"""Who may call what: the one table of the API's routes, and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Role = Literal["owner", "maintainer", "viewer"]
Scope = Literal["ingest", "read", "triage", "fix", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("ingest", "read", "triage", "fix", "admin")
# What each role may do in its project.
ROLES: Final[Mapping[Role, frozenset[Scope]]] = {
    "owner": frozenset(SCOPES),
    "maintainer": frozenset({"ingest", "read", "triage", "fix"}),
    "viewer": frozenset({"read"}),
}
REQUESTS_PER_MINUTE: Final = 600  # of a key or a person

# Besides scopes: whoever has a credential (about themselves), owners of the installation.
Needs = Scope | Literal["self", "installation"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route needs of its caller in the project that it is about.

    ``people``: no key may call it, whatever its scopes. ``about`` is what is not there for those
    who may not know of it.
    """

    needs: Needs
    about: str = "project"
    people: bool = False


ROUTES: Final[Mapping[tuple[str, str], Rule]] = {
    ("GET", "/projects"): Rule("self"),
    ("POST", "/projects"): Rule("installation", people=True),
    ("GET", "/projects/{project}"): Rule("read"),
    ("PUT", "/projects/{project}"): Rule("admin"),
    ("GET", "/projects/{project}/grouping"): Rule("read"),
    ("GET", "/projects/{project}/intake"): Rule("read"),
    ("GET", "/projects/{project}/trend"): Rule("read"),
    ("GET", "/stats"): Rule("read"),
    ("GET", "/search"): Rule("read"),
    ("GET", "/source-kinds"): Rule("self"),
    ("GET", "/sources"): Rule("read"),
    ("POST", "/sources"): Rule("admin"),
    ("GET", "/sources/{source}"): Rule("read", "source"),
    ("PATCH", "/sources/{source}"): Rule("admin", "source"),
    ("DELETE", "/sources/{source}"): Rule("admin", "source"),
    ("POST", "/sources/{source}/secret"): Rule("admin", "source"),
    ("GET", "/feedback"): Rule("read"),
    ("POST", "/feedback"): Rule("ingest"),
    ("GET", "/feedback/{feedback}"): Rule("read", "feedback"),
    ("DELETE", "/feedback/{feedback}"): Rule("triage", "feedback"),
    ("GET", "/clusters"): Rule("read"),
    ("POST", "/clusters/rebalance"): Rule("triage"),
    ("GET", "/clusters/{cluster}"): Rule("read", "cluster"),
    ("PATCH", "/clusters/{cluster}"): Rule("triage", "cluster"),
    ("POST", "/clusters/{cluster}/merge"): Rule("triage", "cluster"),
    ("POST", "/clusters/{cluster}/split"): Rule("triage", "cluster"),
    ("POST", "/clusters/{cluster}/move"): Rule("triage", "cluster"),
    ("POST", "/corrections/{correction}/undo"): Rule("triage", "correction"),
    ("GET", "/corrections"): Rule("read"),
    ("POST", "/clusters/{cluster}/plan"): Rule("fix", "cluster"),
    ("PUT", "/clusters/{cluster}/plan"): Rule("fix", "cluster"),
    ("GET", "/clusters/{cluster}/plans"): Rule("read", "cluster"),
    ("POST", "/clusters/{cluster}/plans/{version}/approve"): Rule("fix", "cluster"),
    ("POST", "/clusters/{cluster}/fix"): Rule("fix", "cluster"),
    ("GET", "/imports"): Rule("read"),
    ("POST", "/imports"): Rule("ingest"),
    ("GET", "/imports/{import}"): Rule("read", "import"),
    ("GET", "/imports/{import}/refused"): Rule("read", "import"),
    ("POST", "/imports/{import}/start"): Rule("ingest", "import"),
    ("POST", "/imports/{import}/cancel"): Rule("ingest", "import"),
    ("GET", "/jobs"): Rule("read"),
    ("GET", "/jobs/{job}"): Rule("read", "job"),
    ("GET", "/jobs/{job}/logs"): Rule("read", "job"),
    ("GET", "/jobs/{job}/record"): Rule("read", "job"),
    ("POST", "/jobs/{job}/cancel"): Rule("fix", "job"),
    ("GET", "/projects/{project}/keys"): Rule("admin"),
    ("POST", "/projects/{project}/keys"): Rule("admin"),
    ("POST", "/projects/{project}/keys/{key}/rotate"): Rule("admin"),
    ("DELETE", "/projects/{project}/keys/{key}"): Rule("admin"),
    ("GET", "/projects/{project}/members"): Rule("read", people=True),
    ("DELETE", "/projects/{project}/members/me"): Rule("read", people=True),
    ("PUT", "/projects/{project}/members/{person}"): Rule("admin", people=True),
    ("DELETE", "/projects/{project}/members/{person}"): Rule("admin", people=True),
    ("GET", "/projects/{project}/invitations"): Rule("admin", people=True),
    ("POST", "/projects/{project}/invitations"): Rule("admin", people=True),
    ("DELETE", "/projects/{project}/invitations/{invitation}"): Rule("admin", people=True),
    ("POST", "/invitations/accept"): Rule("self", "invitation", people=True),
    ("GET", "/audit"): Rule("admin"),
    ("GET", "/me"): Rule("self"),
    ("POST", "/installation/owner"): Rule("self", "link", people=True),
    ("GET", "/installation/owners"): Rule("installation", people=True),
    ("DELETE", "/installation/owners/{person}"): Rule("installation", "owner", people=True),
    ("GET", "/installation/audit"): Rule("installation", people=True),
}


@dataclass(slots=True, kw_only=True)
class Caller:
    """Who asks: a person whose token was verified, or the holder of what looks like a key.

    Whether the key is one, and what either may do in the project, is only known in Redis, where
    the script that does the work looks first. ``id`` is ``github:583231`` or ``key_larder_7f…``;
    ``name`` is what people read: a login, or the key's id. ``mac`` and ``project`` are a key's.
    """

    by: Literal["person", "key"]
    id: str
    name: str
    rule: Rule
    now: int
    project: str = ""
    mac: str = ""
    counted: bool = False

    def question(self) -> dict[str, Any]:
        """What the script is asked; it counts once towards the caller's requests a minute."""
        needs = self.rule.needs
        asked = {
            "by": self.by,
            "id": self.id,
            "name": self.name,
            "project": self.project,
            "mac": self.mac,
            "needs": needs,
            "people": self.rule.people,
            "roles": {role: True for role, scopes in ROLES.items() if needs in scopes},
            "now": self.now,
            "limit": 0 if self.counted else REQUESTS_PER_MINUTE,
        }
        self.counted = True
        return asked

"""Who calls: the holder of an API key, or a person that the dashboard speaks for.

What they may do is looked up in Redis by the script that does it; see lua/lib/admit.lua.
"""

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.edges.dashboard_tokens import NotSignedIn
from soulcaster.edges.redis import Denied
from soulcaster.rules import api_key
from soulcaster.rules.access import ROUTES, Caller, Rule

_bearer = HTTPBearer(auto_error=False, description="An API key, or a token of the dashboard")
_WRONG = "the credential is missing, wrong, expired or revoked"
_CHALLENGE = {"www-authenticate": "Bearer"}


def caller(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Who calls this route; 401 for what can't be a credential, or for a token that is not good."""
    rule = _rule(request)
    if given is None:
        raise HTTPException(401, _WRONG, _CHALLENGE)
    token = given.credentials
    if token.startswith(f"{api_key.PREFIX}_"):
        parts = api_key.parse(token)
        if parts is None:
            raise HTTPException(401, _WRONG, _CHALLENGE)
        mac = wiring.mac(token)
        return Caller(
            by="key",
            id=parts.id,
            name=parts.id,
            project=parts.project,
            mac=mac,
            rule=rule,
            now=now_ms(),
        )
    try:
        person = wiring.dashboard_tokens().verify(token)
    except NotSignedIn as error:
        raise HTTPException(401, _WRONG, _CHALLENGE) from error
    return Caller(by="person", id=person.id, name=person.login, rule=rule, now=now_ms())


Who = Annotated[Caller, Depends(caller)]


async def refused(request: Request, error: Exception) -> JSONResponse:
    """What is answered when the script found that the caller may not."""
    if not isinstance(error, Denied):
        raise error
    if error.why == "UNKNOWN":
        return JSONResponse({"detail": _WRONG}, 401, _CHALLENGE)
    if error.why == "LIMITED":
        problem = {"detail": "too many requests in this minute"}
        return JSONResponse(problem, 429, {"retry-after": str(error.seconds)})
    rule = _rule(request)
    if error.why == "FOREIGN":
        return JSONResponse({"detail": f"there is no such {rule.about}"}, 404)
    return JSONResponse({"detail": f"this needs {_needed(rule)}"}, 403)


def _needed(rule: Rule) -> str:
    if rule.needs == "installation":
        return "a person who owns the installation"
    if rule.needs == "self":
        return "a person; a key can't do it"
    scope = f"the scope {rule.needs}"
    return f"a person who has {scope}; a key can't do it" if rule.people else scope


def _rule(request: Request) -> Rule:
    rule = ROUTES.get((request.method, request.scope["route"].path))
    if rule is None:
        raise HTTPException(403, "nobody may call this")
    return rule

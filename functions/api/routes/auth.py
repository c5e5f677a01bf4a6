"""Who may call: whoever holds the installation's key."""

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from soulcaster import wiring

_bearer = HTTPBearer(auto_error=False, description="The installation's API key")


def require_key(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """401 unless the request carries the key."""
    expected = wiring.secret("API_KEY_ARN").encode()
    if given is None or not hmac.compare_digest(given.credentials.encode(), expected):
        raise HTTPException(401, "the API key is missing or wrong", {"www-authenticate": "Bearer"})

"""The tokens that the dashboard's server side signs for the people who are signed in there."""

import json
import time
from dataclasses import dataclass
from typing import Any

import jwt

from soulcaster.rules.membership import LOGIN, PERSON

ISSUER = "soulcaster-dashboard"
LIFETIME_SECONDS = 5 * 60
LEEWAY_SECONDS = 30  # two clocks are involved
_REQUIRED = ("iss", "aud", "sub", "exp", "jti", "name")


class NotSignedIn(Exception):  # noqa: N818 - names what is
    """The token is none that the dashboard made for us just now."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in: ``github:`` and GitHub's number for them, and their login."""

    id: str
    login: str


class DashboardTokens:
    """Verifies tokens by the public keys that were pinned at deployment, several for a rotation."""

    def __init__(self, jwks: str, audience: str) -> None:
        """``jwks`` is a JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037) with a ``kid``."""
        self._keys = {
            str(key["kid"]): jwt.PyJWK(key, algorithm="EdDSA") for key in json.loads(jwks)["keys"]
        }
        self._audience = audience

    def verify(self, token: str) -> Person:
        """Who is signed in. Raises ``NotSignedIn``, also for a token that lives too long."""
        try:
            # By the key's name alone: what the token says of its algorithm counts for nothing.
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise NotSignedIn("the key is none of ours")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=self._audience,
                issuer=ISSUER,
                leeway=LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise NotSignedIn(str(error)) from error
        if claims["exp"] > time.time() + LIFETIME_SECONDS + LEEWAY_SECONDS:
            raise NotSignedIn("the token lives too long")
        sub, login = claims["sub"], claims["name"]
        if not (isinstance(login, str) and PERSON.fullmatch(sub) and LOGIN.fullmatch(login)):
            raise NotSignedIn("the token names nobody")
        return Person(sub, login)

"""The dashboard's part in signing in: its key, and the tokens that it makes for people."""

import base64
import json
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LIFETIME_SECONDS = 300


@dataclass(frozen=True)
class Person:
    """Somebody who signed in with GitHub: GitHub's number for them, and their login."""

    number: int
    login: str

    @property
    def id(self) -> str:
        """What the product calls them."""
        return f"github:{self.number}"


MAINTAINER = Person(1, "maintainer")


class Dashboard:
    """A signing key and its name; ``private`` is an Ed25519 key in hex, or a new one is made."""

    def __init__(self, kid: str, private: str = "") -> None:
        self._kid = kid
        self._key = (
            Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
            if private
            else Ed25519PrivateKey.generate()
        )

    @property
    def private(self) -> str:
        """The key, to be kept."""
        return self._key.private_bytes_raw().hex()

    def public(self) -> dict[str, str]:
        """The public key as a member of a JSON Web Key Set."""
        raw = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "kid": self._kid, "x": x}

    def token(self, person: Person, audience: str, **changed: Any) -> str:
        """A token for a person, with claims that are ``changed``; None leaves one out."""
        claims: dict[str, Any] = {
            "iss": "soulcaster-dashboard",
            "aud": audience,
            "sub": person.id,
            "name": person.login,
            "exp": int(time.time()) + LIFETIME_SECONDS,
            "jti": uuid.uuid4().hex,
            **changed,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self._key, algorithm="EdDSA", headers={"kid": self._kid})


def key_set(*dashboards: Dashboard) -> str:
    """The public keys to be pinned, as the template's parameter ``DashboardKeys`` takes them."""
    return json.dumps({"keys": [one.public() for one in dashboards]})


class SignedIn(httpx.Auth):
    """Has a client speak for a person: with a new token for each request, as the dashboard does."""

    def __init__(self, dashboard: Dashboard, audience: str, person: Person = MAINTAINER) -> None:
        self._dashboard = dashboard
        self._audience = audience
        self._person = person

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Sign the request."""
        token = self._dashboard.token(self._person, self._audience)
        request.headers["authorization"] = f"Bearer {token}"
        yield request

"""Who calls: nobody, the App (by JWT), one of its installation tokens, or a person."""

import hashlib
import hmac
import json
import secrets
import time
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Literal

import jwt

from local.github.refusal import Refused
from local.github.store import Store

TOKEN_SECONDS = 3600
_MAX_JWT_SECONDS = 600
LEVELS = {"read": 1, "write": 2}
# What the App was granted when it was installed. Tokens may ask for less, never for more.
GRANTED = {"contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write"}


@dataclass(frozen=True)
class Keys:
    """What callers are checked against."""

    app_id: str
    app_slug: str
    installation_id: int
    public_key: str
    person_token: str
    person_login: str


@dataclass(frozen=True)
class Caller:
    """The sender of a request. ``repositories`` None means all of them."""

    kind: Literal["anonymous", "app", "installation", "person"]
    login: str = ""
    permissions: dict[str, str] = field(default_factory=dict)
    repositories: frozenset[int] | None = frozenset()

    def sees(self, repository_id: int) -> bool:
        return self.repositories is None or repository_id in self.repositories

    def may(self, permission: str, level: str) -> bool:
        if self.kind == "person":
            return True
        return LEVELS.get(self.permissions.get(permission, ""), 0) >= LEVELS[level]


def identify(authorization: str | None, keys: Keys, store: Store) -> Caller:
    """The sender by an ``Authorization`` header: Bearer, token or Basic; raises 401."""
    if not authorization:
        return Caller("anonymous")
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() == "basic":
        credential = _password(credential)
    elif scheme.lower() not in ("bearer", "token"):
        raise Refused(401, "Bad credentials")
    if hmac.compare_digest(credential.encode(), keys.person_token.encode()):
        return Caller("person", keys.person_login, repositories=None)
    if credential.startswith("ghs_"):
        return _installation(credential, keys, store)
    if credential.count(".") == 2:
        return _app(credential, keys)
    raise Refused(401, "Bad credentials")


def mint(
    store: Store, app_id: str, permissions: dict[str, str], repositories: list[int]
) -> tuple[str, int]:
    """A new installation token and the second it expires; only its hash is kept."""
    # The form and the length of the tokens that GitHub is changing to.
    tail = ".".join(secrets.token_urlsafe(n) for n in (27, 120, 64))
    token = f"ghs_{app_id}_{tail}"
    expires_at = int(time.time()) + TOKEN_SECONDS
    store.write(
        "INSERT INTO tokens VALUES (?, ?, ?, ?)",
        _hash(token),
        json.dumps(permissions),
        json.dumps(repositories),
        expires_at,
    )
    return token, expires_at


def _installation(token: str, keys: Keys, store: Store) -> Caller:
    row = store.one("SELECT * FROM tokens WHERE hash = ?", _hash(token))
    if row is None or row["expires_at"] <= time.time():
        raise Refused(401, "Bad credentials")
    return Caller(
        "installation",
        f"{keys.app_slug}[bot]",
        json.loads(row["permissions"]),
        frozenset(json.loads(row["repositories"])),
    )


def _app(token: str, keys: Keys) -> Caller:
    try:
        claims = jwt.decode(
            token,
            keys.public_key,
            algorithms=["RS256"],
            issuer=keys.app_id,
            options={"require": ["exp", "iat", "iss"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise Refused(401, "'Expiration time' claim ('exp') must be in the future") from error
    except jwt.PyJWTError as error:
        raise Refused(401, "A JSON web token could not be decoded") from error
    if int(claims["exp"]) > time.time() + _MAX_JWT_SECONDS:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    return Caller("app", f"{keys.app_slug}[bot]")


def _password(basic: str) -> str:
    try:
        return b64decode(basic, validate=True).decode().partition(":")[2]
    except ValueError as error:
        raise Refused(401, "Bad credentials") from error


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""A local cloud's credentials: made once, kept in its state folder, worth nothing elsewhere."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, fields
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.dashboard import Dashboard


@dataclass(frozen=True)
class Credentials:
    """What the emulators let in."""

    redis: str
    vector: str
    gemini: str
    model: str
    person: str
    reddit_id: str
    reddit_secret: str
    aws_secret: str
    github_private_key: str
    webhooks: str
    dashboard: str

    def webhook_secret(self, source: str) -> str:
        """What the demo's sender of a source signs with, the same in every run."""
        digest = hmac.new(self.webhooks.encode(), source.encode(), hashlib.sha256).digest()
        return "whsec_" + base64.b64encode(digest).decode()


def load(folder: Path) -> Credentials:
    """The folder's credentials, made if there are none; the App's public key lies beside them.

    What a folder of an earlier version lacks is made, too.
    """
    file = folder / "credentials.json"
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    if kept.keys() != {field.name for field in fields(Credentials)}:
        app = {} if kept else {"github_private_key": _app_key(folder)}
        kept = {**_random(), **app, **kept}
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(kept, indent=1))
        fresh.replace(file)
    return Credentials(**kept)


def _random() -> dict[str, str]:
    # In hex: what begins with a hyphen can't be an option's value.
    return {
        "redis": secrets.token_hex(24),
        "vector": secrets.token_hex(24),
        "gemini": secrets.token_hex(24),
        "model": secrets.token_hex(24),
        "person": f"ghp_{secrets.token_hex(18)}",
        "reddit_id": secrets.token_hex(7),
        "reddit_secret": secrets.token_hex(20),
        "aws_secret": secrets.token_hex(20),
        "webhooks": secrets.token_hex(24),
        "dashboard": Dashboard("").private,
    }


def _app_key(folder: Path) -> str:
    """A new private key of the GitHub App, in PEM; its public key is written beside."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "github-app.pub.pem").write_bytes(public)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()

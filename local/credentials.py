"""A local cloud's credentials: made once, kept in its state folder, worth nothing elsewhere."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
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
    """The folder's credentials, made if there are none; the App's public key lies beside them."""
    file = folder / "credentials.json"
    if not file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / "github-app.pub.pem").write_bytes(public)
        # In hex: what begins with a hyphen can't be an option's value.
        made = Credentials(
            redis=secrets.token_hex(24),
            vector=secrets.token_hex(24),
            gemini=secrets.token_hex(24),
            model=secrets.token_hex(24),
            person=f"ghp_{secrets.token_hex(18)}",
            reddit_id=secrets.token_hex(7),
            reddit_secret=secrets.token_hex(20),
            aws_secret=secrets.token_hex(20),
            github_private_key=private.decode(),
            webhooks=secrets.token_hex(24),
            dashboard=Dashboard("").private,
        )
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(made), indent=1))
        fresh.replace(file)
    return Credentials(**json.loads(file.read_text()))

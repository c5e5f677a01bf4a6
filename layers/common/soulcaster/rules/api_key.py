"""API keys: ``sck_larder_3f9ac2d1_…``, of which only an HMAC is kept.

The prefix lets scanners find one that got into the open, the checksum tells a mistyped one without
a look-up, and the key says its project and its id, so that one look-up is enough.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass

from soulcaster.rules.ids import PROJECT

PREFIX = "sck"
SECRET_CHARS = 40  # 238 bits
_CHECK_CHARS = 6  # 62^6 > 2^32
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(
    rf"({PREFIX}_({PROJECT.pattern})_([0-9a-f]{{8}})_[0-9A-Za-z]{{{SECRET_CHARS}}})"
    rf"([0-9A-Za-z]{{{_CHECK_CHARS}}})"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a key says of itself; ``id`` is the key's name everywhere else."""

    project: str
    id: str


def new_id(project: str) -> str:
    """The id of a key to be made."""
    return f"key_{project}_{secrets.token_hex(4)}"


def new_key(identifier: str) -> str:
    """A fresh key with that id. It is shown once, and kept nowhere."""
    _, project, short = identifier.split("_")
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARS))
    body = f"{PREFIX}_{project}_{short}_{secret}"
    return body + _checksum(body)


def parse(text: str) -> Parts | None:
    """What a key says of itself; None for what can't be one."""
    match = _KEY.fullmatch(text)
    if match is None or match[4] != _checksum(match[1]):
        return None
    return Parts(match[2], f"key_{match[2]}_{match[3]}")


def mac(pepper: str, text: str) -> str:
    """What is kept of a key or another secret text: useless without the pepper."""
    return hmac.new(pepper.encode(), text.encode(), hashlib.sha256).hexdigest()


def _checksum(body: str) -> str:
    number, found = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_CHARS):
        number, rest = divmod(number, len(_ALPHABET))
        found = _ALPHABET[rest] + found
    return found

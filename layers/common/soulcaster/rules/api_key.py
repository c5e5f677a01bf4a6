"""Secret texts that we hand out once, and of which only an HMAC is kept.

An API key is ``sck_larder_3f9ac2d1_…``, an invitation ``sci_larder_0c81d2aa_…``, and what makes
somebody an owner of the installation ``sco_…``. The prefix lets scanners find one that got into the
open, the checksum tells a mistyped one without a look-up, and a text says its project and its id,
so that one look-up is enough.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from soulcaster.rules.ids import PROJECT

PREFIX: Final = "sck"  # of API keys
INVITATION: Final = "sci"
OWNER: Final = "sco"
SECRET_CHARS = 40  # 238 bits
_CHECK_CHARS = 6  # 62^6 > 2^32
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TEXT = re.compile(
    rf"(([a-z]+)_({PROJECT.pattern})_([0-9a-f]{{8}})_[0-9A-Za-z]{{{SECRET_CHARS}}})"
    rf"([0-9A-Za-z]{{{_CHECK_CHARS}}})"
)
# What ids of what is named by a text begin with.
_KINDS: Final[Mapping[str, str]] = {PREFIX: "key", INVITATION: "inv"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a text says of itself; ``id`` is the name of what it opens everywhere else."""

    project: str
    id: str


def new_id(project: str, prefix: str = PREFIX) -> str:
    """The id of a key (or what else ``prefix`` stands for) to be made."""
    return f"{_KINDS[prefix]}_{project}_{secrets.token_hex(4)}"


def is_id(text: str, project: str, prefix: str = PREFIX) -> bool:
    """Whether ``text`` could be the id of a key, or of what ``prefix`` stands for, in a project."""
    return bool(re.fullmatch(rf"{_KINDS[prefix]}_{re.escape(project)}_[0-9a-f]{{8}}", text))


def new_key(identifier: str, prefix: str = PREFIX) -> str:
    """A fresh text for the key, or what else, with that id. It is shown once, and kept nowhere."""
    _, project, short = identifier.split("_")
    return _sealed(f"{prefix}_{project}_{short}")


def new_owner_token() -> str:
    """A fresh text that makes whoever has it an owner of the installation."""
    return _sealed(OWNER)


def parse(text: str, prefix: str = PREFIX) -> Parts | None:
    """What a text says of itself; None for what can't be one that begins with ``prefix``."""
    match = _TEXT.fullmatch(text)
    if match is None or match[2] != prefix or match[5] != _checksum(match[1]):
        return None
    return Parts(match[3], f"{_KINDS[prefix]}_{match[3]}_{match[4]}")


def mac(pepper: str, text: str) -> str:
    """What is kept of a key or another secret text: useless without the pepper."""
    return hmac.new(pepper.encode(), text.encode(), hashlib.sha256).hexdigest()


def _sealed(head: str) -> str:
    body = f"{head}_{''.join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARS))}"
    return body + _checksum(body)


def _checksum(body: str) -> str:
    number, found = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_CHARS):
        number, rest = divmod(number, len(_ALPHABET))
        found = _ALPHABET[rest] + found
    return found

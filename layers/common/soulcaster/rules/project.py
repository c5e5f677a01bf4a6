"""A project: a tenant, and the repository its fixes go to."""

import re
from dataclasses import dataclass

# The name has something besides dots: "." and ".." lead elsewhere in an address.
REPOSITORY = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{0,50}[A-Za-z0-9_-][A-Za-z0-9._-]{0,50}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """``repository`` is "owner/name", or '' while none is set: then nothing can be fixed.

    ``base`` is the branch that fixes start from and go to.
    """

    id: str
    name: str
    repository: str = ""
    base: str = "main"

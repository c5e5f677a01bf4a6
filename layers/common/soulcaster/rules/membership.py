"""Who belongs to a project, and how they come to."""

import re
from typing import Final

PERSON: Final = re.compile(r"github:[1-9][0-9]{0,18}")
# GitHub's logins, those of enterprise-managed people and of Apps included.
LOGIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}(?:\[bot\])?)?")

INVITED_MS: Final = 7 * 86_400_000  # how long an invitation is good
MAX_PENDING: Final = 100  # invitations of a project
OWNER_LINK_MS: Final = 86_400_000  # how long a link to become the installation's owner is good
MAX_KEYS: Final = 100  # live ones of a project

"""A plan: what is broken, how to reproduce it, where to look and how to tell that it is fixed.

A model drafts it from hostile text and a person approves it, so it holds nothing that the person
would not see.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from soulcaster.rules.text import clean

PROBLEM_CHARS = 2_000
REPRODUCTION_CHARS = 3_000
VERIFICATION_CHARS = 3_000
MAX_FILES = 20
PATH_CHARS = 200
# All versions of a plan are one answer of the API.
MAX_VERSIONS = 50
# Drawn as nothing or as blank, though Unicode calls them letters and marks.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_BREAK = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about a cluster; ``files`` are paths relative to the repository."""

    problem: str
    reproduction: str
    files: tuple[str, ...]
    verification: str

    def text(self) -> str:
        """The plan for whoever carries it out, without the parts that say nothing."""
        files = "\n".join(f"- {name}" for name in self.files)
        parts = (
            ("What is broken", self.problem),
            ("How to reproduce it", self.reproduction),
            ("Files that may matter", files),
            ("How to verify the fix", self.verification),
        )
        return "\n\n".join(f"{heading}:\n{said}" for heading, said in parts if said)


def plan_of(problem: str, reproduction: str, files: Iterable[str], verification: str) -> Plan:
    """A plan of what was written, cut to its limits, in the characters that can be seen.

    A file named twice counts once. Raises ``ValueError`` that begins with the field at fault: for
    a problem that says nothing, for too many files and for what is no path in a repository.
    """
    named = tuple(dict.fromkeys(files))
    if len(named) > MAX_FILES:
        raise ValueError(f"files: {len(named)} are too many; {MAX_FILES} is the limit")
    for name in named:
        if not is_path(name):
            raise ValueError(f"files: {name[:PATH_CHARS]!a} is no path in the repository")
    seen = readable(problem, PROBLEM_CHARS)
    if not seen:
        raise ValueError("problem: says nothing")
    return Plan(
        seen,
        readable(reproduction, REPRODUCTION_CHARS),
        named,
        readable(verification, VERIFICATION_CHARS),
    )


def readable(text: str, limit: int) -> str:
    """``text`` in characters that can be seen, spaces, tabs and newlines, cut to ``limit``."""
    lines = _BLANK.sub("", _BREAK.sub("\n", text))
    # C holds controls, what reverses or hides text, and what is no character.
    return clean("".join(c for c in lines if c in "\n\t" or not _other(c)), limit)


def is_path(name: str) -> bool:
    """Whether ``name`` is the path of a file in a repository, as plain text."""
    return (
        0 < len(name) <= PATH_CHARS
        and name == name.strip()
        and name.isprintable()
        and not _BLANK.search(name)
        and not set("\\`<>") & set(name)
        and not {"", ".", ".."} & set(name.split("/"))
    )


def _other(character: str) -> bool:
    return unicodedata.category(character).startswith("C")

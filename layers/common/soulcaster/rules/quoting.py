"""Other people's words in a pull request: they ping, link, close and hide nothing."""

import re
from urllib.parse import SplitResult, urlsplit

from soulcaster.rules.text import clean, plain

_MENTION = re.compile(r"[@\uff20](?=\w)")
_REFERENCE = re.compile(r"(?i)#(?=\d)|(?<![A-Z0-9])gh-(?=\d)")
_ENTITY = re.compile(r"&(?=[#\w])")  # GitHub reads "&#64;" as "@"
# A backslash before a letter and an underscore inside a word are what they look like.
_MARKUP = re.compile(r"[`*\[\]<>|~!]|\\(?![A-Za-z0-9])|(?<!\w)_+|_+(?!\w)")
# GitHub makes a link of an address that follows an underscore or a letter beyond ASCII, too.
_SCHEME = re.compile(r"(?i)(?<![A-Z0-9])(https?|ftp|mailto|javascript|data):")
_WWW = re.compile(r"(?i)(?<![A-Z0-9])www\.")

_ADDRESS_CHARS = 300
_LONGEST_RUN = 40
_RUN = re.compile(r"`+")
_LONG_RUN = re.compile("`" * _LONGEST_RUN + "`+")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
# Neither what Markdown reads in the target of a link nor what would end it.
_NOT_IN_TARGET = re.compile(r"[^A-Za-z0-9._~:/?#@!$'*+,;=%&-]|&(?=#?\w+;)")


def neutral(text: str, limit: int) -> str:
    """``text`` on one line that GitHub shows as plain words: no mention, link or reference."""
    line = " ".join(plain(text).split())[:limit].rstrip()
    line = _MARKUP.sub(" ", line)
    line = _SCHEME.sub(r"\1 ", line)
    # A zero-width space: people read the same, GitHub's parser does not see a reference.
    for special in (_MENTION, _REFERENCE, _ENTITY, _WWW):
        line = special.sub("\\g<0>\u200b", line)
    return line


def code(text: str, limit: int) -> str:
    """``text`` on one line in code marks, in which GitHub reads nothing; '' for none."""
    line = " ".join(clean(text, len(text)).split())[:limit].rstrip().replace("`", "'")
    return f"`{line}`" if line else ""


def fenced(text: str, limit: int) -> str:
    """The end of ``text`` as a block of code that it can't leave; ``limit`` in characters."""
    inside = clean(text, len(text))
    if len(inside) > limit:
        inside = f"[…]\n{inside[-limit:]}"
    # A run that is longer would have to be fenced in by one that is longer still.
    inside = _LONG_RUN.sub("`" * _LONGEST_RUN, inside)
    longest = max(map(len, _RUN.findall(inside)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{inside}\n{fence}"


def linked(words: str, address: object, repository: str, *, on_github: bool) -> str:
    """``words``, which are neutral, as a link to ``address`` where that is an http(s) one.

    To GitHub's own pages there is no link: GitHub would note on the issue or pull request, in
    whosever repository it is, that it was mentioned here. Their address stands in code marks,
    where it can be read and copied. Pages of ``repository`` ("owner/name") are the exception:
    there the note is wanted. ``on_github`` says that the address is GitHub's, whatever its host.
    """
    parts = _parts(address)
    target = _NOT_IN_TARGET.sub(lambda found: _percent(found[0]), str(address))
    if parts is None or len(target) > _ADDRESS_CHARS:
        return words
    host = parts.netloc.lower()
    is_github = on_github or "github" in host or ".ghe.com" in host
    # Only the plainest path, or what a browser makes of it would be another repository's.
    own = rf"(?i)/{re.escape(repository)}(/[a-z0-9_-]+)*"
    silent = not is_github or (not parts.query and re.fullmatch(own, parts.path))
    if silent and _HOST.fullmatch(host):
        return f"[{words}]({target})"
    return f"{words} `{target}`"


def _parts(address: object) -> SplitResult | None:
    """An http(s) address taken apart; None for anything else."""
    if not isinstance(address, str) or not address.isprintable() or " " in address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.netloc else None


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))

"""Stack traces in plain text, as the common runtimes print them."""

import re
from collections.abc import Iterator

# What is longer says no more, and bounds what a line can cost.
LINE_CHARS = 300

# Possessive, so that no text is gone over twice.
_CALL = re.compile(r"at (?:async |new )?([^()]++)\(([^()]*+)\)")
_FRAME = re.compile(
    r"""File\ "[^"]++",\ line\ \d                                          # Python
    | \#\d++\s++(?:0x | in\ | \{main\} | [^\s():]++(?:::|\ ?\())           # C, PHP, sanitizers
    | \d++:\s++(?:0x[0-9a-f]++\ -\ )?[\w<>$&]++::\S                        # Rust
    | (?:\d++:\ )?(?:from\ )?[^\s:]++:\d++:in\ [`'"]                       # Ruby
    | \d++\s++\S++\s++0x[0-9a-fA-F]{6}                                     # Apple
    | [^\s()]++(?:\(\*\w++\)[^\s()]++)?\((?:0x|\.\.\.|\{|\)$)              # Go
    | [^\s:]++(?<=\.go):\d
    """,
    re.VERBOSE,
)
_AROUND = (
    *("Traceback (most recent call last)", "During handling of the above exception"),
    *("The above exception was", "Caused by: ", 'Exception in thread "', "stack backtrace:"),
    *("created by ", "panic: ", "... ", "Stack trace:", "PHP Fatal error:"),
)
_THREAD = re.compile(r"goroutine \d++ \[|thread '[^']*+'[^']*? panicked at ")
_BEFORE_TYPE = re.compile(
    r'Caused by: |Exception in thread "[^"]*+" |Uncaught (?:\(in promise\) )?'
)
_TYPE = re.compile(r"([A-Za-z_$][\w.$]*+)(?:: |:?$| \()")
_TYPES_END = (
    *("Error", "Exception", "Throwable", "Failure", "Fault", "Interrupt", "Exit", "Timeout"),
    "Warning",
)


def frames(text: str) -> list[str]:
    """The lines of ``text`` that are stack frames, in order, each cut at 300 characters."""
    return [line for line in _lines(text) if _is_frame(line.lstrip())]


def raised(text: str) -> list[str]:
    """The types of exception that ``text`` says were raised, in order, wrapped ones too."""
    return [name for line in _lines(text) for name in _types(line.strip())]


def mostly_trace(text: str) -> bool:
    """Whether more than half of the lines, and two or more, are those of a stack trace."""
    traced = lines = quoted = 0
    for line in _lines(text):
        inner = line.strip()
        if not inner:
            continue
        lines += 1
        # Python shows the frame's line of code, and below it where in the line.
        if _is_trace(inner) or (quoted and line[0].isspace()):
            traced += 1
        quoted = 2 if inner.startswith('File "') else max(0, quoted - 1)
    return traced > 1 and 2 * traced > lines


def _lines(text: str) -> Iterator[str]:
    return (line[:LINE_CHARS] for line in text.split("\n"))


def _is_trace(line: str) -> bool:
    return (
        _is_frame(line)
        or line.startswith(_AROUND)
        or _THREAD.match(line) is not None
        or bool(_types(line))
    )


def _is_frame(line: str) -> bool:
    if not line.startswith("at "):
        return _FRAME.match(line) is not None
    call = _CALL.match(line)
    if call:  # of Java, .NET or JavaScript
        called = "." in call[1] and " " not in call[1]
        return called or _is_place(call[2]) or ":line " in line
    place = line.removeprefix("at ").removeprefix("async ").rstrip()
    return " " not in place and any(c in place for c in "./\\") and _is_place(place)


def _is_place(text: str) -> bool:
    """``file:12`` or ``file:12:3``; ``12:30`` is a time."""
    file, _, number = text.rpartition(":")
    return number.isdigit() and not file.replace(":", "").isdigit()


def _types(line: str) -> list[str]:
    """Those before a message: two in ``java.io.IOException: KeyError: message``."""
    before = _BEFORE_TYPE.match(line)
    rest = line[before.end() if before else 0 :]
    found = []
    while match := _TYPE.match(rest):
        if not match[1].endswith(_TYPES_END):
            break
        found.append(match[1])
        rest = rest[match.end() :]
    return found

"""How a repository is tested, from its files alone.

The first of these that fits is taken. Runners of one language come first, for they are
started as they are and say by themselves when there was no test to run; what starts others
comes after them, and what makes an environment of its own, which takes a network, last.
"""

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

PYTEST = "python3 -m pytest"
UNITTEST = "python3 -m unittest"
NPM = "CI=true npm test"  # without it some runners watch for changes and never end
MAKE = "make test"
CARGO = "cargo test"
GO = "go test ./..."
MAVEN = "mvn -B test"
GRADLE = "gradle test"

# A suite in which none of so many files imports pytest doesn't need it.
MOST_FILES_READ = 50
NPM_PLACEHOLDER = "no test specified"
IMPORTS_PYTEST = re.compile(r"^[ \t]*(import|from)[ \t]+pytest\b", re.MULTILINE)
IMPORTS_UNITTEST = re.compile(r"^[ \t]*(import|from)[ \t]+unittest\b", re.MULTILINE)
PYTHON_TEST = re.compile(r"(test[^/]*|[^/]+_test)\.py")

TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "testdata", "__snapshots__", "e2e"})
TEST_NAME = re.compile(
    r"conftest\.py|test_[^/]*\.\w+|[^/]+_(test|spec)\.\w+|[^/]+[.-](test|spec)\.[cm]?[jt]sx?"
    r"|[^/]+(Test|Tests|TestCase|IT|Spec)\.(java|kt|kts|scala|groovy|cs|php|swift)"
)


class Files(Protocol):
    """The regular files of a repository."""

    @property
    def paths(self) -> Sequence[str]:
        """Where they are, in the order of the names."""
        ...

    def read(self, path: str) -> str:
        """Return the text of a file; '' for one that is not there, or too large to matter."""
        ...


@dataclass(frozen=True)
class Signs:
    """What a command says besides pass and fail.

    ``none`` is the status that means that there was no test. ``ran`` is in the output of
    a run with status 0 if a test was run; ``missing`` is in the output when the runner, or what
    it starts, is not installed. No pattern says nothing.
    """

    none: int | None = None
    ran: re.Pattern[str] | None = None
    missing: re.Pattern[str] | None = None


PYTEST_SIGNS = Signs(none=5, missing=re.compile(r": No module named pytest$"))
MAKE_SIGNS = Signs(missing=re.compile(r"^make.*: \*\*\* .*Error 12[67]$"))
# Before Python 3.12 unittest ended with status 0 where there was no test.
UNITTEST_SIGNS = Signs(none=5, ran=re.compile(r"^Ran [1-9]\d* tests? in "))
CARGO_SIGNS = Signs(ran=re.compile(r"^running [1-9]\d* tests?$"))
GO_SIGNS = Signs(ran=re.compile(r"^ok\s(?!.*\[no tests to run\])"))


def signs(command: str) -> Signs:
    """Return what to look for in the output and the status of a command.

    ``ran`` only where the command is as found here, for options change what is printed: a
    command of the project's own is believed when it ends with status 0.
    """
    if command.startswith(UNITTEST):
        return UNITTEST_SIGNS
    if re.search(r"\b(pytest|unittest)\b", command):
        return PYTEST_SIGNS
    if re.match(r"make\b", command):
        return MAKE_SIGNS
    return {CARGO: CARGO_SIGNS, GO: GO_SIGNS}.get(command, Signs())


def find_command(files: Files) -> str:
    """Return the command that tests the repository; '' when no convention fits."""
    ways: tuple[Callable[[Files], str], ...] = (
        python,
        npm,
        make,
        cargo,
        go,
        java,
        environments,
    )
    return next(filter(None, (way(files) for way in ways)), "")


def python(files: Files) -> str:
    """Return the command for pytest where it is configured or needed, else for unittest."""
    tests = [path for path in files.paths if PYTHON_TEST.fullmatch(PurePosixPath(path).name)]
    if configures_pytest(files):
        return PYTEST
    texts = [files.read(path) for path in tests[:MOST_FILES_READ]]
    if any(map(IMPORTS_PYTEST.search, texts)):
        return PYTEST
    cases = [path for path, text in zip(tests, texts, strict=False) if has_case(text)]
    if cases:
        return unittest_command(cases, frozenset(files.paths))
    # Plain functions with an assert: nothing else would run them.
    return PYTEST if any(is_test(path) for path in tests) else ""


def has_case(text: str) -> bool:
    """Whether a Python file has a test case for unittest."""
    return "TestCase" in text and IMPORTS_UNITTEST.search(text) is not None


def configures_pytest(files: Files) -> bool:
    """Whether a file says that the tests are for pytest."""
    names = {PurePosixPath(path).name for path in files.paths}
    sections = (
        ("pyproject.toml", "[tool.pytest"),
        ("setup.cfg", "[tool:pytest]"),
        ("tox.ini", "[pytest]"),
    )
    return (
        "conftest.py" in names
        or not {"pytest.ini", ".pytest.ini"}.isdisjoint(files.paths)
        or any(section in files.read(path) for path, section in sections)
    )


def unittest_command(cases: list[str], paths: frozenset[str]) -> str:
    """Return the command that finds the cases, which it does in packages only."""
    folders = [PurePosixPath(path).parents for path in cases]
    if any(all(f"{each}/__init__.py" in paths for each in chain[:-1]) for chain in folders):
        return UNITTEST
    top, _ = Counter(str(chain[-2]) for chain in folders).most_common(1)[0]
    return f"{UNITTEST} discover -s {shlex.quote(top)}"


def npm(files: Files) -> str:
    """Return the command for a package with a script for tests, unless it is npm's own."""
    try:
        script = json.loads(files.read("package.json"))["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return NPM if isinstance(script, str) and NPM_PLACEHOLDER not in script else ""


def make(files: Files) -> str:
    """Return the command for a makefile with the target ``test``."""
    # The order in which make looks for them.
    found = [path for path in ("GNUmakefile", "makefile", "Makefile") if path in files.paths]
    return MAKE if found and any(map(has_test_target, files.read(found[0]).splitlines())) else ""


def has_test_target(line: str) -> bool:
    """Whether a line of a makefile is a rule for ``test``, which may be one of several targets."""
    targets, colon, rest = line.partition(":")
    is_rule = bool(colon) and "=" not in targets and not rest.lstrip(":").startswith("=")
    return is_rule and line[:1] not in {"\t", "#"} and "test" in targets.split()


def cargo(files: Files) -> str:
    """Return the command for a Rust package or workspace."""
    return CARGO if "Cargo.toml" in files.paths else ""


def go(files: Files) -> str:
    """Return the command for a Go module that has tests."""
    has_tests = any(path.endswith("_test.go") for path in files.paths)
    return GO if "go.mod" in files.paths and has_tests else ""


def java(files: Files) -> str:
    """Return the command for Maven or Gradle, by the wrapper where there is one."""
    if "pom.xml" in files.paths:
        return "sh ./mvnw -B test" if "mvnw" in files.paths else MAVEN
    if {"build.gradle", "build.gradle.kts"}.intersection(files.paths):
        return "sh ./gradlew test" if "gradlew" in files.paths else GRADLE
    return ""


def environments(files: Files) -> str:
    """Return the command for tox or nox."""
    if "tox.ini" in files.paths or "[tool.tox" in files.read("pyproject.toml"):
        return "tox"
    return "nox" if "noxfile.py" in files.paths else ""


def is_test(path: str) -> bool:
    """Whether a file is a test or belongs to one, by its folders and its name."""
    where = PurePosixPath(path)
    in_tests = not TEST_FOLDERS.isdisjoint(part.lower() for part in where.parts[:-1])
    return in_tests or bool(TEST_NAME.fullmatch(where.name))

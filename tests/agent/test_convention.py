"""How repositories of many kinds are tested, from their files alone."""

import json

import pytest

from soulcaster_agent.convention import (
    CARGO,
    GO,
    MAKE,
    NPM,
    NPM_PLACEHOLDER,
    PYTEST,
    TEST_FOLDERS,
    UNITTEST,
    find_command,
    is_test,
    signs,
)
from tests.agent.conftest import ROOT

CASE = "import unittest\nclass T(unittest.TestCase): ...\n"
PLAIN = "def test_it():\n    assert True\n"


class Folder:
    """Files in memory; see convention.Files."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files
        self.paths = sorted(files)

    def read(self, path: str) -> str:
        """Return a file's text, or ''."""
        return self._files.get(path, "")


def package(script: object) -> str:
    return json.dumps({"scripts": {"test": script}})


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"pytest.ini": ""}, "python3 -m pytest"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest"),
        ({"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest"),
        ({"tox.ini": "[tox]\n[pytest]\n"}, "python3 -m pytest"),
        ({"src/tests/conftest.py": ""}, "python3 -m pytest"),
        ({"tests/test_a.py": CASE, "tests/test_b.py": "import pytest\n"}, "python3 -m pytest"),
        ({"tests/test_a.py": PLAIN}, "python3 -m pytest"),
        ({"test_a.py": CASE}, "python3 -m unittest"),
        ({"tests/__init__.py": "", "tests/test_a.py": CASE}, "python3 -m unittest"),
        ({"tests/test_a.py": CASE}, "python3 -m unittest discover -s tests"),
        ({"my tests/test_a.py": CASE}, "python3 -m unittest discover -s 'my tests'"),
        ({"larder/testing.py": PLAIN}, ""),
        ({"package.json": package("node --test")}, "CI=true npm test"),
        ({"package.json": package(f'echo "Error: {NPM_PLACEHOLDER}" && exit 1')}, ""),
        ({"package.json": package(None)}, ""),
        ({"package.json": '{"scripts": ["test"]}'}, ""),
        ({"package.json": "{" * 10_000}, ""),
        ({"web/package.json": package("jest")}, ""),
        ({"Makefile": "test:\n\tgo vet\n"}, "make test"),
        ({"makefile": "lint test check: all\n"}, "make test"),
        ({"Makefile": "test :: all\n"}, "make test"),
        ({"Makefile": "test := 1\ntest = 2\nA = b: test\n\ttest: x\n# test:\ntests:\n"}, ""),
        ({"GNUmakefile": "all:\n", "Makefile": "test:\n"}, ""),
        ({"Cargo.toml": ""}, "cargo test"),
        ({"go.mod": "", "a/a_test.go": ""}, "go test ./..."),
        ({"go.mod": ""}, ""),
        ({"pom.xml": "", "mvnw": ""}, "sh ./mvnw -B test"),
        ({"pom.xml": ""}, "mvn -B test"),
        ({"build.gradle.kts": "", "gradlew": ""}, "sh ./gradlew test"),
        ({"build.gradle": ""}, "gradle test"),
        ({"tox.ini": "[tox]\n"}, "tox"),
        ({"noxfile.py": ""}, "nox"),
        ({"README.md": "python3 -m pytest"}, ""),
        ({}, ""),
    ],
)
def test_each_convention_is_known(files: dict[str, str], command: str) -> None:
    """By its files at the root, and by what the tests need."""
    assert find_command(Folder(files)) == command


def test_the_order_is_as_documented() -> None:
    """A runner of one language, then what starts others, then what makes environments."""
    repository: dict[str, str] = {}
    for files, command in (
        ({"noxfile.py": ""}, "nox"),
        ({"tox.ini": "[tox]\n"}, "tox"),
        ({"build.gradle": ""}, "gradle test"),
        ({"pom.xml": ""}, "mvn -B test"),
        ({"go.mod": "", "a_test.go": ""}, "go test ./..."),
        ({"Cargo.toml": ""}, "cargo test"),
        ({"Makefile": "test:\n"}, "make test"),
        ({"package.json": package("jest")}, "CI=true npm test"),
        ({"test_a.py": CASE}, "python3 -m unittest"),
        ({"conftest.py": ""}, "python3 -m pytest"),
    ):
        repository |= files
        assert find_command(Folder(repository)) == command


def test_a_hostile_file_takes_no_time() -> None:
    """Files that would have a careless pattern try for ever are read in one go."""
    for text in ("test " * 40_000, "\n" * 200_000, "import unittest\n" * 12_000, "a:" * 100_000):
        files = {"Makefile": text, "test_a.py": text, "package.json": text, "pyproject.toml": text}
        find_command(Folder(files))


@pytest.mark.parametrize(
    "path",
    [
        *("test_a.py", "a/test_a.py", "a/a_test.py", "conftest.py", "a/tests/data/x.json"),
        *("pkg/a_test.go", "src/a.test.ts", "src/a.spec.mjs", "a.test.tsx", "__tests__/a.js"),
        *("spec/models/user_spec.rb", "lib/user_spec.rb", "src/test/java/A.java", "ATest.java"),
        *("Tests/A.cs", "UserTests.cs", "tests/it.rs", "test/a_test.exs"),
    ],
)
def test_a_test_is_known_by_its_path(path: str) -> None:
    """In the folders and with the names that are common for tests."""
    assert is_test(path)


@pytest.mark.parametrize(
    "path",
    [
        *("larder/units.py", "latest.py", "src/contest.ts", "testimonials/a.html", "README.md"),
        *("attest.go", "api.spec.yaml", "src/main/java/Latest.java", "tests", "protest/a.py"),
    ],
)
def test_what_only_looks_like_a_test_is_none(path: str) -> None:
    """A part of a word is not enough."""
    assert not is_test(path)


@pytest.mark.parametrize(
    ("command", "none", "line"),
    [
        ("python3 -m unittest discover -s tests", 5, "Ran 12 tests in 0.001s"),
        ("cargo test", None, "running 1 test"),
        ("go test ./...", None, "ok  \texample.com/a\t0.002s"),
    ],
)
def test_runners_say_that_a_test_ran(command: str, none: int | None, line: str) -> None:
    """By a line that they print only then."""
    found = signs(command)
    assert found.none == none
    assert found.ran is not None
    assert found.ran.search(line)
    for other in ("Ran 0 tests in 0.000s", "running 0 tests", "ok  \ta\t0.1s [no tests to run]"):
        assert not found.ran.search(other)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("python3 -m pytest", "/usr/bin/python3: No module named pytest"),
        ("make test", "make: *** [Makefile:2: test] Error 127"),
    ],
)
def test_a_missing_runner_is_known_by_what_is_printed(command: str, line: str) -> None:
    """Where the status is that of a failed test."""
    missing = signs(command).missing
    assert missing is not None
    assert missing.search(line)


def test_a_projects_own_command_is_believed() -> None:
    """Nothing is expected of what it prints; pytest's status for no tests is known in it."""
    assert signs("go test -json ./...").ran is None
    assert signs("cd api && uv run pytest -x").none == 5
    assert signs("./check.sh") == signs("")


def test_the_page_names_each_command_and_each_folder() -> None:
    """docs/proof.md has what this file knows."""
    page = (ROOT / "docs/proof.md").read_text()
    for command in (PYTEST, UNITTEST, NPM, MAKE, CARGO, GO, *TEST_FOLDERS):
        assert f"`{command}`" in page

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules import patch as rules
from soulcaster.rules.patch import MAX_BYTES, MAX_FILES, MAX_LINES, Patch, PatchRefused
from tests.rules.signed import json_values, places, replaced

BASE = "4f2a" * 10


def changed(path: str = "larder/export.py", **given_fields: Any) -> dict[str, Any]:
    """One file of a patch, as the task writes it."""
    fields = {
        "path": path,
        "mode": "100644",
        "content": "rows = 1\n",
        "deleted": False,
        "binary": False,
    }
    return {**fields, **given_fields}


def patch(*files: dict[str, Any], **given_fields: Any) -> dict[str, Any]:
    """A patch, as the task writes it; of one harmless file when none is given."""
    whole = {"base": BASE, "summary": "Kept the last row.", "diff": "--- a\n+++ b\n"}
    return {**whole, "files": list(files) or [changed()], **given_fields}


def parse_patch(text: str, files: int = 40, size: int = 400_000) -> Patch:
    """Parse with the limits of a project that has set none."""
    return rules.parse_patch(text, files_limit=files, bytes_limit=size)


def refusal(value: Any, files: int = 40, size: int = 400_000) -> str:
    """Why a patch is refused."""
    with pytest.raises(PatchRefused) as caught:
        parse_patch(json.dumps(value), files, size)
    return str(caught.value)


def test_a_plain_patch_is_taken() -> None:
    """New text, an executable, a deletion and a file in a folder with a dot are all fine."""
    taken = parse_patch(
        json.dumps(
            patch(
                changed(),
                changed("bin/run", mode="100755"),
                changed("old.py", content=None, deleted=True),
                changed(".config/näh me.toml"),
                changed("docs/.github-notes/x.md"),
                changed(".gitignore"),
                changed("docs/agents/claude.py"),
            )
        )
    )
    assert taken.base == BASE
    assert taken.summary == "Kept the last row."
    assert [file.path for file in taken.files][:2] == ["larder/export.py", "bin/run"]
    assert taken.files[1].mode == "100755"
    assert taken.files[2].content is None
    assert len(taken.files) == 7


@pytest.mark.parametrize(
    "path",
    [
        *(".github/workflows/ci.yml", ".GitHub/workflows/ci.yml", ".GITHUB/dependabot.yml"),
        *(".github", ".git/config", ".GIT/hooks/pre-commit", "sub/.git/config", "sub/.Git/x"),
        *(".gitmodules", "sub/.GitModules", ".circleci/config.yml", ".gitlab-ci.yml"),
        *("Jenkinsfile", "deploy/Jenkinsfile", "azure-pipelines.yml", ".travis.yml"),
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
def test_s20_what_runs_by_itself_is_not_changed(path: str, deleted: bool) -> None:
    """Workflows, hooks and submodules are refused, written in any case, and not deleted either."""
    content = None if deleted else "x"
    why = refusal(patch(changed(path, content=content, deleted=deleted)))
    assert why == f"{path} is not for an agent to change"


@pytest.mark.parametrize(
    "path",
    [
        *("AGENTS.md", "sub/agents.md", "CLAUDE.md", "CLAUDE.local.md", ".claude/settings.json"),
        *(".kilocode/rules/x.md", ".kilo/kilo.json", "sub/.kilocoderules", ".kilocodemodes"),
        *("opencode.json", "kilo.jsonc", ".opencode/agent/x.md", ".cursor/rules/a.mdc"),
        *(".cursorrules", ".roomodes", ".roo/rules.md", ".mcp.json", ".aider.conf.yml"),
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
def test_s22_what_tells_agents_what_to_do_is_not_changed(path: str, deleted: bool) -> None:
    """A fix can't instruct the agents that come after it, nor take their instructions away."""
    content = None if deleted else "x"
    why = refusal(patch(changed(path, content=content, deleted=deleted)))
    assert why == f"{path} tells agents what to do and is not for one to change"


@pytest.mark.parametrize(
    "path",
    [
        *("../outside.py", "a/../../b", "/etc/passwd", "a//b", "a/", "./a", "a/./b", "", "..", "."),
        *("a\\..\\b", "C:\\x", ".github\\workflows\\x.yml", "a\0b"),
    ],
)
def test_s20_a_path_stays_in_the_repository(path: str) -> None:
    """No path that leads elsewhere, on any system, is taken."""
    assert "leaves the repository" in refusal(patch(changed(path)))


@pytest.mark.parametrize(
    "path",
    ["a\nb", "a`@octocat`", ".g\u200cit/config", "a\u202eb", "a\ud800b", "a\x1b[2Jb", "a\tb"],
)
def test_s20_a_path_is_plain_text(path: str) -> None:
    """A name that can't be seen as it is, or ends the quotation it is shown in, is refused."""
    why = refusal(patch(changed(path)))
    assert "is not plain text" in why
    assert why.isprintable()
    assert why.encode()


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        ("120000", "a symbolic link"),
        ("160000", "a submodule"),
        ("040000", "of mode 040000"),
        ("100664", "of mode 100664"),
        ("", "of mode "),
    ],
)
def test_s20_only_plain_files_are_changed(mode: str, what: str) -> None:
    """Links, submodules and odd modes are refused by name."""
    assert refusal(patch(changed(mode=mode))) == f"larder/export.py is {what}"


@pytest.mark.parametrize(
    "fields",
    [
        {"binary": True},
        {"binary": True, "content": None},
        {"content": None},
        {"content": "a\0b"},
        {"content": "a\ud800b"},
        {"content": 5},
    ],
)
def test_s20_binary_files_are_refused(fields: dict[str, Any]) -> None:
    """What nobody can review as text is refused, however it is marked."""
    assert refusal(patch(changed(**fields))) == "larder/export.py is binary"


SECRETS = [
    "ghs_" + "1234567890abcdef_" * 3,
    "ghp_" + "a" * 36,
    "github_pat_" + "11AAAAAAA0" * 3,
    "AKIA" + "IOSFODNN7EXAMPLE",
    "AIza" + "Sy" + "0" * 33,
    "sk-" + "proj-" + "a1" * 20,
    "whsec_" + "A" * 32,
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "-----BEGIN " + "PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_s20_a_secret_is_refused(secret: str) -> None:
    """What looks like a credential reaches no repository, and the reason does not repeat it."""
    why = refusal(patch(changed(content=f"x\ntoken = '{secret}'\n")))
    assert why == "larder/export.py holds what looks like a credential"
    assert secret not in refusal(patch(summary=f"Used {secret} to test."))


@pytest.mark.parametrize(
    ("setting", "limit"), [(1, 1), (40, 40), (MAX_FILES, MAX_FILES), (10**9, MAX_FILES)]
)
def test_s20_the_number_of_files_is_limited(setting: int, limit: int) -> None:
    """As many as the project's limit are fine, one more is not; no setting goes past the most."""
    files = [changed(f"f{n}.py") for n in range(limit + 1)]
    assert len(parse_patch(json.dumps(patch(*files[:-1])), setting).files) == limit
    why = refusal(patch(*files), setting)
    assert why == f"it changes {limit + 1} files; {limit} is the limit"


@pytest.mark.parametrize(
    ("setting", "limit"), [(8, 8), (400_000, 400_000), (MAX_BYTES, MAX_BYTES), (10**9, MAX_BYTES)]
)
def test_s20_the_size_is_limited_in_bytes(setting: int, limit: int) -> None:
    """All files together may hold so many bytes of UTF-8; no setting goes past the most."""
    half = "é" * (limit // 4)
    fits = patch(changed("a", content=half), changed("b", content=half))
    parse_patch(json.dumps(fits), size=setting)
    over = patch(changed("a", content=half), changed("b", content=half + "é"))
    assert refusal(over, size=setting) == f"it holds more than {limit} bytes"


def test_s20_the_number_of_lines_is_limited() -> None:
    """Nobody reads more: all files together may have so many lines, and no setting changes that."""
    half = "\n" * (MAX_LINES // 2)
    parse_patch(json.dumps(patch(changed("a", content=half), changed("b", content=half))))
    over = patch(changed("a", content=half), changed("b", content=half + "x"))
    assert refusal(over, 10**9, 10**9) == f"its files have more than {MAX_LINES} lines"


@pytest.mark.parametrize(
    ("path", "into"),
    [("ci.yml", ".github/workflows/ci.yml"), ("a.md", "AGENTS.md"), ("hook", ".git/hooks/x")],
)
def test_s20_a_rename_into_what_runs_is_refused(path: str, into: str) -> None:
    """A patch writes a rename as a deletion and an addition: the addition is what counts."""
    gone = changed(path, content=None, deleted=True)
    assert into in refusal(patch(gone, changed(into)))
    assert into in refusal(patch(changed(into), gone))


def test_s20_a_file_is_changed_once() -> None:
    """Two versions of one file are refused: which one counts would be a guess."""
    assert "same file twice" in refusal(
        patch(changed("a"), changed("a", content=None, deleted=True))
    )


@pytest.mark.parametrize(
    "base", ["", "main", "HEAD", BASE[:-1], BASE.upper(), BASE + "\n", None, 5]
)
def test_a_patch_names_its_base(base: Any) -> None:
    """Without the commit it was made on, a patch can't be checked against anything."""
    assert "commit it is based on" in refusal(patch(base=base))


def test_an_empty_patch_is_refused() -> None:
    """A patch without files is "no change", and that has a name of its own."""
    assert refusal(patch(files=[])) == "the patch changes nothing"


def test_words_are_cut_and_cleaned() -> None:
    """The agent's words are bounded, and hold nothing that people would not see."""
    taken = parse_patch(json.dumps(patch(summary="a\u202e\0" + "b" * 9_999)))
    assert taken.summary.startswith("ab")
    assert len(taken.summary) == 4_000


@given(st.text() | json_values.map(json.dumps))
@example("[" * 100_000)
@example('{"base": "x", "summary": "", "diff": "", "files": {"a": 1}}')
@example('{"base": "x", "summary": "", "diff": "", "files": ["a"]}')
def test_garbage_is_refused(text: str) -> None:
    """No text that is not a patch is taken for one, or ends in another error."""
    with pytest.raises(PatchRefused):
        parse_patch(text)


@given(st.data(), json_values | st.text(st.characters()))
def test_any_member_may_be_garbage(data: st.DataObject, value: Any) -> None:
    """With any value in any place it is a patch that can be committed, or refused with a reason."""
    whole = patch(changed(), changed("old.py", content=None, deleted=True))
    path = data.draw(st.sampled_from(list(places(whole))))
    with suppress(PatchRefused):
        taken = parse_patch(json.dumps(replaced(whole, path, value)))
        for file in taken.files:
            (file.path + (file.content or "")).encode()

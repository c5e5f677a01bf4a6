import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.quoting import code, fenced, linked, neutral

REPOSITORY = "acme/larder"
# What GitHub makes a mention, a reference or a link of, wherever it stands in a text.
SPECIAL = re.compile(
    r"(?i)@\w|#\d|(?<![A-Z0-9])(?:gh-\d|https?:|ftp:|mailto:|www\.\w)|[<>`*\[\]~|]|&[#\w]+;"
    r"|(?<!\w)_|_(?!\w)|\\(?![A-Z0-9])"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thanks @octocat!", "thanks @\u200boctocat"),
        ("@acme/owners", "@\u200bacme/owners"),
        ("fixes #12", "fixes #\u200b12"),
        ("closes acme/larder#12", "closes acme/larder#\u200b12"),
        ("resolves GH-12", "resolves GH-\u200b12"),
        ("closes https://github.com/acme/larder/issues/12", "closes https //github.com"),
        ("see www.evil.example", "see www.\u200bevil.example"),
        ("[click](https://evil.example)", "click"),
        ("![pixel](https://evil.example/p.png)", "pixel"),
        ("<img src=https://evil.example/p.png>", ""),
        ("a <!-- hidden --> b", "a b"),
        ("# Heading\n\n- [ ] box", "Heading - box"),
        ("`code` *bold* _under_ ~~gone~~", "code bold under gone"),
        ("&amp;#64;octocat", "&\u200b#\u200b64;octocat"),
        ("&#64;octocat", "@\u200boctocat"),
        ("&commat;octocat", "@\u200boctocat"),
        ("mail ada@larder.example", "mail ada@\u200blarder.example"),
        ("snake_case and C:\\temp", "snake_case and C:\\temp"),
        ("a_https://evil.example", "a_https //evil.example"),
        ("éhttps://evil.example", "éhttps //evil.example"),
        ("a_www.evil.example", "a_www.\u200bevil.example"),
        ("__really__", "really"),
        ("R&D for 3 < 4", "R&\u200bD for 3 4"),
    ],
)
def test_quoted_words_do_nothing(text: str, shown: str) -> None:
    """Mentions, references, closing keywords, links, images and markup are only words."""
    assert " ".join(neutral(text, 200).split()).startswith(shown)


@given(
    st.text(st.characters() | st.sampled_from("@#&;:/.<>[]()!*_`\n wWgGhH1a-")), st.integers(1, 80)
)
@example("a\n@b", 80)
@example("&am&amp;p;#64;x", 80)
@example("@@a ##1 &&amp;amp;lt;", 80)
@example("w\u200bww.a", 80)
@example("[@](x)ada", 80)
@example("__a__", 80)
@example("a_https://b", 80)
@example("h*ttps://a.example", 80)
def test_no_text_does_anything(text: str, limit: int) -> None:
    """Whatever is quoted, GitHub finds no mention, reference, link or markup in it."""
    shown = neutral(text, limit)
    assert not SPECIAL.search(shown), shown
    assert "\n" not in shown


def test_code_is_one_line_that_stays_code() -> None:
    """A command is shown as it is, but for what would end the marks around it."""
    assert code("pytest -q\n  --maxfail=1", 80) == "`pytest -q --maxfail=1`"
    assert code("echo `@octocat`", 80) == "`echo '@octocat'`"
    assert code("x" * 100, 10) == f"`{'x' * 10}`"
    assert code(" \n\0", 80) == ""


def closed_at(block: str) -> int:
    """The line at which a Markdown parser ends the fenced block that ``block`` begins with."""
    first, *lines = block.split("\n")
    fence = re.match("`+", first)
    assert fence is not None
    for number, line in enumerate(lines, 1):
        closing = re.fullmatch(r" {0,3}(`+)[ \t]*", line)
        if closing and len(closing[1]) >= len(fence[0]):
            return number
    raise AssertionError("it is never closed")


@given(st.text(st.characters() | st.sampled_from("`` ~\n</details>")), st.integers(1, 300))
@example("```\n</details>\n@octocat", 100)
@example("`" * 500, 300)
@example("~~~\n````\n``", 100)
def test_no_log_leaves_its_block(text: str, limit: int) -> None:
    """Whatever a log holds, the block ends where we end it, and is hardly longer than its limit."""
    block = fenced(text, limit)
    assert closed_at(block) == block.count("\n")
    assert len(block) <= limit + 100


def test_the_end_of_a_log_is_what_is_kept() -> None:
    """Where tests fail is said last."""
    assert fenced("a" * 50 + "the end", 7) == "```text\n[…]\nthe end\n```"
    assert fenced("whole", 7) == "```text\nwhole\n```"


@pytest.mark.parametrize(
    "address",
    [
        "https://www.reddit.com/r/larder/comments/1",
        "http://127.0.0.1:8000/acme/larder/issues/3",
        "https://sentry.example/issues/5?project=1&environment=live#top",
        "https://github.com/acme/larder/issues/12",
        "https://GitHub.com/Acme/Larder/issues/12#issuecomment-5",
    ],
)
def test_an_item_is_linked(address: str) -> None:
    """A page of a source is one click away; so are the repository's own issues."""
    assert linked("words", address, REPOSITORY, on_github=False) == f"[words]({address})"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/other/repo/issues/1",
        "https://github.com/acme/larder-two/issues/1",
        "https://github.com/acme/larder/../../other/repo/issues/1",
        "https://github.com/acme/larder/%2e%2e/x/issues/1",
        "https://github.com//acme/larder/issues/1",
        "https://www.github.com/other/repo/pull/1",
        "https://gist.github.com/octocat/1",
        "https://github.com./other/repo/issues/1",
        "https://github.com:443/other/repo/issues/1",
        "https://x@github.com/acme/larder/issues/1",
        "https://\uff47ithub.com/acme/larder/issues/1",
        "https://git%68ub.com/other/repo/issues/1",
        "https://git&#104;ub.com/other/repo/issues/1",
        "https://acme.ghe.com/other/repo/issues/1",
        "https://github.com/acme/larder/issues/1?x=https://github.com/other/repo/issues/1",
    ],
)
def test_other_pages_of_github_are_shown_and_not_linked(address: str) -> None:
    """A link would be noted on an issue of another repository, whose people would hear of it."""
    shown = linked("words", address, REPOSITORY, on_github=False)
    assert re.fullmatch(r"words `[!-~]+`", shown)
    assert "](" not in shown


def test_a_source_may_say_that_it_is_github() -> None:
    """A GitHub of a company's own has any address."""
    for path, form in (("acme/larder", "[words]({})"), ("other/repo", "words `{}`")):
        address = f"https://code.example/{path}/issues/1"
        assert linked("words", address, REPOSITORY, on_github=True) == form.format(address)


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", 5, "javascript:alert(1)", "data:text/html,x", "//github.com/a/b", "https://"),
        *("https://[::1", "ftp://a.example/", "https://a.example/ b", "https://a.example/\n@b"),
        "https://a.example/" + "x" * 300,
    ],
)
def test_what_is_no_address_is_left_out(address: object) -> None:
    """Only the words remain."""
    assert linked("words", address, REPOSITORY, on_github=False) == "words"


@given(st.text(st.characters() | st.sampled_from("()[]<>`&#;@\\\"'|* %")), st.booleans())
def test_no_address_leaves_its_link(rest: str, on_github: bool) -> None:
    """Whatever is in it, the link or the code marks end where we end them."""
    for address in (f"https://a.example/{rest}", f"https://{rest}", rest):
        shown = linked("words", address, REPOSITORY, on_github=on_github)
        assert re.fullmatch(r"words|words `[^`\s]+`|\[words\]\([^()<>`\s\\]+\)", shown)
        assert not re.search(r"&#?\w+;", shown)

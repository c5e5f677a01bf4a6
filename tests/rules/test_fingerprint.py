"""Which texts have a fingerprint in common."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.grouping.fingerprint import fingerprint
from soulcaster.rules.kinds import KINDS as SOURCES
from soulcaster.rules.text_kind import Kind
from tests.rules import samples
from tests.rules.traces import TRACES

KINDS: tuple[Kind, ...] = ("short", "report", "error")
# What takes a careless reader the square of its length.
HOSTILE = {
    "combining marks": "a" + "\u0301\u0316" * 30_000,
    "one word": "a" * 60_000,
    "one line of digits": "1" * 60_000,
    "ligatures": "\ufdfa" * 20_000,
    "open brackets": "at a.b(" * 8_500,
    "short lines": "a\n" * 30_000,
    "long lines": ("at " + "a." * 148 + "(\n") * 200,
    "wrapped types": ("IOError: " * 33 + "\n") * 200,
    "hexadecimal": ("abcdef" * 49 + "g\n") * 200,
}


def error(text: str, title: str = "It broke") -> str:
    """The fingerprint of an error."""
    return fingerprint("error", title, text)


def renumbered(trace: str, number: int) -> str:
    """``trace`` with other line numbers, addresses and hosts."""
    moved = re.sub(r"0x[0-9a-f]+", f"0x{number:012x}", trace)
    moved = re.sub(r"(:|line |\()\d+\b", rf"\g<1>{number}", moved)
    return moved.replace("shop.example", f"node{number}.example").replace("d__12", f"d__{number}")


@pytest.mark.parametrize("name", TRACES)
@given(number=st.integers(0, 10**9))
def test_a_trace_is_known_whatever_its_numbers(name: str, number: int) -> None:
    """Line numbers, addresses and hosts differ from release to release and run to run."""
    assert error(renumbered(TRACES[name], number)) == error(TRACES[name]) != ""


def test_traces_differ_in_frames_and_types() -> None:
    """Another frame, another order, another type, another runtime: another error."""
    trace = TRACES["python"]
    others = {
        trace.replace("in load", "in save"),
        trace.replace("storage.py", "backup.py"),
        trace.replace("KeyError", "ValueError"),
        "\n".join(reversed(trace.split("\n"))),
        *TRACES.values(),
    }
    assert len({error(other) for other in others}) == len(others)


def test_a_trace_is_known_without_its_message() -> None:
    """What was wrong this time, in the title or in the text, is no part of it."""
    trace = TRACES["python"]
    assert error(trace, "KeyError: 'milk'") == error(trace.replace("milk", "rye bread"), "KeyError")


@pytest.mark.parametrize(
    "generated",
    [
        "at jdk.proxy2.$Proxy{}.save(Unknown Source)",
        "at org.example.Cart.lambda$add${}(Cart.java:7)",
        "at org.example.Cart$$Lambda${}/0x00000008003f1c40.run(Unknown Source)",
        "at org.example.Cart$$EnhancerBySpringCGLIB$${}b7f3a1.add(<generated>)",
    ],
)
def test_generated_names_are_all_the_same(generated: str) -> None:
    """Their numbers depend on what ran before."""
    frame = "\n\tat org.example.Disk.write(Disk.java:12)"
    one, other = (f"java.io.IOException\n\t{generated.format(n)}{frame}" for n in (14, 282))
    assert error(one) == error(other) != error(f"java.io.IOException{frame}")


def test_reflection_is_no_frame() -> None:
    """The JVM calls a method in another way after some 15 times."""
    around = "java.io.IOException\n\tat a.B.c(B.java:1)\n{}\tat a.D.e(D.java:2)"
    ways = (
        "",
        "\tat sun.reflect.GeneratedMethodAccessor282.invoke(Unknown Source)\n",
        "\tat sun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)\n",
        "\tat java.lang.reflect.Method.invoke(Method.java:597)\n",
        "\tat java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(Unknown Source)\n",
    )
    assert len({error(around.format(way)) for way in ways}) == 1


def test_a_recursion_is_one_however_deep() -> None:
    """Where the stack ended says nothing."""
    frame = "\tat a.B.c(B.java:1)\n"
    deep = (f"java.lang.StackOverflowError\n{frame * n}\tat a.D.e(D.java:2)" for n in (9, 700))
    assert len({error(trace) for trace in deep}) == 1


def test_names_keep_their_numbers() -> None:
    """A digit that belongs to a name tells it from another."""
    frame = "TypeError: x\n    at {}.hash (/srv/hash.js:1:2)"
    assert error(frame.format("Md5")) != error(frame.format("Md4"))


def sentry(line: int, message: str, function: str = "load") -> str:
    """The fingerprint of an event of Sentry's with two frames."""
    frames = [
        {"module": "larder.cli", "function": "<module>", "lineno": line},
        {"module": "larder.storage", "function": function, "lineno": line + 1},
    ]
    values = [{"type": "KeyError", "value": message, "stacktrace": {"frames": frames}}]
    item = SOURCES["sentry"].normalise(
        samples.source("sentry"),
        {"sentry-hook-resource": "event_alert"},
        samples.sentry_event(exception={"values": values}, title=f"KeyError: {message}"),
        samples.NOW,
    )
    assert isinstance(item, Feedback)
    return fingerprint("error", item.title, item.body)


def test_frames_of_sentry_are_frames() -> None:
    """As the product writes them: the message does not count, the function does."""
    assert sentry(3, "'milk'") == sentry(90, "'rye bread'") != sentry(3, "'milk'", "save")


def test_a_log_line_is_known_without_its_numbers() -> None:
    """Ids, hosts, times and sizes are masked, however many; words and numbered names are not."""
    line = "Closed socket for client /10.10.34.21:{} on eth0 with session 0x24ed93{}"
    assert error(line.format(51262, "aa"), "") == error(line.format(7, "00b1"), "") != ""
    assert error(line, "") != error(line.replace("Closed", "Opened"), "")
    assert error("link on alt0 is down", "") == error("link on alt1 is down", "")
    assert error("link on alt0 is down", "") != error("link on scip0 is down", "")
    assert error("nodes 1 2 3 are down", "") == error("nodes 4 are down", "")
    assert error("id 9f8e7d6c5b4a gone", "") == error("id deadbee1 gone", "")


@pytest.mark.parametrize("kind", ["short", "report"])
def test_people_mean_their_numbers(kind: Kind) -> None:
    """Error 401 is not error 403; case, spaces, punctuation and width are how they are said."""
    assert fingerprint(kind, "", "Error 401!") != fingerprint(kind, "", "Error 403!")
    same = ("Error 401!", " error\n\t401 ", "\uff25rror: 401…", "ERROR\u00a0“401”\u200b")
    assert len({fingerprint(kind, "", text) for text in same}) == 1
    assert fingerprint(kind, "", "Nice \U0001f44d") != fingerprint(kind, "", "Nice \U0001f44e")
    assert fingerprint(kind, "", "यह किताब") != fingerprint(kind, "", "यह कीताब")


@pytest.mark.parametrize("kind", KINDS)
def test_a_title_that_the_text_repeats_counts_once(kind: Kind) -> None:
    """Untitled feedback has its text's beginning as its title."""
    text = "The export stops, and nothing is saved"
    assert fingerprint(kind, "The export stops", text) == fingerprint(kind, "", text)
    assert fingerprint(kind, text, "") == fingerprint(kind, "", text)
    assert fingerprint(kind, "Other words", text) != fingerprint(kind, "", text)


def test_kinds_don_t_mix() -> None:
    """What a person and a machine say in the same words is not the same."""
    assert len({fingerprint(kind, "", "connection lost") for kind in KINDS}) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " \n", "ok", "?!", "12345 67890", "\u200b\u200b", "a 1 b"])
def test_what_says_nothing_has_none(kind: Kind, text: str) -> None:
    """Less than three letters would group what has nothing in common."""
    assert fingerprint(kind, "", text) == ""
    assert fingerprint(kind, text, text) == ""


def test_words_without_letters_of_their_own_have_none() -> None:
    """Nothing is left of an error that is all ids."""
    assert fingerprint("error", "", "9f8e7d6c 10.0.0.1 f00ba4 a1b2c3") == ""
    assert fingerprint("short", "", "9f8e7d6c 10.0.0.1 f00ba4 a1b2c3") != ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_sixty_thousand_hostile_characters_are_read(kind: Kind, name: str) -> None:
    """In time for the test to end: no pattern goes over a text twice."""
    assert re.fullmatch(r"[0-9a-f]{32}|", fingerprint(kind, name, HOSTILE[name]))


@given(st.sampled_from(KINDS), st.text(max_size=80), st.text(max_size=300))
def test_any_text_has_one_or_none(kind: Kind, title: str, text: str) -> None:
    """The same one each time, 32 digits long, or none."""
    found = fingerprint(kind, title, text)
    assert re.fullmatch(r"[0-9a-f]{32}|", found)
    assert fingerprint(kind, title, text) == found
    assert fingerprint(kind, f" {title}", f"{text}\n") == found

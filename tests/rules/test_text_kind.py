"""The kind of text an item is."""

import pytest

from soulcaster.rules.text_kind import REPORT_CHARS, kind_of
from tests.rules.traces import TRACES


@pytest.mark.parametrize(
    "channel", ["logs", "Logs", "nginx logs", "app-logs", "aws_cloudwatch", "syslog", "ROLLBAR"]
)
def test_what_machines_write_is_an_error(channel: str) -> None:
    """Sentry's, and what comes through a channel named after machines' output."""
    assert kind_of("sentry", "larder", "x") == "error"
    assert kind_of("standard", channel, "connection lost") == "error"


@pytest.mark.parametrize("channel", ["blog", "catalogue", "support-chat", "", "logistics"])
def test_part_of_a_word_names_no_machine(channel: str) -> None:
    """Only whole words do."""
    assert kind_of("standard", channel, "connection lost") == "short"


@pytest.mark.parametrize("source", ["standard", "reddit"])
def test_a_trace_is_an_error_unless_it_was_filed(source: str) -> None:
    """In an issue tracker people give it a title of their own."""
    assert kind_of(source, "email", TRACES["python"]) == "error"
    assert kind_of("github", "acme/larder", TRACES["python"]) == "report"
    assert kind_of("standard", "jira", TRACES["python"]) == "report"


@pytest.mark.parametrize("channel", ["jira", "Jira Cloud", "our-gitlab", "bugzilla", "launchpad"])
def test_what_is_filed_is_a_report(channel: str) -> None:
    """However short it is."""
    assert kind_of("github", "acme/larder", "x") == "report"
    assert kind_of("standard", channel, "x") == "report"


def test_what_is_talked_about_does_not_talk() -> None:
    """The names of repositories and subreddits say nothing of the text."""
    assert kind_of("github", "getsentry/sentry", "x") == "report"
    assert kind_of("reddit", "r/sentry", "x") == "short"
    assert kind_of("reddit", "r/jira", "x") == "short"


def test_what_is_long_is_a_report() -> None:
    """From 401 characters on."""
    assert kind_of("standard", "email", "x" * REPORT_CHARS) == "short"
    assert kind_of("standard", "email", "x" * (REPORT_CHARS + 1)) == "report"

"""What kind of text an item is. Apart from the clustering rule, as storing needs no arrays."""

import re
from typing import Literal

from soulcaster.rules.feedback import VENDOR_WIDE
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.stack_trace import mostly_trace

Kind = Literal["short", "report", "error"]

REPORT_CHARS = 400

_MACHINES = frozenset(
    (
        *("log", "logs", "logging", "syslog", "journald", "exceptions", "traceback", "tracebacks"),
        *("sentry", "rollbar", "bugsnag", "crashlytics", "airbrake", "honeybadger", "raygun"),
        *("datadog", "cloudwatch", "newrelic", "opentelemetry", "alertmanager", "loggly", "loki"),
        *("papertrail", "splunk", "logstash", "fluentd", "graylog", "kibana"),
    )
)
_TRACKERS = frozenset(
    (
        *("jira", "bugzilla", "github", "gitlab", "gitea", "forgejo", "bitbucket", "redmine"),
        *("linear", "youtrack", "trac", "launchpad", "mantis", "mantisbt", "phabricator"),
        *("sourceforge", "issues", "bugs", "bugtracker"),
    )
)
_WORD = re.compile(r"[^\W_]+")


def kind_of(source: str, channel: str, text: str) -> Kind:
    """The kind of text an item is.

    "error": what a program wrote, by its kind of source, or by a channel that is named after such
    (``nginx logs``).
    "report": what somebody filed in an issue tracker. Elsewhere a text that is mostly a stack
    trace is an error, one of more than 400 characters a report, and the rest is short.
    """
    # A repository's or a subreddit's name says what is talked about, not what talks.
    named = set() if source in VENDOR_WIDE else set(_WORD.findall(channel.casefold()))
    if KINDS[source].PROGRAM or named & _MACHINES:
        return "error"
    # What a person filed has words around its trace, or a title of a person's.
    if source == "github" or named & _TRACKERS:
        return "report"
    if mostly_trace(text):
        return "error"
    return "report" if len(text) > REPORT_CHARS else "short"

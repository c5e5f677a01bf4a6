"""From the claimed job to the report: the attempt between heartbeats, and what it hands in."""

import hashlib
import tempfile
from pathlib import Path

from soulcaster_agent.api import Api, RefusedError, UnreachableError
from soulcaster_agent.attempt import Attempt, Outcome
from soulcaster_agent.conversation import Conversation
from soulcaster_agent.engine import Engine
from soulcaster_agent.heartbeat import Heartbeat
from soulcaster_agent.job import Job
from soulcaster_agent.log import Log
from soulcaster_agent.process import StoppedError
from soulcaster_agent.redact import Redactor

MOST_REASON = 1_000
MOST_SUMMARY = 4_000


def run_task(job: Job, api: Api, engine: Engine, log: Log, redact: Redactor) -> None:
    """Work on the job and report; raises StoppedError when the attempt is stale.

    UnreachableError and RefusedError mean that the report did not arrive.
    """
    conversation = Conversation(redact)
    with Heartbeat(api, job.heartbeat_seconds, engine.stop, log) as heart:
        with tempfile.TemporaryDirectory(
            prefix="soulcaster-", ignore_cleanup_errors=True
        ) as folder:
            outcome = Attempt(job, engine, log, conversation, Path(folder)).run()
        if heart.stale:
            raise StoppedError("a heartbeat was refused")
        outcome = hand_in(outcome, job, api, log, redact)
        log.note(f"Outcome: {outcome.name}. {outcome.reason}")
        if job.conversation_url:
            store("conversation", job.conversation_url, conversation.content(), api, log)
        store("log", job.log_url, log.text().encode(), api, log)
        api.finish(outcome.name, outcome.reason, outcome.summary, outcome.patch_sha256)


def store(what: str, url: str, content: bytes, api: Api, log: Log) -> None:
    """Upload what people may want to read; the outcome does not depend on it."""
    try:
        api.upload(url, content)
    except (RefusedError, UnreachableError) as error:
        log.note(f"The {what} could not be stored: {error}")


def hand_in(outcome: Outcome, job: Job, api: Api, log: Log, redact: Redactor) -> Outcome:
    """Store the patch, if there is one; return the outcome as it is to be reported."""
    reason = redact(outcome.reason)[:MOST_REASON]
    summary = redact(outcome.summary)[:MOST_SUMMARY]
    if outcome.patch is None:
        return Outcome(outcome.name, reason, summary)
    content = outcome.patch.to_json(summary)
    try:
        api.upload(job.patch_url, content)
    except (RefusedError, UnreachableError) as error:
        log.note(f"The patch could not be stored: {error}")
        return Outcome("failed", "The patch could not be stored.", summary)
    digest = hashlib.sha256(content).hexdigest()
    return Outcome(outcome.name, reason, summary, outcome.patch, digest)

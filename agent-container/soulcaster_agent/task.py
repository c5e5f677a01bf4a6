"""From the claimed job to the report: the attempt between heartbeats, and what it hands in."""

import hashlib
import json
import tempfile
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from soulcaster_agent.api import Api, RefusedError, UnreachableError
from soulcaster_agent.attempt import Attempt, Outcome
from soulcaster_agent.budget import Meter
from soulcaster_agent.conversation import Conversation
from soulcaster_agent.engine import Engine
from soulcaster_agent.heartbeat import Heartbeat
from soulcaster_agent.job import Job
from soulcaster_agent.log import Log
from soulcaster_agent.process import StoppedError
from soulcaster_agent.redact import Redactor
from soulcaster_agent.report import Facts, Report, record

MOST_REASON = 1_000
MOST_SUMMARY = 4_000


def run_task(job: Job, api: Api, engine: Engine, log: Log, redact: Redactor) -> None:
    """Work on the job and report; raises StoppedError when the attempt is stale.

    UnreachableError and RefusedError mean that the report did not arrive.
    """
    started = datetime.now(UTC)
    conversation, facts = Conversation(redact), Facts()
    meter = Meter(job.budget, job.price, job.granted)

    def proving() -> None:
        try:
            api.proving(meter.at_most)
        except RefusedError as error:
            raise StoppedError(f"the proof was refused: {error}") from None

    with tempfile.TemporaryDirectory(prefix="soulcaster-", ignore_cleanup_errors=True) as folder:
        attempt = Attempt(
            job, engine, log, conversation, Path(folder), meter, redact, facts, proving
        )
        with Heartbeat(api, job.heartbeat_seconds, meter, log, attempt.stop) as heart:
            try:
                outcome = work(attempt, log)
                if heart.stale:
                    raise StoppedError("a heartbeat was refused")
                report = hand_in(outcome, job, api, meter, log, redact)
                log.note(f"Outcome: {report.outcome}. {report.reason}")
                store("conversation", job.conversation_url, conversation.content(), api, log)
                store("log", job.log_url, log.text().encode(), api, log)
                result = redact.document(record(job, report, facts, started))
                store("result", job.result_url, json.dumps(result).encode(), api, log)
            except SystemExit:
                log.note("The task was told to end.")
                raise
            heart.flush()
            if heart.stale:
                raise StoppedError("a heartbeat was refused")
        api.finish(report)


def work(attempt: Attempt, log: Log) -> Outcome:
    """Run the attempt; whatever breaks in the supervisor itself is an outcome too.

    Raises what run_task does.
    """
    try:
        return attempt.run()
    except (StoppedError, RefusedError, UnreachableError):
        raise
    except Exception as error:  # noqa: BLE001 - a job without an end is worse than any of them
        log.note(traceback.format_exc())
        reason = f"The supervisor itself failed ({type(error).__name__}); the log says where."
        return Outcome("failed", reason, cause="engine")


def hand_in(
    outcome: Outcome, job: Job, api: Api, meter: Meter, log: Log, redact: Redactor
) -> Report:
    """Store the patch and the proof, if there are any; return what is to be reported."""
    # In this order: what is still under way when the first is read is in the second.
    exact, spent = meter.exact, meter.at_most
    report = Report(
        outcome.name,
        outcome.cause,
        redact(outcome.reason)[:MOST_REASON],
        redact(outcome.summary)[:MOST_SUMMARY],
        spent=spent,
        exact=exact,
    )
    patch, proof = outcome.patch, outcome.proof
    if patch is not None:
        digest = pinned("patch", job.patch_url, patch.to_json(report.summary), api, log)
        if not digest:
            return not_stored("patch", report)
        report = replace(report, patch_sha256=digest)
    if proof is not None:
        digest = pinned("proof", job.proof_url, proof.to_json(), api, log)
        if not digest:
            return not_stored("proof", report)
        report = replace(report, proof_sha256=digest, verdict=proof.verdict)
    return report


def not_stored(what: str, report: Report) -> Report:
    """Return the report for work that nobody could fetch."""
    reason = f"The {what} could not be stored."
    return replace(report, outcome="failed", cause="upload", reason=reason, patch_sha256="")


def pinned(what: str, url: str, content: bytes, api: Api, log: Log) -> str:
    """Upload what the outcome depends on; return its SHA-256, or '' if it can't be stored."""
    stored = store(what, url, content, api, log)
    return hashlib.sha256(content).hexdigest() if stored else ""


def store(what: str, url: str, content: bytes, api: Api, log: Log) -> bool:
    """Upload what people may want to read; return whether it is there."""
    if not url:
        return False
    try:
        api.upload(url, content)
    except (RefusedError, UnreachableError) as error:
        log.note(f"The {what} could not be stored: {error}")
        return False
    return True

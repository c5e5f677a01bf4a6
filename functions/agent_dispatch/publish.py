"""The publish queue's consumer: a draft pull request for each finished attempt."""

from typing import Any

from records import each_attempt
from soulcaster import logs, wiring
from soulcaster.edges.bucket import BucketError
from soulcaster.edges.clock import now_ms
from soulcaster.edges.github import GitHubError
from soulcaster.edges.redis import RedisError
from soulcaster.use_cases.publish import publish

logger = logs.logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish the patches; what failed for now is reported, and comes again."""
    del context

    def open_pull_request(job: str, attempt: int) -> None:
        publish(
            job,
            attempt,
            jobs=wiring.jobs(),
            bucket=wiring.bucket(),
            github=wiring.github,
            now=now_ms(),
        )

    return each_attempt(event, open_pull_request, (GitHubError, BucketError, RedisError))

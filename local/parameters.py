"""What the template is given: an emulator's address and key, or those of the real service."""

import json
from collections.abc import Callable, Mapping

from local.credentials import Credentials
from local.dashboard import Dashboard, key_set

REGION = "us-east-1"
EMBEDDING_MODEL, DIMENSIONS = "all-minilm-l6-v2", 384

# What has to be set for the real service to be used; all of it, or nothing.
KEYS: Mapping[str, tuple[str, ...]] = {
    "redis": ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
    "vector": ("UPSTASH_VECTOR_REST_URL", "UPSTASH_VECTOR_REST_TOKEN"),
    "gemini": ("GEMINI_API_KEY",),
    "github": ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY"),
    "reddit": ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"),
    "model": ("MODEL_API_KEY",),
}
# Parameters that may be set once the service is a real one; else the template's default counts.
CHOICES: Mapping[str, Mapping[str, str]] = {
    "gemini": {"EMBEDDING_DIMENSIONS": "EmbeddingDimensions"},
    "model": {"MODEL_BASE_URL": "ModelBaseUrl", "MODEL_NAME": "ModelName"},
}

type Url = Callable[[str], str]


class Incomplete(ValueError):  # noqa: N818 - names what is wrong
    """Some of what a real service needs is set, and some is missing."""


class Services:
    """Which services are real: those whose keys ``environment`` holds. Empty means not set.

    Raises ``Incomplete``, naming what is missing.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        names = {name for keys in KEYS.values() for name in keys}
        names |= {name for choices in CHOICES.values() for name in choices}
        self._set = {name: environment[name] for name in names if environment.get(name)}
        for service, keys in KEYS.items():
            given = [name for name in (*keys, *CHOICES.get(service, {})) if name in self._set]
            missing = [name for name in keys if name not in self._set]
            if given and missing:
                raise Incomplete(
                    f"{given[0]} is set, but {missing[0]} is not: the real {service} needs both;"
                    " without either, its emulator is used"
                )

    def emulated(self, service: str) -> bool:
        """Whether ``service`` is played by its emulator; what has no key always is."""
        return not (service in KEYS and KEYS[service][0] in self._set)

    def parameters(self, url: Url, secrets: Mapping[str, str], made: Credentials) -> dict[str, str]:
        """The template's parameters; ``url`` gives an emulator's address.

        A real service's address is the template's own default, which is left alone.
        """
        parameters = {
            **secrets,
            "AgentImage": "agent-container/Dockerfile",
            "DashboardKeys": key_set(dashboard(made)),
        }
        for service, given in _emulated(url).items():
            if self.emulated(service):
                parameters |= given
        for service, parameter in (
            ("redis", "UpstashRedisRestUrl"),
            ("vector", "UpstashVectorRestUrl"),
        ):
            parameters[parameter] = self._set.get(KEYS[service][0]) or url(service)
        for choices in CHOICES.values():
            for name, parameter in choices.items():
                if name in self._set:
                    parameters[parameter] = self._set[name]
        return parameters

    def secrets(self, made: Credentials) -> dict[str, str]:
        """What the secrets hold that the template is given, by the parameter for its ARN."""
        given = self._set
        app = {
            "app_id": given.get("GITHUB_APP_ID", "1"),
            "private_key": given.get("GITHUB_APP_PRIVATE_KEY", made.github_private_key),
        }
        reddit = {
            "client_id": given.get("REDDIT_CLIENT_ID", made.reddit_id),
            "client_secret": given.get("REDDIT_CLIENT_SECRET", made.reddit_secret),
        }
        return {
            "UpstashRedisTokenArn": given.get("UPSTASH_REDIS_REST_TOKEN", made.redis),
            "UpstashVectorTokenArn": given.get("UPSTASH_VECTOR_REST_TOKEN", made.vector),
            "GeminiApiKeyArn": given.get("GEMINI_API_KEY", made.gemini),
            "GitHubAppArn": json.dumps(app),
            "RedditAppArn": json.dumps(reddit),
            "ModelApiKeyArn": given.get("MODEL_API_KEY", made.model),
        }


def dashboard(made: Credentials) -> Dashboard:
    """The local cloud's dashboard."""
    return Dashboard("local", made.dashboard)


def _emulated(url: Url) -> dict[str, dict[str, str]]:
    return {
        "gemini": {
            "GeminiBaseUrl": url("gemini"),
            "EmbeddingModel": EMBEDDING_MODEL,
            "EmbeddingDimensions": str(DIMENSIONS),
            "NamingModel": "extractive-local",
        },
        "github": {"GitHubApiUrl": url("github"), "GitHubUrl": url("github")},
        "reddit": {"RedditUrl": url("reddit"), "RedditOAuthUrl": url("reddit")},
        "model": {"ModelBaseUrl": f"{url('model')}/v1", "ModelName": "replay"},
    }


def platform(url: Url, made: Credentials) -> dict[str, str]:
    """The variables that stand for AWS itself, for every function."""
    return {
        "AWS_ENDPOINT_URL": url("moto"),
        "AWS_ENDPOINT_URL_SQS": url("sqs"),
        "AWS_ENDPOINT_URL_S3": url("s3"),
        "AWS_ENDPOINT_URL_ECS": url("ecs"),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": made.aws_secret,
    }

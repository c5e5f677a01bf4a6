"""Which services are real, and what the template and the processes are given of them."""

import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from local import credentials, image, ports
from local.credentials import Credentials
from local.dashboard import Dashboard
from local.lambdas.stack import Places, Stack
from local.lambdas.template import load
from local.parameters import KEYS, Incomplete, Services, platform
from local.parts import ROOT, environment

MADE = Credentials(
    **{
        **{field.name: f"made-{field.name}" for field in fields(Credentials)},
        "dashboard": Dashboard("").private,
    }
)
REAL = {
    "redis": {"UPSTASH_REDIS_REST_URL": "https://r.example", "UPSTASH_REDIS_REST_TOKEN": "t1"},
    "vector": {"UPSTASH_VECTOR_REST_URL": "https://v.example", "UPSTASH_VECTOR_REST_TOKEN": "t2"},
    "gemini": {"GEMINI_API_KEY": "t3"},
    "github": {"GITHUB_APP_ID": "77", "GITHUB_APP_PRIVATE_KEY": "t4"},
    "reddit": {"REDDIT_CLIENT_ID": "abc", "REDDIT_CLIENT_SECRET": "t5"},
    "model": {"MODEL_API_KEY": "t6"},
}
# One variable of a function for each service, and the template's default for it.
ADDRESSES = {
    "gemini": ("ClusterFunction", "GOOGLE_GEMINI_BASE_URL", "generativelanguage.googleapis.com"),
    "github": ("PublishFunction", "GITHUB_API_URL", "api.github.com"),
    "reddit": ("PollFunction", "REDDIT_URL", "www.reddit.com"),
    "model": ("CallbackFunction", "MODEL_BASE_URL", "generativelanguage.googleapis.com"),
    "redis": ("StoreFunction", "UPSTASH_REDIS_REST_URL", "r.example"),
    "vector": ("ClusterFunction", "UPSTASH_VECTOR_REST_URL", "v.example"),
}


def url(part: str) -> str:
    return f"http://127.0.0.1:1/{part}"


def stack(given: Mapping[str, str]) -> Stack:
    services = Services(given)
    secrets = dict.fromkeys(services.secrets(MADE), "arn:aws:none")
    return load(ROOT / "template.yaml", services.parameters(url, secrets, MADE), Places())


def variable(of: Stack, function: str, name: str) -> str:
    return of.functions[function].environment[name]


@pytest.mark.parametrize("service", KEYS)
def test_a_real_key_switches_one_emulator_off(service: str) -> None:
    """Its functions get the real address and its secret the real key; all else stays local."""
    services, made = Services(REAL[service]), stack(REAL[service])
    for other, (function, name, real) in ADDRESSES.items():
        assert services.emulated(other) == (other != service)
        address = variable(made, function, name)
        assert (real in address) == (other == service)
        assert address.startswith("http://127.0.0.1:1/") == (other != service)
    secrets = " ".join(services.secrets(MADE).values())
    assert all(value in secrets for name, value in REAL[service].items() if "URL" not in name)


def test_without_keys_everything_is_local() -> None:
    """Empty variables count as not set, and no function has an address elsewhere."""
    empty = {name: "" for keys in KEYS.values() for name in keys}
    services, made = Services(empty), stack(empty)
    assert all(services.emulated(service) for service in (*KEYS, "sqs", "s3", "ecs", "moto"))
    for function in made.functions.values():
        for name, value in function.environment.items():
            assert name == "PUBLIC_API_URL" or "https://" not in value
    assert set(services.secrets(MADE)) == {
        name for name in services.parameters(url, _arns(), MADE) if name.endswith("Arn")
    }


def _arns() -> dict[str, str]:
    return dict.fromkeys(Services({}).secrets(MADE), "arn")


def test_the_index_is_as_wide_as_the_vectors() -> None:
    """384 for the local model, the template's default for Gemini's, or what is asked for."""
    width = ("ClusterFunction", "EMBEDDING_DIMENSIONS")
    assert variable(stack({}), *width) == "384"
    assert variable(stack(REAL["gemini"]), *width) == "768"
    wanted = {**REAL["gemini"], "EMBEDDING_DIMENSIONS": "1536"}
    assert variable(stack(wanted), *width) == "1536"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"UPSTASH_REDIS_REST_URL": "https://r.example"}, "UPSTASH_REDIS_REST_TOKEN"),
        ({"UPSTASH_VECTOR_REST_TOKEN": "t"}, "UPSTASH_VECTOR_REST_URL"),
        ({"GITHUB_APP_ID": "7", "GITHUB_APP_PRIVATE_KEY": ""}, "GITHUB_APP_PRIVATE_KEY"),
        ({"REDDIT_CLIENT_SECRET": "s"}, "REDDIT_CLIENT_ID"),
        ({"MODEL_BASE_URL": "http://m.example/v1"}, "MODEL_API_KEY"),
        ({"EMBEDDING_DIMENSIONS": "768"}, "GEMINI_API_KEY"),
    ],
)
def test_half_of_a_pair_is_refused(given: dict[str, str], missing: str) -> None:
    """The error names what is set and what is missing."""
    [present] = [name for name, value in given.items() if value]
    with pytest.raises(Incomplete, match=f"{present} is set, but {missing} is not"):
        Services(given)


def test_a_model_of_ones_own_is_passed_on() -> None:
    """Address and name of any OpenAI-compatible server, with its key."""
    chosen = {"MODEL_BASE_URL": "http://m.example/v1", "MODEL_NAME": "own"}
    made = stack({**REAL["model"], **chosen})
    assert {name: variable(made, "CallbackFunction", name) for name in chosen} == chosen


def test_parts_get_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no profile, no proxy; and AWS configuration files are out of reach."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTP_PROXY", "https_proxy", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "leaked")
    monkeypatch.setenv("PATH", "/somewhere")
    given = environment()
    assert "leaked" not in given.values()
    assert given["PATH"] == "/somewhere"
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_task_is_told_no_address() -> None:
    """The agent's process gets its code's place and a PATH with both engines; the rest comes with
    each attempt.
    """
    [task] = stack({}).tasks
    [definition] = image.definitions(task).values()
    [container] = definition["containers"].values()
    assert set(container["environment"]) == {"PYTHONPATH", "PATH"}
    for engines in ("node_modules/.bin", ".engines/bin"):
        assert str(image.AGENT / engines) in container["environment"]["PATH"].split(os.pathsep)
    assert task.environment == {}


def test_functions_reach_aws_only_here() -> None:
    """Every AWS address of the platform is an emulator's, and the credentials are made up."""
    variables = platform(url, MADE)
    addresses = {name: text for name, text in variables.items() if "ENDPOINT" in name}
    assert all(text.startswith("http://127.0.0.1") for text in addresses.values())
    assert variables["AWS_SECRET_ACCESS_KEY"] == MADE.aws_secret


def test_credentials_and_ports_stay(tmp_path: Path) -> None:
    """A restart finds the same ones: they are in links, hooks and stored data."""
    first = credentials.load(tmp_path)
    assert credentials.load(tmp_path) == first
    assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0
    options = [text for name, text in asdict(first).items() if name != "github_private_key"]
    assert not [text for text in options if text.startswith("-")]
    assert first.webhook_secret("a") == first.webhook_secret("a") != first.webhook_secret("b")
    file = tmp_path / "ports.json"
    chosen = ports.choose(("api", "redis"), file)
    assert ports.choose(("api", "redis"), file) == chosen

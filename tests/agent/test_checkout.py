"""The read token is handed to git, to the right server, and to nobody else."""

from soulcaster_agent.checkout import credentials
from soulcaster_agent.job import Repository
from soulcaster_agent.redact import basic_credentials


def test_the_token_goes_to_the_repositorys_server_only() -> None:
    """The header is bound to the server's address, so a redirect elsewhere lacks it."""
    repository = Repository("https://github.com/acme/larder.git", "main", "ghs_x")
    assert credentials(repository) == {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.https://github.com/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic_credentials('ghs_x')}",
    }


def test_a_public_repository_needs_no_token() -> None:
    """Without a token nothing is configured."""
    assert credentials(Repository("https://github.com/acme/larder.git", "main", None)) == {}

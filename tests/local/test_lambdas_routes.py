import pytest

from local.lambdas.routes import Router
from local.lambdas.stack import Route


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/2", "GET /pets/{kind}/{id}"),
        ("GET", "/pets/a/b/c", "GET /pets/{proxy+}"),
        ("POST", "/pets/dog/1", "ANY /pets/dog/{id}"),
        ("POST", "/pets/cat/1", "ANY /{proxy+}"),
        ("DELETE", "/pets/dog/9", "DELETE /pets/dog/{id}"),
        ("PUT", "/pets/dog/9", "ANY /pets/dog/{id}"),
        ("GET", "/", "$default"),
    ],
)
def test_the_most_specific_route_answers(method: str, path: str, key: str) -> None:
    """Exact segments win over variables, variables over greedy ones, a method over ANY."""
    paths = [
        ("ANY", "/{proxy+}"),
        ("ANY", "$default"),
        ("GET", "/pets/{proxy+}"),
        ("GET", "/pets/{kind}/{id}"),
        ("ANY", "/pets/dog/{id}"),
        ("DELETE", "/pets/dog/{id}"),
        ("GET", "/pets/dog/{id}"),
        ("GET", "/pets/dog/1"),
    ]
    found = Router([Route(verb, route, "F") for verb, route in paths]).find(method, path)
    assert found is not None
    assert found[0].key == key

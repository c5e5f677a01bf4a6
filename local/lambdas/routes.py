"""Which route of an HTTP API answers: the most specific one, as API Gateway chooses."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from local.lambdas.stack import Route

VARIABLE = re.compile(r"\{([^}+]+)(\+?)\}")


class Router:
    """Finds the route of a request among those of the template."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(route, pattern(route.path)) for route in sorted(routes, key=specificity)]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its decoded path variables; ``path`` is still percent-encoded."""
        for route, expression in self._routes:
            if route.method in {method, "ANY"} and (match := expression.fullmatch(path)):
                values = map(unquote, match.groups())
                return route, dict(zip(names(route.path), values, strict=True))
        return None


def names(path: str) -> list[str]:
    return [match[1] for match in VARIABLE.finditer(path)]


def pattern(path: str) -> re.Pattern[str]:
    """``{name}`` takes one segment, ``{name+}`` the rest, ``$default`` everything."""
    if path == "$default":
        return re.compile(".*")
    parts = VARIABLE.split(path)
    expression = "".join(
        re.escape(text) + ("" if greedy is None else "(.+)" if greedy else "([^/]+)")
        for text, greedy in zip(parts[::3], [*parts[2::3], None], strict=True)
    )
    return re.compile(expression)


def specificity(route: Route) -> tuple[object, ...]:
    """Sorts exact segments before variables, those before greedy ones, a method before ANY."""
    if route.path == "$default":
        return (2,)
    segments = [
        (0 if not match else 1 if not match[2] else 2)
        for match in map(VARIABLE.fullmatch, route.path.strip("/").split("/"))
    ]
    return (1 if 2 in segments else 0, [*segments, 3], route.method == "ANY")

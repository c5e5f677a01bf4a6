"""EventBridge patterns: exact values and prefixes, in nested fields."""

from collections.abc import Mapping
from typing import Any

from local.lambdas.intrinsics import NotSupportedError


def check(where: str, pattern: Mapping[str, Any]) -> None:
    """Refuse a pattern that ``matches`` could not decide."""
    for key, wanted in pattern.items():
        if isinstance(wanted, dict) and not key.startswith("$"):
            check(where, wanted)
        elif not isinstance(wanted, list) or not all(map(_known, wanted)):
            raise NotSupportedError(f"{where}: event pattern {key}: {wanted!r}")


def _known(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"prefix"} and isinstance(value["prefix"], str)
    return not isinstance(value, list)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether ``event`` has, in every field of ``pattern``, one of the values listed there.

    A list in the event matches when one of its items does.
    """
    for key, wanted in pattern.items():
        if key not in event:
            return False
        found = event[key]
        if isinstance(wanted, dict):
            if not isinstance(found, dict) or not matches(wanted, found):
                return False
            continue
        values = found if isinstance(found, list) else [found]
        if not any(_equal(want, value) for want in wanted for value in values):
            return False
    return True


def _equal(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, str) and value.startswith(wanted["prefix"])
    return type(wanted) is type(value) and bool(wanted == value)

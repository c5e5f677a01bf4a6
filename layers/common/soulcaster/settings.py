"""Settings are environment variables; each is read when it is needed, and has no default."""

import os


class SettingMissing(Exception):  # noqa: N818 - names the state
    """The function's environment lacks a variable that the template should have set."""


def setting(name: str) -> str:
    """The variable's value; raises ``SettingMissing`` naming it when it is unset or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set")
    return value

"""How GitHub says no."""

from collections.abc import Mapping


class Refused(Exception):  # noqa: N818 - it is an answer
    """An answer other than success, in GitHub's words."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors or []
        self.headers = headers


def invalid(
    resource: str, message: str | None = None, *, field: str | None = None, code: str = "custom"
) -> Refused:
    """422 with the one error that GitHub would name."""
    error = {"resource": resource, "code": code}
    if field:
        error["field"] = field
    if message:
        error["message"] = message
    return Refused(422, "Validation Failed", errors=[error])

"""What the API answers when it can't do what was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from soulcaster.rules.correction import Conflict, NotThere
from soulcaster.rules.payload import Unreadable


class Problem(BaseModel):
    """Why there is no result, for people."""

    detail: str


def not_found(what: str) -> HTTPException:
    """404: it is not there, or not yours; which of the two is not said."""
    return HTTPException(404, f"there is no such {what}")


@contextmanager
def refusals() -> Iterator[None]:
    """What is not there is a 404, what can't be done now a 409."""
    try:
        yield
    except NotThere as error:
        raise not_found(error.what) from error
    except Conflict as error:
        raise HTTPException(409, str(error)) from error


def at_fault(error: Unreadable) -> RequestValidationError:
    """422: the body is well-formed, and the named field of it is of no use."""
    where = ("body", *error.field.split("."))
    return RequestValidationError([{"loc": where, "msg": error.why, "type": "value_error"}])


type Responses = dict[int | str, dict[str, Any]]

NOT_FOUND: Responses = {404: {"model": Problem, "description": "There is no such thing"}}
BAD_REQUEST: Responses = {400: {"model": Problem, "description": "A field is at fault"}}
CONFLICT: Responses = {409: {"model": Problem, "description": "It conflicts with what is"}}
TOO_MANY: Responses = {
    429: {"model": Problem, "description": "A limit is reached; Retry-After says for how long"}
}
FORBIDDEN: Responses = {
    403: {"model": Problem, "description": "The caller's role or scopes don't do"}
}

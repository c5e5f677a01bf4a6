"""Feedback that a person types, or that a script reports."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from routes.auth import Who
from routes.errors import CONFLICT, NOT_FOUND, TOO_MANY, at_fault, not_found
from soulcaster import wiring
from soulcaster.rules.feedback import Severity
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.text import BODY_CHARS, TITLE_CHARS
from soulcaster.use_cases.submit import Full, Ignored, Off, submit

router = APIRouter(tags=["feedback"])

Time = Annotated[StrictStr, Field(max_length=40)] | StrictInt | StrictFloat


class FeedbackWanted(BaseModel):
    """One item; `title` or `text` has to say something.

    Give an `id` of your own, and it is safe to send the item again: it stays one, and its highest
    `updated_at` counts. `source` is where it was said, in your words. Times are ISO 8601, or
    seconds since 1970.
    """

    model_config = ConfigDict(extra="forbid")
    project: str = Field(pattern=rf"^{PROJECT.pattern}$")
    title: StrictStr | None = Field(None, max_length=TITLE_CHARS)
    text: StrictStr | None = Field(None, max_length=BODY_CHARS)
    id: StrictStr | None = Field(None, min_length=1, max_length=200)
    author: StrictStr | None = Field(None, max_length=200)
    url: StrictStr | None = Field(None, max_length=2_000, pattern=r"^https?://[^\s<>\"']+$")
    severity: Severity | None = None
    source: StrictStr | None = Field(None, max_length=100)
    created_at: Time | None = None
    updated_at: Time | None = None
    occurrences: StrictInt | None = Field(None, ge=1, le=10**9)
    resolved: StrictBool | None = None


class FeedbackTaken(BaseModel):
    """`accepted`: it can be read as `id` as soon as it is stored.

    `ignored`: the filters of its source keep it out, for that `reason`.
    """

    id: str | None
    status: Literal["accepted", "ignored"]
    reason: str = ""


@router.post("/feedback", status_code=202, responses={**NOT_FOUND, **CONFLICT, **TOO_MANY})
def add_feedback(who: Who, wanted: FeedbackWanted, response: Response) -> FeedbackTaken:
    """Report something; 200 when it is ignored. A person who names no author is it."""
    item = wanted.model_dump(exclude={"project"}, exclude_none=True)
    person = who.by == "person"
    if person:
        item.setdefault("author", who.name)
    try:
        feedback = submit(
            wanted.project,
            "form" if person else "api",
            item,
            who.id,
            intake=wiring.intake(who),
            queue=wiring.queue("FEEDBACK_QUEUE_URL"),
            now=who.now,
        )
    except Off as error:
        raise HTTPException(409, str(error)) from error
    except Full as error:
        wait = str(error.over.retry_after)
        raise HTTPException(429, str(error), {"retry-after": wait}) from error
    except Unreadable as error:
        raise at_fault(error) from error
    except Ignored as error:
        response.status_code = 200
        return FeedbackTaken(id=None, status="ignored", reason=str(error))
    if feedback is None:
        raise not_found("project")
    return FeedbackTaken(id=feedback, status="accepted")

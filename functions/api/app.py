"""The HTTP API: one FastAPI application, served by Mangum."""

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from mangum import Mangum

from routes import (
    audit,
    clusters,
    corrections,
    feedback,
    grouping,
    imports,
    invitations,
    jobs,
    keys,
    me,
    members,
    plans,
    projects,
    search,
    sources,
    stats,
    submit,
)
from routes.auth import caller, refused
from routes.errors import BAD_REQUEST, FORBIDDEN, TOO_MANY, Problem
from routes.size import BodyLimit
from soulcaster import logs
from soulcaster.edges.queues import QueueError
from soulcaster.edges.redis import Denied, RedisError

logger = logs.logger()

app = FastAPI(
    title="Soulcaster",
    version="0.1.0",
    description="From what users complain about to a verified draft pull request.",
    dependencies=[Depends(caller)],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,  # nothing is open; the page is committed as openapi.json
    responses={
        401: {
            "model": Problem,
            "description": "The credential is missing, wrong, expired or revoked",
        },
        **BAD_REQUEST,
        **FORBIDDEN,
        413: {"model": Problem, "description": "The body is too large"},
        **TOO_MANY,
        503: {"model": Problem, "description": "A store did not answer; try again"},
    },
)
parts = (
    *(projects, grouping, sources, feedback, clusters, corrections, search, plans, jobs, stats),
    *(keys, members, invitations, me, audit),
    *(submit, imports),
)
for part in parts:
    app.include_router(part.router)

app.add_exception_handler(Denied, refused)
app.add_middleware(BodyLimit)


@app.exception_handler(BotoCoreError)  # Secrets Manager's
@app.exception_handler(ClientError)
@app.exception_handler(RedisError)
@app.exception_handler(QueueError)
async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    logger.error("a store did not answer", exc_info=error)
    problem = {"detail": "a store did not answer; try again"}
    return JSONResponse(problem, 503, {"retry-after": "5"})


@app.exception_handler(RequestValidationError)
async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    # The input itself is left out: it may hold what must not be logged or shown.
    problems = [
        {
            "loc": [str(part) for part in one["loc"]],
            "msg": one["msg"].removeprefix("Value error, "),
            "type": one["type"],
        }
        for one in error.errors()
    ]
    if any(one["type"] == "json_invalid" for one in problems):
        return JSONResponse({"detail": "body: is not JSON"}, 400)
    return JSONResponse({"detail": problems}, 422)


handler = Mangum(app, lifespan="off")

"""Reddit, read only: the submissions of a subreddit, and the comments on them.

The client library costs 0.1 s to import, so it is imported at the first call.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import praw
    from praw.models import Comment, Submission

type Sort = Literal["new", "hot", "rising", "top"]

TIMEOUT_SECONDS = 10
# Reddit gives so many at once; a second page would wait for the rate limit, up to ten minutes.
PAGE = 100
_SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}")
_SUBMISSION = (
    "id",
    "title",
    "selftext",
    "url",
    "created_utc",
    "edited",
    "num_comments",
    "score",
    "link_flair_text",
)
_COMMENT = (
    "id",
    "link_id",
    "parent_id",
    "body",
    "created_utc",
    "edited",
    "score",
    "is_submitter",
    "distinguished",
)


class RedditError(Exception):
    """Reddit refused, failed or could not be reached.

    ``retryable``: the same call may succeed later (rate limits, 5xx, transport errors).
    """

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(f"Reddit: {message}")
        self.retryable = retryable


class Reddit:
    """An application's view of Reddit. It knows no user, so it can read only.

    Every call makes two requests, for a token and for what it is about; each may raise
    ``RedditError``. ``subreddit`` is a name without ``r/``, and ``limit`` is 1 to 100.
    """

    def __init__(
        self, url: str, oauth_url: str, client_id: str, client_secret: str, user_agent: str
    ) -> None:
        """``url`` gives tokens and shows pages, ``oauth_url`` answers calls.

        Reddit turns away a ``user_agent`` that does not name the application and its owner.
        """
        self._url = url.rstrip("/")
        self._oauth_url = oauth_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._user_agent = user_agent

    def submissions(self, subreddit: str, sort: Sort, limit: int) -> list[dict[str, Any]]:
        """The first ``limit`` submissions of a listing; of ``top``, the month's.

        Each is plain JSON: id, fullname, title, selftext, author (None when deleted), permalink
        and url (absolute), created_utc (seconds), edited (seconds, or false), num_comments,
        score, subreddit, link_flair_text.
        """
        _check(subreddit, limit)

        def listed(client: "praw.Reddit") -> Iterable[Any]:
            found = client.subreddit(subreddit)
            if sort == "top":
                return found.top(time_filter="month", limit=limit)
            if sort == "hot":
                return found.hot(limit=limit)
            return found.rising(limit=limit) if sort == "rising" else found.new(limit=limit)

        return [self._plain(one, _SUBMISSION) for one in self._read(listed, f"r/{subreddit}")]

    def new_comments(self, subreddit: str, limit: int) -> list[dict[str, Any]]:
        """The newest ``limit`` comments on any submission, newest first.

        Each is plain JSON: id, fullname, link_id (the submission's fullname), parent_id (what it
        answers), body, author (None when deleted), permalink (absolute), created_utc (seconds),
        edited (seconds, or false), score, is_submitter (by the submission's author),
        distinguished ("moderator", "admin" or None), subreddit.
        """
        _check(subreddit, limit)
        found = self._read(lambda c: c.subreddit(subreddit).comments(limit=limit), f"r/{subreddit}")
        return [self._plain(one, _COMMENT) for one in found]

    def named(self, fullnames: Sequence[str]) -> list[dict[str, Any]]:
        """The submissions of up to 100 fullnames (``t3_…``), as ``submissions`` gives them.

        Those that are not there are left out.
        """
        if not 1 <= len(fullnames) <= PAGE:
            raise ValueError(f"fullnames must be 1 to {PAGE}")
        found = self._read(lambda client: client.info(fullnames=fullnames), "those")
        return [self._plain(one, _SUBMISSION) for one in found]

    def _read(self, ask: "Callable[[praw.Reddit], Iterable[Any]]", what: str) -> list[Any]:
        import praw  # noqa: PLC0415 - costs 0.1 s
        import prawcore  # noqa: PLC0415 - comes with praw

        try:
            return list(ask(self._client()))
        except prawcore.Redirect as error:
            raise RedditError(f"there is no {what}", retryable=False) from error
        except (prawcore.RequestException, prawcore.BadJSON) as error:
            raise RedditError(str(error)[:500], retryable=True) from error
        except prawcore.ResponseException as error:
            status = error.response.status_code
            raise RedditError(str(error)[:500], retryable=status == 429 or status >= 500) from error
        except (prawcore.PrawcoreException, praw.exceptions.PRAWException) as error:
            raise RedditError(str(error)[:500], retryable=False) from error

    def _client(self) -> "praw.Reddit":
        """Made anew each time: a client that is kept sleeps before its next call when the rate
        limit of an earlier one was used up, longer than a function may run.
        """
        import praw  # noqa: PLC0415 - costs 0.1 s
        import prawcore  # noqa: PLC0415 - comes with praw

        class Bounded(prawcore.Requestor):
            """praw takes no timeout for its calls, and ignores its own setting of that name."""

            def request(self, *args: Any, **kwargs: Any) -> Any:
                return super().request(*args, **{**kwargs, "timeout": TIMEOUT_SECONDS})

        return praw.Reddit(
            client_id=self._client_id,
            client_secret=self._client_secret,
            user_agent=self._user_agent,
            reddit_url=self._url,
            oauth_url=self._oauth_url,
            # Given, so that no praw.ini and no environment variable fills them in.
            username=None,
            password=None,
            refresh_token=None,
            check_for_updates=False,
            check_for_async=False,
            requestor_class=Bounded,
        )

    def _plain(self, one: "Submission | Comment", copied: Sequence[str]) -> dict[str, Any]:
        # Asked for an attribute that it lacks, it would fetch itself again.
        known = vars(one)
        author = known.get("author")
        return {
            **{field: known.get(field) for field in copied},
            "fullname": one.fullname,
            "author": str(author) if author else None,
            "permalink": self._url + known["permalink"],
            "subreddit": str(known["subreddit"]),
        }


def _check(subreddit: str, limit: int) -> None:
    if not 1 <= limit <= PAGE:
        raise ValueError(f"limit must be 1 to {PAGE}")
    if not _SUBREDDIT.fullmatch(subreddit):
        raise RedditError(f"{subreddit!r} is no subreddit's name", retryable=False)

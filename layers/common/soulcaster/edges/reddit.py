"""Reddit, read only: the newest submissions of a subreddit.

The client library costs 0.1 s to import, so it is imported at the first call.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from praw.models import Submission

TIMEOUT_SECONDS = 10
# Reddit gives so many at once; a second page would wait for the rate limit, up to ten minutes.
PAGE = 100
_SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}")
_COPIED = (
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


class RedditError(Exception):
    """Reddit refused, failed or could not be reached.

    ``retryable``: the same call may succeed later (rate limits, 5xx, transport errors).
    """

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(f"Reddit: {message}")
        self.retryable = retryable


class Reddit:
    """An application's view of Reddit. It knows no user, so it can read only."""

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

    def new_submissions(self, subreddit: str, limit: int) -> list[dict[str, Any]]:
        """The newest ``limit`` (1 to 100) submissions, newest first, in two requests.

        Each is plain JSON: id, fullname, title, selftext, author (None when deleted), permalink
        and url (absolute), created_utc (seconds), edited (seconds, or false), num_comments,
        score, subreddit, link_flair_text. ``subreddit`` is a name without ``r/``. Raises
        ``RedditError``.
        """
        if not 1 <= limit <= PAGE:
            raise ValueError(f"limit must be 1 to {PAGE}")
        if not _SUBREDDIT.fullmatch(subreddit):
            raise RedditError(f"{subreddit!r} is no subreddit's name", retryable=False)
        import praw  # noqa: PLC0415 - costs 0.1 s
        import prawcore  # noqa: PLC0415 - comes with praw

        class Bounded(prawcore.Requestor):
            """praw takes no timeout for its calls, and ignores its own setting of that name."""

            def request(self, *args: Any, **kwargs: Any) -> Any:
                return super().request(*args, **{**kwargs, "timeout": TIMEOUT_SECONDS})

        # Made anew each time: a client that is kept sleeps before its next call when the rate
        # limit of an earlier one was used up, longer than a function may run.
        client = praw.Reddit(
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
        try:
            return [self._plain(one) for one in client.subreddit(subreddit).new(limit=limit)]
        except prawcore.Redirect as error:
            raise RedditError(f"there is no r/{subreddit}", retryable=False) from error
        except (prawcore.RequestException, prawcore.BadJSON) as error:
            raise RedditError(str(error)[:500], retryable=True) from error
        except prawcore.ResponseException as error:
            status = error.response.status_code
            raise RedditError(str(error)[:500], retryable=status == 429 or status >= 500) from error
        except (prawcore.PrawcoreException, praw.exceptions.PRAWException) as error:
            raise RedditError(str(error)[:500], retryable=False) from error

    def _plain(self, submission: "Submission") -> dict[str, Any]:
        # Asked for an attribute that it lacks, a submission would fetch itself again.
        known = vars(submission)
        author = known.get("author")
        return {
            **{field: known.get(field) for field in _COPIED},
            "fullname": submission.fullname,
            "author": str(author) if author else None,
            "permalink": self._url + known["permalink"],
            "subreddit": str(known["subreddit"]),
        }

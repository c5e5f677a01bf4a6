"""Submissions and comments as Reddit's API shows them."""

from collections.abc import Iterable

from local.reddit_posts import Json


def submission(base: str, row: Json, comments: int) -> Json:
    """One submission; ``base`` is the address that its pages start with."""
    return {
        "kind": "t3",
        "data": {
            **row,
            "name": f"t3_{row['id']}",
            "created": row["created_utc"],
            "edited": False,
            "is_self": True,
            "link_flair_text": None,
            "num_comments": comments,
            "score": 1,
            "subreddit_name_prefixed": f"r/{row['subreddit']}",
            "url": base + row["permalink"],
        },
    }


def comment(base: str, row: Json) -> Json:
    """One comment, from a row of ``answers``; all are on the submission itself."""
    link, page = f"t3_{row['submission']}", row["permalink"]
    shown = {name: value for name, value in row.items() if name != "submission"}
    return {
        "kind": "t1",
        "data": {
            **shown,
            "name": f"t1_{row['id']}",
            "link_id": link,
            "parent_id": link,
            "link_permalink": base + page,
            "permalink": f"{page.rstrip('/')}/{row['id']}/",
            "created": row["created_utc"],
            "edited": False,
            "distinguished": None,
            "is_submitter": row["author"] == row["link_author"],
            "replies": "",
            "score": 1,
            "subreddit_name_prefixed": f"r/{row['subreddit']}",
        },
    }


def listing(children: Iterable[Json], after: str | None = None, before: str | None = None) -> Json:
    """A page of them; ``after`` and ``before`` are the fullnames of the pages around it."""
    return {
        "kind": "Listing",
        "data": {"children": list(children), "after": after, "before": before},
    }

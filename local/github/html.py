"""Building pages: nothing gets into one unescaped but what was built here."""

from collections.abc import Iterable
from datetime import datetime
from html import escape

from starlette.responses import HTMLResponse

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def fill(template: str, **values: object) -> Html:
    """``template`` with each ``{name}`` replaced; every value but ``Html`` is escaped."""
    shown = {k: v if isinstance(v, Html) else escape(str(v)) for k, v in values.items()}
    return Html(template.format(**shown))


def join(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


def page(title: str, crumbs: list[tuple[str, str]], body: Html, status: int = 200) -> HTMLResponse:
    """A whole page; ``crumbs`` are the names and addresses of what it is part of."""
    path = join(
        fill('<span class="slash">/</span><a href="{url}">{name}</a>', url=url, name=name)
        for name, url in crumbs
    )
    whole = fill(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{title}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/_local/style.css"></head><body>'
        '<header><a class="home" href="/">GitHub, emulated</a>{path}'
        '<span class="note">runs on this machine only</span></header>'
        "<main>{body}</main></body></html>",
        title=title,
        path=path,
        body=body,
    )
    return HTMLResponse(whole, status, headers=_HEADERS)


def badge(kind: str, text: str) -> Html:
    return fill('<span class="badge {kind}">{text}</span>', kind=kind, text=text)


def when(iso: str) -> Html:
    """A time as people write it, in UTC."""
    moment = datetime.fromisoformat(iso)
    text = f"{moment.day} {moment:%b %Y, %H:%M}"
    return fill('<time datetime="{iso}" title="{iso}">{text}</time>', iso=iso, text=text)


def card(heading: Html, body: Html, kind: str = "") -> Html:
    """A box with a heading."""
    return fill(
        '<section class="card {kind}"><div class="head">{heading}</div>{body}</section>',
        kind=kind,
        heading=heading,
        body=body,
    )

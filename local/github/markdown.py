"""The Markdown that issues and pull requests use most; the rest is shown as it was written."""

import re
from collections.abc import Callable, Iterator

from local.github.html import Html, fill, join

_CODE = re.compile(r"(`[^`\n]+`)")
# The limits keep a page of brackets from taking minutes.
_INLINE = re.compile(
    r"\[(?P<text>[^\]\n]{1,300})\]\((?P<target>https?://[^\s)]{1,2000})\)"
    r"|(?P<url>https?://[^\s<>\"')]{0,2000}[^\s<>\"').,;:!?])"
    r"|\*\*(?P<bold>[^*\n]{1,500})\*\*"
    r"|(?<![\w/])#(?P<issue>\d{1,9})\b"
)
_ITEM = re.compile(r"\s*(?:[-*]|(?P<number>\d{1,3})[.)])\s+(?P<task>\[[ xX]\]\s+)?(?P<text>.*)")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_SUMMARY = re.compile(r"<summary>(.*)</summary>", re.IGNORECASE)


def render(text: str, repository_page: str) -> Html:
    """Markup for ``text``; ``#12`` links into the repository."""
    lines = text.replace("\r\n", "\n").split("\n")
    return join(_Renderer(lines, repository_page).blocks())


class _Renderer:
    def __init__(self, lines: list[str], repository_page: str) -> None:
        self._lines = lines
        self._at = 0
        self._page = repository_page
        self._open_details = 0

    def blocks(self) -> Iterator[Html]:
        while self._at < len(self._lines):
            yield self._block(self._lines[self._at])
        yield Html("</details>" * self._open_details)

    def _block(self, line: str) -> Html:
        if fence := _FENCE.match(line):
            return self._fenced(fence[1])
        if _ITEM.fullmatch(line):
            return self._list()
        if line.startswith(">"):
            quoted = [part[1:].strip() for part in self._while(lambda x: x.startswith(">"))]
            return fill("<blockquote>{text}</blockquote>", text=self._inlines(quoted))
        if line.startswith("|"):
            return self._table()
        self._at += 1
        return self._single(line) if not _continues(line) else self._paragraph(line)

    def _single(self, line: str) -> Html:
        """A block of one line, which has been taken already."""
        bare = line.strip()
        if heading := _HEADING.fullmatch(line):
            tag = f"h{min(len(heading[1]) + 2, 6)}"
            return fill(f"<{tag}>{{text}}</{tag}>", text=self._inline(heading[2]))
        if bare.lower() in ("<details>", "<details open>", "</details>"):
            return self._details(bare.lower())
        if summary := _SUMMARY.fullmatch(bare):
            return fill("<summary>{text}</summary>", text=self._inline(summary[1]))
        if bare in ("---", "***"):
            return Html("<hr>")
        return self._paragraph(line) if bare else Html()

    def _fenced(self, fence: str) -> Html:
        self._at += 1
        inside = self._while(lambda line: not line.strip().startswith(fence))
        self._at += 1
        return fill("<pre><code>{text}</code></pre>", text="\n".join(inside))

    def _list(self) -> Html:
        items = [_ITEM.fullmatch(line) for line in self._while(lambda x: bool(_ITEM.fullmatch(x)))]
        shown = []
        for item in filter(None, items):
            box = ""
            if item["task"]:
                box = "☑ " if "x" in item["task"].lower() else "☐ "
            shown.append(fill("<li>{box}{text}</li>", box=box, text=self._inline(item["text"])))
        tag = "ol" if items[0] and items[0]["number"] else "ul"
        return fill(f"<{tag}>{{items}}</{tag}>", items=join(shown))

    def _table(self) -> Html:
        rows: list[Html] = []
        for line in self._while(lambda x: x.startswith("|")):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if all(re.fullmatch(r":?-{2,}:?", cell) for cell in cells):
                continue
            tag = "td" if rows else "th"
            row = (fill(f"<{tag}>{{text}}</{tag}>", text=self._inline(cell)) for cell in cells)
            rows.append(fill("<tr>{cells}</tr>", cells=join(row)))
        return fill("<table>{rows}</table>", rows=join(rows))

    def _details(self, tag: str) -> Html:
        if tag != "</details>":
            self._open_details += 1
            return Html(tag)
        if not self._open_details:
            return Html()
        self._open_details -= 1
        return Html(tag)

    def _paragraph(self, first: str) -> Html:
        return fill("<p>{text}</p>", text=self._inlines([first, *self._while(_continues)]))

    def _while(self, wanted: Callable[[str], bool]) -> list[str]:
        """Take lines as long as they are ``wanted``."""
        start = self._at
        while self._at < len(self._lines) and wanted(self._lines[self._at]):
            self._at += 1
        return self._lines[start : self._at]

    def _inlines(self, lines: list[str]) -> Html:
        return Html("<br>".join(self._inline(line) for line in lines))

    def _inline(self, text: str) -> Html:
        parts = []
        for part in _CODE.split(text):
            if _CODE.fullmatch(part):
                parts.append(fill("<code>{text}</code>", text=part[1:-1]))
            else:
                parts.append(self._linked(part))
        return join(parts)

    def _linked(self, text: str) -> Html:
        parts, end = [], 0
        for found in _INLINE.finditer(text):
            parts += [fill("{text}", text=text[end : found.start()]), self._match(found)]
            end = found.end()
        return join([*parts, fill("{text}", text=text[end:])])

    def _match(self, found: re.Match[str]) -> Html:
        if found["bold"]:
            return fill("<strong>{text}</strong>", text=found["bold"])
        if found["issue"]:
            url, text = f"{self._page}/issues/{found['issue']}", f"#{found['issue']}"
        else:
            url, text = found["target"] or found["url"], found["text"] or found["url"]
        return fill('<a href="{url}" rel="nofollow noopener">{text}</a>', url=url, text=text)


def _continues(line: str) -> bool:
    """Whether a line can only be part of a paragraph."""
    bare = line.strip()
    starts_block = _FENCE.match(line) or _HEADING.fullmatch(line) or _ITEM.fullmatch(line)
    return bool(bare) and not starts_block and bare not in ("---", "***") and bare[0] not in ">|<"

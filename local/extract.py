"""A name and a summary for a group of texts, quoted from the texts: no words are made up."""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

NAME_CHARACTERS = 80
SENTENCE_CHARACTERS = range(15, 240)
SENTENCES = 100
# Two sentences nearer than this say the same.
SAME = 0.8

type Embed = Callable[[list[str]], NDArray[np.float32]]


def describe(items: Sequence[str], embed: Embed) -> tuple[str, str]:
    """The title of the most central item, and the one or two most central sentences.

    An item's title is its first line. ``embed`` gives vectors of length 1.
    """
    titles = [
        next((line for line in map(str.strip, item.splitlines()) if line), "") for item in items
    ]
    order = _by_centrality(embed(list(items)))
    title = next((titles[i] for i in order if titles[i]), "Feedback without text")
    sentences = [s if s[-1] in ".!?" else f"{s}." for s in _central_sentences(items, embed)]
    return _cut(title), " ".join(sentences) or title


def _central_sentences(items: Sequence[str], embed: Embed) -> list[str]:
    sentences = list(
        dict.fromkeys(
            sentence
            for item in items
            for sentence in map(str.strip, re.split(r"(?<=[.!?])\s+|\n+", item))
            if len(sentence) in SENTENCE_CHARACTERS
        )
    )[:SENTENCES]
    if not sentences:
        return []
    vectors = embed(sentences)
    first, *others = _by_centrality(vectors)
    second = (i for i in others if vectors[i] @ vectors[first] < SAME)
    return [sentences[i] for i in (first, *list(second)[:1])]


def _by_centrality(vectors: NDArray[np.float32]) -> list[int]:
    """Indices, the nearest to the mean direction first."""
    return [int(i) for i in np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")]


def _cut(text: str) -> str:
    """``text``, or as many whole words of it as a name may hold."""
    if len(text) <= NAME_CHARACTERS:
        return text
    start = text[:NAME_CHARACTERS]
    return start.rpartition(" ")[0] or start

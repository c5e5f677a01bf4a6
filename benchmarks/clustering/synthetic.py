"""Made-up feedback of any size, to measure cost with: what it says means nothing."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustering.rows import RECEIVED, Row

WIDTH = 384
# So that cosines are near 0.8 within a group, and 0.32 between groups of one topic.
ITEM_SPREAD, GROUP_SPREAD = 0.25, 1.5
GROUPS_PER_TOPIC = 20
LARGEST_GROUP = 200
WORDS_PER_TOPIC, WORDS_PER_GROUP, WORDS_PER_ITEM = 40, 8, 80
SHORT_WORDS = 12
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
SYLLABLES = len(CONSONANTS) * len(VOWELS)

type Integers = NDArray[np.int64]


def made(n: int, seed: int = 0) -> tuple[list[Row], NDArray[np.float32]]:
    """``n`` rows in mixed order and a vector for each, [n, 384] at unit length.

    Group sizes follow Zipf's law: most groups have one item, few have many. A group's texts
    are of its own words, all short ones, long reports or errors of Sentry's; groups share words
    and directions with others of their topic.
    """
    rng = np.random.default_rng(seed)
    sizes = _sizes(n, rng)
    group = np.repeat(np.arange(len(sizes)), sizes)[:n]
    rng.shuffle(group)
    topic = np.arange(len(sizes)) // GROUPS_PER_TOPIC
    centres = _around(_directions(int(topic.max()) + 1, rng)[topic], GROUP_SPREAD, rng)
    vectors = _around(centres[group], ITEM_SPREAD, rng)

    words = topic[:, None] * WORDS_PER_TOPIC + rng.integers(
        0, WORDS_PER_TOPIC, (len(sizes), WORDS_PER_GROUP)
    )
    picks = rng.integers(0, WORDS_PER_GROUP, (n, WORDS_PER_ITEM))
    rows = [
        _row(i, int(g), [_word(int(w)) for w in words[g][picks[i]]]) for i, g in enumerate(group)
    ]
    return rows, vectors


def _sizes(n: int, rng: np.random.Generator) -> Integers:
    """Sizes of as many groups as it takes to hold ``n`` items."""
    sizes = np.minimum(rng.zipf(2.0, n), LARGEST_GROUP).astype(np.int64)
    return sizes[: int(np.searchsorted(np.cumsum(sizes), n)) + 1]


def _directions(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    return _unit(rng.standard_normal((count, WIDTH), np.float32))


def _around(
    centres: NDArray[np.float32], spread: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A direction beside each centre; two beside one have a cosine of 1 / (1 + spread)."""
    noise = rng.standard_normal(centres.shape, np.float32)
    noise *= np.float32((spread / WIDTH) ** 0.5)
    noise += centres
    return _unit(noise)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _row(i: int, group: int, words: list[str]) -> Row:
    kind = ("short", "report", "error")[group % 3]
    if kind == "error":
        title = f"{words[0].capitalize()}Error: {' '.join(words[1:5])}"
        frames = (f"  app.{a}:{b}" for a, b in zip(words[5:15:2], words[6:16:2], strict=True))
        body = "\n".join([title, *frames])
    else:
        title = " ".join(words[:4])
        body = " ".join(words[: SHORT_WORDS if kind == "short" else WORDS_PER_ITEM])
    return Row(
        id=f"item-{i:07d}",
        label=f"group-{group}",
        source="sentry" if kind == "error" else "standard",
        channel="sentry" if kind == "error" else "synthetic",
        kind=kind,
        title=title,
        text=f"{title}\n\n{body}",
        created_at=RECEIVED + 1000 * i,
    )


def _word(number: int) -> str:
    """A word of letters only: no two numbers below 343,000 have the same, and neighbours differ."""
    number = number * 99_991 % SYLLABLES**3
    word = ""
    for _ in range(3):
        number, syllable = divmod(number, SYLLABLES)
        consonant, vowel = divmod(syllable, len(VOWELS))
        word += CONSONANTS[consonant] + VOWELS[vowel]
    return word

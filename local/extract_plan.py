"""A plan made of quotations: no cause is found and nothing is worked out."""

from collections.abc import Sequence

from local.extract import Embed, describe

FIELDS = frozenset({"problem", "reproduction", "files", "verification"})
_NOTHING = "extractive-local has no language model: it quotes reports and works nothing out."


def plan(items: Sequence[str], embed: Embed) -> dict[str, str | list[str]]:
    """The central title and sentences as the problem; of the rest, that it is not known.

    ``embed`` gives vectors of length 1.
    """
    title, sentences = describe(items, embed)
    return {
        "problem": f"Reported as “{title}”. In the reports' words: “{sentences}”",
        "reproduction": f"Not known beyond what the reports say. {_NOTHING}",
        "files": [],
        "verification": f"A test that shows what was reported and passes afterwards. {_NOTHING}",
    }

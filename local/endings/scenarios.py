"""The ways in which a job may end, and what makes one end so.

Each has a project of its own, for its limits, with one report, so that its cluster is known. The
model's recording for it is sample/recordings/endings/<project>.json.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

# What the recordings of those that never end by themselves run, or wait in.
SLEEPS = "sleep"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A report in ``project``, and the end that its job is to come to after ``attempts``.

    ``act`` is what is done to the job once its engine sleeps, in every attempt. ``settings`` are
    the project's, where they are not the defaults.
    """

    project: str
    title: str
    text: str
    state: str
    cause: str
    act: Literal["", "cancel", "stop its task"] = ""
    attempts: int = 1
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people are shown."""
        return self.project.replace("-", " ")


# Those that take longest come first, for not all of them run at once.
ENDINGS = (
    Ending(
        project="task-killed",
        title="Moving the pantry file loses the notes",
        text="After moving the file to another folder all notes are gone.",
        state="failed",
        cause="task_lost",
        act="stop its task",
        attempts=3,
    ),
    Ending(
        project="timed-out",
        title="Searching never comes back",
        text="A search for milk runs for ever.",
        state="timed_out",
        cause="deadline",
        settings={"minutes_per_job": 1},
    ),
    Ending(
        project="cancelled",
        title="Please add a dark theme",
        text="The white table is hard on the eyes at night.",
        state="cancelled",
        cause="person",
        act="cancel",
    ),
    Ending(
        project="tests-fail",
        title="Bread is called expired a day early",
        text="The date printed on the loaf is today, and larder says EXPIRED.",
        state="refused",
        cause="tests_fail",
    ),
    Ending(
        project="engine-crash",
        title="The shopping list is printed twice",
        text="Every line of it comes two times.",
        state="failed",
        cause="engine",
    ),
    Ending(
        project="over-budget",
        title="Recipes lose their units",
        text="Flour in grams comes out without any unit.",
        state="over_budget",
        cause="budget",
        settings={"dollars_per_job": 0.03},
    ),
    Ending(
        project="no-change",
        title="The help is in English only",
        text="It would be nice to read it in Danish.",
        state="no_change",
        cause="no_change",
    ),
)

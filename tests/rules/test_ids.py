import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules import ids

KINDS = ["fb", "cl", "job", "src"]
project_names = st.from_regex(ids.PROJECT, fullmatch=True)
parts = st.text(max_size=20)


def made(project: str) -> dict[str, str]:
    """One id of each kind."""
    return {
        "fb": ids.feedback_id(project, "github", "issue:1"),
        "cl": ids.cluster_id(project, "fb_x_1"),
        "job": ids.new_job_id(project),
        "src": ids.source_id(project, "sentry-eu"),
    }


@given(project_names)
def test_every_id_says_its_kind_and_project(project: str) -> None:
    """The project comes back from an id of the kind asked for, and from no other."""
    for kind, identifier in made(project).items():
        for asked in KINDS:
            assert ids.project_of(identifier, asked) == (project if asked == kind else None)


@given(project_names, parts, parts)
def test_a_redelivery_has_the_same_id(project: str, source: str, external_id: str) -> None:
    """An id is made from content and nothing else."""
    first = ids.feedback_id(project, source, external_id)
    assert ids.feedback_id(project, source, external_id) == first
    assert ids.project_of(first, "fb") == project


@given(st.tuples(parts, parts), st.tuples(parts, parts))
def test_different_content_has_different_ids(a: tuple[str, str], b: tuple[str, str]) -> None:
    """No two pairs of source and external id run together, wherever the border between them is."""
    assert (ids.feedback_id("p", *a) == ids.feedback_id("p", *b)) is (a == b)


def test_parts_do_not_run_together() -> None:
    """``ab`` + ``c`` is not ``a`` + ``bc``, and a length can't be forged."""
    assert ids.feedback_id("p", "ab", "c") != ids.feedback_id("p", "a", "bc")
    assert ids.feedback_id("p", "1:a", "") != ids.feedback_id("p", "", "1:a")


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    """An external id that UTF-8 can't carry still has an id."""
    assert ids.project_of(ids.feedback_id("p", "standard", "\ud800"), "fb") == "p"


def test_jobs_differ() -> None:
    """Two jobs that were asked for at once are two."""
    assert ids.new_job_id("p") != ids.new_job_id("p")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fb",
        "fb__1",
        "fb_P_1",
        "fb_-p_1",
        "fb_p-_1",
        "fb_p_",
        "fb_p_X",
        "fb_p_1\n",
        " fb_p_1",
        "fb_p:x_1",
        "fb_p_1:2",
        "fb_p_" + "1" * 41,
        f"fb_{'p' * 33}_1",
        "xx_p_1",
        "fb_pä_1",
        "../fb_p_1",
    ],
)
def test_what_is_no_id_has_no_project(text: str) -> None:
    """Nothing that could leave its project's keys passes for an id."""
    assert ids.project_of(text, "fb") is None


@given(st.text())
def test_any_text_is_an_id_or_none(text: str) -> None:
    """Whatever is asked, the answer is None or a project's name."""
    project = ids.project_of(text, "fb")
    assert project is None or ids.PROJECT.fullmatch(project)

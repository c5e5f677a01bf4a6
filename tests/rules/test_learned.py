import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from soulcaster.rules.grouping.learned import begun, recalled, told
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.points import Points
from soulcaster.rules.grouping.rebalance import learned

if TYPE_CHECKING:
    from soulcaster.rules.text_kind import Kind

MODEL, WIDTH = "some-model", 8


def points(count: int) -> Points:
    """So many reports, in random directions."""
    rows = np.random.default_rng(7).normal(size=(count, WIDTH))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    marks = np.eye(count, 512, dtype=np.float32)
    kinds: list[Kind] = ["report"] * count
    return Points(
        tuple(f"i{n:03}" for n in range(count)),
        tuple(kinds),
        vectors,
        marks,
        ("",) * count,
        np.ones(count, np.float32),
        np.zeros(count, bool),
        ((),) * count,
    )


def test_what_was_told_is_recalled() -> None:
    """Every kind's geometry, as good as half precision is."""
    rule = learned(points(40), begun(MODEL, WIDTH, {}))
    found = recalled(told(rule, MODEL, WIDTH), MODEL, WIDTH)
    assert found is not None
    for kind in KINDS:
        expected = rule.geometries[kind]
        assert found[kind].count == expected.count
        assert np.allclose(found[kind].mean, expected.mean, atol=1e-3)
        assert found[kind].spread == expected.spread


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"space": "some-model-8"}'])
def test_what_is_no_geometry_is_none(text: str) -> None:
    """A project that was never looked at, or by an older version, starts anew."""
    assert recalled(text, MODEL, WIDTH) is None


def test_another_models_geometry_is_none() -> None:
    """What was measured in one space says nothing about another, whatever its width."""
    text = told(begun(MODEL, WIDTH, {}), MODEL, WIDTH)
    assert recalled(text, MODEL, WIDTH) is not None
    assert recalled(text, "another", WIDTH) is None
    assert recalled(text, MODEL, WIDTH + 1) is None
    broken = {**json.loads(text), "short": "{}"}
    assert recalled(json.dumps(broken), MODEL, WIDTH) is None


def test_a_project_begins_with_what_it_was_taught() -> None:
    """Corrections move the bars before anything was measured."""
    rule = begun(MODEL, WIDTH, {"short:merge": 10})
    assert rule.lenses["short"].bar < lenses()["short"].bar
    assert rule.lenses["error"].bar == lenses()["error"].bar

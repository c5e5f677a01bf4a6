"""Carrying the shipped bars over to vectors that no model has made."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.clustering import carry, fit
from benchmarks.clustering.carry import main, tfidf
from soulcaster.rules.grouping.background import is_calibrated

WORDS = ("export file rows", "photo upload crash", "night colours dark", "login password reset")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sets of short texts about four things, and one without a word in some of its texts."""
    for name in ("one", "two"):
        rows = [
            {
                "id": f"{name}-{n}",
                "text": "?!" if name == "two" and n == 7 else f"{WORDS[n % 4]} {name} w{n}",
                "label": str(n % 4),
                "source": "feedback",
            }
            for n in range(24)
        ]
        (tmp_path / f"{name}.jsonl.gz").write_bytes(zipped(rows))
        np.save(tmp_path / f"{name}.npy", np.eye(24, dtype=np.float32))
    return tmp_path


def zipped(rows: list[dict[str, Any]]) -> bytes:
    return gzip.compress("\n".join(json.dumps(row) for row in rows).encode())


def test_vectors_are_made_of_the_texts_alone() -> None:
    """The same each time, of length 1, and 0 where there is no word."""
    texts = [*(f"{words} w{n}" for n, words in enumerate(WORDS * 3)), "?!", ""]
    found = tfidf(texts)
    assert found.shape == (14, 13)
    assert np.array_equal(found, tfidf(texts))
    lengths = np.linalg.norm(found, axis=1)
    assert np.allclose(lengths[:-2], 1, atol=1e-5)
    assert np.array_equal(lengths[-2:], [0, 0])
    assert found[0] @ found[4] > found[0] @ found[1] + 0.2


def test_both_scores_and_their_difference_are_printed(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For each set, each kind and the mean; a text without a vector breaks nothing."""
    assert main(["--data", str(data), "--seeds", "1"]) == 0
    one, two, kind, mean = map(json.loads, capsys.readouterr().out.splitlines())
    assert (one["set"], two["set"], kind["kind"], mean["kind"]) == ("one", "two", "short", "mean")
    assert one["shipped_bar"] == two["shipped_bar"]
    for line in (one, two, kind, mean):
        assert line["difference"] == pytest.approx(line["carried"] - line["fitted"], abs=1e-6)
        assert 0 < line["carried"] <= 1


def test_a_bar_is_never_fitted_on_its_own_set(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the best of the others."""
    monkeypatch.setattr(fit, "curve", lambda one, *_: {0.1: one.name == "one", 0.9: 0.5})
    monkeypatch.setattr(fit, "best", lambda curves: max(curves[0], key=curves[0].__getitem__))
    main(["--data", str(data), "--seeds", "1"])
    one, two, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (one["fitted_bar"], two["fitted_bar"]) == (0.9, 0.1)


@pytest.mark.parametrize(("carried", "status"), [(0.6, 0), (0.471, 0), (0.46, 1)])
def test_too_far_below_is_a_failure(
    data: Path, monkeypatch: pytest.MonkeyPatch, carried: float, status: int
) -> None:
    """More than 0.03 in the mean."""
    monkeypatch.setattr(fit, "curve", lambda *_: {0.123: 1.0})
    scored = lambda _, __, bar, ___: {"score": 0.5 if bar == 0.123 else carried}  # noqa: E731
    monkeypatch.setattr(fit, "left_out", scored)
    assert main(["--data", str(data)]) == status


def test_a_folder_without_sets_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names it."""
    assert main(["--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path} holds no sets\n"


def test_no_model_of_that_name_was_calibrated() -> None:
    """Or the bars would not be carried over without anything."""
    assert not is_calibrated(carry.UNKNOWN, carry.DIMENSIONS)

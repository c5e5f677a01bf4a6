"""The calibrations that are shipped."""

import json
from pathlib import Path

import numpy as np
import pytest

from local.gemini import EMBEDDING_MODEL
from local.minilm import WIDTH
from scripts.calibrate import digest, samples
from soulcaster.rules.grouping.background import FOLDER, background, is_calibrated, slug
from soulcaster.rules.grouping.calibration import seen_through
from soulcaster.rules.grouping.lens import KINDS, lenses
from soulcaster.rules.grouping.marks import marks

FILES = sorted(FOLDER.glob("*.json"))
AGAIN = "run ./soulcaster calibrate for it again"


def test_the_local_clouds_model_is_calibrated() -> None:
    """So that the demo and the benchmarks show what a calibrated model does."""
    assert is_calibrated(EMBEDDING_MODEL, WIDTH)
    assert FOLDER / f"{slug(EMBEDDING_MODEL, WIDTH)}.json" in FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_calibration_fits_what_it_is_used_with(file: Path) -> None:
    """It was made with the texts, the lenses and the marks that are there now."""
    page = json.loads(file.read_text("utf-8"))
    assert page["texts"] == digest(), AGAIN
    assert page["lenses"] == {kind: seen_through(lens) for kind, lens in lenses().items()}, AGAIN
    width = int(file.stem.rpartition("-")[2])
    assert file.stem == slug(page["model"], width)
    found = background(page["model"], width)
    for kind in KINDS:
        rows = [marks(one.title, one.text, kind) for one in samples() if one.kind == kind]
        mean = np.sum(rows, axis=0) / (len(rows) + 20)
        assert np.allclose(found[kind].marks_mean, mean, atol=2e-3), AGAIN
        assert 0 < found[kind].unrelated < 0.99

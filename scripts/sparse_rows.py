"""Evaluates a network of Roundproof with NumPy or PyTorch, on the rounding path from left to right.

    python scripts/sparse_rows.py network.safetensors rows.npy

prints the outputs of each row. In a program, with tensors of PyTorch:

    import torch
    from sparse_rows import evaluate, load
    layers = [{name: torch.from_numpy(part) if name != "activation" else part for name, part in layer.items()}
              for layer in load("network.safetensors")]
    outputs = evaluate(layers, torch.from_numpy(rows), torch.zeros, torch.where)

A dense product (torch.nn.Linear) would be another network: it has terms that this one lacks, and zero times infinity is NaN.
Here every product and every sum is an operation of its own on tensors of the network's format, so that each is rounded once: in
binary16, binary32 and binary64, which NumPy has. What is proved on every path holds of it. The layout of the file is written
down in crates/files/src/safetensors.rs; networks with other steps than sparse sums are refused.
"""

import json
import struct
import sys

import numpy as np

KINDS = {"binary16": np.float16, "binary32": np.float32, "binary64": np.float64}
TYPES = {"U16": np.uint16, "U32": np.uint32, "U64": np.uint64}


def load(path):
    """The layers: of each its activation, and arrays that say where its rows start, which inputs they read, weights, biases."""
    with open(path, "rb") as file:
        contents = file.read()
    (length,) = struct.unpack("<Q", contents[:8])
    header = json.loads(contents[8 : 8 + length])
    metadata = header.pop("__metadata__")
    kind = KINDS.get(metadata["format"])
    if kind is None or "steps" in metadata:
        raise ValueError(f"{path}: sparse layers in {', '.join(KINDS)} are supported; export it as ONNX")
    layers = []
    for index, activation in enumerate(json.loads(metadata["activations"])):
        if activation not in ("step", "relu", "identity"):
            raise ValueError(f"{path}: layer {index}: the activation {activation} is not supported; export it as ONNX")
        layer = {"activation": activation}
        for name in ("row_ptr", "columns", "weights", "bias"):
            tensor = header[f"layer{index}.{name}"]
            start, end = (8 + length + offset for offset in tensor["data_offsets"])
            bits = np.frombuffer(contents[start:end], TYPES[tensor["dtype"]])
            layer[name] = bits.view(kind).copy() if name in ("weights", "bias") else bits.astype(np.int64)
        layers.append(layer)
    return layers


def evaluate(layers, values, zeros=np.zeros, where=np.where):
    """The outputs, [rows, outputs], of inputs [rows, inputs] in the network's format."""
    for layer in layers:
        row_ptr, bias = layer["row_ptr"], layer["bias"]
        starts, counts = row_ptr[:-1], row_ptr[1:] - row_ptr[:-1]
        sums = zeros((len(values), len(bias)), dtype=values.dtype)
        for term in range(int(counts.max())):
            reads = where(counts > term)[0]
            places = starts[reads] + term
            products = values[:, layer["columns"][places]] * layer["weights"][places]
            # Nothing is added to the first product, not even a zero.
            sums[:, reads] = products if term == 0 else sums[:, reads] + products
        sums = where(counts > 0, sums + bias, bias)
        if layer["activation"] == "step":
            sums = where(sums >= 0, bias[:1] * 0 + 1, bias[:1] * 0)
        elif layer["activation"] == "relu":
            sums = where(sums <= 0, bias[:1] * 0, sums)
        values = sums
    return values


def main():
    layers = load(sys.argv[1])
    rows = np.load(sys.argv[2])
    kind = layers[0]["weights"].dtype
    if rows.dtype != kind:
        sys.exit(f"{sys.argv[2]}: has numbers of {rows.dtype}, the network of {kind}: round them as its data set was, first")
    with np.errstate(over="ignore", invalid="ignore"):
        for outputs in evaluate(layers, rows):
            print(",".join(repr(float(value)) for value in outputs))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()

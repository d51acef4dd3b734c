"""Writes the node tests of the onnx package to a folder: for each a model, its inputs and the outputs that are right.

    ./x onnx-node-tests

The package makes them by a reference in NumPy, with the pinned version always the same ones. Of each test, NAME/model.onnx is
the model, and NAME/input_0.pb, …, NAME/output_0.pb, … are tensors (TensorProto), of the first data set. Tests of sequences, maps
and optional values have no tensors, and are left out.
"""

import pathlib
import shutil
import sys
import warnings

import numpy
import onnx
import onnx.numpy_helper

try:
    from onnx.backend.test.case.node import collect_testcases
except ImportError:  # as it was called before
    from onnx.backend.test.case import collect_testcases


def tensor(value, info):
    """A value as the tensor that the model says it is; none if it is something else."""
    if isinstance(value, onnx.TensorProto):
        proto = onnx.TensorProto()
        proto.CopyFrom(value)
    elif isinstance(value, (numpy.ndarray, numpy.generic)):
        proto = onnx.numpy_helper.from_array(numpy.asarray(value))
    else:
        return None
    if info.type.WhichOneof("value") != "tensor_type" or info.type.tensor_type.elem_type != proto.data_type:
        return None
    proto.name = info.name
    return proto


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    warnings.simplefilter("ignore")
    numpy.seterr(all="ignore")
    written = 0
    for case in collect_testcases(None):
        if case.model is None or not case.data_sets:
            continue
        inputs, outputs = case.data_sets[0]
        graph = case.model.graph
        parts = [(f"input_{i}.pb", *pair) for i, pair in enumerate(zip(inputs, graph.input))]
        parts += [(f"output_{i}.pb", *pair) for i, pair in enumerate(zip(outputs, graph.output))]
        parts = [(file, tensor(value, info)) for file, value, info in parts]
        if any(proto is None for _, proto in parts):
            continue
        into = folder / case.name
        into.mkdir(parents=True)
        (into / "model.onnx").write_bytes(case.model.SerializeToString())
        for file, proto in parts:
            (into / file).write_bytes(proto.SerializeToString())
        written += 1
    print(f"{written} node tests of onnx {onnx.__version__} in {folder}")


main()

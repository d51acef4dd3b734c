"""Runs exported networks in ONNX Runtime, and compares its outputs with what is proved, bit for bit.

    ./x onnx [--filter memorization/] [--program target/release/roundproof] [FOLDER]
    ./x onnx --self-test

FOLDER has certificates with their networks, as `roundproof verify-all --keep FOLDER` leaves them; without one, the claims of
the filters are proved again. Every Proved certificate is exported and checked by onnx's checker. ONNX Runtime then evaluates it,
with graph optimizations and without: on the rows of its data set, where the outputs have to be the labels, and on adversarial
inputs, where they have to be what `roundproof run` gives on the path that the graph is. Adversarial are the ends of the format,
the values next to zero, both zeros, the values of the data set and thresholds of the network with their neighbours, and random
encodings. onnx's reference evaluator has a say on small networks in formats that NumPy has. Zeros of both signs count as equal.

The exit code is 1 if anything differs. With --self-test, stored numbers are changed one at a time, and each change must be noticed.
"""

import argparse
import collections
import ctypes
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import sparse_rows
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

CLAIMS = ["theorems/memorization/", "theorems/trees/", "theorems/forests/", "theorems/approximation/",
          "theorems/representation/", "theorems/memorization-bounded/", "theorems/classical/"]
# Of each format: the type of NumPy, its bits, the type of ONNX, and whether NumPy itself has it.
FORMATS = {
    "binary64": (np.float64, np.uint64, TensorProto.DOUBLE, True),
    "binary32": (np.float32, np.uint32, TensorProto.FLOAT, True),
    "binary16": (np.float16, np.uint16, TensorProto.FLOAT16, True),
    "bfloat16": (ml_dtypes.bfloat16, np.uint16, TensorProto.BFLOAT16, False),
    "float8_e4m3fn": (ml_dtypes.float8_e4m3fn, np.uint8, TensorProto.FLOAT8E4M3FN, False),
    "float8_e4m3fnuz": (ml_dtypes.float8_e4m3fnuz, np.uint8, TensorProto.FLOAT8E4M3FNUZ, False),
    "float8_e5m2": (ml_dtypes.float8_e5m2, np.uint8, TensorProto.FLOAT8E5M2, False),
    "float8_e5m2fnuz": (ml_dtypes.float8_e5m2fnuz, np.uint8, TensorProto.FLOAT8E5M2FNUZ, False),
}
# The most values of a tensor of one batch, and the most products of all adversarial inputs of a network.
TENSOR = 1 << 26
PRODUCTS = 1 << 27


def tensors(path):
    """The tensors of a safetensors file, as bits."""
    contents = path.read_bytes()
    (length,) = struct.unpack("<Q", contents[:8])
    header = json.loads(contents[8 : 8 + length])
    header.pop("__metadata__", None)
    kinds = {"U8": np.uint8, "U16": np.uint16, "U32": np.uint32, "U64": np.uint64}
    read = {}
    for name, tensor in header.items():
        start, end = (8 + length + offset for offset in tensor["data_offsets"])
        if tensor["dtype"] in kinds:
            read[name] = np.frombuffer(contents[start:end], kinds[tensor["dtype"]]).reshape(tensor["shape"])
    return read


def finite(bits, kind):
    with np.errstate(invalid="ignore"):
        return np.isfinite(bits.view(kind).astype(np.float64))


def adversarial(generator, kind, unsigned, columns, known, rows):
    """Rows of bits: every column takes hard values, in random combinations."""
    width = np.dtype(unsigned).itemsize * 8
    sign = unsigned(1 << (width - 1))
    everything = np.arange(1 << width, dtype=np.uint64).astype(unsigned) if width <= 16 else None
    largest = unsigned(ml_dtypes.finfo(kind).max.view(unsigned) if kind in (np.float16, np.float32, np.float64)
                       else np.array(ml_dtypes.finfo(kind).max).astype(kind).view(unsigned))
    ends = np.array([0, 1, 2, largest, largest - 1], unsigned)
    near = np.unique(known.reshape(-1))[:4096]
    near = np.concatenate([near, near - unsigned(1), near + unsigned(1)])
    hard = np.concatenate([ends, near])
    hard = np.concatenate([hard, hard ^ sign])
    hard = hard[finite(hard, kind)]
    if kind in (ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2fnuz):
        hard = hard[hard != sign]
    random = generator.integers(0, 1 << width, (rows, columns), np.uint64, endpoint=False) if width < 64 else \
        generator.integers(0, np.iinfo(np.uint64).max, (rows, columns), np.uint64, endpoint=True)
    random = random.astype(unsigned)
    usable = finite(random, kind)
    chosen = generator.choice(hard, (rows, columns))
    mixed = np.where(usable & (generator.random((rows, columns)) < 0.3), random, chosen)
    if columns == 1 and everything is not None and rows >= len(everything):
        mixed = everything[finite(everything, kind)].reshape(-1, 1)
    for index, end in enumerate(hard[:rows] if columns > 1 else []):
        mixed[index] = end
    return mixed


def evaluated(session, element, unsigned, bits, outputs, width):
    """The outputs in bits, batch by batch."""
    given = []
    step = max(1, TENSOR // width)
    for start in range(0, len(bits), step):
        batch = np.ascontiguousarray(bits[start : start + step])
        value = onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(batch, element)
        (made,) = session.run_with_ort_values(["outputs"], {"inputs": value})
        assert made.shape() == [len(batch), outputs], made.shape()
        size = len(batch) * outputs * np.dtype(unsigned).itemsize
        given.append(np.frombuffer(ctypes.string_at(made.data_ptr(), size), unsigned).reshape(-1, outputs))
    return np.concatenate(given)


def sessions(model):
    levels = onnxruntime.GraphOptimizationLevel
    for name, level in (("off", levels.ORT_DISABLE_ALL), ("on", levels.ORT_ENABLE_ALL)):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.log_severity_level = 3
        yield name, onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def differences(given, wanted, unsigned):
    """Rows in which something differs, zeros' signs aside."""
    sign = unsigned(1 << (np.dtype(unsigned).itemsize * 8 - 1))
    plain = [np.where(bits == sign, unsigned(0), bits) for bits in (given, wanted)]
    return np.nonzero((plain[0] != plain[1]).any(axis=1))[0]


class Case:
    """One certificate."""

    def __init__(self, program, path, scratch):
        self.program, self.path, self.scratch = program, path, scratch
        self.certificate = json.loads(path.read_text())
        claim = self.certificate["claim"]
        self.format, self.shape, self.model = claim["format"], claim["shape"], claim["model"]
        self.kind, self.unsigned, self.element, self.is_in_numpy = FORMATS.get(self.format, (None,) * 4)

    def export(self):
        """Nothing, or why there is no model."""
        self.onnx = self.scratch / "model.onnx"
        run = subprocess.run([self.program, "export", self.path, "--onnx", self.onnx, "--json"],
                             capture_output=True, text=True)
        if run.returncode == 0:
            self.report = json.loads(run.stdout)
            return None
        return run.stderr.strip().removeprefix(f"error: {self.path}: ") or run.stdout.strip()

    def named(self, what):
        return self.path.parent / self.certificate[what]["path"]

    def expected(self, bits):
        """What `run` gives on the path of the graph."""
        table = self.scratch / "rows.npy"
        np.save(table, bits.view(self.kind))
        order = "left-to-right" if self.model["order"] == "left-to-right" else "pairwise"
        arguments = [self.program, "run", self.named("network"), table, "--order", order, "--json",
                     "--overflow", self.model["overflow"]]
        accumulator = self.model["accumulator"]
        if accumulator != "same":
            text = f"{accumulator['format']}/{accumulator['overflow']}"
            arguments += ["--accumulator", text]
        run = subprocess.run(arguments, capture_output=True, text=True)
        if run.returncode != 0:
            raise RuntimeError(run.stderr)
        rows = [[int(output["encoding"], 16) for output in row["outputs"]] for row in json.loads(run.stdout)]
        return np.array(rows, self.unsigned)

    def inputs(self, generator):
        """Rows of bits, and what is wanted there."""
        sets = []
        known = np.array([0], self.unsigned)
        if "dataset" in self.certificate:
            data = tensors(self.named("dataset"))
            known = data["inputs"]
            excepted = self.certificate["claim"].get("exceptions", [])
            if len(known) and not excepted:
                sets.append(("rows", known, data["labels"]))
        stored = [bits for name, bits in tensors(self.named("network")).items() if bits.dtype == self.unsigned]
        known = np.concatenate([known.reshape(-1)] + [np.unique(bits.reshape(-1)) for bits in stored])
        # All values of 16 bits, where there is one input and no data set that has them already.
        most = 1 << 16 if self.shape["input_dimension"] == 1 else 2000
        rows = max(20, min(most, PRODUCTS // self.shape["parameters"]))
        hard = adversarial(generator, self.kind, self.unsigned, self.shape["input_dimension"], known, rows)
        sets.append(("adversarial", hard, self.expected(hard)))
        return sets

    def check(self, generator):
        """The differences, in words, and how many rows were compared."""
        proto = onnx.load(self.onnx)
        onnx.checker.check_model(proto, full_check=True)
        found, compared, sets = [], 0, self.inputs(generator)
        for level, session in sessions(str(self.onnx)):
            for name, bits, wanted in sets:
                began = time.perf_counter()
                given = evaluated(session, self.element, self.unsigned, bits, wanted.shape[1], self.shape["parameters"])
                self.rate = len(bits) / (time.perf_counter() - began)
                found += self.told(f"optimizations {level}, {name}", bits, given, wanted)
                compared += len(bits)
        if self.is_in_numpy and self.shape["parameters"] < 5000:
            reference = ReferenceEvaluator(proto)
            for name, bits, wanted in sets:
                bits, wanted = bits[:500], wanted[:500]
                with np.errstate(all="ignore"):
                    (given,) = reference.run(None, {"inputs": bits.view(self.kind)})
                found += self.told(f"reference evaluator, {name}", bits, given.view(self.unsigned), wanted)
                if name == "rows" and self.model["accumulator"] == "same":
                    with np.errstate(all="ignore"):
                        given = sparse_rows.evaluate(sparse_rows.load(self.named("network")), bits.view(self.kind))
                    found += self.told("sparse_rows.py", bits, given.view(self.unsigned), wanted)
        return found, compared

    def told(self, where, bits, given, wanted):
        rows = differences(given, wanted, self.unsigned)
        if not len(rows):
            return []
        row = rows[0]
        shown = [np.array(bits).view(self.kind)[row].tolist() for bits in (bits, given, wanted)]
        return [f"{where}: {len(rows)} of {len(bits)} rows differ; at {shown[0]} it gives {shown[1]}, and {shown[2]} is wanted"]

    def self_test(self):
        """How many changes of stored labels were noticed, of how many. Every label of a point network is that of a row."""
        data = tensors(self.named("dataset"))
        proto = onnx.load(self.onnx)
        last = max(int(tensor.name.split("/")[0][5:]) for tensor in proto.graph.initializer if tensor.name.startswith("layer"))
        labels = next(tensor for tensor in proto.graph.initializer
                      if tensor.name.startswith(f"layer{last}/") and tensor.data_type == self.element)
        right, size = labels.raw_data, np.dtype(self.unsigned).itemsize
        noticed = 0
        places = range(0, len(right), size)
        for place in places:
            changed = bytearray(right)
            changed[place] ^= 1
            labels.raw_data = bytes(changed)
            for _, session in sessions(proto.SerializeToString()):
                given = evaluated(session, self.element, self.unsigned, data["inputs"], self.shape["output_dimension"],
                                  self.shape["parameters"])
                noticed += len(differences(given, data["labels"], self.unsigned)) > 0
        labels.raw_data = right
        return noticed, 2 * len(places)


def proved(folder):
    for path in sorted(folder.rglob("*.json")):
        certificate = json.loads(path.read_text())
        if isinstance(certificate, dict) and certificate.get("verdict") == "Proved" and "network" in certificate:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--program", type=pathlib.Path, default="target/release/roundproof")
    parser.add_argument("--filter", action="append", default=[])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folder = arguments.folder or scratch / "kept"
        if arguments.self_test:
            table = scratch / "table.csv"
            table.write_text("x,y,label\n" + "".join(f"{i * 7 % 11},{i * i % 13},{i % 5 + 1}\n" for i in range(11)))
            for name in ("binary32", "binary16", "bfloat16", "float8_e5m2"):
                overflow = "saturate" if name.startswith("float8") else "ieee"
                subprocess.run([program, "prove", table, "--label", "label", "--format", name, "--out", folder / name,
                                "--paths", f"all,overflow={overflow}"],
                               check=True, capture_output=True)
        elif arguments.folder is None:
            for claims in arguments.filter or CLAIMS:
                subprocess.run([program, "verify-all", "--keep", folder, "--filter", claims], check=True)
        seen, rows, refused, wrong = collections.Counter(), 0, collections.Counter(), 0
        for path in proved(folder):
            if arguments.folder and not all(text in str(path) for text in arguments.filter):
                continue
            case = Case(program, path, scratch)
            reason = case.export()
            if reason:
                refused[reason.split(";")[0].split(": prove")[0]] += 1
                continue
            try:
                found, compared = case.check(generator)
            except Exception as error:  # of the checker, the runtime, or a run of the program
                found, compared = [f"{type(error).__name__}: {error}"], 0
            if arguments.self_test:
                noticed, changes = case.self_test()
                print(f"{case.format}: {noticed} of {changes} changes noticed")
                wrong += noticed != changes or changes == 0
            seen[case.format] += 1
            rows += compared
            wrong += len(found)
            name = path.relative_to(folder)
            for line in found:
                print(f"WRONG  {name}: {line}")
            if case.shape["parameters"] > 500_000:
                print(f"{name}: {case.report['bytes']} bytes, {case.report['nodes']} nodes, {case.rate:.0f} rows a second")
        for reason, number in refused.items():
            print(f"not exported, {number}: {reason}")
        for name, number in sorted(seen.items()):
            print(f"{name}: {number} networks")
        versions = f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}"
        print(f"{sum(seen.values())} networks, {rows} rows compared, {wrong} wrong ({versions})")
        if wrong or not seen:
            sys.exit(1)


if __name__ == "__main__":
    main()

"""Measures how far runtimes are from the functions that no standard rounds, and compares it with the tables of data/functions/.

    ./x measure-functions [--every 61] [--out data/functions]

exp, log, sigmoid, tanh, erf and softplus of ONNX Runtime (its operators, and the exp inside of its Softmax, in rows of 64), of NumPy and of
onnx's reference evaluator. In binary32 every so-manieth encoding of both signs is tried, offset by a number that is drawn anew for each function, beside
binary64; in binary64 random arguments beside the extended type of x87, 64 bits of precision, where there is one. A table says of each
function that a result is within `relative |f(x)| + absolute` of f(x), and in what range. The bounds are choices, written below; each has to be twice
of what was measured, at least. What was measured goes into the table beside them: the versions, the number of arguments, the largest
absolute error, what a relative bound has to be beside half of the absolute one, and the ends of the results.

A measurement proves nothing of other arguments, machines and runtimes. The exit code is 1 if a bound is less than twice what was seen.
"""

import argparse
import json
import math
import pathlib
import platform
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED = 2401
CHUNK = 1 << 22

# Of each format and function: relative, absolute, least, largest, as text that is exact.
BOUNDS = {
    "binary32": {
        "Exp": ("0x1p-20", "0x1p-125", "0x0p0", None),
        "Log": ("0x1p-20", "0x1p-149", None, None),
        "Sigmoid": ("0x1p-20", "0x1p-21", "0x0p0", "0x400001p-22"),
        "Tanh": ("0x1p-19", "0x1p-125", "-0x400001p-22", "0x400001p-22"),
        "Erf": ("0x1p-20", "0x1p-125", "-0x400001p-22", "0x400001p-22"),
        "Softplus": ("0x1p-20", "0x1p-22", "0x0p0", None),
    },
    "binary64": {
        "Exp": ("0x1p-50", "0x1p-1021", "0x0p0", None),
        "Log": ("0x1p-50", "0x1p-1074", None, None),
        "Sigmoid": ("0x1p-49", "0x1p-50", "0x0p0", "0x8000000000001p-51"),
        "Tanh": ("0x1p-48", "0x1p-1021", "-0x8000000000001p-51", "0x8000000000001p-51"),
        "Softplus": ("0x1p-49", "0x1p-51", "0x0p0", None),
    },
}
TYPES = {"binary32": (np.float32, TensorProto.FLOAT), "binary64": (np.float64, TensorProto.DOUBLE)}


def number(text):
    """A hexadecimal number of the tables, as binary64 has it."""
    return float.fromhex(text)


def exact(function, x):
    """The function, in the wider type of x."""
    if function == "Exp":
        return np.exp(x)
    if function == "Log":
        return np.log(x)
    if function == "Sigmoid":
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, small) / (1 + small)
    if function == "Tanh":
        return np.tanh(x)
    if function == "Softplus":
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return np.fromiter((math.erf(value) for value in x), x.dtype, len(x))


def model(op, kind, shape, **attributes):
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y")]
    graph = helper.make_graph([node], op, ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def in_runtime(op, kind, shape, **attributes):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model(op, kind, shape, **attributes).SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def in_softmax(kind):
    """exp as Softmax has it: quotients of elements of a row whose first and largest one is 0."""
    run = in_runtime("Softmax", kind, [None, 64], axis=1)

    def ratios(x):
        rows = x[: len(x) // 63 * 63].reshape(-1, 63)
        made = run(np.concatenate([np.zeros((len(rows), 1), x.dtype), rows], axis=1))
        wide = made.astype(np.longdouble if x.dtype == np.float64 else np.float64)
        given = (wide[:, 1:] / wide[:, :1]).ravel()
        return np.concatenate([given, np.full(len(x) - len(given), np.nan)])
    return ratios


def ways(function, format):
    """Of each way its name, a function, and where arguments have to be."""
    kind, tensor = TYPES[format]
    made = {}
    for name, build in (
        (f"onnxruntime {onnxruntime.__version__}, {function}", lambda: in_runtime(function, tensor, [None])),
        (f"onnxruntime {onnxruntime.__version__}, Softmax", lambda: in_softmax(tensor) if function == "Exp" else None),
        (f"numpy {np.__version__}", lambda: {"Exp": np.exp, "Log": np.log, "Tanh": np.tanh}.get(function)),
    ):
        try:
            run = build()
            if run is not None:
                made[name] = (run, (lambda x: x[(x <= 0) & (x > -200)]) if "Softmax" in name else (lambda x: x))
        except Exception as error:  # an operator that the runtime does not have in this type
            print(f"{format} {function}: not in {name}: {str(error).splitlines()[0][:80]}")
    # onnx's reference evaluator is Python; erf and sigmoid go element by element there, so that few arguments are taken.
    reference = ReferenceEvaluator(model(function, tensor, [None]))
    made[f"onnx {onnx.__version__}, reference"] = (lambda x: reference.run(None, {"x": x})[0], lambda x: x[::64])
    return made


def arguments(function, format, every, generator):
    """Chunks of arguments at which the function is finite, or may be."""
    kind, _ = TYPES[format]
    if format == "binary32":
        start, stop = int(generator.integers(every)), 1 << 32
        # erf is slow beside binary64.
        step = every * 16 if function == "Erf" else every
        chunks = (np.arange(at, min(at + CHUNK * step, stop), step, dtype=np.uint64).astype(np.uint32).view(kind) for at in range(start, stop, CHUNK * step))
    else:
        chunks = (generator.integers(0, 1 << 64, CHUNK, dtype=np.uint64).view(kind) if part % 2 else generator.uniform(-750, 750, CHUNK) * 2.0 ** generator.integers(-12, 1, CHUNK)
                  for part in range(max(2, (1 << 9) // every)))
    for x in chunks:
        x = x[np.isfinite(x)]
        yield x[x > 0] if function == "Log" else x


def measured(function, format, every):
    """Of each way what was seen of it."""
    generator = np.random.default_rng(SEED)
    kind, _ = TYPES[format]
    wide = np.float64 if format == "binary32" else np.longdouble
    if format == "binary64" and np.finfo(np.longdouble).nmant < 63:
        raise SystemExit("binary64 is measured beside a wider type, which this machine does not have")
    relative, absolute, least, largest = BOUNDS[format][function]
    # Half of it, since a bound is to be twice of what is seen.
    allowed = number(absolute) / 2
    seen = {name: {"arguments": 0, "relative": 0.0, "absolute": 0.0, "least": math.inf, "largest": -math.inf} for name in ways(function, format)}
    made = ways(function, format)
    top = wide(np.finfo(kind).max)
    for x in arguments(function, format, every, generator):
        for name, (run, select) in made.items():
            taken = select(x)
            if not len(taken):
                continue
            with np.errstate(all="ignore"):
                given = np.asarray(run(taken)).astype(wide)
                right = exact(function, taken.astype(wide))
                # What is beyond the largest value is given up by the judge.
                inside = (np.abs(right) <= top * (1 - 1e-6)) & ~(("Softmax" in name) & np.isnan(given))
                taken, given, right = taken[inside], given[inside], right[inside]
                error = np.abs(given - right)
                error = np.where(np.isnan(error), np.inf, error)
                needed = np.where(error > allowed, (error - allowed) / np.maximum(np.abs(right), wide(np.finfo(wide).tiny)), 0)
            if not len(given):
                continue
            entry = seen[name]
            entry["arguments"] += len(given)
            worst = int(needed.argmax())
            if needed[worst] > entry["relative"]:
                entry["relative"], entry["at"] = float(needed[worst]), float(taken[worst])
            entry["absolute"] = max(entry["absolute"], float(error.max()))
            entry["least"], entry["largest"] = min(entry["least"], float(given.min())), max(entry["largest"], float(given.max()))
    return seen


def shown(entry):
    """Hexadecimal where it has to be exact, decimal where it is for people."""
    told = {"arguments": entry["arguments"], "relative": f"{entry['relative']:.4g}", "absolute": f"{entry['absolute']:.4g}"}
    if "at" in entry:
        told["at"] = entry["at"].hex()
    return told | {"least": entry["least"].hex(), "largest": entry["largest"].hex()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--every", type=int, default=61, help="one of so many encodings of binary32 is tried")
    parser.add_argument("--formats", nargs="*", default=list(BOUNDS), choices=list(BOUNDS))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "data" / "functions", help="where the tables go")
    options = parser.parse_args()
    if options.every < 1:
        parser.error("--every has to be 1 or more")
    options.out.mkdir(parents=True, exist_ok=True)
    tight = []
    for format in options.formats:
        functions = {}
        for function, (relative, absolute, least, largest) in BOUNDS[format].items():
            seen = measured(function, format, options.every)
            for name, entry in seen.items():
                print(f"{format} {function}: {name}: {shown(entry)}", flush=True)
                if 2 * entry["relative"] > number(relative):
                    tight.append(f"{format} {function}: {name} needs {entry['relative']:.3g}, and the table has {number(relative):.3g}")
                for end, limit, beyond in ((entry["least"], least, lambda a, b: a < b), (entry["largest"], largest, lambda a, b: a > b)):
                    if limit is not None and entry["arguments"] and beyond(end, number(limit)):
                        tight.append(f"{format} {function}: {name} gives {end.hex()}, beyond {limit}")
            functions[function] = {"relative": relative, "absolute": absolute, "least": least, "largest": largest,
                                   "measured": {name: shown(entry) for name, entry in seen.items()}}
        made = {"format": format, "machine": f"{platform.machine()}, {platform.system()}", "every": options.every, "functions": functions}
        temporary = options.out / f".{format}.new"
        temporary.write_text(json.dumps(made, indent=1) + "\n")
        temporary.replace(options.out / f"{format}.json")
    for line in tight:
        print(line, file=sys.stderr)
    sys.exit(1 if tight else 0)


if __name__ == "__main__":
    main()

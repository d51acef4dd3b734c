"""Runs ONNX models in many ways that runtimes and libraries really use, and records what each gives.

    ./x audit-peers [--rows 64] [--out target/peers-audit] [MODEL.onnx ...]

Without models, those of data/onnx. Each is run on rows of the NPZ beside it (`x`; or else of a NAME-test.npz there with as many
numbers a row, in the type of the model's input) and on perturbed copies of them: in ONNX Runtime in one batch, row by row, with graph
optimizations and without, on one thread and on two; and by onnx's reference evaluator, whose products of matrices and convolutions are
replaced by sums in one order: NumPy's own, einsum, from left to right, backwards, pairwise, in lanes, split in parts, and in binary64
and rounded once, the last for comparison alone. NAME.npz in the folder has `x` and, of each way and output, `WAY.OUTPUT`, bfloat16 as
binary32; NAME.json has what the judge of audits is compared with, by the ignored test of tests/attack.rs: of each row the least and the
largest of each element over all ways but the last, and the places that are the largest in some of them. A way that a model does not run
in is told and left out. Whatever is printed of differences is what was seen here: a
recording says nothing of paths that nobody took.

Of data/onnx/attack, `attack.json` says which classes a row may have: each way, but the one in binary64, has to give one of these.

The exit code is 1 if a way does not, or a model runs in no way at all.
"""

import argparse
import json
import pathlib
import sys

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED = 2401
# The one that is no tree of roundings in the type of the tensors.
BEYOND = "reference-binary64-once"
# Of a tensor of products [rows, terms, columns], at once.
PRODUCTS = 1 << 24


# Sums over axis 1 of products, each rounded in their type.

def left_to_right(products):
    total = products[:, 0]
    for term in range(1, products.shape[1]):
        total = total + products[:, term]
    return total


def backwards(products):
    return left_to_right(products[:, ::-1])


def pairwise(products):
    while products.shape[1] > 1:
        even = products.shape[1] // 2 * 2
        halves = products[:, 0:even:2] + products[:, 1:even:2]
        products = np.concatenate([halves, products[:, even:]], axis=1)
    return products[:, 0]


def lanes(count):
    def form(products):
        sums = [left_to_right(products[:, lane::count]) for lane in range(min(count, products.shape[1]))]
        return pairwise(np.stack(sums, axis=1))
    return form


def split(count):
    def form(products):
        parts = np.array_split(products, min(count, products.shape[1]), axis=1)
        return left_to_right(np.stack([left_to_right(part) for part in parts], axis=1))
    return form


def summed(form):
    """Products of matrices whose sums are formed so, of 16-bit types in binary32, and narrowed once."""
    def multiply(a, b):
        given = np.result_type(a, b)
        if given.itemsize == 2:
            return multiply(a.astype(np.float32), b.astype(np.float32)).astype(given)
        if a.ndim != 2 or b.ndim != 2:
            leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            a = np.broadcast_to(a, leading + a.shape[-2:]).reshape(-1, *a.shape[-2:])
            b = np.broadcast_to(b, leading + b.shape[-2:]).reshape(-1, *b.shape[-2:])
            made = np.stack([multiply(one, other) for one, other in zip(a, b)])
            return made.reshape(leading + made.shape[1:])
        step = max(1, PRODUCTS // max(1, b.size))
        made = [form(a[at : at + step, :, None] * b[None]) for at in range(0, len(a), step)]
        return np.concatenate(made).astype(given)
    return multiply


WAYS = {
    "numpy": np.matmul,
    "einsum": lambda a, b: np.einsum("...ik,...kj->...ij", a, b),
    "left-to-right": summed(left_to_right),
    "backwards": summed(backwards),
    "pairwise": summed(pairwise),
    "lanes-4": summed(lanes(4)),
    "lanes-8": summed(lanes(8)),
    "split-2": summed(split(2)),
    "split-4": summed(split(4)),
    "binary64-once": lambda a, b: np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.result_type(a, b)),
}


def operators(multiply):
    """MatMul, Gemm and Conv of onnx's reference evaluator, with this product."""

    class MatMul(OpRun):
        op_domain = ""

        def _run(self, a, b):
            return (multiply(a, b),)

    class Gemm(OpRun):
        op_domain = ""

        def _run(self, a, b, c=None, alpha=None, beta=None, transA=None, transB=None):
            a, b = (a.T if transA else a), (b.T if transB else b)
            made = multiply(a, b)
            if alpha not in (None, 1.0):
                made = made * made.dtype.type(alpha)
            if c is not None:
                made = made + (c if beta in (None, 1.0) else c * c.dtype.type(beta))
            return (made,)

    class Conv(OpRun):
        op_domain = ""

        def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=None, kernel_shape=None, pads=None, strides=None):
            axes = x.ndim - 2
            if auto_pad not in (None, "NOTSET", b"NOTSET"):
                raise ValueError(f"auto_pad {auto_pad!r}")
            group = group or 1
            strides, dilations, pads = list(strides or [1] * axes), list(dilations or [1] * axes), list(pads or [0] * 2 * axes)
            x = np.pad(x, [(0, 0), (0, 0)] + [(pads[axis], pads[axis + axes]) for axis in range(axes)])
            taps = w.shape[2:]
            places = [(x.shape[2 + axis] - (taps[axis] - 1) * dilations[axis] - 1) // strides[axis] + 1 for axis in range(axes)]
            columns = []
            for tap in np.ndindex(*taps):
                window = tuple(slice(tap[axis] * dilations[axis], tap[axis] * dilations[axis] + (places[axis] - 1) * strides[axis] + 1,
                                     strides[axis]) for axis in range(axes))
                columns.append(x[(slice(None), slice(None)) + window])
            # Rows, channels, taps, places.
            patches = np.stack(columns, axis=2).reshape(x.shape[0], x.shape[1], len(columns), -1)
            inside, outside = x.shape[1] // group, w.shape[0] // group
            made = []
            for part in range(group):
                chosen = patches[:, part * inside : (part + 1) * inside].reshape(x.shape[0], inside * len(columns), -1)
                weights = w[part * outside : (part + 1) * outside].reshape(outside, -1)
                made.append(np.stack([multiply(weights, row) for row in chosen]))
            made = np.concatenate(made, axis=1).reshape(x.shape[0], w.shape[0], *places)
            return (made if b is None else made + b.reshape(1, -1, *[1] * axes),)

    return [MatMul, Gemm, Conv]


def rows_of(path):
    """The rows of a model, in the shape and type of its input."""
    given = onnx.load(path).graph.input[0].type.tensor_type
    bfloat16 = given.elem_type == onnx.TensorProto.BFLOAT16
    kind = ml_dtypes.bfloat16 if bfloat16 else onnx.helper.tensor_dtype_to_np_dtype(given.elem_type)
    if path.with_suffix(".npz").is_file():
        return np.load(path.with_suffix(".npz"))["x"].astype(kind)
    shape = [axis.dim_value for axis in given.shape.dim][1:]
    for other in sorted(path.parent.glob("*-test.npz")):
        rows = np.load(other)["x"]
        if rows[0].size == np.prod(shape):
            return rows.reshape(-1, *shape).astype(kind)
    raise SystemExit(f"{path}: no rows: neither {path.with_suffix('.npz').name} beside it, nor a NAME-test.npz with {shape} numbers a row")


def perturbed(rows, count, generator):
    """Some rows, and copies of them that are off by a few units in the last place, by a thousandth, or by a tenth of the spread."""
    rows = rows[generator.permutation(len(rows))[: max(1, count // 4)]]
    kinds = [rows]
    if np.issubdtype(rows.dtype, np.floating) or rows.dtype == ml_dtypes.bfloat16:
        spread = np.abs(rows.astype(np.float64)).mean(axis=0, keepdims=True)
        for scale in (4 * float(ml_dtypes.finfo(rows.dtype).eps), 1e-3, 0.1):
            noise = generator.standard_normal(rows.shape)
            size = np.abs(rows.astype(np.float64)) if scale < 0.1 else spread
            kinds.append((rows.astype(np.float64) + scale * noise * size).astype(rows.dtype))
    made = np.concatenate(kinds)[:count]
    return made[np.isfinite(made.astype(np.float64)).reshape(len(made), -1).all(axis=1)]


def session(path, optimized, threads):
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def row_by_row(run, rows):
    """As one batch would give it."""
    each = [run(rows[index : index + 1]) for index in range(len(rows))]
    return [np.concatenate(parts) for parts in zip(*each)]


def ways(path):
    """Of each way its name, and a function from rows to outputs."""
    model = onnx.load(path)
    name = model.graph.input[0].name
    made = {}
    for word, optimized in (("optimized", True), ("unoptimized", False)):
        for threads in (1, 2):
            def batch(rows, optimized=optimized, threads=threads):
                return session(path, optimized, threads).run(None, {name: rows})
            made[f"onnxruntime-{word}-{threads}"] = batch
        def single(rows, optimized=optimized):
            one = session(path, optimized, 1)
            return row_by_row(lambda row: one.run(None, {name: row}), rows)
        made[f"onnxruntime-{word}-rows"] = single
    for word, multiply in WAYS.items():
        def evaluated(rows, multiply=multiply):
            return ReferenceEvaluator(model, new_ops=operators(multiply)).run(None, {name: rows})
        made[f"reference-{word}"] = evaluated
    return [output.name for output in model.graph.output], made


def recorded(path, count, generator):
    """The recordings of a model, and what failed."""
    rows = perturbed(rows_of(path), count, generator)
    outputs, made = ways(path)
    recordings, failed = {"x": rows}, {}
    for way, run in made.items():
        try:
            given = run(rows)
            given = [np.asarray(value) for value in given]
            if any(value.dtype == object or len(value) != len(rows) for value in given):
                raise ValueError("an output that is not an array with a row for each row")
        except Exception as error:  # a model that a way does not take: told, and the others go on
            failed[way] = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
            continue
        recordings |= {f"{way}.{name}": value for name, value in zip(outputs, given)}
    return outputs, recordings, failed


def report(path, outputs, recordings, failed):
    """A line for each output: how many ways, how many different answers, and how far apart."""
    for output in outputs:
        given = {key.removesuffix(f".{output}"): value for key, value in recordings.items() if key.endswith(f".{output}")}
        exact = {way: value for way, value in given.items() if way != BEYOND}
        if not exact:
            continue
        distinct = len({value.tobytes() for value in exact.values()})
        line = f"{path.stem} {output}: {len(exact)} ways, {distinct} different recordings"
        first = next(iter(exact.values()))
        floats = first.dtype.kind == "f" or first.dtype == ml_dtypes.bfloat16
        if floats and first.ndim == 2 and first.shape[1] > 1:
            stacked = np.stack([value.reshape(first.shape).astype(np.float64) for value in exact.values()])
            decided = stacked.argmax(axis=2)
            flips = int((decided != decided[0]).any(axis=0).sum())
            line += f", spread at most {np.ptp(stacked, axis=0).max():.3g}, {flips} of {len(first)} rows with another largest output"
        elif floats:
            stacked = np.stack([value.astype(np.float64) for value in exact.values()])
            line += f", spread at most {np.ptp(stacked, axis=0).max():.3g}"
        else:
            flips = int(sum(any(value[row] != first[row] for value in exact.values()) for row in range(len(first))))
            line += f", {flips} of {len(first)} rows differ"
        print(line)
    for why in dict.fromkeys(failed.values()):
        print(f"{path.stem}: not in {', '.join(way for way in failed if failed[way] == why)}: {why}")


def extremes(path, outputs, recordings):
    """Of each output that is floating-point, its rows: the input, the least and the largest of each element, the largest places.
    Not of bfloat16, in which NumPy forms other sums, such as means, and no runtime here computes."""
    told = []
    for output in outputs if recordings["x"].dtype != ml_dtypes.bfloat16 else []:
        given = [np.asarray(value, np.float64).reshape(len(value), -1) for key, value in recordings.items()
                 if key.endswith(f".{output}") and not key.startswith(BEYOND) and value.dtype.kind == "f"]
        if not given:
            continue
        stacked = np.stack(given)
        rows = np.asarray(recordings["x"], np.float64).reshape(len(recordings["x"]), -1)
        spelled = lambda values: [float(value).hex() for value in values]
        told.append({"output": output, "rows": [
            {"x": spelled(row), "low": spelled(low), "high": spelled(high), "largest": sorted({int(place) for place in places})}
            for row, low, high, places in zip(rows, stacked.min(axis=0), stacked.max(axis=0), stacked.argmax(axis=2).T)]})
    return {"model": str(path.resolve().relative_to(ROOT)) if path.resolve().is_relative_to(ROOT) else str(path), "outputs": told}


def attacked(folder):
    """What ways give of the rows of attack.json, and that is not among the classes there."""
    strange = []
    for network in json.loads((folder / "attack.json").read_text())["networks"]:
        path = folder / network["file"]
        rows = np.load(path.with_suffix(".npz"))["x"]
        outputs, made = ways(path)
        for way, run in made.items():
            if way == BEYOND:
                continue
            given = dict(zip(outputs, run(rows)))["outputs"]
            for index, (row, values) in enumerate(zip(network["rows"], given)):
                right = [entry for entry in row.get("right", []) if entry["paths"].startswith("all")]
                classes = {label for entry in right for label in entry["classes"]}
                for label in row.get("stories", {}).values():
                    classes |= set(label) if isinstance(label, list) else {label}
                tie = values[0] == values[1] and any(entry.get("ties") for entry in right)
                if not tie and (values[0] == values[1] or int(values.argmax()) not in classes):
                    strange.append(f"{path.name}, row {index}: {way} gives {values.tolist()}, the classes are {sorted(classes)}")
    return strange


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="*", type=pathlib.Path, metavar="MODEL.onnx")
    parser.add_argument("--rows", type=int, default=64, help="how many rows of each model, perturbed copies included")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "peers-audit", help="where recordings go")
    options = parser.parse_args()
    models = options.models or sorted((ROOT / "data" / "onnx").glob("**/*.onnx"))
    if not models:
        parser.error("there are no models in data/onnx; name some")
    options.out.mkdir(parents=True, exist_ok=True)
    never = []
    for path in models:
        with np.errstate(all="ignore"):
            outputs, recordings, failed = recorded(path, options.rows, np.random.default_rng(SEED))
        report(path, outputs, recordings, failed)
        if len(recordings) == 1:
            never.append(path)
        (options.out / f"{path.stem}.json").write_text(json.dumps(extremes(path, outputs, recordings)))
        temporary = options.out / f".{path.stem}.new"
        with temporary.open("wb") as file:
            wide = {key: value.astype(np.float32) if value.dtype == ml_dtypes.bfloat16 else value for key, value in recordings.items()}
            np.savez_compressed(file, **wide)
        temporary.replace(options.out / f"{path.stem}.npz")
    folder = ROOT / "data" / "onnx" / "attack"
    strange = [] if options.models else attacked(folder)
    for line in strange + [f"{path}: runs in no way" for path in never]:
        print(line, file=sys.stderr)
    sys.exit(1 if strange or never else 0)


if __name__ == "__main__":
    main()

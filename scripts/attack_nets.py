"""Networks and sums that detect how they are computed, with what is right of each: data/onnx/attack/.

    ./x attack-nets [--check]

Each network is a few nodes around one sum whose value depends on the order of its additions, on a contraction, on where it is
narrowed, or on a flush; the rest of the network only amplifies it, exactly. So the decision of such a network is not the same on
every path, whatever an auditor may think of its weights. `attack.json` says of each row which values the sum has under which path
model, and which classes follow: enumerated here in fractions, all binary trees over all arrangements, and compared by a test with
what crates/paths enumerates. Rows are found with a seed, so that everything comes out again bit for bit; --check says if it does not.
"""

import argparse
import functools
import io
import json
import pathlib
import random
import sys
from fractions import Fraction

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "onnx" / "attack"
SEED = 2401
# Precision, least and largest exponent.
FORMATS = {"binary16": (11, -14, 15), "bfloat16": (8, -126, 127), "binary32": (24, -126, 127), "binary64": (53, -1022, 1023)}
KINDS = {"binary16": (TensorProto.FLOAT16, np.float16), "binary32": (TensorProto.FLOAT, np.float32),
         "binary64": (TensorProto.DOUBLE, np.float64)}
ORDERED = "paper"
NEAREST = "all,rounding=ties-to-even"
FLUSHED = "all,rounding=ties-to-even,subnormals=flush"
ALL = "all"


# Arithmetic in fractions.

def exponent(value):
    """The largest e with 2^e <= |value|."""
    value = abs(value)
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if Fraction(2) ** guess <= value else guess - 1


@functools.cache
def neighbours(value, name):
    """The nearest value of the format at or below, the nearest at or above, and their spacing."""
    precision, least, largest = FORMATS[name]
    if value == 0:
        return Fraction(0), Fraction(0), Fraction(1)
    unit = Fraction(2) ** (max(exponent(value), least) - precision + 1)
    below = value // unit * unit
    above = below if below == value else below + unit
    assert max(abs(below), abs(above)) < Fraction(2) ** (largest + 1), f"{value} overflows {name}"
    return below, above, unit


@functools.cache
def to_nearest(value, name):
    below, above, unit = neighbours(value, name)
    if value - below != above - value:
        return below if value - below < above - value else above
    return below if (below / unit) % 2 == 0 else above


class Model:
    """How sums are formed, of the fields that crates/network/src/model.rs has."""

    def __init__(self, text, name, accumulator=None):
        self.text = text if accumulator is None else f"{text},accumulator={accumulator}"
        self.name, self.wide = name, accumulator or name
        fields = text.split(",")
        self.any_rounding = fields[0] == "all" and "rounding=ties-to-even" not in fields
        self.any_order = fields[0] == "all"
        self.flushes = "subnormals=flush" in fields

    def flushed(self, value, name):
        small = self.flushes and 0 < abs(value) < Fraction(2) ** FORMATS[name][1]
        return {value, Fraction(0)} if small else {value}

    def rounded(self, value, name):
        given = set(neighbours(value, name)[:2]) if self.any_rounding else {to_nearest(value, name)}
        return set().union(*(self.flushed(one, name) for one in given))

    def products(self, weight, x):
        """What the factors of a product may be read as, multiplied exactly."""
        return {a * b for a in self.flushed(weight, self.wide) for b in self.flushed(x, self.wide)}


def reachable(model, terms, bias):
    """The values of `bias + sum of products` on every path."""
    read = lambda values: set().union(*(model.flushed(value, model.wide) for value in values))
    added = lambda left, right: set().union(*(model.rounded(a + b, model.wide) for a in left for b in right))
    exact = [model.products(weight, x) for weight, x in terms] + [None]
    single = [set().union(*(model.rounded(value, model.wide) for value in values)) for values in exact[:-1]] + [{bias}]
    if not model.any_order:
        sums = single[0]
        for leaf in single[1:]:
            sums = added(read(sums), read(leaf))
    else:
        count = len(single)
        table = {1 << leaf: single[leaf] for leaf in range(count)}
        for subset in sorted(range(1, 1 << count), key=int.bit_count):
            if subset in table:
                continue
            found, left = set(), (subset - 1) & subset
            while left:
                right = subset ^ left
                if left < right:
                    found |= added(read(table[left]), read(table[right]))
                # A contracted product, which is a leaf and not the bias.
                if left.bit_count() == 1 and exact[left.bit_length() - 1] is not None:
                    found |= added(exact[left.bit_length() - 1], read(table[right]))
                left = (left - 1) & subset
            table[subset] = found
        sums = table[(1 << count) - 1]
    if model.wide != model.name:
        sums = set().union(*(model.rounded(value, model.name) for value in read(sums)))
    return sums


def story(name, terms, how):
    """One believable way to add products up, to nearest, each product rounded."""
    add = lambda a, b: to_nearest(a + b, name)
    leaves = [to_nearest(weight * x, name) for weight, x in terms]
    if how == "reversed":
        leaves.reverse()
    lanes = {"lanes of 2": 2, "lanes of 4": 4}.get(how)
    parts = {"split in 2": 2, "split in 4": 4}.get(how)
    if how == "pairwise":
        while len(leaves) > 1:
            pairs = [add(*leaves[at : at + 2]) if at + 1 < len(leaves) else leaves[at] for at in range(0, len(leaves), 2)]
            leaves = pairs
        return leaves[0]
    if lanes:
        groups = [leaves[lane::lanes] for lane in range(min(lanes, len(leaves)))]
    elif parts:
        size = -(-len(leaves) // parts)
        groups = [leaves[at : at + size] for at in range(0, len(leaves), size)]
    else:
        groups = [leaves]
    return left_to_right([left_to_right(group, add) for group in groups], add)


def left_to_right(values, add):
    total = values[0]
    for value in values[1:]:
        total = add(total, value)
    return total


STORIES = ["left to right", "reversed", "pairwise", "lanes of 2", "lanes of 4", "split in 2", "split in 4"]


# What is written.

def text(value):
    """Exactly, as crates/exact reads it."""
    if value.denominator == 1 and abs(value) < 1 << 60:
        return str(value.numerator)
    mantissa, power = float(value).hex().split("p")
    assert Fraction(float(value)) == value, value
    return f"{mantissa.rstrip('0').rstrip('.')}p{int(power)}"


def said(models, terms, bias, classes=None):
    """Of each model the values of the sum, and the classes that follow."""
    told = []
    for model in models:
        values = sorted(reachable(model, terms, bias))
        entry = {"paths": model.text, "values": [text(value) for value in values]}
        if classes:
            entry["classes"] = sorted({classes(value) for value in values})
        told.append(entry)
    return told


def written(terms, bias):
    return {"terms": [[text(weight), text(x)] for weight, x in terms], "bias": text(bias)}


def encoded(value, kind):
    """A value in NumPy's type, which has it."""
    array = np.array(float(value), kind)
    assert Fraction(float(array)) == value, (value, kind)
    return array


def model_of(nodes, constants, columns, outputs, kind, domain=None):
    element = KINDS[kind][0]
    graph = helper.make_graph(nodes, "attack", [helper.make_tensor_value_info("x", element, ["rows", columns])],
                              [helper.make_tensor_value_info(name, of, ["rows", width]) for name, of, width in outputs],
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid("ai.onnx.ml", 3)] if domain else [])
    model = helper.make_model(graph, producer_name="roundproof", opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model, full_check=domain is None)
    return model.SerializeToString(deterministic=True)


def summed(weights, kind, amplified, level, bias=None):
    """x times `weights`, plus a bias; then two outputs: the sum `amplified`, and `level`."""
    numpy = KINDS[kind][1]
    column = np.array([[encoded(weight, numpy)] for weight in weights], numpy)
    constants = {"weights": column, "wide": np.array([[amplified, 0]], numpy), "levels": np.array([0, level], numpy)}
    nodes = [helper.make_node("MatMul", ["x", "weights"], ["sum"])]
    if bias is not None:
        constants["bias"] = np.array([encoded(bias, numpy)], numpy)
        nodes = [helper.make_node("Gemm", ["x", "weights", "bias"], ["sum"])]
    nodes.append(helper.make_node("Gemm", ["sum", "wide", "levels"], ["outputs"]))
    return model_of(nodes, constants, len(weights), [("outputs", KINDS[kind][0], 2)], kind)


def above(amplified, level):
    """Which output of `summed` is larger; a tie is not there."""
    def classes(value):
        assert value * amplified != level
        return 0 if value * amplified > level else 1
    return classes


def absorbed(generator):
    """(x + 2^24) - 2^24 - x."""
    big = Fraction(1 << 24)
    weights = [Fraction(1), big, -big, Fraction(-1)]
    rows = []
    for x in (1, 3, 5, 2, 0):
        row = [Fraction(x), Fraction(1), Fraction(1), Fraction(x)]
        terms = list(zip(weights, row))
        models = [Model(name, "binary32") for name in (ORDERED, NEAREST, FLUSHED, ALL)]
        rows.append((row, terms, Fraction(0), said(models, terms, Fraction(0), above(-1024, 512)), None))
    return {"detects": "where 2^24 is added: (x + 2^24) - 2^24 - x, one sum", "format": "binary32",
            "model": summed(weights, "binary32", -1024, 512), "rows": rows}


def ordered(generator):
    """Sums of 8 that differ by the order in which libraries form them, and one that does not."""
    rows, wanted = [], [("left to right", other) for other in STORIES[1:]]
    level = Fraction(1, 2)
    classes = above(1, level)
    big = [Fraction(sign * (1 << power)) for sign in (1, -1) for power in (24, 25)]
    small = [Fraction(value) for value in (1, -1, 2, -2, 3, -3)]
    for first, second in wanted:
        while True:
            half = [generator.choice(big) for _ in range(2)]
            row = half + [-value for value in half] + [generator.choice(small) for _ in range(4)]
            generator.shuffle(row)
            terms = [(Fraction(1), value) for value in row]
            if classes(story("binary32", terms, first)) != classes(story("binary32", terms, second)):
                rows.append(row)
                break
    rows.append([Fraction(value) for value in (1, -2, 3, 100, -50, 7, 11, -64)])
    entries = []
    for row in rows:
        terms = [(Fraction(1), value) for value in row]
        models = [Model(name, "binary32") for name in (ORDERED, NEAREST, ALL)]
        stories = {how: classes(story("binary32", terms, how)) for how in STORIES}
        entries.append((row, terms, Fraction(0), said(models, terms, Fraction(0), classes), stories))
    return {"detects": "the order of the additions; the last row is exact, and has one class on every path", "format": "binary32",
            "model": summed([Fraction(1)] * 8, "binary32", 1, 0.5), "rows": entries}


def contracted(generator):
    """s s - s s, with and without a fused multiply-add."""
    rows, weights = [], None
    s = Fraction(float(np.float32(np.sqrt(np.float32(0.5)))))
    weights = [s, -s]
    for x in (s, Fraction(1), Fraction(3, 4)):
        row = [x, x]
        terms = list(zip(weights, row))
        models = [Model(name, "binary32") for name in (ORDERED, NEAREST + ",contraction=none", NEAREST, ALL)]
        # Model knows `contraction` by name alone: without it nothing is contracted.
        told = []
        for model in models:
            if "contraction=none" in model.text:
                products = [to_nearest(weight * value, "binary32") for weight, value in terms]
                values = {to_nearest(sum(products), "binary32")}
            else:
                values = reachable(model, terms, Fraction(0))
            told.append({"paths": model.text, "values": [text(value) for value in sorted(values)],
                         "classes": sorted({above(2**40, 2**10)(value) for value in values})})
        rows.append((row, terms, Fraction(0), told, None))
    return {"detects": "a fused multiply-add: s s - s s, s the root of 1/2", "format": "binary32",
            "model": summed(weights, "binary32", 2**40, 2**10), "rows": rows}


def narrowed(generator):
    """2049 - 1 in binary16: narrowed once, it is 2048; narrowed before the bias, or in two parts, 2047."""
    weights = [Fraction(1), Fraction(1)]
    bias = Fraction(-1)
    # The next layer takes 2047 off, exactly, and decides between 0 and 1.
    kind = np.float16
    constants = {"weights": np.ones((2, 1), kind), "bias": np.array([-1], kind), "one": np.array([[1, 0]], kind),
                 "levels": np.array([-2047, 0.5], kind)}
    nodes = [helper.make_node("Gemm", ["x", "weights", "bias"], ["sum"]),
             helper.make_node("Gemm", ["sum", "one", "levels"], ["outputs"])]
    model = model_of(nodes, constants, 2, [("outputs", TensorProto.FLOAT16, 2)], "binary16")
    classes = lambda value: 0 if value - 2047 > Fraction(1, 2) else 1
    rows = []
    for row in ([Fraction(2048), Fraction(1)], [Fraction(2046), Fraction(1)]):
        terms = list(zip(weights, row))
        models = [Model(ORDERED, "binary16"), Model(NEAREST, "binary16"), Model(NEAREST, "binary16", "binary32"),
                  Model(ALL, "binary16", "binary32")]
        told = said(models, terms, bias, classes)
        before = to_nearest(to_nearest(sum(row), "binary16") + bias, "binary16")
        once = to_nearest(sum(row) + bias, "binary16")
        stories = {"summed in binary32, narrowed once": classes(once), "narrowed before the bias too": classes(before)}
        rows.append((row, terms, bias, told, stories))
    return {"detects": "a sum that is narrowed before its bias, or formed in binary16 throughout", "format": "binary16",
            "model": model, "rows": rows}


def flushed(generator):
    """A product that is subnormal, brought back into sight."""
    weights = [Fraction(1, 1 << 70)]
    rows = []
    for x in (Fraction(1, 1 << 60), Fraction(1, 1 << 50), Fraction(1, 1 << 100)):
        terms = [(weights[0], x)]
        models = [Model(name, "binary32") for name in (ORDERED, NEAREST, FLUSHED, ALL)]
        rows.append(([x], terms, Fraction(0), said(models, terms, Fraction(0), above(2**120, 2.0**-20)), None))
    return {"detects": "a flush of subnormals: 2^-70 times 2^-60, times 2^120", "format": "binary32",
            "model": summed(weights, "binary32", 2**120, 2.0**-20), "rows": rows}


def forest(generator):
    """Trees whose leaves add up to 1/2 for one class, and up to order to 1/2 for the other."""
    count = 6
    halves = [Fraction(1, 8), Fraction(1, 8), Fraction(1, 16), Fraction(1, 16), Fraction(1, 16), Fraction(1, 16)]
    half = Fraction(1, 2)
    model = Model(NEAREST, "binary32")
    while True:
        leaves = [Fraction(float(np.float32(generator.uniform(0.05, 0.12)))) for _ in range(count - 1)]
        last = Fraction(float(np.float32(float(half - sum(leaves)))))
        leaves.append(last)
        if not Fraction(1, 20) < last < Fraction(3, 20):
            continue
        terms = [(Fraction(1), leaf) for leaf in leaves]
        values = reachable(model, terms, Fraction(0))
        if min(values) < half < max(values):
            break
    # Both leaves of a tree: at x <= 0 those of above, else a clear answer.
    nodes = {name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")}
    classes = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(count):
        for node, mode in enumerate(("BRANCH_LEQ", "LEAF", "LEAF")):
            for name, value in zip(nodes, (tree, node, 0, 0.0, mode, 1 if node == 0 else 0, 2 if node == 0 else 0)):
                nodes[name].append(value)
        for node, pair in ((1, (halves[tree], leaves[tree])), (2, (Fraction(1, 16), Fraction(1, 8)))):
            for label, weight in enumerate(pair):
                for name, value in zip(classes, (tree, node, label, float(weight))):
                    classes[name].append(value)
    attributes = {f"nodes_{name}": value for name, value in nodes.items()} | {f"class_{name}": value for name, value in classes.items()}
    node = helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "outputs"], domain="ai.onnx.ml",
                            classlabels_int64s=[0, 1], post_transform="NONE", **attributes)
    graph = helper.make_graph([node], "attack", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 1])],
                              [helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
                               helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["rows", 2])])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, producer_name="roundproof", opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(made)
    decided = lambda value: {1} if value > half else {0} if value < half else {0, 1}
    rows = []
    for x, chosen in ((Fraction(0), leaves), (Fraction(1), [Fraction(1, 8)] * count)):
        terms = [(Fraction(1), leaf) for leaf in chosen]
        told = []
        for model in (Model(name, "binary32") for name in (ORDERED, NEAREST, ALL)):
            values = sorted(reachable(model, terms, Fraction(0)))
            rival = half if x == 0 else Fraction(6, 16)
            told.append({"paths": model.text, "values": [text(value) for value in values],
                         "classes": sorted({1 if value > rival else 0 for value in values if value != rival}),
                         "ties": any(value == rival for value in values)})
        rows.append(([x], terms, Fraction(0), told, None))
    return {"detects": "the order in which trees are added up: class 0 has 1/2 exactly, class 1 has 1/2 up to order", "format": "binary32",
            "model": made.SerializeToString(deterministic=True), "rows": rows}


def chained(generator):
    """The same as `absorbed`, node by node: here every sum has two terms, and ties to even leave no choice."""
    kind = np.float32
    constants = {"big": np.array([1 << 24], kind), "wide": np.array([[-1024, 0]], kind), "levels": np.array([0, 512], kind)}
    nodes = [helper.make_node("Add", ["x", "big"], ["up"]), helper.make_node("Sub", ["up", "big"], ["down"]),
             helper.make_node("Sub", ["down", "x"], ["sum"]), helper.make_node("Gemm", ["sum", "wide", "levels"], ["outputs"])]
    model = model_of(nodes, constants, 1, [("outputs", TensorProto.FLOAT, 2)], "binary32")
    big, classes = Fraction(1 << 24), above(-1024, 512)
    rows = []
    for x in (Fraction(1), Fraction(3), Fraction(2)):
        ups = {"ties to even, node by node": {to_nearest(x + big, "binary32")},
               "any direction, node by node": set(neighbours(x + big, "binary32")[:2]), "as one sum, exactly": {x + big}}
        stories = {how: sorted({classes(up - big - x) for up in given}) for how, given in ups.items()}
        rows.append(([x], None, None, None, stories))
    return {"detects": "a chain of additions that is computed as one sum, or with more precision, or rounded otherwise",
            "format": "binary32", "model": model, "rows": rows}


NETWORKS = {"absorbed": absorbed, "absorbed-in-a-chain": chained, "order": ordered, "contraction": contracted,
            "narrowing": narrowed, "flush": flushed, "forest": forest}


def sums():
    """Small sums, most of them from public reports, and what is right of each."""
    made = []

    def add(name, source, kind, terms, bias, models, note):
        terms = [(Fraction(weight), Fraction(x)) for weight, x in terms]
        made.append({"name": name, "source": source, "format": kind, **written(terms, Fraction(bias)),
                     "right": said([Model(model, kind, wide) for model, wide in models], terms, Fraction(bias)), "note": note})

    ones = lambda values: [(1, value) for value in values]
    add("six-values", "enumerated here", "binary32", ones([0, 33554432, -33554428, 1, 1, 1]), 0, [(NEAREST, None), (ALL, None)],
        "Six terms, five answers to nearest.")
    reported = [-462914.25, -4450888.0, -3546839.0, float(np.float32(7919.85400391)), -3874966.25, -1358369.625, -420256.46875,
                -336801.9375]
    add("eight-terms", "numpy/numpy #7368", "binary32", ones(reported), 0, [(ORDERED, None), (NEAREST, None)],
        "numpy.sum gave -14443116 in one order of these terms and -14443115 in another.")
    s64 = float(np.sqrt(np.float64(0.5)))
    add("orthogonal-binary64", "enumerated here", "binary64", [(s64, s64), (s64, -s64)], 0,
        [(ORDERED, None), (NEAREST, None)], "The product of (s, s) and (s, -s), s the root of 1/2 rounded: 0, unless a product is fused.")
    s32 = float(np.float32(np.sqrt(np.float32(0.5))))
    add("cross-product", "dotnet/runtime #114361", "binary32", [(-s32, s32), (s32, s32)], 0, [(ORDERED, None), (NEAREST, None)],
        "A vector times itself, normalized from (-1, 1, 0): .NET 8 gave 0, .NET 9 with a fused multiply-add 1.26880515e-8.")
    a, b = [1.015625, 1.0146484375], [1.03125, 1.033203125]
    add("two-products", "enumerated here", "binary16", list(zip(a, b)), 0, [(ORDERED, None), (NEAREST, None), (ALL, None)],
        "Off by 0.0019512 from left to right, more than n (n + 1) / 2 times 2^-(m + 1) times the largest product, which is 0.0015357 "
        "with n = 2 and m = 10 and is no bound.")
    add("cancelling-parts", "modular/modular #7165, where partial sums in bfloat16 were off by up to 40 %", "bfloat16",
        ones([256, 1, -256]), 0, [(ORDERED, None), (NEAREST, None), (NEAREST, "binary32")],
        "Summed in binary32 it is 1; in bfloat16, as partial sums of a split reduction are, it may be 0.")
    return made


def comparisons():
    """What a comparison or an input becomes in a narrower format."""
    exact = Fraction(float(0.671))
    threshold = Fraction(float(np.float32(0.671)))
    date = Fraction(20180131)
    return [
        {"name": "threshold", "source": "BayesWitnesses/m2cgen #188", "input": text(exact), "threshold": text(threshold),
         "binary64": exact < threshold, "binary32": to_nearest(exact, "binary32") < threshold,
         "note": "0.671 < 0.671000004 is true in binary64, and false where the input is rounded to binary32 first, as XGBoost does."},
        {"name": "date", "source": "enumerated here", "input": text(date), "threshold": text(date + Fraction(1, 2)),
         "binary64": date < date + Fraction(1, 2), "binary32": to_nearest(date, "binary32") < date + Fraction(1, 2),
         "note": "The date 20180131 is 20180132 in binary32: a date as a number is another day."},
    ]


def everything():
    """Every file, by name."""
    generator = random.Random(SEED)
    files, networks = {}, []
    for name, make in NETWORKS.items():
        made = make(generator)
        files[f"{name}.onnx"] = made["model"]
        kind = KINDS[made["format"]][1]
        rows = np.array([[float(encoded(value, kind)) for value in row] for row, *_ in made["rows"]], kind)
        buffer = io.BytesIO()
        np.savez(buffer, x=rows)
        files[f"{name}.npz"] = buffer.getvalue()
        told = []
        for row, terms, bias, right, stories in made["rows"]:
            entry = {"x": [text(value) for value in row]}
            if terms is not None:
                entry |= {"sum": written(terms, bias), "right": right}
            if stories:
                entry["stories"] = stories
            told.append(entry)
        networks.append({"file": f"{name}.onnx", "detects": made["detects"], "format": made["format"], "rows": told})
    whole = {"networks": networks, "sums": sums(), "comparisons": comparisons()}
    files["attack.json"] = (json.dumps(whole, indent=1) + "\n").encode()
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the files that are there, and write nothing")
    options = parser.parse_args()
    files = everything()
    if options.check:
        differ = [name for name, data in files.items() if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != data]
        stray = [path.name for path in FOLDER.iterdir() if path.name not in files and path.name != "README.md"]
        for name in differ:
            print(f"{name}: is not what comes out", file=sys.stderr)
        for name in stray:
            print(f"{name}: nothing makes it", file=sys.stderr)
        sys.exit(1 if differ or stray else 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        temporary = FOLDER / f".{name}.new"
        temporary.write_bytes(data)
        temporary.replace(FOLDER / name)
    print(f"{len(files)} files of {sum(map(len, files.values()))} bytes in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

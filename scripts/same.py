#!/usr/bin/env python3
"""Compares an ONNX model with the graph that it is said to be, in plain Python, without any library.

    scripts/same.py MODEL.onnx GRAPH.safetensors [--rows x.npy] [--output NAME] [--size NAME=N]
    scripts/same.py --self-test FOLDER

What judges a graph does not read ONNX. That a graph is what a model says is checked here, by readers of protobuf and safetensors of
its own and its own table of what each operator becomes (LOWER; in words it stands in crates/onnx/src/import.rs): node by node, with
all attributes, shapes and formats, and constants bit for bit. Then both are evaluated in fractions on some rows, the model by what
the operators are (EVALUATE), the graph by what its operations are, and have to give equal numbers. Roots and functions that are not
rational are those of Python's math, of the same argument on both sides.

--self-test FOLDER has pairs NAME.onnx, NAME.safetensors, which have to be the same; then each attribute and each initializer of each
model is changed, one at a time, and each such pair has to be rejected, or to decide something else, but for those that say nothing
at inference (SILENT).

The exit code is 0 if they are the same, 1 if not, 2 if the files cannot be read.
"""

import itertools
import json
import math
import pathlib
import struct
import sys
from fractions import Fraction


class Different(Exception):
    """The graph is not what the model says, or the model says what is not supported."""


def require(condition, what):
    if not condition:
        raise Different(what)


# Protobuf: messages as lists of (number of the field, wire type, content), by this table of messages within messages.

NESTED = {
    "Model": {7: "Graph", 8: "Opset"},
    "Graph": {1: "Node", 5: "Tensor", 11: "Value", 12: "Value"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor"},
    "Value": {2: "Type"},
    "Type": {1: "TensorType"},
    "TensorType": {2: "Shape"},
    "Shape": {1: "Dimension"},
}


def varint(data, at):
    value = shift = 0
    while True:
        require(at < len(data) and shift < 70, "the bytes are not protobuf")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value & (1 << 64) - 1, at


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def parse(data, kind):
    """The fields of a message."""
    fields, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            content, at = varint(data, at)
        else:
            require(wire in (1, 2, 5), "the bytes are not protobuf")
            size, at = varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            content, at = data[at : at + size], at + size
            require(len(content) == size, "the model ends within a field")
            nested = NESTED.get(kind, {}).get(number)
            if nested and wire == 2:
                content = parse(content, nested)
        fields.append((number, wire, content))
    return fields


def written(fields):
    """The bytes of a message."""

    def number(value):
        out = bytearray()
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        return bytes(out + bytes([value]))

    out = b""
    for key, wire, content in fields:
        out += number(key << 3 | wire)
        if wire == 0:
            out += number(content)
        else:
            content = written(content) if isinstance(content, list) else content
            out += (number(len(content)) if wire == 2 else b"") + content
    return out


def every(fields, number):
    return [content for key, _, content in fields if key == number]


def one(fields, number, default=None):
    found = every(fields, number)
    require(len(found) <= 1, f"field {number} is there twice")
    return found[0] if found else default


def text(fields, number):
    return one(fields, number, b"").decode()


def numbers(fields, number, code=None):
    """Repeated numbers, packed or not: of varints, or of a code of struct."""
    values = []
    for key, wire, content in fields:
        if key != number:
            continue
        if wire == 0:
            values.append(content)
        elif code:
            values += [value for (value,) in struct.iter_unpack("<" + code, content)]
        else:
            at = 0
            while at < len(content):
                value, at = varint(content, at)
                values.append(value)
    return values


# Arrays, of anything: encodings of a format, integers, texts, fractions, or marks that say where an element was.


class Array:
    """A shape, and the elements, the last axis fastest. `kind` is the name of a format, `int64` and its like, or `text`."""

    def __init__(self, shape, items, kind):
        self.shape, self.items, self.kind = tuple(shape), list(items), kind
        require(len(self.items) == math.prod(self.shape), f"{len(self.items)} elements for the shape {self.shape}")

    def like(self, shape, items):
        return Array(shape, items, self.kind)

    def at(self, places):
        index = 0
        for size, place in zip(self.shape, places):
            index = index * size + place
        return self.items[index]


def places(shape):
    return itertools.product(*map(range, shape))


FORMATS = {1: "binary32", 10: "binary16", 11: "binary64", 16: "bfloat16"}
WIDTHS = {"binary32": (24, 8), "binary16": (11, 5), "binary64": (53, 11), "bfloat16": (8, 8)}
INTEGERS = {2: ("uint8", "B"), 3: ("int8", "b"), 4: ("uint16", "H"), 5: ("int16", "h"), 6: ("int32", "i"), 7: ("int64", "q"),
            9: ("bool", "B"), 12: ("uint32", "I"), 13: ("uint64", "Q")}
UNSIGNED = {"binary32": "I", "binary16": "H", "binary64": "Q", "bfloat16": "H"}


def fraction(kind, bits):
    """The number that an encoding stands for."""
    precision, exponent_bits = WIDTHS[kind]
    trailing = precision - 1
    field, significand = bits >> trailing & (1 << exponent_bits) - 1, bits & (1 << trailing) - 1
    require(field < (1 << exponent_bits) - 1, "a constant is not finite")
    if field:
        significand |= 1 << trailing
    exponent = max(field, 1) - (1 << exponent_bits - 1) + 1 - trailing
    value = significand * Fraction(2) ** exponent
    return -value if bits >> (trailing + exponent_bits) else value


def encoding(kind, value, negative_zero=False):
    """The encoding of a number that is a value of the format; none if it is not one."""
    precision, exponent_bits = WIDTHS[kind]
    trailing, bias = precision - 1, (1 << exponent_bits - 1) - 1
    sign = (1 if value < 0 or negative_zero else 0) << (trailing + exponent_bits)
    magnitude = abs(value)
    if magnitude == 0:
        return sign
    leading = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    leading -= Fraction(2) ** leading > magnitude
    unit = max(leading, 1 - bias) - trailing
    significand = magnitude / Fraction(2) ** unit
    if significand.denominator != 1 or leading > bias:
        return None
    field = max(leading + bias, 0) if leading >= 1 - bias else 0
    return sign | field << trailing | significand.numerator & (1 << trailing) - 1


def of_single(value):
    """A Python float that a field of binary32 held, as a fraction."""
    return Fraction(value)


def single_bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def tensor(fields):
    """The constant that a message holds."""
    require(not every(fields, 13) and one(fields, 14, 0) == 0, "data in another file are not supported")
    require(not every(fields, 3), "segments are not supported")
    shape = [signed(size) for size in numbers(fields, 1)]
    require(all(size >= 0 for size in shape), f"a tensor cannot have the shape {shape}")
    number, raw = one(fields, 2, 0), one(fields, 9)
    if number == 8:
        require(raw is None, "texts are not raw data")
        return Array(shape, [item.decode() for item in every(fields, 6)], "text")
    if number in FORMATS:
        kind = FORMATS[number]
        if raw is not None:
            items = [bits for (bits,) in struct.iter_unpack("<" + UNSIGNED[kind], raw)]
        else:
            field, code = {1: (4, "I"), 11: (10, "Q")}.get(number, (5, None))
            items = numbers(fields, field, code)
        return Array(shape, items, kind)
    require(number in INTEGERS, f"tensors of the data type {number} are not supported")
    kind, code = INTEGERS[number]
    if raw is not None:
        return Array(shape, [item for (item,) in struct.iter_unpack("<" + code, raw)], kind)
    field = {7: 7, 12: 11, 13: 11}.get(number, 5)
    items = numbers(fields, field)
    return Array(shape, items if field == 11 else [signed(item) for item in items], kind)


class Attributes:
    """The attributes of a node; what is not taken is refused at the end."""

    def __init__(self, messages):
        self.values = {}
        for fields in messages:
            name, kind = text(fields, 1), one(fields, 20, 0)
            require(name not in self.values, f"attribute {name} is there twice")
            require(not every(fields, 21), f"attribute {name} refers to a function's")
            single = one(fields, 2)
            readers = {
                1: lambda: struct.unpack("<f", single)[0] if single else 0.0,
                2: lambda: signed(one(fields, 3, 0)),
                3: lambda: text(fields, 4),
                4: lambda: tensor(one(fields, 5)),
                6: lambda: numbers(fields, 7, "f"),
                7: lambda: [signed(value) for value in numbers(fields, 8)],
                8: lambda: [value.decode() for value in every(fields, 9)],
            }
            require(kind in readers, f"attribute {name} has the type {kind}")
            self.values[name] = (kind, readers[kind]())

    def take(self, name, kind, default=None):
        found, value = self.values.pop(name, (kind, default))
        require(found == kind, f"attribute {name} has the type {found}, not {kind}")
        return value

    def number(self, name, default=None):
        return self.take(name, 1, default)

    def integer(self, name, default=None):
        return self.take(name, 2, default)

    def word(self, name, default=None):
        return self.take(name, 3, default)

    def numbers(self, name):
        return self.take(name, 6)

    def integers(self, name):
        return self.take(name, 7)

    def words(self, name):
        return self.take(name, 8)

    def skip(self, *names):
        for name in names:
            self.values.pop(name, None)

    def finish(self):
        require(not self.values, f"attributes that are not known: {', '.join(self.values)}")


# Operators that move elements, on arrays of anything: for the numbers of an evaluation, for constants, and for marks.


def transposed(array, axes):
    shape = [array.shape[axis] for axis in axes]
    back = [axes.index(axis) for axis in range(len(axes))]
    return array.like(shape, [array.at([place[back[axis]] for axis in range(len(axes))]) for place in places(shape)])


def expanded(array, shape):
    skipped = len(shape) - len(array.shape)
    fit = [0 if size == 1 else 1 for size in array.shape]
    at = lambda place: array.at([p * f for p, f in zip(place[skipped:], fit)])
    return array.like(shape, [at(place) for place in places(shape)])


def broadcast(*shapes):
    axes = max(map(len, shapes))
    result = []
    for sizes in zip(*[(1,) * (axes - len(shape)) + tuple(shape) for shape in shapes]):
        others = {size for size in sizes if size != 1}
        require(len(others) <= 1, f"the shapes {shapes} do not fit together")
        result.append(others.pop() if others else 1)
    return tuple(result)


def chosen(array, axis, indices):
    """The places of one axis, in this order."""
    shape = list(array.shape)
    shape[axis] = len(indices)
    at = lambda place: array.at([indices[p] if a == axis else p for a, p in enumerate(place)])
    return array.like(shape, [at(place) for place in places(shape)])


def axis_of(axis, count):
    require(-count <= axis < count, f"axis {axis} of {count}")
    return axis % count


class Node:
    """A node of a model while it is read: operands (arrays, or anything with a shape), attributes, the version."""

    def __init__(self, operator, operands, attributes, version, outputs):
        self.operator, self.operands, self.attributes = operator, operands, attributes
        self.version, self.outputs = version, outputs

    def has(self, index):
        return index < len(self.operands) and self.operands[index] is not None

    def integers(self, index):
        value = self.operands[index]
        require(isinstance(value, Array) and value.kind not in WIDTHS and value.kind != "text", "integers are needed")
        return list(value.items)

    def integers_of(self, name, index):
        """Of an attribute, or an operand: whichever there is."""
        found = self.attributes.integers(name)
        require(found is None or not self.has(index), f"{name} is there twice")
        return found if found is not None else self.integers(index) if self.has(index) else None


def reshape(node, x):
    zero_stays = not node.attributes.integer("allowzero", 0)
    wanted = node.integers_of("shape", 1)
    shape = [x.shape[axis] if size == 0 and zero_stays else size for axis, size in enumerate(wanted)]
    if -1 in shape:
        rest = -math.prod(shape)
        require(rest > 0 and len(x.items) % rest == 0, f"{x.shape} cannot be reshaped to {wanted}")
        shape[shape.index(-1)] = len(x.items) // rest
    return [x.like(shape, x.items)]


def flatten(node, x):
    axis = node.attributes.integer("axis", 1)
    axis = axis if axis == len(x.shape) else axis_of(axis, len(x.shape))
    return [x.like([math.prod(x.shape[:axis]), math.prod(x.shape[axis:])], x.items)]


def squeeze(node, x):
    axes = node.integers_of("axes", 1)
    drop = {axis_of(a, len(x.shape)) for a in axes} if axes is not None else {a for a, s in enumerate(x.shape) if s == 1}
    require(all(x.shape[axis] == 1 for axis in drop), "an axis that is squeezed has another size than 1")
    return [x.like([size for axis, size in enumerate(x.shape) if axis not in drop], x.items)]


def unsqueeze(node, x):
    axes = node.integers_of("axes", 1)
    count = len(x.shape) + len(axes)
    new, rest = {axis_of(axis, count) for axis in axes}, iter(x.shape)
    require(len(new) == len(axes), "an axis is named twice")
    return [x.like([1 if axis in new else next(rest) for axis in range(count)], x.items)]


def transpose(node, x):
    axes = node.attributes.integers("perm")
    axes = list(reversed(range(len(x.shape)))) if axes is None else [axis_of(a, len(x.shape)) for a in axes]
    require(sorted(axes) == list(range(len(x.shape))), f"{axes} are not all axes")
    return [transposed(x, axes)]


def concat(node, *arrays):
    axis = axis_of(node.attributes.integer("axis"), len(arrays[0].shape))
    require(len({a.kind for a in arrays}) == 1, "the data types differ")
    shape = list(arrays[0].shape)
    for array in arrays:
        require(len(array.shape) == len(shape) and
                all(s == shape[a] for a, s in enumerate(array.shape) if a != axis), "the shapes differ")
    shape[axis] = sum(array.shape[axis] for array in arrays)
    items = []
    for place in places(shape):
        place, rest = list(place), iter(arrays)
        array = next(rest)
        while place[axis] >= array.shape[axis]:
            place[axis] -= array.shape[axis]
            array = next(rest)
        items.append(array.at(place))
    return [arrays[0].like(shape, items)]


def slice_(node, x):
    starts, ends = node.integers_of("starts", 1), node.integers_of("ends", 2)
    axes = node.integers_of("axes", 3) if node.version < 10 or node.has(3) else None
    axes = list(range(len(starts))) if axes is None else axes
    steps = node.integers(4) if node.has(4) else [1] * len(starts)
    require(len(starts) == len(ends) == len(axes) == len(steps), "starts, ends, axes and steps differ in number")
    for start, end, axis, step in zip(starts, ends, axes, steps):
        axis = axis_of(axis, len(x.shape))
        x = chosen(x, axis, list(range(x.shape[axis]))[slice(start, end, step)])
    return [x]


def split(node, x):
    axis = axis_of(node.attributes.integer("axis", 0), len(x.shape))
    node.attributes.skip("num_outputs")
    sizes, size = node.integers_of("split", 1), x.shape[axis]
    if sizes is None:
        part = -(-size // node.outputs)
        sizes = [part] * (node.outputs - 1) + [size - part * (node.outputs - 1)]
    require(sum(sizes) == size and len(sizes) == node.outputs and min(sizes) >= 0, f"{sizes} do not make up {size}")
    ends = list(itertools.accumulate(sizes, initial=0))
    return [chosen(x, axis, list(range(a, b))) for a, b in zip(ends, ends[1:])]


def gathered(x, axis, indices):
    flat = [axis_of(index, x.shape[axis]) for index in indices.items]
    taken = chosen(x, axis, flat)
    return taken.like(x.shape[:axis] + indices.shape + x.shape[axis + 1 :], taken.items)


def gather(node, x):
    axis = axis_of(node.attributes.integer("axis", 0), len(x.shape))
    node.integers(1)
    return [gathered(x, axis, node.operands[1])]


def extract(node, x):
    indices = node.integers(1)
    return [gathered(x, len(x.shape) - 1, Array([len(indices)], indices, "int64"))]


def expand(node, x):
    return [expanded(x, broadcast(x.shape, node.integers(1)))]


def padded(mode, place, size):
    if mode == "edge":
        return min(max(place, 0), size - 1)
    if mode == "wrap":
        return place % size
    if mode == "reflect":
        period = max(2 * size - 2, 1)
        return min(place % period, period - place % period) if size > 1 else 0
    return place if 0 <= place < size else None


def pad(node, x, *rest):
    mode = node.attributes.word("mode", "constant")
    require(mode in ("constant", "edge", "wrap", "reflect"), f"padding by {mode}")
    require(node.attributes.number("value", 0.0) == 0, "padding with another number than 0, before version 11")
    pads = node.integers_of("pads", 1)
    axes = [axis_of(a, len(x.shape)) for a in node.integers(3)] if node.has(3) else list(range(len(x.shape)))
    require(len(pads) == 2 * len(axes), "the pads are not two for each axis")
    ends = [(0, size) for size in x.shape]
    for axis, before, after in zip(axes, pads, pads[len(axes) :]):
        ends[axis] = (-before, x.shape[axis] + after)
    filler = rest[0].items[0] if rest else x.zero if hasattr(x, "zero") else "" if x.kind == "text" else 0
    items = []
    for place in places([end - start for start, end in ends]):
        at = [padded(mode, p + start, size) for p, (start, _), size in zip(place, ends, x.shape)]
        items.append(filler if None in at else x.at(at))
    return [x.like([end - start for start, end in ends], items)]


# For each operator that moves elements: how, and which operands are moved.
MOVES = {
    "Reshape": (reshape, [0]), "Flatten": (flatten, [0]), "Squeeze": (squeeze, [0]), "Unsqueeze": (unsqueeze, [0]),
    "Transpose": (transpose, [0]), "Concat": (concat, None), "Slice": (slice_, [0]), "Split": (split, [0]),
    "Gather": (gather, [0]), "Expand": (expand, [0]), "Pad": (pad, [0, 2]), "ai.onnx.ml.ArrayFeatureExtractor": (extract, [0]),
}


# What is the same for a model and for a graph over the fractions.


def of_function(name, x):
    value = float(x)
    try:
        exp = math.exp(value)
    except OverflowError:
        exp = math.inf
    return Fraction({
        "Exp": lambda: exp,
        "Log": lambda: math.log(value),
        "Sigmoid": lambda: 1 / (1 + math.exp(-value)) if value >= 0 else exp / (1 + exp),
        "Tanh": lambda: math.tanh(value),
        "Erf": lambda: math.erf(value),
        "Softplus": lambda: max(value, 0) + math.log1p(math.exp(-abs(value))),
        "Sqrt": lambda: math.sqrt(value),
    }[name]())


def lanes(x, axis, of):
    """What `of` makes of each line along an axis, in its place."""
    rest = list(x.shape)
    size, rest[axis] = rest[axis], 1
    made = {}
    for place in places(rest):
        line = of([x.at(place[:axis] + (k,) + place[axis + 1 :]) for k in range(size)])
        made.update({place[:axis] + (k,) + place[axis + 1 :]: value for k, value in enumerate(line)})
    return x.like(x.shape, [made[place] for place in places(x.shape)])


def softmax_line(line):
    powers = [of_function("Exp", value - max(line)) for value in line]
    return [power / sum(powers) for power in powers]


def log_softmax_line(line):
    log = of_function("Log", sum(of_function("Exp", value - max(line)) for value in line))
    return [value - max(line) - log for value in line]


def normalized_line(norm, line):
    divisor = {
        "max": lambda: max(line),
        "l1": lambda: sum(map(abs, line)),
        "l2": lambda: of_function("Sqrt", sum(value * value for value in line)),
    }[norm]()
    return [value / divisor if divisor else value for value in line]


def product(a, b):
    """Matrix products over the last two axes."""
    outer = broadcast(a.shape[:-2], b.shape[:-2])
    (m, k), (k_too, n) = a.shape[-2:], b.shape[-2:]
    require(k == k_too, f"the shapes {a.shape} and {b.shape} do not fit together")
    a, b = expanded(a, outer + (m, k)), expanded(b, outer + (k, n))
    items = [sum(a.at(p[:-1] + (i,)) * b.at(p[:-2] + (i, p[-1])) for i in range(k)) for p in places(outer + (m, n))]
    return a.like(outer + (m, n), items)


def pairs(of, a, b):
    shape = broadcast(a.shape, b.shape)
    return a.like(shape, [of(x, y) for x, y in zip(expanded(a, shape).items, expanded(b, shape).items)])


def mapped(of, a):
    return a.like(a.shape, [of(x) for x in a.items])


def reduced(x, axes, of):
    shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    lines = {place: [] for place in places(shape)}
    for place in places(x.shape):
        lines[tuple(0 if axis in axes else p for axis, p in enumerate(place))].append(x.at(place))
    return x.like(shape, [of(lines[place]) for place in places(shape)])


PAIRS = {
    "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a / b,
    "Max": max, "Min": min, "PRelu": lambda x, slope: x if x >= 0 else x * slope,
    "Greater": lambda a, b: Fraction(a > b), "GreaterOrEqual": lambda a, b: Fraction(a >= b),
    "Less": lambda a, b: Fraction(a < b), "LessOrEqual": lambda a, b: Fraction(a <= b),
    "Equal": lambda a, b: Fraction(a == b),
}
REDUCTIONS = {"ReduceSum": sum, "ReduceMean": lambda line: sum(line) / len(line), "ReduceMax": max, "ReduceMin": min}
FUNCTIONS = ["Exp", "Log", "Sigmoid", "Tanh", "Erf", "Softplus", "Sqrt"]
PLAIN = {
    "Neg": lambda x: -x, "Abs": abs, "Relu": lambda x: max(x, Fraction(0)),
    "Sign": lambda x: Fraction((x > 0) - (x < 0)), "Reciprocal": lambda x: 1 / x,
    **{name: (lambda name: lambda x: of_function(name, x))(name) for name in FUNCTIONS},
}


# What each operator becomes.


class Symbol:
    """What depends on the inputs: the number of an input (from -1 downwards) or of a node that was made."""

    def __init__(self, made, shape, kind, truth=False):
        self.made, self.shape, self.kind, self.truth = made, tuple(shape), kind, truth


class Label:
    """The place of a maximum, or the label that stands for it."""

    def __init__(self, of, axis, names=None):
        self.of, self.axis, self.names, self.shape, self.kind = of, axis, names, (), "int64"


class Lowering:
    """The nodes that a graph has to have, in order: name, fields, what is read, shape and format of the result."""

    def __init__(self):
        self.made = []

    def add(self, operator, reads, shape, kind=None, truth=False, **fields):
        kind = kind or reads[0].kind
        for read in reads:
            require(not isinstance(read, Label), "a label is not computed with")
            require(operator == "Cast" or read.kind == kind, f"data types differ: {read.kind} and {kind}")
            require(read.kind in WIDTHS, f"{read.kind} where numbers are needed")
        self.made.append((operator, fields, reads, tuple(shape), kind))
        return Symbol(len(self.made) - 1, shape, kind, truth)

    def cast(self, value, kind):
        return value if value.kind == kind else self.add("Cast", [value], value.shape, kind)

    def reshaped(self, value, shape):
        if isinstance(value, Array):
            return value.like(shape, value.items)
        if tuple(shape) == value.shape:
            return value
        count = math.prod(value.shape)
        return self.add("Arrange", [value], shape, picks=[(0, element) for element in range(count)])

    def arranged(self, values, result):
        """What the marks of `result` say, of these values."""
        if all(isinstance(value, Array) for value in values):
            require(len({value.kind for value in values}) == 1, "the data types differ")
            return Array(result.shape, [values[read].items[element] for read, element in result.items], values[0].kind)
        in_order = [(0, element) for element in range(len(result.items))]
        if len(values) == 1 and values[0].shape == result.shape and result.items == in_order:
            return values[0]
        truths = [isinstance(value, Symbol) and value.truth for value in values]
        require(all(truths) or not any(truths), "numbers and truth values")
        return self.add("Arrange", values, result.shape, truth=all(truths), picks=result.items)

    def moved(self, move, which, node):
        values = [value for index, value in enumerate(node.operands)
                  if value is not None and (which is None or index in which)]
        if any(isinstance(value, Label) for value in values):
            if which is not None and len(values) == 1:
                node.attributes.values.clear()
                return [values[0]]
            raise Different("a label is not moved")
        if node.operator in ("Gather", "ai.onnx.ml.ArrayFeatureExtractor") and isinstance(node.operands[1], Label):
            node.attributes.skip("axis")
            label, names = node.operands[1], node.operands[0]
            require(isinstance(names, Array) and all(isinstance(name, int) for name in label.names), "names are needed")
            return [Label(label.of, label.axis, [names.items[name] for name in label.names])]
        marks = [Array(value.shape, [(read, e) for e in range(math.prod(value.shape))], value.kind)
                 for read, value in enumerate(values)]
        if node.operator == "Pad" and len(values) == 1:
            marks[0].zero = (1, 0)
            results = move(node, *marks)
            if any(read == 1 for read, _ in results[0].items):
                zero = "" if values[0].kind == "text" else 0
                values.append(Array([], [zero], values[0].kind))
        else:
            results = move(node, *marks)
            if node.operator == "Pad" and not any(read == 1 for read, _ in results[0].items):
                values = values[:1]
        return [self.arranged(values, result) for result in results]

    # Pairs of numbers.

    def pair(self, operator, a, b):
        truth = operator in ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal")
        shape = broadcast(a.shape, b.shape)
        require(operator != "PRelu" or shape == a.shape, "the slope is larger than the tensor")
        return self.add(operator, [a, b], shape, truth=truth)

    def lower(self, node):
        """The values of the outputs of a node."""
        name, operands, attributes = node.operator, node.operands, node.attributes
        x = operands[0] if operands else None
        if name in MOVES:
            return self.moved(*MOVES[name], node)
        folded = fold(node)
        if folded is not None:
            return [folded]
        if name in ("Identity", "Dropout", "ai.onnx.ml.ZipMap"):
            attributes.skip("ratio", "seed", "classlabels_int64s", "classlabels_strings")
            require(name != "Dropout" or not node.has(2) or node.integers(2) == [0], "training")
            return [x]
        if name in PAIRS and name not in ("Max", "Min"):
            require(len(operands) == 2, "two operands are needed")
            return [self.pair(name, *operands)]
        if name in ("Max", "Min", "Sum"):
            for right in operands[1:]:
                x = self.pair("Add" if name == "Sum" else name, x, right)
            return [x]
        if name in PLAIN:
            return [self.add(name, [x], x.shape)]
        method = getattr(self, name.replace("ai.onnx.ml.", "ml_").lower(), None)
        require(method is not None, f"the operator {name} is not known")
        result = method(node, x)
        return result if isinstance(result, list) else [result]

    def attribute(self, node, name, default):
        return f"0x{single_bits(node.attributes.number(name, default)):08x}"

    def leakyrelu(self, node, x):
        return self.add("LeakyRelu", [x], x.shape, slope=self.attribute(node, "alpha", 0.01))

    def hardsigmoid(self, node, x):
        slope, offset = self.attribute(node, "alpha", 0.2), self.attribute(node, "beta", 0.5)
        return self.add("HardSigmoid", [x], x.shape, slope=slope, offset=offset)

    def clip(self, node, x):
        limits = [node.operands[i] if node.has(i) else None for i in (1, 2)]
        for index, name in enumerate(("min", "max")):
            value = node.attributes.number(name)
            if value is not None:
                require(limits[index] is None, f"{name} is there twice")
                bits = single_bits(value)
                if x.kind != "binary32" and bits & 0x7FFFFFFF < 0x7F800000:
                    bits = encoding(x.kind, fraction("binary32", bits), bits >> 31)
                    require(bits is not None, f"{name} is not a value of {x.kind}")
                limits[index] = Array([], [bits], x.kind)
        if any(isinstance(limit, Symbol) for limit in limits):
            for operator, limit in zip(("Max", "Min"), limits):
                x = x if limit is None else self.pair(operator, x, limit)
            return x
        digits = sum(WIDTHS[x.kind]) // 4
        precision, exponent_bits = WIDTHS[x.kind]
        infinity = ((1 << exponent_bits) - 1) << precision - 1
        beyond = [infinity | 1 << precision - 1 + exponent_bits, infinity]
        fields = {}
        for name, limit, none in zip(("low", "high"), limits, beyond):
            if limit is not None and limit.items != [none]:
                require(limit.kind == x.kind and len(limit.items) == 1, "a limit is not one number of the type")
                fields[name] = f"0x{limit.items[0]:0{digits}x}"
        return self.add("Clip", [x], x.shape, **fields) if fields else x

    def pow(self, node, x):
        exponent = node.operands[1]
        require(isinstance(exponent, Array) and len(set(exponent.items)) == 1, "a power by one constant")
        require(broadcast(x.shape, exponent.shape) == x.shape, "the exponent is larger than the base")
        value = exponent.items[0]
        value = fraction(exponent.kind, value) if exponent.kind in WIDTHS else Fraction(value)
        if value == 1:
            return x
        if value in (2, 3):
            square = self.pair("Mul", x, x)
            return square if value == 2 else self.pair("Mul", square, x)
        names = {Fraction(-1): "Reciprocal", Fraction(1, 2): "Sqrt"}
        require(value in names, f"a power by {value}")
        return self.add(names[value], [x], x.shape)

    def cast_(self, node, x):
        number = node.attributes.integer("to")
        node.attributes.skip("saturate", "round_mode")
        if isinstance(x, Label) or (isinstance(x, Symbol) and x.truth and number == 9):
            return x
        require(number in FORMATS, "a cast of what depends on the inputs to another type than numbers")
        return Symbol(self.cast(x, FORMATS[number]).made, x.shape, FORMATS[number]) if isinstance(x, Symbol) else self.cast(
            x, FORMATS[number])

    def where(self, node, chosen_by):
        then, other = node.operands[1:]
        if isinstance(chosen_by, Symbol):
            chosen_by = self.cast(chosen_by, then.kind)
            shape = broadcast(chosen_by.shape, then.shape, other.shape)
            return self.add("Where", [chosen_by, then, other], shape)
        shape = broadcast(chosen_by.shape, then.shape, other.shape)
        marks = [expanded(Array(v.shape, [(r, e) for e in range(math.prod(v.shape))], v.kind), shape)
                 for r, v in enumerate((then, other))]
        truths = expanded(chosen_by, shape).items
        items = [marks[0].items[e] if truth else marks[1].items[e] for e, truth in enumerate(truths)]
        return self.arranged([then, other], Array(shape, items, then.kind))

    def logical(self, operator, node):
        a, b = node.operands
        require(all(isinstance(v, Symbol) and v.truth for v in (a, b)), "truth values are needed")
        result = self.pair(operator, a, self.cast(b, a.kind))
        return Symbol(result.made, result.shape, result.kind, True)

    def and_(self, node, _):
        return self.logical("Min", node)

    def or_(self, node, _):
        return self.logical("Max", node)

    def not_(self, _, x):
        require(isinstance(x, Symbol) and x.truth, "truth values are needed")
        return self.pair("Equal", x, Array([], [0], x.kind))

    # Sums.

    def product(self, a, b):
        (m, k), (k_too, n) = a.shape[-2:], b.shape[-2:]
        require(k == k_too, f"the shapes {a.shape} and {b.shape} do not fit together")
        return self.add("MatMul", [a, b], broadcast(a.shape[:-2], b.shape[:-2]) + (m, n))

    def matmul(self, node, a):
        b = node.operands[1]
        row, column = len(a.shape) == 1, len(b.shape) == 1
        # A constant that is read as it is, is reshaped by a node: nothing is rounded by either.
        a = self.by_node(a, (1,) + a.shape) if row else a
        b = self.by_node(b, b.shape + (1,)) if column else b
        result = self.product(a, b)
        shape = list(result.shape)
        if column:
            shape.pop()
        if row:
            shape.pop(-1 if column else -2)
        return self.reshaped(result, shape)

    def by_node(self, value, shape):
        if value.shape == tuple(shape):
            return value
        return self.add("Arrange", [value], shape, picks=[(0, e) for e in range(math.prod(value.shape))])

    def factor(self, node, name, kind):
        value = node.attributes.number(name, 1.0)
        if value == 1:
            return None
        bits = encoding(kind, of_single(value), math.copysign(1, value) < 0)
        require(bits is not None, f"{name} is not a value of {kind}")
        return Array([], [bits], kind)

    def gemm(self, node, _):
        factors = []
        for operand, name in zip(node.operands, ("transA", "transB")):
            require(len(operand.shape) == 2, "matrices are needed")
            if node.attributes.integer(name, 0):
                marks = Array(operand.shape, [(0, e) for e in range(math.prod(operand.shape))], operand.kind)
                marks = transposed(marks, [1, 0])
                operand = (self.arranged([operand], marks) if isinstance(operand, Array) else
                           self.add("Arrange", [operand], marks.shape, picks=marks.items))
            factors.append(operand)
        alpha, beta = (self.factor(node, name, factors[0].kind) for name in ("alpha", "beta"))
        result = self.product(*factors)
        if alpha is not None:
            result = self.pair("Mul", result, alpha)
        if node.has(2):
            bias = node.operands[2] if beta is None else self.pair("Mul", node.operands[2], beta)
            require(broadcast(result.shape, bias.shape) == result.shape, "C is larger than the product")
            result = self.pair("Add", result, bias)
        return result

    def conv(self, node, x):
        weights = node.operands[1]
        window = list(weights.shape[2:])
        said = node.attributes.integers("kernel_shape")
        require(said is None or said == window, "kernel_shape is not that of the weights")
        windows, groups = windows_of(node, x.shape[2:], window), node.attributes.integer("group", 1)
        require(x.shape[0] == 1 and x.shape[1] == weights.shape[1] * groups and weights.shape[0] % groups == 0,
                f"the shapes {x.shape} and {weights.shape} do not fit together")
        shape = (1, weights.shape[0], *map(positions, windows))
        result = self.add("Conv", [x, weights], shape, windows=windows, groups=groups)
        if node.has(2):
            bias = node.operands[2]
            require(bias.shape == (weights.shape[0],), "the bias has another shape")
            result = self.pair("Add", result, self.reshaped(bias, bias.shape + (1,) * len(windows)))
        return result

    def pool(self, operator, node, x, **fields):
        windows = windows_of(node, x.shape[2:], node.attributes.integers("kernel_shape"))
        return self.add(operator, [x], x.shape[:2] + tuple(map(positions, windows)), windows=windows, **fields)

    def maxpool(self, node, x):
        node.attributes.skip("storage_order")
        return self.pool("MaxPool", node, x)

    def averagepool(self, node, x):
        counts = node.attributes.integer("count_include_pad", 0)
        return self.pool("AveragePool", node, x, divisor="window" if counts else "places")

    def batchnormalization(self, node, x):
        epsilon = self.attribute(node, "epsilon", 1e-5)
        node.attributes.skip("momentum")
        require(not node.attributes.integer("training_mode", 0), "training")
        require(node.version >= 9 or node.attributes.integer("spatial", 1) == 1, "not spatial")
        require(all(isinstance(value, Array) and value.shape == (x.shape[1],) for value in node.operands[1:]),
                "constants are needed, one number for each channel")
        return self.add("BatchNormalization", node.operands, x.shape, epsilon=epsilon)

    # Axes.

    def reduce(self, operator, node, x):
        keep, axes = node.attributes.integer("keepdims", 1), node.integers_of("axes", 1)
        if not axes:
            if node.attributes.integer("noop_with_empty_axes", 0):
                return x
            axes = range(len(x.shape))
        node.attributes.skip("noop_with_empty_axes")
        axes = sorted({axis_of(axis, len(x.shape)) for axis in axes})
        left = [size for axis, size in enumerate(x.shape) if axis not in axes]
        if axes:
            x = self.add(operator, [x], [1 if a in axes else size for a, size in enumerate(x.shape)], axes=axes)
        return x if keep else self.by_node(x, left)

    def reducesum(self, node, x):
        return self.reduce("ReduceSum", node, x)

    def reducemean(self, node, x):
        return self.reduce("ReduceMean", node, x)

    def reducemax(self, node, x):
        return self.reduce("ReduceMax", node, x)

    def reducemin(self, node, x):
        return self.reduce("ReduceMin", node, x)

    def over_places(self, operator, x):
        return self.add(operator, [x], x.shape[:2] + (1,) * len(x.shape[2:]), axes=list(range(2, len(x.shape))))

    def globalaveragepool(self, _, x):
        return self.over_places("ReduceMean", x)

    def globalmaxpool(self, _, x):
        return self.over_places("ReduceMax", x)

    def softmax(self, node, x, name="Softmax"):
        axis = axis_of(node.attributes.integer("axis", -1 if node.version >= 13 else 1), len(x.shape))
        require(node.version >= 13 or math.prod(x.shape[axis + 1 :]) == 1, "several axes are taken together")
        return self.add(name, [x], x.shape, axis=axis)

    def logsoftmax(self, node, x):
        return self.softmax(node, x, "LogSoftmax")

    def argmax(self, node, x):
        node.attributes.skip("keepdims")
        require(not node.attributes.integer("select_last_index", 0), "of equal ones, the last counts")
        axis = axis_of(node.attributes.integer("axis", 0), len(x.shape))
        return Label(x, axis, list(range(x.shape[axis])))

    # Traditional machine learning.

    def stored(self, node, name, shape=None):
        values = node.attributes.numbers(name)
        return None if values is None else Array(shape or [len(values)], map(single_bits, values), "binary32")

    def ml_scaler(self, node, x):
        x = self.pair("Sub", x, self.stored(node, "offset"))
        return self.pair("Mul", x, self.stored(node, "scale"))

    def ml_normalizer(self, node, x):
        return self.add("Normalizer", [x], x.shape, norm=node.attributes.word("norm", "MAX").lower())

    def linear(self, node, x, outputs):
        weights = transposed(self.stored(node, "coefficients", [outputs, x.shape[1]]), [1, 0])
        result, bias = self.product(x, weights), self.stored(node, "intercepts")
        return result if bias is None else self.pair("Add", result, bias)

    def transformed(self, node, x):
        name = node.attributes.word("post_transform", "NONE")
        require(name in ("NONE", "LOGISTIC", "SOFTMAX"), f"the transformation {name}")
        if name == "SOFTMAX":
            return self.add("Softmax", [x], x.shape, axis=len(x.shape) - 1)
        return x if name == "NONE" else self.add("Sigmoid", [x], x.shape)

    def ml_linearregressor(self, node, x):
        return self.transformed(node, self.linear(node, x, node.attributes.integer("targets", 1)))

    def ml_linearclassifier(self, node, x):
        labels = node.attributes.integers("classlabels_ints") or node.attributes.words("classlabels_strings")
        node.attributes.skip("multi_class")
        scores = self.linear(node, x, len(labels))
        return [Label(scores, len(scores.shape) - 1, labels), self.transformed(node, scores)]


def windows_of(node, sizes, window):
    """Size, window, stride, dilation, padding before and after, of each axis."""
    count, attributes = len(sizes), node.attributes
    strides = attributes.integers("strides") or [1] * count
    dilations = attributes.integers("dilations") or [1] * count
    pads = attributes.integers("pads") or [0] * 2 * count
    auto, up = attributes.word("auto_pad", "NOTSET"), attributes.integer("ceil_mode", 0)
    require(len(window) == len(strides) == len(dilations) == count and len(pads) == 2 * count, "a number for each axis")
    require(auto == "NOTSET" or not any(pads), "pads, although they are found automatically")
    result = []
    for axis, (size, places_, stride, dilation) in enumerate(zip(sizes, window, strides, dilations)):
        extent, before, after = (places_ - 1) * dilation + 1, pads[axis], pads[count + axis]
        if auto.startswith("SAME"):
            both = max((-(-size // stride) - 1) * stride + extent - size, 0)
            before = both - both // 2 if auto == "SAME_LOWER" else both // 2
            after = both - before
        require(auto in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"), f"padding by {auto}")
        if up:
            last = -(-(size + before + after - extent) // stride) * stride
            last -= stride if last >= size + before else 0
            more = max(last + extent - (size + before + after), 0)
            require(not more or not attributes.values.get("count_include_pad", (2, 0))[1], "which padding counts")
            after += more
        result.append([size, places_, stride, dilation, before, after])
    return result


def positions(window):
    size, places_, stride, dilation, before, after = window
    return (size + before + after - (places_ - 1) * dilation - 1) // stride + 1


FOLDS = {
    "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a // b,
    "Max": max, "Min": min, "Sum": lambda a, b: a + b, "And": min, "Or": max,
    "Greater": lambda a, b: int(a > b), "GreaterOrEqual": lambda a, b: int(a >= b), "Less": lambda a, b: int(a < b),
    "LessOrEqual": lambda a, b: int(a <= b), "Equal": lambda a, b: int(a == b),
}


def fold(node):
    """What is known whatever the row is; none if it is not, or if it rounds."""
    name, operands, attributes = node.operator, node.operands, node.attributes
    known = all(isinstance(value, Array) for value in operands if value is not None)
    whole = known and all(value.kind not in WIDTHS for value in operands if value is not None)
    if name == "Constant":
        if "value" in attributes.values:
            return attributes.take("value", 4)
        for key, kind, of in (("value_float", 1, single_bits), ("value_int", 2, int), ("value_string", 3, str)):
            if key in attributes.values:
                return Array([], [of(attributes.take(key, kind))], {1: "binary32", 2: "int64", 3: "text"}[kind])
        for key, kind, of in (("value_floats", 6, single_bits), ("value_ints", 7, int), ("value_strings", 8, str)):
            if key in attributes.values:
                values = attributes.take(key, kind)
                return Array([len(values)], map(of, values), {6: "binary32", 7: "int64", 8: "text"}[kind])
        raise Different("a constant without a value")
    if name == "ConstantOfShape":
        shape, value = node.integers(0), attributes.take("value", 4) or Array([1], [0], "binary32")
        return Array(shape, value.items * math.prod(shape), value.kind)
    if name == "Shape":
        shape = list(operands[0].shape)
        bounds = slice(attributes.integer("start", 0), attributes.integer("end", len(shape)))
        return Array([len(shape[bounds])], shape[bounds], "int64")
    if name == "Size":
        return Array([], [math.prod(operands[0].shape)], "int64")
    if name == "Range":
        items = list(range(*(node.integers(index)[0] for index in range(3))))
        return Array([len(items)], items, operands[0].kind)
    if name == "Cast" and known:
        return cast_constant(operands[0], attributes)
    if whole and name in FOLDS and len(operands) == 2:
        result = pairs(FOLDS[name], *operands)
        return Array(result.shape, result.items, "bool" if name.startswith(("Greater", "Less", "Equal")) else result.kind)
    if whole and name == "Neg":
        return mapped(lambda x: -x, operands[0])
    if whole and name == "Not":
        return mapped(lambda x: 1 - x, operands[0])
    return None


def cast_constant(x, attributes):
    """A constant in another type, if that has its values."""
    number = attributes.integer("to")
    attributes.skip("saturate", "round_mode")
    if x.kind == "text":
        require(number == 8, "a cast of texts")
        return x
    exact = [fraction(x.kind, bits) if x.kind in WIDTHS else Fraction(bits) for bits in x.items]
    negative = [x.kind in WIDTHS and bits >> sum(WIDTHS[x.kind]) - 1 == 1 for bits in x.items]
    if number in FORMATS:
        items = [encoding(FORMATS[number], *pair) for pair in zip(exact, negative)]
        if None not in items:
            return Array(x.shape, items, FORMATS[number])
        require(x.kind in WIDTHS, "an integer is not a value of the type")
        attributes.values["to"] = (2, number)
        return None
    require(number in INTEGERS and all(value.denominator == 1 for value in exact), "a cast of a constant")
    items = [int(value != 0) if number == 9 else int(value) for value in exact]
    return Array(x.shape, items, INTEGERS[number][0])


# The model.


class Model:
    """A model: its inputs, its nodes, its constants, in the words of what is above."""

    def __init__(self, fields, sizes):
        require(not every(fields, 20) and not every(fields, 25), "graphs for training and functions are not supported")
        graph = one(fields, 7, [])
        require(not every(graph, 15) and not every(graph, 14), "sparse initializers are not supported")
        self.versions = {}
        for sets in every(fields, 8):
            domain = text(sets, 1)
            self.versions["" if domain == "ai.onnx" else domain] = one(sets, 2, 0)
        self.constants = {text(message, 8): tensor(message) for message in every(graph, 5)}
        self.inputs = [self.input(message, sizes) for message in every(graph, 11) if text(message, 1) not in self.constants]
        self.outputs = [text(message, 1) for message in every(graph, 12)]
        self.nodes = every(graph, 1)

    @staticmethod
    def input(message, sizes):
        kind = one(one(message, 2, []), 1, [])
        require(one(kind, 1) in FORMATS, "an input is not a tensor of a floating-point type")
        shape = []
        for axis, dimension in enumerate(every(one(kind, 2, []), 1)):
            size, name = one(dimension, 1), text(dimension, 2)
            if size is None:
                size = sizes.get(name, 1 if axis == 0 else None)
            require(size is not None and 0 < size < 1 << 31, f"axis {axis} has no fixed size")
            shape.append(size)
        return text(message, 1), tuple(shape), FORMATS[one(kind, 1)]

    def read(self, inputs, of):
        """The values of all names, if each node makes what `of` says."""
        values = {**self.constants, **inputs}
        for number, message in enumerate(self.nodes):
            domain, name = text(message, 7), text(message, 4)
            domain = "" if domain == "ai.onnx" else domain
            require(domain in self.versions, f"node {number}: the model names no version of its operators")
            names, outputs = [n.decode() for n in every(message, 1)], [n.decode() for n in every(message, 2)]
            while names and not names[-1]:
                names.pop()
            require(all(not n or n in values for n in names), f"node {number} reads what is not there")
            operands = [values[n] if n else None for n in names]
            node = Node(f"{domain}.{name}" if domain else name, operands, Attributes(every(message, 5)),
                        self.versions[domain], len(outputs))
            try:
                made = of(node)
                node.attributes.finish()
            except Different as error:
                raise Different(f"node {number} ({outputs[:1]!r}, {name!r}): {error}") from None
            except (ValueError, IndexError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
                raise Different(f"node {number} ({outputs[:1]!r}, {name!r}): {type(error).__name__}: {error}") from None
            for output, value in zip(outputs, made):
                if output:
                    require(output not in values, f"{output!r} is made twice")
                    values[output] = value
        return values


def lowered(model, wanted):
    """The nodes that the graph has to have, and what its outputs have to be."""
    lowering = Lowering()
    inputs = {name: Symbol(-1 - i, shape, kind) for i, (name, shape, kind) in enumerate(model.inputs)}

    def of(node):
        special = {"And": "and_", "Or": "or_", "Not": "not_", "Cast": "cast_"}.get(node.operator)
        if special:
            folded = fold(node)
            return [folded if folded is not None else getattr(lowering, special)(node, node.operands[0])]
        return lowering.lower(node)

    values = model.read(inputs, of)
    require(all(name in values for name in model.outputs), "an output is not made")
    scores = [name for name in model.outputs if not isinstance(values[name], Label)]
    require(wanted is None or wanted in model.outputs, f"there is no output {wanted!r}")
    name = wanted or (scores or model.outputs)[0]
    labels = [values[n] for n in model.outputs if isinstance(values[n], Label)]
    outputs = [] if isinstance(values[name], Label) else [values[name]]
    decided = values[name] if isinstance(values[name], Label) else labels[0] if len(labels) == 1 else None
    if decided and decided.of.made not in [output.made for output in outputs]:
        outputs.append(decided.of)
    require(all(isinstance(output, Symbol) for output in outputs), "an output does not depend on the inputs")
    statement = f"output {name!r}"
    if decided:
        statement += f", and what is decided is which is the largest along axis {decided.axis} of output "
        statement += f"{[output.made for output in outputs].index(decided.of.made)} of the graph: {decided.names}"
    needed = {output.made for output in outputs}
    for number in reversed(range(len(lowering.made))):
        if number in needed:
            needed.update(read.made for read in lowering.made[number][2] if isinstance(read, Symbol))
    return lowering.made, needed, outputs, name, statement


# The graph.


class Graph:
    """The file of a graph: tensors and nodes as its metadata have them, constants as lists of encodings."""

    def __init__(self, data):
        (length,) = struct.unpack("<Q", data[:8])
        require(length <= len(data) - 8, "the graph ends within its header")
        header = json.loads(data[8 : 8 + length])
        metadata, content = header.pop("__metadata__"), data[8 + length :]
        require(metadata["format"] == "roundproof graph, version 1", "this is not a graph")
        self.tensors, self.nodes = json.loads(metadata["tensors"]), json.loads(metadata["nodes"])
        self.outputs, stored = json.loads(metadata["outputs"]), {}
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            code = {"U8": "B", "U16": "H", "U32": "I", "U64": "Q"}[entry["dtype"]]
            stored[name] = [item for (item,) in struct.iter_unpack("<" + code, content[start:end])]
        for number, tensor_ in enumerate(self.tensors):
            if tensor_["source"] == "constant":
                tensor_["items"] = stored.pop(f"tensor{number}")
        for number, node in enumerate(self.nodes):
            if node["op"] == "Arrange":
                flat = stored.pop(f"node{number}.picks")
                node["picks"] = list(zip(flat[::2], flat[1::2]))
        require(not stored, f"tensors without a place: {', '.join(stored)}")

    def inputs(self):
        return [number for number, tensor_ in enumerate(self.tensors) if tensor_["source"] == "input"]


def compare(model, graph, wanted):
    """Refuses a graph that is not what the model says; gives the output that it is of, and what is to be said of that."""
    made, needed, outputs, name, statement = lowered(model, wanted)
    # Which tensor of the graph an input or a node is.
    place = {}
    for index, ((input_name, shape, kind), number) in enumerate(zip(model.inputs, graph.inputs())):
        tensor_ = graph.tensors[number]
        found = (tensor_["name"], tuple(tensor_["shape"]), tensor_["format"])
        require(found == (input_name, shape, kind), f"input {index} is {found}, not {(input_name, shape, kind)}")
        place[-1 - index] = number
    require(len(model.inputs) == len(graph.inputs()), "the number of inputs differs")
    kept = [number for number in range(len(made)) if number in needed]
    require(len(kept) == len(graph.nodes), f"{len(graph.nodes)} nodes, and the model has {len(kept)}")
    for at, (number, node) in enumerate(zip(kept, graph.nodes)):
        operator, fields, reads, shape, kind = made[number]
        here = f"node {at} of the graph ({operator})"
        require(node["op"] == operator, f"{here} is {node['op']}")
        found = {key: value for key, value in node.items() if key not in ("name", "op", "reads", "writes")}
        require(found == fields, f"{here}: its fields are {shortened(found)}, not {shortened(fields)}")
        require(len(node["reads"]) == len(reads), f"{here} reads {len(node['reads'])} tensors, not {len(reads)}")
        for operand, (read, tensor_number) in enumerate(zip(reads, node["reads"])):
            tensor_ = graph.tensors[tensor_number]
            if isinstance(read, Symbol):
                require(place.get(read.made) == tensor_number, f"{here}: operand {operand} is another tensor")
                continue
            require(tensor_["source"] == "constant", f"{here}: operand {operand} is not a constant")
            require((tuple(tensor_["shape"]), tensor_["format"]) == (read.shape, read.kind),
                    f"{here}: the constant {operand} has another shape or format")
            require(tensor_["items"] == read.items, f"{here}: the constant {operand} has other elements")
        result = graph.tensors[node["writes"]]
        require((result["source"], tuple(result["shape"]), result["format"]) == ("node", shape, kind),
                f"{here} makes {result['shape']} of {result['format']}, not {shape} of {kind}")
        place[number] = node["writes"]
    expected = [place[output.made] for output in outputs]
    require(graph.outputs == expected, f"the outputs are {graph.outputs}, not {expected}")
    return name, statement


def shortened(value):
    shown = repr(value)
    return shown if len(shown) < 120 else shown[:120] + "…"


# Both, over the fractions.


def taps(window):
    """For each position along an axis, the places of the window that lie on it, and where."""
    size, places_, stride, dilation, before, _ = window
    for position in range(positions(window)):
        at = [(tap, position * stride + tap * dilation - before) for tap in range(places_)]
        yield [(tap, place) for tap, place in at if 0 <= place < size]


def windowed(x, windows, of):
    """For each channel and position what `of` makes of the pairs of places of the window and elements."""
    items = []
    for channel in range(x.shape[1]):
        for axes in itertools.product(*map(list, map(taps, windows))):
            pairs_ = itertools.product(*axes)
            items.append(of(channel, [([tap for tap, _ in p], x.at([0, channel] + [q for _, q in p])) for p in pairs_]))
    return x.like(x.shape[:2] + tuple(map(positions, windows)), items)


def graph_values(graph, inputs):
    """The values of the outputs of a graph."""
    values = dict(zip(graph.inputs(), inputs))
    for number, tensor_ in enumerate(graph.tensors):
        if tensor_["source"] == "constant":
            kind = tensor_["format"]
            values[number] = Array(tensor_["shape"], [fraction(kind, bits) for bits in tensor_["items"]], "number")
    for node in graph.nodes:
        reads, op = [values[number] for number in node["reads"]], node["op"]
        x = reads[0]
        single = lambda name: fraction("binary32", int(node[name], 16))
        if op in PAIRS:
            result = pairs(PAIRS[op], *reads)
        elif op in PLAIN:
            result = mapped(PLAIN[op], x)
        elif op in REDUCTIONS:
            result = reduced(x, node["axes"], REDUCTIONS[op])
        elif op == "MatMul":
            result = product(*reads)
        elif op == "Arrange":
            shape = graph.tensors[node["writes"]]["shape"]
            result = x.like(shape, [reads[read].items[element] for read, element in node["picks"]])
        elif op == "Cast":
            result = x
        elif op == "Where":
            shape = broadcast(*(read.shape for read in reads))
            c, a, b = (expanded(read, shape).items for read in reads)
            result = x.like(shape, [p if truth else q for truth, p, q in zip(c, a, b)])
        elif op == "LeakyRelu":
            result = mapped(lambda value: value if value >= 0 else value * single("slope"), x)
        elif op == "HardSigmoid":
            result = mapped(lambda value: min(max(value * single("slope") + single("offset"), 0), 1), x)
        elif op == "Clip":
            kind = graph.tensors[node["writes"]]["format"]
            limit = {name: fraction(kind, int(node[name], 16)) for name in ("low", "high") if name in node}
            above = lambda value: max(value, limit["low"]) if "low" in limit else value
            result = mapped(lambda value: min(above(value), limit["high"]) if "high" in limit else above(value), x)
        elif op in ("Softmax", "LogSoftmax"):
            result = lanes(x, node["axis"], softmax_line if op == "Softmax" else log_softmax_line)
        elif op == "Normalizer":
            result = lanes(x, len(x.shape) - 1, lambda line: normalized_line(node["norm"], line))
        elif op == "BatchNormalization":
            result = normalized(x, *reads[1:], single("epsilon"))
        elif op == "MaxPool":
            result = windowed(x, node["windows"], lambda _, read: max(value for _, value in read))
        elif op == "AveragePool":
            whole = math.prod(window[1] for window in node["windows"])
            count = (lambda read: whole) if node["divisor"] == "window" else len
            result = windowed(x, node["windows"], lambda _, read: sum(value for _, value in read) / count(read))
        elif op == "Conv":
            weights, groups = reads[1], node["groups"]
            each, per = weights.shape[1], weights.shape[0] // groups
            by_channel = {}
            for output in range(weights.shape[0]):
                first = output // per * each
                part = chosen(x, 1, range(first, first + each))
                sums = windowed(part, node["windows"], lambda channel, read: sum(
                    weights.at([output, channel] + tap) * value for tap, value in read))
                by_channel[output] = reduced(sums, [1], sum).items
            shape = (1, weights.shape[0], *map(positions, node["windows"]))
            result = x.like(shape, [value for output in range(weights.shape[0]) for value in by_channel[output]])
        else:
            raise Different(f"the operation {op} is not known")
        values[node["writes"]] = result
    return [values[number] for number in graph.outputs]


def normalized(x, scale, bias, mean, variance, epsilon):
    items = []
    for place in places(x.shape):
        channel = place[1]
        root = of_function("Sqrt", variance.items[channel] + epsilon)
        items.append((x.at(place) - mean.items[channel]) / root * scale.items[channel] + bias.items[channel])
    return x.like(x.shape, items)


def evaluated(node):
    """What a node of a model gives, over the fractions: by the operator's definition, and not by what it becomes."""
    name, attributes = node.operator, node.attributes
    constants = node.operands
    node.operands = [value if not isinstance(value, Array) or value.kind not in WIDTHS else
                     Array(value.shape, [fraction(value.kind, bits) for bits in value.items], "number")
                     for value in node.operands]
    operands, x = node.operands, node.operands[0] if node.operands else None
    if name in MOVES:
        if any(isinstance(value, Label) for value in operands):
            attributes.values.clear()
            return [next(value for value in operands if isinstance(value, Label))]
        move, which = MOVES[name]
        moved = [value for index, value in enumerate(operands) if value is not None and (which is None or index in which)]
        return move(node, *moved)
    numeric = any(isinstance(value, Array) and value.kind == "number" for value in operands)
    if name in ("Constant", "ConstantOfShape", "Shape", "Size", "Range") or not numeric and name in (*FOLDS, "Not", "Neg", "Cast"):
        folded = fold(Node(name, constants, attributes, node.version, node.outputs))
        if folded is not None:
            return [folded]
    if name in ("Identity", "Dropout", "ai.onnx.ml.ZipMap", "Cast"):
        attributes.values.clear()
        return [x]
    single = lambda key, default: of_single(attributes.number(key, default))
    if name in ("Max", "Min", "Sum"):
        for right in operands[1:]:
            x = pairs(PAIRS["Add" if name == "Sum" else name], x, right)
        return [x]
    if name in PAIRS:
        return [pairs(PAIRS[name], *operands)]
    if name in PLAIN:
        return [mapped(PLAIN[name], x)]
    if name in ("And", "Or"):
        return [pairs(lambda a, b: Fraction(bool(a and b) if name == "And" else bool(a or b)), *operands)]
    if name == "Not":
        return [mapped(lambda a: Fraction(not a), x)]
    if name == "Where":
        shape = broadcast(*(value.shape for value in operands))
        c, a, b = (expanded(value, shape) for value in operands)
        return [a.like(shape, [p if truth else q for truth, p, q in zip(c.items, a.items, b.items)])]
    if name == "LeakyRelu":
        slope = single("alpha", 0.01) if "alpha" in attributes.values else fraction("binary32", single_bits(0.01))
        return [mapped(lambda v: v if v >= 0 else slope * v, x)]
    if name == "HardSigmoid":
        slope, offset = (fraction("binary32", single_bits(attributes.number(key, default)))
                         for key, default in (("alpha", 0.2), ("beta", 0.5)))
        return [mapped(lambda v: max(Fraction(0), min(Fraction(1), slope * v + offset)), x)]
    if name == "Clip":
        low, high = (attributes.number(key) for key in ("min", "max"))
        low = operands[1].items[0] if node.has(1) else None if low is None or math.isinf(low) else of_single(low)
        high = operands[2].items[0] if node.has(2) else None if high is None or math.isinf(high) else of_single(high)
        above = mapped(lambda v: v if low is None else max(v, low), x)
        return [mapped(lambda v: v if high is None else min(v, high), above)]
    if name == "Pow":
        exponent = Fraction(operands[1].items[0])
        if exponent.denominator == 2:
            return [mapped(lambda v: of_function("Sqrt", v), x)]
        return [mapped(lambda v: v ** int(exponent), x)]
    if name == "MatMul":
        a, b = operands
        wide = a.like((1,) + a.shape, a.items) if len(a.shape) == 1 else a
        tall = b.like(b.shape + (1,), b.items) if len(b.shape) == 1 else b
        result = product(wide, tall)
        shape = list(result.shape[:-2]) + [result.shape[-2]] * (len(a.shape) > 1) + [result.shape[-1]] * (len(b.shape) > 1)
        return [result.like(shape, result.items)]
    if name == "Gemm":
        a, b = (transposed(value, [1, 0]) if attributes.integer(key, 0) else value
                for value, key in zip(operands, ("transA", "transB")))
        alpha, beta = single("alpha", 1.0), single("beta", 1.0)
        result = mapped(lambda v: alpha * v, product(a, b))
        return [pairs(lambda p, q: p + beta * q, result, operands[2]) if node.has(2) else result]
    if name in ("Conv", "MaxPool", "AveragePool"):
        return [slid(node, x)]
    if name == "BatchNormalization":
        epsilon = fraction("binary32", single_bits(attributes.number("epsilon", 1e-5)))
        attributes.values.clear()
        return [normalized(*operands, epsilon)]
    if name in REDUCTIONS:
        keep, axes = attributes.integer("keepdims", 1), node.integers_of("axes", 1)
        if not axes and attributes.integer("noop_with_empty_axes", 0):
            return [x]
        attributes.values.clear()
        axes = {axis % len(x.shape) for axis in axes} if axes else set(range(len(x.shape)))
        result = reduced(x, axes, REDUCTIONS[name])
        left = [size for axis, size in enumerate(x.shape) if axis not in axes]
        return [result if keep else result.like(left, result.items)]
    if name in ("GlobalAveragePool", "GlobalMaxPool"):
        of = max if name == "GlobalMaxPool" else REDUCTIONS["ReduceMean"]
        return [reduced(x, range(2, len(x.shape)), of)]
    if name in ("Softmax", "LogSoftmax"):
        axis = axis_of(attributes.integer("axis", -1 if node.version >= 13 else 1), len(x.shape))
        return [lanes(x, axis, softmax_line if name == "Softmax" else log_softmax_line)]
    if name == "ArgMax":
        attributes.values.clear()
        return [Label(x, None)]
    if name == "ai.onnx.ml.Scaler":
        offset, scale = (Array([len(v)], map(of_single, v), "number") for v in map(attributes.numbers, ("offset", "scale")))
        return [pairs(lambda v, s: v * s, pairs(lambda v, o: v - o, x, offset), scale)]
    if name == "ai.onnx.ml.Normalizer":
        norm = attributes.word("norm", "MAX").lower()
        return [lanes(x, len(x.shape) - 1, lambda line: normalized_line(norm, line))]
    if name in ("ai.onnx.ml.LinearClassifier", "ai.onnx.ml.LinearRegressor"):
        return linear_model(node, x)
    raise Different(f"the operator {name} is not known")


def linear_model(node, x):
    attributes = node.attributes
    coefficients = list(map(of_single, attributes.numbers("coefficients")))
    intercepts = attributes.numbers("intercepts")
    columns, transform = x.shape[1], attributes.word("post_transform", "NONE")
    attributes.values.clear()
    rows = [coefficients[i : i + columns] for i in range(0, len(coefficients), columns)]
    bias = list(map(of_single, intercepts)) if intercepts else [0] * len(rows)
    lines = [x.items[i : i + columns] for i in range(0, len(x.items), columns)]
    items = [sum(a * b for a, b in zip(row, line)) + c for line in lines for row, c in zip(rows, bias)]
    scores = x.like((len(lines), len(rows)), items)
    if transform == "SOFTMAX":
        scores = lanes(scores, 1, softmax_line)
    elif transform == "LOGISTIC":
        scores = mapped(PLAIN["Sigmoid"], scores)
    return [scores] if node.operator.endswith("Regressor") else [Label(scores, None), scores]


def slid(node, x):
    """Convolutions and pooling, by a walk over a padded tensor."""
    attributes, name = node.attributes, node.operator
    count = len(x.shape) - 2
    window = list(node.operands[1].shape[2:]) if name == "Conv" else attributes.integers("kernel_shape")
    attributes.skip("kernel_shape", "storage_order")
    group, counts = attributes.integer("group", 1), attributes.integer("count_include_pad", 0)
    strides, dilations = attributes.integers("strides") or [1] * count, attributes.integers("dilations") or [1] * count
    ceil, auto = attributes.integer("ceil_mode", 0), attributes.word("auto_pad", "NOTSET")
    pads = attributes.integers("pads") or [0] * 2 * count
    extents = [(w - 1) * d + 1 for w, d in zip(window, dilations)]
    outputs, befores = [], []
    for axis in range(count):
        size, stride = x.shape[2 + axis], strides[axis]
        if auto.startswith("SAME"):
            output = math.ceil(size / stride)
            whole = max((output - 1) * stride + extents[axis] - size, 0)
            before = whole // 2 if auto == "SAME_UPPER" else (whole + 1) // 2
        else:
            before, after = pads[axis], pads[axis + count]
            room = size + before + after - extents[axis]
            output = (math.ceil(room / stride) if ceil else room // stride) + 1
            if ceil and (output - 1) * stride >= size + before:
                output -= 1
        outputs.append(output)
        befores.append(before)
    weights = node.operands[1] if name == "Conv" else None
    bias = node.operands[2].items if name == "Conv" and node.has(2) else None
    channels = weights.shape[0] if weights else x.shape[1]
    items = []
    for channel in range(channels):
        for position in places(outputs):
            values = []
            for tap in places(window):
                at = [p * s + t * d - b for p, s, t, d, b in zip(position, strides, tap, dilations, befores)]
                if not all(0 <= a < size for a, size in zip(at, x.shape[2:])):
                    continue
                if weights:
                    each = weights.shape[1]
                    first = channel // (channels // group) * each
                    values += [weights.at([channel, c, *tap]) * x.at([0, first + c, *at]) for c in range(each)]
                else:
                    values.append(x.at([0, channel, *at]))
            if name == "MaxPool":
                items.append(max(values))
            elif name == "AveragePool":
                items.append(sum(values) / (math.prod(window) if counts else len(values)))
            else:
                items.append(sum(values) + (bias[channel] if bias else 0))
    return x.like([1, channels, *outputs], items)


# Rows, the command line, the self-test.


def numpy_rows(path):
    data = path.read_bytes()
    require(data[:6] == b"\x93NUMPY" and data[6] == 1, f"{path} is not an array of NumPy")
    (length,) = struct.unpack("<H", data[8:10])
    header = eval(data[10 : 10 + length], {"__builtins__": {}}, {"True": True, "False": False})
    code = {"<f2": "e", "<f4": "f", "<f8": "d"}[header["descr"]]
    require(not header["fortran_order"], "an array in Fortran order")
    values = [Fraction(value) for (value,) in struct.iter_unpack("<" + code, data[10 + length :])]
    size = len(values) // header["shape"][0]
    return [values[i : i + size] for i in range(0, len(values), size)]


def made_up(model, count=2):
    """Rows of small dyadic numbers."""
    size, state, rows = sum(math.prod(shape) for _, shape, _ in model.inputs), 1, []
    for _ in range(count):
        row = []
        for _ in range(size):
            state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
            row.append(Fraction((state >> 40) % 257 - 96, 64))
        rows.append(row)
    return rows


def check_rows(model, graph, name, rows):
    """Refuses a graph that gives other numbers than the model."""
    for row in rows:
        rest, inputs = iter(row), []
        for _, shape, _ in model.inputs:
            inputs.append(Array(shape, itertools.islice(rest, math.prod(shape)), "number"))
        expected = model.read({n: value for (n, _, _), value in zip(model.inputs, inputs)}, evaluated)[name]
        if isinstance(expected, Label):
            expected = expected.of
        found = graph_values(graph, inputs)[0]
        require(found.shape == expected.shape and found.items == expected.items,
                f"output {name!r} is {shortened(found.items)}, and the model gives {shortened(expected.items)}")


def same(model_fields, data, wanted=None, sizes=None, rows=None):
    model, graph = Model(model_fields, sizes or {}), Graph(data)
    name, statement = compare(model, graph, wanted)
    check_rows(model, graph, name, made_up(model, 1) if rows is None else rows)
    return statement


# Attributes that say nothing of the numbers that a model gives at inference, nor of what it decides.
SILENT = {
    ("BatchNormalization", "momentum"), ("Dropout", "ratio"), ("Dropout", "seed"), ("MaxPool", "storage_order"),
    ("Cast", "saturate"), ("LinearClassifier", "multi_class"), ("ZipMap", "classlabels_int64s"),
    ("ZipMap", "classlabels_strings"), ("ArgMax", "keepdims"),
}


def changed(fields, change):
    """A copy in which one thing is changed."""
    copy = parse(written(fields), "Model")
    change(one(copy, 7))
    return copy


def replaced(fields, index, content):
    number, wire, _ = fields[index]
    fields[index] = (number, wire, content)


def changed_tensor(fields):
    """Changes the first element of a tensor."""
    for index, (number, wire, content) in enumerate(fields):
        if number in (4, 5, 6, 7, 9, 10, 11) and content != b"":
            if wire == 0:
                return replaced(fields, index, content ^ 1)
            first = bytes([content[0] ^ 1]) + content[1:]
            return replaced(fields, index, first)
    return None


def changes_of_attribute(attribute):
    """Changes of an attribute: of each of its values, and that it is left out."""
    for index, (number, wire, content) in enumerate(attribute):
        if number == 3:
            yield index, (content ^ 1 if content in (0, 1) else content - 1), None
        elif number == 2:
            yield index, bytes([content[0] ^ 1]) + content[1:], None
        elif number == 4:
            for word in (b"VALID", b"SAME_UPPER", b"SAME_LOWER", b"L1", b"L2", b"edge", b"reflect", b"LOGISTIC", b"SOFTMAX"):
                if word != content and word[:1].islower() == content[:1].islower():
                    yield index, word, None
                    break
        elif number == 5:
            yield index, None, changed_tensor
        elif number in (7, 8):
            if wire == 0:
                yield index, (content + 1) & (1 << 64) - 1, None
            else:
                yield index, bytes([content[0] ^ 1]) + content[1:], None


def self_test(folder):
    """Shows that what is the same is accepted, and each change noticed."""
    pairs_ = sorted(folder.glob("*.onnx"))
    require(pairs_, f"no models in {folder}")
    rejected = silent = 0
    missed, seen = [], set()
    for path in pairs_:
        fields = parse(path.read_bytes(), "Model")
        data = path.with_suffix(".safetensors").read_bytes()
        try:
            statement = same(fields, data)
        except Different as error:
            raise Different(f"{path.name}: {error}") from None
        graph = one(fields, 7)
        trials = []
        for number, node in enumerate(every(graph, 1)):
            operator = text(node, 4)
            seen.add(operator)
            for at, attribute in enumerate(every(node, 5)):
                name = text(attribute, 1)
                for index, content, inner in changes_of_attribute(attribute):

                    def change(copy, number=number, at=at, index=index, content=content, inner=inner):
                        target = every(every(copy, 1)[number], 5)[at]
                        if inner:
                            inner(target[index][2])
                        else:
                            replaced(target, index, content)

                    trials.append((f"{operator}.{name}", (operator, name) in SILENT, change))
        for number, constant in enumerate(every(graph, 5)):
            name = text(constant, 8)
            trials.append((f"initializer {name}", name.startswith("silent"),
                           lambda copy, number=number: changed_tensor(every(copy, 5)[number])))
        for what, says_nothing, change in trials:
            try:
                # Of what is decided, the graph has the numbers; the rest is said.
                accepted = same(changed(fields, change), data) == statement
            except Different:
                accepted = False
            if says_nothing:
                silent += accepted
                require(accepted, f"{path.name}: a change of {what}, which says nothing, was rejected")
            elif accepted:
                missed.append(f"{path.name}: {what}")
            else:
                rejected += 1
    require(not missed, "changes were not noticed:\n" + "\n".join(missed))
    print(f"{len(pairs_)} models, {len(seen)} operators: each change of {rejected} was rejected, {silent} say nothing")


def main(arguments):
    options, files = {"--rows": None, "--output": None, "--self-test": None}, []
    sizes, rest = {}, iter(arguments)
    for argument in rest:
        if argument == "--size":
            name, _, size = next(rest).partition("=")
            sizes[name] = int(size)
        elif argument in options:
            options[argument] = next(rest)
        else:
            files.append(pathlib.Path(argument))
    if options["--self-test"]:
        return self_test(pathlib.Path(options["--self-test"]))
    if len(files) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    fields, data = parse(files[0].read_bytes(), "Model"), files[1].read_bytes()
    rows = numpy_rows(pathlib.Path(options["--rows"])) if options["--rows"] else made_up(Model(fields, sizes))
    statement = same(fields, data, options["--output"], sizes, rows)
    print(f"same: the graph is that of {statement}; {len(rows)} rows give equal numbers")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Different as error:
        print(f"different: {error}", file=sys.stderr)
        sys.exit(1)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration, struct.error) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)

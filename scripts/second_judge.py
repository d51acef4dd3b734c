#!/usr/bin/env python3
"""Replays the witness of a certificate, sharing no code with Roundproof.

    second_judge.py CERTIFICATE...

Written from CERTIFICATES.md alone: plain Python, its own reader of safetensors files, reals as fractions. Of each certificate
it compares digests, format and shape, checks that every path listed is one of the path model, evaluates the network on it, and
says whether the claim is violated there. What takes a proof (the verdict Proved), or the value of a function over the reals,
it does not judge.

Exit code: 0 if each was judged and refutes its claim, 1 if one does not, 2 if one cannot be read, 3 if one was not judged; of
several, 2 before 1 before 3.
"""

import hashlib
import json
import math
import re
import struct
import sys
from fractions import Fraction
from pathlib import Path

INFINITY, NAN = "infinity", "NaN"

NAMED = {
    "float4_e2m1fn": (2, 0, 2, "finite"),
    "float6_e2m3fn": (4, 0, 2, "finite"),
    "float6_e3m2fn": (3, -2, 4, "finite"),
    "float8_e3m4": (5, -2, 3, "ieee"),
    "float8_e4m3": (4, -6, 7, "ieee"),
    "float8_e4m3fn": (4, -6, 8, "fn"),
    "float8_e4m3fnuz": (4, -7, 7, "fnuz"),
    "float8_e4m3b11fnuz": (4, -10, 4, "fnuz"),
    "float8_e5m2": (3, -14, 15, "ieee"),
    "float8_e5m2fnuz": (3, -15, 15, "fnuz"),
    "bfloat16": (8, -126, 127, "ieee"),
    "binary16": (11, -14, 15, "ieee"),
    "tf32": (11, -126, 127, "ieee"),
    "binary32": (24, -126, 127, "ieee"),
    "binary64": (53, -1022, 1023, "ieee"),
    "binary128": (113, -16382, 16383, "ieee"),
}


class Unreadable(Exception):
    """The certificate, or a file that it names, is not what CERTIFICATES.md describes."""


class Rejected(Exception):
    """The certificate does not refute what it claims."""


class NotJudged(Exception):
    """This program does not judge such a certificate."""


def need(condition, message, kind=Unreadable):
    if not condition:
        raise kind(message)


class Format:
    """A set of data: pairs (negative, magnitude), the magnitude a fraction, INFINITY or NAN."""

    def __init__(self, name):
        self.name, self.unbounded = name, False
        if name in NAMED:
            self.p, self.emin, self.emax, self.specials = NAMED[name]
        elif match := re.fullmatch(r"F\((\d+)\)", name):
            self.p, self.unbounded, self.emin, self.emax, self.specials = int(match[1]), True, None, None, None
        elif match := re.fullmatch(r"e(\d+)m(\d+)", name):
            self.emax = (1 << int(match[1]) - 1) - 1
            self.p, self.emin, self.specials = int(match[2]) + 1, 1 - self.emax, "ieee"
        elif match := re.fullmatch(r"p=(\d+),emin=(-?\d+),emax=(-?\d+)(?:,specials=(fn|fnuz|finite))?", name):
            self.p, self.emin, self.emax = int(match[1]), int(match[2]), int(match[3])
            self.specials = match[4] or "ieee"
        else:
            raise Unreadable(f"the format {name!r} is unknown")
        if self.unbounded:
            self.exponent_bits, self.bias, self.largest = 32, 1 << 31, None
        else:
            codes = self.emax - self.emin + 2 + (self.specials == "ieee")
            self.exponent_bits, self.bias = (codes - 1).bit_length(), 1 - self.emin
            significand = (1 << self.p) - 1 - (self.specials == "fn")
            self.largest = Fraction(significand) * Fraction(2) ** (self.emax - self.p + 1)
        self.width = self.exponent_bits + self.p
        self.has_infinity = self.specials == "ieee"
        self.has_nan = self.specials in ("ieee", "fn", "fnuz")
        self.has_negative_zero = self.specials in ("ieee", "fn", "finite")

    def decode(self, bits):
        """The datum with this encoding."""
        need(0 <= bits < 1 << self.width, f"{bits:#x} is not an encoding of {self.name}")
        negative, magnitude = bool(bits >> self.width - 1), bits & (1 << self.width - 1) - 1
        field, trailing = magnitude >> self.p - 1, magnitude & (1 << self.p - 1) - 1
        if negative and magnitude == 0 and not self.has_negative_zero:
            need(self.specials == "fnuz", f"{bits:#x} is not an encoding of {self.name}")
            return (False, NAN)
        if self.unbounded:
            need(field > 0 or magnitude == 0, f"{bits:#x} is not an encoding of {self.name}")
            if magnitude == 0:
                return (False, Fraction(0))
            return (negative, Fraction((1 << self.p - 1) | trailing) * Fraction(2) ** (field - self.bias - self.p + 1))
        if self.specials == "fn" and magnitude == (1 << self.width - 1) - 1:
            return (False, NAN)
        if self.specials == "ieee" and field == (1 << self.exponent_bits) - 1:
            return (negative, INFINITY) if trailing == 0 else (False, NAN)
        significand, exponent = (trailing, self.emin) if field == 0 else ((1 << self.p - 1) | trailing, field - self.bias)
        value = Fraction(significand) * Fraction(2) ** (exponent - self.p + 1)
        need(value <= self.largest, f"{bits:#x} is not an encoding of {self.name}")
        return (negative, value)

    def contains(self, other):
        """Whether it has every value of another format, with its infinities."""
        if self.unbounded:
            return self.p >= other.p and other.specials != "ieee"
        least = lambda format: format.emin - format.p + 1
        within = self.p >= other.p and not other.unbounded
        return (
            within
            and least(self) <= least(other)
            and other.largest <= self.largest
            and (other.specials != "ieee" or self.specials == "ieee")
        )

    def zero(self, negative):
        return (negative and self.has_negative_zero, Fraction(0))

    def not_a_number(self):
        """What an invalid operation gives: NaN, or +0 in a format without one."""
        return (False, NAN) if self.has_nan else (False, Fraction(0))

    def canonical_nan(self):
        """The encoding of the NaN that operations give."""
        if self.specials == "ieee":
            return (1 << self.exponent_bits) - 1 << self.p - 1 | 1 << self.p - 2
        return (1 << self.width - 1) - (self.specials == "fn")

    def is_subnormal(self, datum):
        _, value = datum
        return not self.unbounded and isinstance(value, Fraction) and 0 < value < Fraction(2) ** self.emin

    def round(self, real, mode, overflow):
        """A real other than zero, rounded once (IEEE 754-2019, clause 4.3)."""
        negative, magnitude = real < 0, abs(real)
        exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
        if Fraction(2) ** exponent > magnitude:
            exponent -= 1
        if not self.unbounded:
            exponent = max(exponent, self.emin)
        unit = Fraction(2) ** (exponent - self.p + 1)
        floor = magnitude // unit
        rest = magnitude / unit - floor
        up = {
            "RNE": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1),
            "RNA": rest >= Fraction(1, 2),
            "RTP": rest > 0 and not negative,
            "RTN": rest > 0 and negative,
            "RTZ": False,
        }[mode]
        value = (floor + up) * unit
        if not self.unbounded and value > self.largest:
            toward_zero = mode == "RTZ" or mode == ("RTP" if negative else "RTN")
            if toward_zero or overflow == "saturate":
                return (negative, self.largest)
            return (negative, INFINITY) if overflow == "ieee" else (False, NAN)
        return self.zero(negative) if value == 0 else (negative, value)

    def add(self, a, b, mode, overflow):
        """The sum of two exact data, rounded once."""
        (negative_a, a), (negative_b, b) = a, b
        if NAN in (a, b) or (a == b == INFINITY and negative_a != negative_b):
            return self.not_a_number()
        if INFINITY in (a, b):
            return (negative_a if a == INFINITY else negative_b, INFINITY)
        if a == b == 0 and negative_a == negative_b:
            return self.zero(negative_a)
        total = (-a if negative_a else a) + (-b if negative_b else b)
        return self.zero(mode == "RTN") if total == 0 else self.round(total, mode, overflow)

    def settle(self, exact, mode, overflow):
        """An exact product or a datum of another format as one of this format."""
        negative, value = exact
        if value == NAN:
            return self.not_a_number()
        if value == INFINITY:
            return (negative, INFINITY)
        return self.zero(negative) if value == 0 else self.round(-value if negative else value, mode, overflow)

    def convert(self, datum, mode, overflow):
        """A datum of another format (clause 5.4.2); an infinity counts as an overflow where the policy is not ieee."""
        negative, value = datum
        if value == INFINITY:
            if self.unbounded:
                return (False, Fraction(0))
            if overflow != "ieee":
                return (negative, self.largest) if overflow == "saturate" else (False, NAN)
        return self.settle(datum, mode, overflow)


def multiply(a, b):
    """The exact product of two data; NaN for zero times infinity."""
    negative, values = a[0] != b[0], (a[1], b[1])
    if NAN in values or (INFINITY in values and 0 in values):
        return (False, NAN)
    return (negative, INFINITY if INFINITY in values else values[0] * values[1])


# --- files ---


class Tensors:
    """A safetensors file."""

    TYPES = {"U8": ("B", 1), "U16": ("H", 2), "U32": ("I", 4), "U64": ("Q", 8), "I32": ("i", 4)}

    def __init__(self, path, digest):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Unreadable(f"{path.name}: {error.strerror}") from None
        need(hashlib.sha256(data).hexdigest() == digest, f"{path.name} has another SHA-256 than the certificate says", Rejected)
        need(len(data) >= 8, f"{path.name} is not a safetensors file")
        (length,) = struct.unpack_from("<Q", data)
        need(length <= len(data) - 8, f"{path.name} is not a safetensors file")
        self.header, self.body, self.name = json.loads(data[8 : 8 + length]), data[8 + length :], path.name
        self.metadata = self.header.pop("__metadata__", {})

    def take(self, name, types):
        entry = self.header.pop(name, None)
        need(entry is not None and entry["dtype"] in types, f"{self.name} has no tensor {name}")
        letter, size = self.TYPES[entry["dtype"]]
        begin, end = entry["data_offsets"]
        need(0 <= begin <= end <= len(self.body) and (end - begin) % size == 0, f"{self.name}: {name} does not fit")
        return list(struct.unpack_from(f"<{(end - begin) // size}{letter}", self.body, begin))

    def values(self, name, format):
        """Data, each decoded."""
        if format.unbounded:
            words, exponents = self.take(f"{name}.significand", ["U64"]), self.take(f"{name}.exponent", ["I32"])
            values = []
            for low, high, exponent in zip(words[::2], words[1::2], exponents):
                integer = low | high << 64
                values.append((bool(integer >> 127), Fraction(integer & (1 << 127) - 1) * Fraction(2) ** exponent))
            return values
        width = max(8, 1 << (format.width - 1).bit_length())
        if width <= 64:
            return [format.decode(bits) for bits in self.take(name, [f"U{width}"])]
        words = self.take(name, ["U64"])
        return [format.decode(low | high << 64) for low, high in zip(words[::2], words[1::2])]


# How many parameters each activation has.
ARITIES = {"step": 0, "relu": 0, "identity": 0, "leaky-relu": 1, "clip": 2, "sign": 0}


class Layer:
    """What makes one vector of earlier ones. `rows` are (kind, ...): sums with terms (input, weight) and a bias, maxima and
    products with the inputs that they are of."""

    def __init__(self, reads, operands, format, activation, parameters, rows, stored):
        self.reads, self.operands, self.format, self.rows, self.stored = reads, operands, format, rows, stored
        self.activation, self.parameters = activation, parameters


def taps(axes):
    """For each position of a window on a grid, the last axis fastest: (place in the window, place in the grid) of what it reads."""
    found = [[(0, 0)]]
    for size, window, stride, dilation, before, after in axes:
        count = (size + before + after - (window - 1) * dilation - 1) // stride + 1
        here = [[(k, at * stride + k * dilation - before) for k in range(window)] for at in range(count)]
        found = [
            [(w * window + k, g * size + x) for w, g in outer for k, x in inner if 0 <= x < size]
            for outer in found
            for inner in here
        ]
    return found


def read_rows(tensors, index, form, operands, inputs):
    """The rows of a layer, and how many numbers are stored of it."""
    name = lambda what: f"layer{index}.{what}"
    if form["op"] == "product":
        need(len(form["reads"]) == 2 and inputs % 2 == 0, "a product is of two vectors")
        return [("product", row, inputs // 2 + row) for row in range(inputs // 2)], 0
    if form["op"] == "maximum" and form["windows"] == "sliding":
        size = math.prod(axis[0] for axis in form["axes"])
        need(size * form["channels"] == inputs, f"{tensors.name}: windows over another number of inputs")
        of = [[grid for _, grid in window] for window in taps(form["axes"])]
        return [("maximum", [channel * size + grid for grid in one]) for channel in range(form["channels"]) for one in of], 0
    if form["op"] == "maximum" or form["matrix"] == "sparse":
        starts, columns = tensors.take(name("row_ptr"), ["U64"]), tensors.take(name("columns"), ["U32"])
        spans = list(zip(starts, starts[1:]))
        if form["op"] == "maximum":
            return [("maximum", columns[begin:end]) for begin, end in spans], 0
    weights, biases = (tensors.values(name(what), operands) for what in ("weights", "bias"))
    stored = len(weights) + len(biases)
    if form["matrix"] == "sparse":
        rows = [list(zip(columns[begin:end], weights[begin:end])) for begin, end in spans]
    elif form["matrix"] == "dense":
        need(len(weights) == inputs * len(biases), f"{tensors.name}: another number of weights")
        rows = [list(enumerate(weights[row * inputs : (row + 1) * inputs])) for row in range(len(biases))]
    else:
        size, window = (math.prod(axis[which] for axis in form["axes"]) for which in (0, 1))
        channels, groups, outputs = form["channels"], form["groups"], len(biases)
        need(size * channels == inputs and channels % groups == outputs % groups == 0, f"{tensors.name}: other channels")
        of_group = channels // groups
        need(len(weights) == outputs * of_group * window, f"{tensors.name}: another number of weights")
        rows = [
            [
                ((output // (outputs // groups) * of_group + channel) * size + grid,
                 weights[(output * of_group + channel) * window + place])
                for channel in range(of_group)
                for place, grid in one
            ]
            for output in range(outputs)
            for one in taps(form["axes"])
        ]
        biases = [bias for bias in biases for _ in taps(form["axes"])]
    return [("sum", terms, bias) for terms, bias in zip(rows, biases)], stored


def read_network(tensors, format):
    """How many inputs there are, and the layers."""
    activations = json.loads(tensors.metadata["activations"])
    forms = json.loads(tensors.metadata["steps"]) if "steps" in tensors.metadata else [
        {"op": "sum", "reads": [index], "matrix": "sparse", "format": format.name} for index in range(len(activations))
    ]
    need(len(forms) == len(activations), f"{tensors.name}: another number of steps than of activations")
    inputs = int(tensors.metadata["input_dimension"])
    layers, vectors = [], [(inputs, format)]
    for index, (activation, form) in enumerate(zip(activations, forms)):
        need(form["reads"] and max(form["reads"]) <= index, f"{tensors.name}: layer {index} reads what is not there")
        operands, made = vectors[form["reads"][0]][1], Format(form["format"])
        need(all(vectors[read][1].name == operands.name for read in form["reads"]), f"{tensors.name}: several formats are read")
        read = sum(vectors[read][0] for read in form["reads"])
        rows, stored = read_rows(tensors, index, form, operands, read)
        need(activation in ARITIES, f"{tensors.name}: the activation {activation!r} is unknown")
        parameters = tensors.values(f"layer{index}.activation", made) if ARITIES[activation] else []
        need(len(parameters) == ARITIES[activation], f"{tensors.name}: {activation} has another number of parameters")
        layers.append(Layer(form["reads"], operands, made, activation, parameters, rows, stored))
        vectors.append((len(rows), made))
    old = all(activation in ("step", "relu", "identity") for activation in activations) and "steps" not in tensors.metadata
    need(tensors.metadata.get("version") == (None if old else "2"), f"{tensors.name} is of another version")
    need(not tensors.header, f"{tensors.name} has tensors that are not known")
    need(layers[-1].format.name == format.name, f"{tensors.name}: the outputs have another format")
    return inputs, layers


def forest_value(tensors, format, point, output):
    """The base, and of each tree the leaf that the point falls into, added over the reals."""
    starts, columns = tensors.take("starts", ["U64"]), tensors.take("columns", ["U32"])
    thresholds, values, base = (tensors.values(name, format) for name in ("thresholds", "values", "base"))
    outputs = len(base)
    total, leaf_at = signed(base[output]), 0
    for begin, end in zip(starts, starts[1:]):
        # Preorder, the lower side first: a leaf is counted, a side that is not taken is skipped.
        node, leaf = begin, leaf_at
        while columns[node] != 0xFFFFFFFF:
            below = signed(point[columns[node]]) <= signed(thresholds[node])
            node += 1
            if not below:
                open_sides = 1
                while open_sides:
                    is_leaf = columns[node] == 0xFFFFFFFF
                    open_sides += -1 if is_leaf else 1
                    leaf, node = leaf + is_leaf, node + 1
        total += signed(values[leaf * outputs + output])
        leaf_at += sum(column == 0xFFFFFFFF for column in columns[begin:end])
    return total


def signed(datum):
    negative, value = datum
    return -value if negative else value


# --- paths ---

CHOICE = re.compile(r"(RNE|RNA|RTP|RTN|RTZ)(?:/(l?r?o?))?")


def read_choice(text):
    match = CHOICE.fullmatch(text)
    need(match is not None, f"{text!r} is not a choice of a rounding")
    return (match[1], match[2] or "")


class SumPath:
    """The choices of one sum: of its products, its additions (left, right, contracted, choice), and on the way out."""

    def __init__(self, terms, mode):
        self.products = [(mode, "")] * terms
        self.additions = [
            (0 if index == 0 else terms + index, index + 1, False, (mode, "")) for index in range(terms)
        ]
        self.out = None

    @staticmethod
    def read(text):
        head, *changes = text.split("; ")
        terms, mode = head.split(" ")
        path = SumPath(int(terms), mode)
        for change in changes:
            what, _, how = change.partition(" ")
            if what == "out":
                path.out = read_choice(how)
            elif what[0] == "p":
                path.products[int(what[1:])] = read_choice(how)
            else:
                left, right, contracted, choice = path.additions[int(what[1:])]
                for word in how.split(" "):
                    if match := re.fullmatch(r"(add|fma)\((\d+),(\d+)\)", word):
                        left, right, contracted = int(match[2]), int(match[3]), match[1] == "fma"
                    else:
                        choice = read_choice(word)
                path.additions[int(what[1:])] = (left, right, contracted, choice)
        return path


class Model:
    """A path model, and the arithmetic that it gives a format."""

    def __init__(self, fields, operands, format):
        known = {"rounding", "order", "contraction", "overflow", "subnormals", "accumulator"}
        need(set(fields) == known, "the path model has other fields than this program knows")
        names = {"ties-to-even": "RNE", "ties-to-away": "RNA", "toward-positive": "RTP", "toward-negative": "RTN"}
        names["toward-zero"] = "RTZ"
        self.mode = None if fields["rounding"] == "any" else names[fields["rounding"]]
        need(fields["order"] in ("any", "left-to-right") and fields["contraction"] in ("any", "none"), "unknown words")
        need(fields["subnormals"] in ("gradual", "flush"), "unknown words")
        self.any_order, self.contracts = fields["order"] == "any", fields["contraction"] == "any"
        self.flushes, self.format, self.overflow = fields["subnormals"] == "flush", format, fields["overflow"]
        self.operands = operands
        self.wide, self.wide_overflow, self.widened = format, self.overflow, False
        if fields["accumulator"] != "same":
            self.wide, self.widened = Format(fields["accumulator"]["format"]), True
            self.wide_overflow = fields["accumulator"]["overflow"]
        elif not format.contains(operands):
            self.wide, self.widened = operands, True
        for narrow in (operands, format):
            need(self.wide.contains(narrow), f"{self.wide.name} does not contain {narrow.name}", Rejected)

    def plain(self, terms):
        path = SumPath(terms, self.mode or "RNE")
        if self.widened:
            path.out = (self.mode or "RNE", "")
        return path

    def check(self, path, terms):
        """That this is a path of a sum of so many products, and one of this model."""

        def must(condition, what):
            need(condition, f"a path is not one of the model: {what}", Rejected)

        must(len(path.products) == terms, "it is for another number of products")
        must((path.out is not None) == self.widened, "the rounding out of the accumulator, or its absence")
        choices = path.products + [addition[3] for addition in path.additions] + ([path.out] if path.out else [])
        for mode, flushed in choices:
            must(self.mode in (None, mode), f"the direction {mode}")
            must(not flushed or self.flushes, "a flush")
        used = set()
        for index, (left, right, contracted, _) in enumerate(path.additions):
            for operand in (left, right):
                must(operand <= terms + index and operand not in used, f"the operand {operand} is not there")
                used.add(operand)
            must(not contracted or (self.contracts and left < terms), f"a fused multiply-add of operand {left}")
            in_order = {0 if index == 0 else terms + index, index + 1}
            must(self.any_order or {left, right} == in_order, f"adding {left} and {right}")

    def flush(self, format, datum, flushed):
        return format.zero(datum[0]) if flushed and format.is_subnormal(datum) else datum

    def widen(self, datum):
        return self.wide.convert(datum, "RTZ", self.wide_overflow) if self.wide.name != self.operands.name else datum

    def product(self, factors, choice):
        """An element-wise product, rounded once."""
        mode, flushed = choice
        need(self.mode in (None, mode) and (not flushed or self.flushes), "a choice is not in the model", Rejected)
        moved = []
        for factor, flag in zip(factors, "lr"):
            factor = self.flush(self.operands, factor, flag in flushed)
            other = self.format.name != self.operands.name
            moved.append(self.format.convert(factor, "RTZ", self.overflow) if other else factor)
        product = self.format.settle(multiply(*moved), mode, self.overflow)
        return self.flush(self.format, product, "o" in flushed)

    def neuron(self, row, inputs, path):
        """What a neuron gives before its activation, on the path of that text; on the plain one if there is none."""
        if row[0] == "sum":
            _, terms, bias = row
            taken = SumPath.read(path) if path else self.plain(len(terms))
            self.check(taken, len(terms))
            return self.sum(terms, bias, inputs, taken)
        if row[0] == "product":
            need(path is None or path.startswith("product "), "a path is not one of a product", Rejected)
            choice = read_choice(path.removeprefix("product ")) if path else (self.mode or "RNE", "")
            return self.product([inputs[column] for column in row[1:]], choice)
        need(path in (None, "maximum"), "a path is not one of a maximum", Rejected)
        data = [inputs[column] for column in row[1]]
        if any(value == NAN for _, value in data):
            return self.format.not_a_number()
        return max(data, key=lambda datum: (place(datum), not datum[0]))

    def sum(self, terms, bias, inputs, path):
        """The value of one sum on one path, in the network's format."""
        factors = []
        for (column, weight), (_, flushed) in zip(terms, path.products):
            weight = self.flush(self.operands, weight, "l" in flushed)
            factor = self.flush(self.operands, inputs[column], "r" in flushed)
            factors.append((self.widen(weight), self.widen(factor)))
        operands = []
        for (weight, factor), (mode, flushed) in zip(factors, path.products):
            product = self.wide.settle(multiply(weight, factor), mode, self.wide_overflow)
            operands.append(self.flush(self.wide, product, "o" in flushed))
        operands.append(self.widen(bias))
        for left, right, contracted, (mode, flushed) in path.additions:
            right = self.flush(self.wide, operands[right], "r" in flushed)
            if contracted:
                # Zero times infinity is invalid, and exact is the product that goes in.
                left = multiply(*factors[left])
            else:
                left = self.flush(self.wide, operands[left], "l" in flushed)
            total = self.wide.add(left, right, mode, self.wide_overflow)
            operands.append(self.flush(self.wide, total, "o" in flushed))
        total = operands[-1]
        if path.out is None:
            return total
        mode, flushed = path.out
        total = self.flush(self.wide, total, "l" in flushed)
        return self.flush(self.format, self.format.convert(total, mode, self.overflow), "o" in flushed)


def place(datum):
    """Where a datum that is not NaN stands on the line of extended reals."""
    negative, value = datum
    infinite = value == INFINITY
    real = Fraction(1) if infinite else value
    return (infinite * (-1 if negative else 1), 0 if infinite else -real if negative else real)


def activations(activation, parameters, datum, model):
    """What an activation admits for a sum, that of the plain path first."""
    negative, value = datum
    format, zero, one = model.format, (False, Fraction(0)), (False, Fraction(1))
    below_zero = negative and value not in (0, NAN)
    if activation == "step":
        return [zero if below_zero or value == NAN else one]
    if value == NAN or activation == "identity":
        return [datum]
    if activation == "relu":
        return [zero if below_zero or value == 0 else datum]
    if activation == "sign":
        return [zero if value == 0 else (negative, Fraction(1))]
    if activation == "clip":
        low, high = parameters
        return [low if place(datum) <= place(low) else high if place(datum) >= place(high) else datum]
    if not below_zero:
        return [datum]
    (slope,) = parameters
    first, flushes = model.mode or "RNE", (False, True) if model.flushes else (False,)
    modes = [model.mode] if model.mode else ["RNE", "RNA", "RTP", "RTN", "RTZ"]
    admitted = [format.settle(multiply(slope, datum), first, model.overflow)]
    for mode in modes:
        for left in flushes:
            for right in flushes:
                exact = multiply(model.flush(format, slope, left), model.flush(format, datum, right))
                product = format.settle(exact, mode, model.overflow)
                admitted += [model.flush(format, product, result) for result in flushes]
    return admitted


# --- certificates ---


def unique(pairs):
    need(len(dict(pairs)) == len(pairs), "a key stands twice")
    return dict(pairs)


def value(format, text, own=None):
    """A value of `format`; of a neuron whose layer has a format of its own, that of the layer, written with digits as one of
    `format`, or more."""
    digits = (format.width + 3) // 4
    need(re.fullmatch("0x[0-9a-f]+", text) is not None, f"{text!r} is not a value")
    bits = int(text, 16)
    own = own or format
    need(bits >> own.width == 0 and text == f"0x{bits:0{digits}x}", f"{text!r} is not a value of {own.name}")
    return own.decode(bits)


def judge(path):
    """Whether the certificate refutes its claim; says how."""
    try:
        certificate = json.loads(path.read_bytes(), object_pairs_hook=unique)
    except (OSError, ValueError) as error:
        raise Unreadable(str(error)) from None
    need(certificate["schema"] == 1, "this program reads certificates of schema 1")
    claim, evidence = certificate["claim"], certificate.get("evidence")
    if certificate["verdict"] != "Refuted":
        raise NotJudged(f"the verdict is {certificate['verdict']}: this program judges witnesses alone")
    need(evidence and evidence["kind"] == "witness", "a refutation has a witness")
    format = Format(claim["format"])

    def beside(field):
        return Tensors(path.parent / certificate[field]["path"], certificate[field]["sha256"])

    network = beside("network")
    need(network.metadata["format"] == format.name, "the network has another format", Rejected)
    inputs, layers = read_network(network, format)
    shape = claim["shape"]
    counted = {
        "input_dimension": inputs,
        "output_dimension": len(layers[-1].rows),
        "layers": len(layers),
        "parameters": sum(layer.stored for layer in layers),
    }
    for name, count in counted.items():
        need(shape[name] == count, f"the claim says {shape[name]} for {name}, and it is {count}", Rejected)

    output, row = evidence["output"], None
    need(output < counted["output_dimension"], "there is no such output", Rejected)
    if claim["property"] == "memorizes":
        data = beside("dataset")
        given, labels = data.values("inputs", format), data.values("labels", format)
        need(len(given) == shape["rows"] * inputs, "the data set has another number of rows", Rejected)
        row = evidence["row"]
        need(row < shape["rows"], "there is no such row", Rejected)
        point = given[row * inputs : (row + 1) * inputs]
    else:
        point = [value(format, text) for text in evidence["point"]]
        need(len(point) == inputs, "the point has another number of inputs", Rejected)
        need(all(isinstance(datum[1], Fraction) for datum in point), "an input is not finite", Rejected)

    listed = {(entry["layer"], entry["neuron"]): entry for entry in evidence["neurons"]}
    vectors = [point]
    for index, layer in enumerate(layers):
        model = Model(claim["model"], layer.operands, layer.format)
        inputs = [datum for read in layer.reads for datum in vectors[read]]
        after = []
        for neuron, computed in enumerate(layer.rows):
            entry = listed.pop((index, neuron), {})
            need(set(entry) <= {"layer", "neuron", "path", "value"}, "a neuron has fields that are not known")
            before = model.neuron(computed, inputs, entry["path"] if entry else None)
            admitted = activations(layer.activation, layer.parameters, before, model)
            named = value(format, entry["value"], layer.format) if "value" in entry else admitted[0]
            need(named in admitted, "a neuron's value is not one of its activation", Rejected)
            after.append(named)
        vectors.append(after)
    need(not listed, "a path is listed of a neuron that is not there", Rejected)
    reached = vectors[-1][output]
    said = value(format, evidence["value"])
    if reached[1] == NAN:
        said = (False, NAN) if int(evidence["value"], 16) == format.canonical_nan() else None
    need(reached == said, "the path gives another value than the certificate says", Rejected)

    if claim["property"] == "memorizes":
        label = labels[row * counted["output_dimension"] + output]
        # Labels are finite. +0 equals -0, and NaN nothing.
        equal = isinstance(reached[1], Fraction) and signed(reached) == signed(label)
        need(not equal, "the path gives the label", Rejected)
        return f"row {row}, output {output}: another value than the label"
    if claim["property"] == "computes":
        right = forest_value(beside("forest"), format, point, output)
        tolerance = Fraction(claim["tolerance"])
        if isinstance(reached[1], Fraction):
            need(abs(signed(reached) - right) > tolerance, "the path gives what is claimed", Rejected)
        return f"at a point, output {output}: farther than {tolerance} from the forest"
    raise NotJudged("the path gives that value; whether the function has it there, this program does not know")


def main(paths):
    codes = {0}
    for path in map(Path, paths):
        try:
            print(f"Refuted     {path}: {judge(path)}")
        except NotJudged as reason:
            print(f"not judged  {path}: {reason}")
            codes.add(3)
        except Rejected as reason:
            print(f"rejected    {path}: {reason}")
            codes.add(1)
        except (Unreadable, KeyError, IndexError, TypeError, ValueError, struct.error) as error:
            print(f"unreadable  {path}: {error!r}")
            codes.add(2)
    return next(code for code in (2, 1, 3, 0) if code in codes)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))

"""Writes what ml_dtypes and fpy2 answer to the tables beside this file.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python generate.py

A table holds encodings, little endian, compressed with zlib, in an order that ../tests/tables.rs knows:

    ml_dtypes/FORMAT.z   sums, then products, ties to even: for each a, in the order of the bits, of a and each b
    fpy2/FORMAT.z        4 and 6 bits: the same for every direction, in the order of MODES
                         others: a, b and the result, SAMPLE times for every operation and direction
"""

import random
import sys
import zlib
from pathlib import Path

import fpy2
import ml_dtypes
import numpy as np
from fpy2 import RM, EFloatContext, IEEEContext, MPFloatContext, EFloatNanKind as Nan, OV

HERE = Path(__file__).parent

ML_DTYPES = {  # name: bits of an encoding
    "float4_e2m1fn": 4,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float8_e3m4": 8,
    "float8_e4m3": 8,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e4m3b11fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
}

# To even, to away, toward positive, toward negative, toward zero.
MODES = [RM.RNE, RM.RNA, RM.RTP, RM.RTN, RM.RTZ]

PRECISIONS = [1, 2, 8, 24, 53]

# Without NaN, saturating.
FPY2_ALL_PAIRS = {
    "float4_e2m1fn": lambda rm: EFloatContext(2, 4, False, Nan.NONE, 0, rm, OV.SATURATE),
    "float6_e2m3fn": lambda rm: EFloatContext(2, 6, False, Nan.NONE, 0, rm, OV.SATURATE),
    "float6_e3m2fn": lambda rm: EFloatContext(3, 6, False, Nan.NONE, 0, rm, OV.SATURATE),
}

SAMPLE = 1000


def write(name, values, bytes_each):
    file = HERE / f"{name}.z"
    file.parent.mkdir(exist_ok=True)
    data = b"".join(int(value).to_bytes(bytes_each, "little") for value in values)
    file.write_bytes(zlib.compress(data, 9))


def ml_dtypes_tables():
    for name, bits in ML_DTYPES.items():
        dtype = np.dtype(getattr(ml_dtypes, name))
        data = np.arange(1 << bits, dtype=np.uint8).view(dtype)
        values = []
        with np.errstate(all="ignore"):
            for function in (np.add, np.multiply):
                result = function(data[:, None], data[None, :])
                assert result.dtype == dtype
                values += result.view(np.uint8).ravel().tolist()
        write(f"ml_dtypes/{name}", values, 1)


def fpy2_all_pairs():
    for name, context in FPY2_ALL_PAIRS.items():
        values = []
        for function in (fpy2.add, fpy2.mul):
            for rm in MODES:
                ctx = context(rm)
                data = [ctx.decode(i) for i in range(1 << ML_DTYPES[name])]
                values += [ctx.encode(function(a, b, ctx=ctx)) for a in data for b in data]
        write(f"fpy2/{name}", values, 1)


def bfloat16_sample():
    draw = random.Random(16)
    values = []
    for function in (fpy2.add, fpy2.mul):
        for rm in MODES:
            ctx = IEEEContext(8, 16, rm)
            for _ in range(SAMPLE):
                a, b = draw.getrandbits(16), draw.getrandbits(16)
                # Exponents that are near each other, or whose sum is near 0, teach most.
                if draw.random() < 0.75:
                    field = a >> 7 & 255
                    exponent = (field if function is fpy2.add else 254 - field) + draw.randint(-10, 10)
                    b = b & 0x807F | min(max(exponent, 0), 255) << 7
                values += [a, b, ctx.encode(function(ctx.decode(a), ctx.decode(b), ctx=ctx))]
    write("fpy2/bfloat16", values, 2)


def unbounded_encoding(precision, value):
    """An encoding in F(p): sign, 32 bits of exponent with bias 2^31, p - 1 bits. Zero is 0."""
    if value.is_zero():
        return 0
    c, exp = value.c, value.exp
    shift = precision - c.bit_length()
    assert shift >= 0 or c % (1 << -shift) == 0
    c, exp = (c << shift, exp - shift) if shift >= 0 else (c >> -shift, exp - shift)
    exponent = exp + precision - 1
    trailing = c & ((1 << (precision - 1)) - 1)
    return int(value.s) << (precision + 31) | (exponent + (1 << 31)) << (precision - 1) | trailing


def unbounded_samples():
    draw = random.Random(1)
    for precision in PRECISIONS:
        exact = MPFloatContext(precision)

        def operand(near):
            c = draw.getrandbits(precision) | 1 << (precision - 1)
            if draw.random() < 0.3 and precision > 2:  # few bits
                c = 1 << (precision - 1) | draw.getrandbits(2)
            exponent = near + draw.randint(-precision - 2, precision + 2)
            return fpy2.Float(s=draw.random() < 0.5, exp=exponent, c=c, ctx=exact)

        values = []
        for function in (fpy2.add, fpy2.mul):
            for rm in MODES:
                ctx = MPFloatContext(precision, rm)
                for _ in range(SAMPLE):
                    near = draw.randint(-100, 100)
                    a, b = operand(near), operand(near)
                    result = function(a, b, ctx=ctx)
                    values += [unbounded_encoding(precision, value) for value in (a, b, result)]
        write(f"fpy2/F({precision})", values, 16)


if __name__ == "__main__":
    assert ml_dtypes.__version__ == "0.6.0", "see requirements.txt"
    ml_dtypes_tables()
    fpy2_all_pairs()
    bfloat16_sample()
    unbounded_samples()
    print(sum(f.stat().st_size for f in HERE.glob("*/*.z")), "bytes", file=sys.stderr)

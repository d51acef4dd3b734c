"""Writes the arrays of this folder; see README.md."""

import pathlib

import ml_dtypes
import numpy

here = pathlib.Path(__file__).parent
# Values of every type: small integers.
values = numpy.arange(12).reshape(4, 3)


def save(name, array):
    numpy.save(here / f"{name}.npy", array)


for dtype in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]:
    for order, word in [("<", "little"), (">", "big")]:
        if dtype.endswith("1") and order == ">":
            continue
        save(f"{dtype}.{word}", values.astype(order + dtype))
save("bool", values % 2 == 0)
save("fortran", numpy.asfortranarray(values.astype("<f4")))
save("one_dimension", values[:, 0].astype("<f8"))
save("three_dimensions", values.reshape(2, 2, 3))
save("three_dimensions.fortran", numpy.asfortranarray(values.reshape(2, 2, 3).astype("<f4")))
# Types from outside NumPy, which have no name of their own in the file.
small = numpy.array([[0.5, -2, 1], [3, -0.0, 0], [0.125, 1.5, 1]])
for dtype in ["bfloat16", "float8_e5m2", "float8_e4m3fn", "float4_e2m1fn"]:
    save(dtype, small.astype(getattr(ml_dtypes, dtype)))
save("float8_e5m2.infinite", numpy.array([[numpy.inf, 1]]).astype(ml_dtypes.float8_e5m2))
save("scalar", numpy.float64(1))
save("extremes.i8", numpy.array([[-(2**63), 1], [2**63 - 1, 2]], "<i8"))
save("extremes.u8", numpy.array([[2**64 - 1, 1], [0, 2]], "<u8"))
save("fractions.f2", numpy.array([[0.1, 1], [-0.0, 2], [6e-8, 3]], "<f2"))
save("fractions.f4", numpy.array([[0.1, 1], [-0.0, 2], [1e-45, 3]], "<f4"))
save("fractions.f8", numpy.array([[0.1, 1], [-0.0, 2], [1e-20, 3]], ">f8"))
save("not_finite", numpy.array([[1, 1], [numpy.nan, 2], [numpy.inf, 3]], "<f4"))
save("complex", values.astype("c8"))
save("strings", values.astype("U2"))
save("bytes", values.astype("S2"))
save("objects", values.astype(object))
save("dates", values.astype("M8[D]"))
save("raw", values.astype("u2").view("V2"))
save("records", numpy.zeros(2, [("a", "<f4"), ("b]'", "<i4", (2,))]))
save("empty", numpy.zeros((0, 3)))

table = dict(x=values.astype("u1"), weight=values[:, 1].astype("<f4") / 3, label=values[:, 0].astype("<i8"))
numpy.savez(here / "table.npz", **table)
numpy.savez_compressed(here / "compressed.npz", **table)
numpy.savez(here / "ragged.npz", x=values, label=values[:3, 0])
others = dict(names=numpy.array(["a", "b"]), one=numpy.float64(1), more=values[:2], images=values.reshape(4, 1, 3))
numpy.savez(here / "others.npz", label=table["label"], **others, x=table["x"])
lines = [f"{r[0]},{r[1]},{r[2]},{float(w).hex()},{l}" for r, w, l in zip(table["x"], table["weight"], table["label"])]
(here / "table.csv").write_text("x[0],x[1],x[2],weight,label\n" + "\n".join(lines) + "\n")

"""Neural networks that compute exactly what they claim in floating point, proved for every rounding path.

`prove` makes a network of arrays and proves that it gives every label exactly; `check` judges a certificate again, with a
program that has no prover in it; `run` computes the network's outputs on one rounding path. All of them run the programs
`roundproof` and `roundproof-check` that come with this module: what they print as JSON is what is returned here.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence, Union

if TYPE_CHECKING:
    import numpy
    from numpy.typing import ArrayLike

__all__ = ["Error", "Report", "Result", "check", "prove", "run"]

PathLike = Union[str, "os.PathLike[str]"]

# How the programs end when there is a result, whatever it is: 0, 1 and 3. With 2 there is none.
_NO_RESULT = 2


class Error(Exception):
    """Something is wrong with an argument or a file; the message is the program's."""


@dataclass(frozen=True)
class Report:
    """What became of a certificate."""

    certificate: str
    """The file."""
    verdict: str | None
    """`Proved`, `Refuted`, `Attested`, `Vacuous` or `Unknown`; none of a certificate that was rejected."""
    status: str
    """`accepted`, `rejected` or `not established`."""
    detail: str
    """What was accepted, or why it was not."""
    fields: dict[str, Any] = field(repr=False)
    """Everything that `roundproof-check --json` says."""

    @property
    def proved(self) -> bool:
        """Whether the claim of the certificate was proved: accepted by the kernel, with the verdict `Proved`."""
        return self.status == "accepted" and self.verdict == "Proved"


@dataclass(frozen=True)
class Result:
    """A network that was made, and what is proved of it."""

    verdict: str
    """`Proved`, `Refuted` or `Unknown`."""
    claim: str
    """What is proved or refuted, in words."""
    parameters: int
    """How many weights and biases the network stores."""
    folder: Path
    """Where the files are."""
    fields: dict[str, Any] = field(repr=False)
    """Everything that `roundproof prove --json` says."""

    @property
    def proved(self) -> bool:
        """Whether the verdict is `Proved`."""
        return self.verdict == "Proved"

    @property
    def network(self) -> Path:
        """The network, for `run`."""
        return self.folder / "network.safetensors"

    @property
    def dataset(self) -> Path:
        """The rows, rounded to the format."""
        return self.folder / "dataset.safetensors"

    @property
    def certificate(self) -> Path:
        """The certificate, for `check`."""
        return self.folder / "certificate.json"


def check(path: PathLike) -> Report:
    """Judges the certificate at `path`, and the files that it names, with `roundproof-check`.

    A certificate that is rejected is a report with the status `rejected`, and no error.

    Raises:
        Error: if a file is missing or cannot be read.
    """
    said = json.loads(_ask("roundproof-check", ["--json", "--", os.fspath(path)], one_of=True))[0]
    if said["status"] == "unreadable":
        raise Error(said["detail"])
    return Report(
        certificate=said["certificate"],
        verdict=said["verdict"],
        status=said["status"],
        detail=said["detail"],
        fields=said,
    )


def prove(
    X: ArrayLike,
    y: ArrayLike,
    *,
    format: str = "bfloat16",
    activation: str = "relu",
    strategy: str = "point",
    paths: str = "all",
    optimize: float | None = None,
    out: PathLike | None = None,
) -> Result:
    """Makes a network that gives the label `y[i]` at the inputs `X[i]`, exactly and on every rounding path.

    Args:
        X: the inputs, one row each: numbers or booleans, of shape (rows, inputs). Each is rounded once to `format`.
        y: the labels: of shape (rows,), or (rows, outputs) for several outputs.
        format: the floating-point format of data and network, as `bfloat16`, `float8_e4m3fn`, `e5m7` or `F(8)`.
        activation: of the hidden layers, `relu` or `step`.
        strategy: `point`, a box for each row; or `tree`, a decision tree, far smaller, and proved to compute that tree at
            every finite input. Others are there to be refuted; see `roundproof prove --help`.
        paths: the rounding paths that the claim speaks of: `all`, `paper`, or changes to either.
        optimize: with the strategy `tree`, for how many seconds to look for a smaller network.
        out: the folder for the network, the rounded data and the certificate. Left out, it is a temporary one, which is
            deleted when Python ends.

    Raises:
        Error: if there is no such network, as for rows that conflict in the format, or an argument is wrong.
    """
    import numpy

    inputs, labels = numpy.asarray(X), numpy.asarray(y)
    if inputs.ndim == 1:
        inputs = inputs[:, None]
    if inputs.shape[:1] != labels.shape[:1]:
        raise Error(f"X has {len(inputs)} rows and y has {labels.shape[0] if labels.ndim else 'none'}")
    for name, array in (("X", inputs), ("y", labels)):
        if array.dtype.kind not in "biuf":
            raise Error(f"{name} is an array of {array.dtype}: give numbers, as a code for each name")
    if out is None:
        out = tempfile.mkdtemp(prefix="roundproof-")
        atexit.register(shutil.rmtree, out, ignore_errors=True)
    folder = Path(out)
    options = [f"--format={format}", f"--activation={activation}", f"--strategy={strategy}", f"--paths={paths}"]
    if optimize is not None:
        options.append(f"--optimize={optimize}")
    with tempfile.TemporaryDirectory(prefix="roundproof-") as made:
        table = Path(made) / "data.npz"
        numpy.savez(table, X=inputs, y=labels)
        said = json.loads(
            _ask("roundproof", ["prove", str(table), "--label=y", *options, f"--out={folder}", "--json"], hide=made)
        )
    return Result(
        verdict=said["verdict"],
        claim=said["claim"]["sentence"],
        parameters=said["claim"]["shape"]["parameters"],
        folder=folder,
        fields=said,
    )


def run(
    network: PathLike,
    X: ArrayLike,
    *,
    mode: str | None = None,
    order: str = "left-to-right",
    fma: bool = False,
    flush: bool = False,
    accumulator: str | None = None,
    overflow: str | None = None,
    seed: int = 0,
) -> numpy.ndarray:
    """Computes the outputs of a network on one rounding path, in software, in the network's format.

    Args:
        network: the network's file, as `Result.network`.
        X: the inputs, of shape (rows, inputs). Each is rounded once to the network's format.
        mode: the direction of every rounding, as `toward-zero`; ties to even if left out (any, with the order `random`).
        order: the order of additions: `left-to-right`, `pairwise`, `random` and others; see `roundproof run --help`.
        fma: whether products are fused into additions.
        flush: whether subnormal operands and results are replaced by zeros.
        accumulator: a wider format to add up in, as `binary32` or `binary32/saturate`.
        overflow: what overflow gives: `ieee`, `saturate` or `nan`.
        seed: which path, with the order `random`.

    Returns:
        The outputs in binary64, of shape (rows, outputs). Values of formats of up to 53 bits of precision and 11 of exponent
        are exact; others are rounded, to infinity if they are beyond.

    Raises:
        Error: if the network cannot be read, or does not take so many inputs.
    """
    import numpy

    inputs = numpy.asarray(X)
    if inputs.dtype.kind not in "biuf":
        raise Error(f"X is an array of {inputs.dtype}: give numbers")
    options = [f"--order={order}", f"--seed={seed}", "--output-format=json", "--hex"]
    options += [f"--{name}" for name, wanted in (("fma", fma), ("flush", flush)) if wanted]
    named = (("mode", mode), ("accumulator", accumulator), ("overflow", overflow))
    options += [f"--{name}={value}" for name, value in named if value is not None]
    with tempfile.TemporaryDirectory(prefix="roundproof-") as made:
        rows = Path(made) / "data.npy"
        numpy.save(rows, inputs)
        said = json.loads(_ask("roundproof", ["run", os.fspath(network), str(rows), *options], hide=made))
    outputs = [[_number(output["value"]) for output in row["outputs"]] for row in said]
    return numpy.array(outputs, dtype=numpy.float64).reshape(len(outputs), -1)


def _number(text: str) -> float:
    """A value as the programs write it with `--hex`."""
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def _program(name: str) -> str:
    """Where a program is: with this module's installation, or else wherever the shell finds it."""
    suffix = sysconfig.get_config_var("EXE") or ""
    for folder in (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")):
        if os.access(candidate := os.path.join(folder, name + suffix), os.X_OK):
            return candidate
    found = shutil.which(name)
    if found is None:
        raise Error(f"{name} was not found: it is installed with the wheel of roundproof")
    return found


def _ask(name: str, arguments: Sequence[str], *, hide: str | None = None, one_of: bool = False) -> str:
    """What a program prints to stdout. With `one_of`, what is unreadable is in there, too."""
    done = subprocess.run([_program(name), *arguments], capture_output=True, text=True, encoding="utf-8")
    if done.returncode in (0, 1, 3, 4, 5) or (one_of and done.returncode == _NO_RESULT and done.stdout):
        return done.stdout
    message = done.stderr.strip()
    if hide is not None:
        message = message.replace(hide + os.sep, "")
    raise Error(message.removeprefix("error: ") or f"{name} ended with exit code {done.returncode}")

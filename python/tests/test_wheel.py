"""The installed wheel: python -m unittest, in an environment that has it and nothing of the sources."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
from pathlib import Path

import numpy as np

import roundproof

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])


class Wheel(unittest.TestCase):
    def test_what_is_proved_runs_and_checks(self):
        for strategy, activation in [("point", "relu"), ("point", "step"), ("tree", "relu"), ("tree", "step")]:
            result = roundproof.prove(X, XOR, format="bfloat16", activation=activation, strategy=strategy)
            self.assertTrue(result.proved, result)
            self.assertIn("4 rows", result.claim)
            for options in [{}, {"mode": "toward-zero"}, {"order": "random", "seed": 7}, {"order": "pairwise", "fma": True}]:
                outputs = roundproof.run(result.network, X, **options)
                self.assertEqual(outputs.shape, (4, 1))
                self.assertTrue((outputs[:, 0] == XOR).all(), (strategy, activation, options))
            report = roundproof.check(result.certificate)
            self.assertEqual((report.verdict, report.status, report.proved), ("Proved", "accepted", True))

    def test_several_outputs_and_values_that_are_not_integers(self):
        x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float16)
        y = np.stack([x[:, 0] > 0, x[:, 1] > 0], axis=1) / 8
        with tempfile.TemporaryDirectory() as folder:
            result = roundproof.prove(x, y, format="binary16", strategy="tree", out=Path(folder) / "out")
            self.assertTrue((roundproof.run(result.network, x) == y).all())
            self.assertTrue(roundproof.check(result.certificate).proved)

    def test_a_certificate_that_was_changed_is_not_proved(self):
        result = roundproof.prove(X, XOR)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(result.folder, copy)
            network = copy / "network.safetensors"
            data = bytearray(network.read_bytes())
            data[-1] ^= 1
            network.write_bytes(data)
            report = roundproof.check(copy / "certificate.json")
            self.assertEqual((report.verdict, report.status, report.proved), (None, "rejected", False))
            self.assertIn("network", report.detail)

    def test_what_is_refuted_is_a_verdict(self):
        result = roundproof.prove([1, 2, 3, 4], [1, 256, 1, 3], activation="step", strategy="telescoping-sum")
        self.assertEqual((result.verdict, result.proved), ("Refuted", False))
        self.assertFalse(roundproof.check(result.certificate).proved)

    def test_mistakes_are_errors_with_the_message_of_the_program(self):
        with self.assertRaisesRegex(roundproof.Error, "bfloat17"):
            roundproof.prove(X, XOR, format="bfloat17")
        with self.assertRaisesRegex(roundproof.Error, "rows"):
            roundproof.prove(X, XOR[:3])
        with self.assertRaisesRegex(roundproof.Error, "array of"):
            roundproof.prove(X, ["a", "b", "b", "a"])
        with self.assertRaisesRegex(roundproof.Error, "data.npz: "):
            roundproof.prove([[1], [1]], [0, 1])
        with self.assertRaisesRegex(roundproof.Error, "missing.json"):
            roundproof.check("missing.json")
        with self.assertRaisesRegex(roundproof.Error, "input"):
            roundproof.run(roundproof.prove(X, XOR).network, [[1, 2, 3]])

    def test_temporary_files_are_gone_when_python_ends(self):
        program = "import roundproof; r = roundproof.prove([0, 1], [1, 0]); print(r.folder, r.certificate.exists())"
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        folder, existed = said.stdout.split()
        self.assertEqual((existed, Path(folder).exists(), said.stderr), ("True", False, ""))

    def test_the_programs_are_installed(self):
        for name in ["roundproof", "roundproof-check"]:
            program = Path(sysconfig.get_path("scripts")) / name
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            self.assertTrue(said.startswith(f"{name} "), said)


if __name__ == "__main__":
    unittest.main()

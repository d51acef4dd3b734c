"""Trains the networks in data/onnx/ that are named after their layers, and writes them as ONNX models with their test rows.

    PYTHONPATH=.tools/onnxruntime python3 scripts/train_networks.py [NAME...]

They are trained in NumPy alone, in binary64, by Adam on batches, with fixed seeds; with the versions that tools/onnxruntime.txt pins
and another BLAS, last digits may differ. Weights are rounded once to binary32, and those to float16 and bfloat16: NAME.onnx,
NAME-float16.onnx, NAME-bfloat16.onnx. A fifth of the rows, drawn before training, is for tests: digits-test.npz, wine-test.npz (x, y).
What is printed, and stands in data/README.md, is the accuracy (or the mean error) on them.
"""

import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data/onnx"


def load(name):
    """Rows and labels for training, and for tests."""
    table = numpy.loadtxt(ROOT / "data" / f"{name}.csv", delimiter=",", skiprows=1)
    order = numpy.random.default_rng(1).permutation(len(table))
    test, train = numpy.sort(order[: len(table) // 5]), numpy.sort(order[len(table) // 5 :])
    return table[train], table[test]


# Layers: `forward` keeps what `backward` needs; `parameters` are arrays that are changed in place; `nodes` writes them.


class Dense:
    def __init__(self, random, inputs, outputs):
        self.weights = random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs))
        self.bias = numpy.zeros(outputs)
        self.parameters = [self.weights, self.bias]

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, back):
        self.gradients = [self.x.T @ back, back.sum(0)]
        return back @ self.weights.T

    def nodes(self, graph, x):
        return graph.node("Gemm", [x, graph.constant(self.weights.T), graph.constant(self.bias)], transB=1)


class Relu:
    parameters = gradients = []

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, back):
        return back * self.mask

    def nodes(self, graph, x):
        return graph.node("Relu", [x])


class Conv:
    """3 by 3, with padding."""

    def __init__(self, random, inputs, outputs, scale=1.0):
        self.weights = random.normal(0, scale * (2 / (9 * inputs)) ** 0.5, (outputs, inputs, 3, 3))
        self.bias = numpy.zeros(outputs)
        self.parameters = [self.weights, self.bias]

    def forward(self, x):
        padded = numpy.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = numpy.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        rows, channels, height, width = x.shape
        self.columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(rows * height * width, -1)
        self.shape = x.shape
        sums = self.columns @ self.weights.reshape(len(self.weights), -1).T + self.bias
        return sums.reshape(rows, height, width, -1).transpose(0, 3, 1, 2)

    def backward(self, back):
        rows, channels, height, width = self.shape
        flat = back.transpose(0, 2, 3, 1).reshape(-1, len(self.weights))
        self.gradients = [(flat.T @ self.columns).reshape(self.weights.shape), flat.sum(0)]
        columns = (flat @ self.weights.reshape(len(self.weights), -1)).reshape(rows, height, width, channels, 3, 3)
        padded = numpy.zeros((rows, channels, height + 2, width + 2))
        for i in range(3):
            for j in range(3):
                padded[:, :, i : i + height, j : j + width] += columns[:, :, :, :, i, j].transpose(0, 3, 1, 2)
        return padded[:, :, 1:-1, 1:-1]

    def nodes(self, graph, x):
        reads = [x, graph.constant(self.weights), graph.constant(self.bias)]
        return graph.node("Conv", reads, kernel_shape=[3, 3], pads=[1, 1, 1, 1])


class MaxPool:
    """2 by 2."""

    parameters = gradients = []

    def forward(self, x):
        rows, channels, height, width = x.shape
        blocks = x.reshape(rows, channels, height // 2, 2, width // 2, 2).transpose(0, 1, 2, 4, 3, 5)
        self.shape, blocks = x.shape, blocks.reshape(rows, channels, height // 2, width // 2, 4)
        self.mask = numpy.arange(4) == blocks.argmax(-1)[..., None]
        return blocks.max(-1)

    def backward(self, back):
        rows, channels, height, width = self.shape
        blocks = (self.mask * back[..., None]).reshape(rows, channels, height // 2, width // 2, 2, 2)
        return blocks.transpose(0, 1, 2, 4, 3, 5).reshape(self.shape)

    def nodes(self, graph, x):
        return graph.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])


class AveragePool:
    """Over all places."""

    parameters = gradients = []

    def forward(self, x):
        self.shape = x.shape
        return x.mean((2, 3), keepdims=True)

    def backward(self, back):
        return numpy.broadcast_to(back, self.shape) / (self.shape[2] * self.shape[3])

    def nodes(self, graph, x):
        return graph.node("GlobalAveragePool", [x])


class Flatten:
    parameters = gradients = []

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, back):
        return back.reshape(self.shape)

    def nodes(self, graph, x):
        return graph.node("Flatten", [x])


class Skip:
    """What layers make of their input, and the input."""

    def __init__(self, layers):
        self.layers = Layers(layers)
        self.parameters = self.layers.parameters

    def forward(self, x):
        return x + self.layers.forward(x)

    def backward(self, back):
        return back + self.layers.backward(back)

    @property
    def gradients(self):
        return self.layers.gradients

    def nodes(self, graph, x):
        return graph.node("Add", [self.layers.nodes(graph, x), x])


class Standardize:
    """Inputs less their mean, over their deviation: preprocessing inside of the model."""

    parameters = gradients = []

    def __init__(self, x):
        self.mean, self.deviation = x.mean(0), x.std(0)

    def forward(self, x):
        return (x - self.mean) / self.deviation

    def backward(self, back):
        return back

    def nodes(self, graph, x):
        centred = graph.node("Sub", [x, graph.constant(self.mean)])
        return graph.node("Div", [centred, graph.constant(self.deviation)])


class Layers:
    def __init__(self, layers):
        self.layers = layers
        self.parameters = [parameter for layer in layers for parameter in layer.parameters]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, back):
        for layer in reversed(self.layers):
            back = layer.backward(back)
        return back

    @property
    def gradients(self):
        return [gradient for layer in self.layers for gradient in layer.gradients]

    def nodes(self, graph, x):
        for layer in self.layers:
            x = layer.nodes(graph, x)
        return x


def train(network, x, loss, epochs, rate, seed, decay=1e-4):
    """Adam, with a rate that falls to zero."""
    random = numpy.random.default_rng(seed)
    first = [numpy.zeros_like(p) for p in network.parameters]
    second = [numpy.zeros_like(p) for p in network.parameters]
    step, steps = 0, epochs * -(-len(x) // 64)
    for _ in range(epochs):
        order = random.permutation(len(x))
        for start in range(0, len(x), 64):
            rows = order[start : start + 64]
            network.backward(loss(network.forward(x[rows]), rows))
            step += 1
            now = rate * (1 - step / (steps + 1))
            for parameter, gradient, m, v in zip(network.parameters, network.gradients, first, second):
                gradient = gradient + decay * parameter
                m += 0.1 * (gradient - m)
                v += 0.001 * (gradient * gradient - v)
                parameter -= now * (m / (1 - 0.9**step)) / (numpy.sqrt(v / (1 - 0.999**step)) + 1e-8)


def cross_entropy(labels):
    def gradient(outputs, rows):
        powers = numpy.exp(outputs - outputs.max(1, keepdims=True))
        powers /= powers.sum(1, keepdims=True)
        powers[numpy.arange(len(rows)), labels[rows]] -= 1
        return powers / len(rows)

    return gradient


def square_error(targets):
    return lambda outputs, rows: 2 * (outputs - targets[rows, None]) / len(rows)


def narrowed(values, element):
    """Numbers of binary32 as those of a type, and their bits."""
    values = numpy.asarray(values, numpy.float32)
    if element == TensorProto.FLOAT:
        return values.view(numpy.uint32)
    if element == TensorProto.FLOAT16:
        return values.astype(numpy.float16).view(numpy.uint16)
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(numpy.uint16)


class Graph:
    """A model under construction."""

    def __init__(self, element):
        self.element, self.made, self.constants = element, [], []

    def constant(self, values):
        name = f"constant{len(self.constants)}"
        values = numpy.ascontiguousarray(values, numpy.float32)
        raw = narrowed(values, self.element).tobytes()
        self.constants.append(helper.make_tensor(name, self.element, values.shape, raw, raw=True))
        return name

    def node(self, operator, reads, **attributes):
        name = f"{operator.lower()}{len(self.made)}"
        self.made.append(helper.make_node(operator, reads, [name], **attributes))
        return name

    def model(self, network, name, shape, outputs):
        self.made[-1].output[0] = "y"
        value = lambda name, shape: helper.make_tensor_value_info(name, self.element, ["batch", *shape])
        graph = helper.make_graph(self.made, name, [value("x", shape)], [value("y", [outputs])], self.constants)
        # Convolutions and pooling are of bfloat16 since version 22.
        version, ir_version = (22, 10) if self.element == TensorProto.BFLOAT16 else (17, 8)
        opsets = [helper.make_opsetid("", version)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name="train_networks.py")
        onnx.checker.check_model(model)
        return model


ELEMENTS = {"": TensorProto.FLOAT, "-float16": TensorProto.FLOAT16, "-bfloat16": TensorProto.BFLOAT16}


def write(name, network, shape, outputs):
    for end, element in ELEMENTS.items():
        graph = Graph(element)
        network.nodes(graph, "x")
        onnx.save(graph.model(network, name + end, shape, outputs), FOLDER / f"{name}{end}.onnx")


def dense(random, sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [Dense(random, inputs, outputs), Relu()]
    return layers[:-1]


def main():
    wanted = lambda name: len(sys.argv) == 1 or name in sys.argv[1:]
    train_rows, test_rows = load("digits")
    x, labels = train_rows[:, :-1] / 16, train_rows[:, -1].astype(int)
    test, test_labels = test_rows[:, :-1] / 16, test_rows[:, -1].astype(int)
    numpy.savez_compressed(FOLDER / "digits-test.npz", x=(test * 16).astype(numpy.float32), y=test_labels)
    random = lambda: numpy.random.default_rng(1)
    image = lambda rows: rows.reshape(-1, 1, 8, 8)
    block = lambda r: [Skip([Conv(r, 16, 16), Relu(), Conv(r, 16, 16, 0.5)]), Relu()]
    r = random()
    networks = {
        "mlp-64-64-10": (dense(random(), [64, 64, 10]), 60, 3e-3, False),
        "mlp-64-128-128-10": (dense(random(), [64, 128, 128, 10]), 60, 2e-3, False),
        "mlp-64-64x5-10": (dense(random(), [64] * 6 + [10]), 80, 2e-3, False),
        "mlp-64-64x12-10": (dense(random(), [64] * 13 + [10]), 120, 1e-3, False),
        "conv-8-16": ([Conv(r, 1, 8), Relu(), MaxPool(), Conv(r, 8, 16), Relu(), MaxPool(), Flatten(),
                       Dense(r, 64, 10)], 40, 5e-3, True),
        "residual-7": ([Conv(r, 1, 16), Relu(), *block(r), MaxPool(), *block(r), *block(r), AveragePool(), Flatten(),
                        Dense(r, 16, 10)], 30, 5e-3, True),
    }
    for name, (layers, epochs, rate, is_image) in networks.items():
        if not wanted(name):
            continue
        shape, of = ([1, 8, 8], image) if is_image else ([64], lambda rows: rows)
        network = Layers(layers)
        train(network, of(x), cross_entropy(labels), epochs, rate, 2)
        # Pixels are integers up to 16: the first layer takes the division in.
        layers[0].weights /= 16
        accuracy = (network.forward(of(test * 16)).argmax(1) == test_labels).mean()
        print(f"{name}: {100 * accuracy:.1f} % of {len(test)}", flush=True)
        write(name, network, shape, 10)
    if wanted("wine-alcohol"):
        # The first column, alcohol, from the others.
        train_rows, test_rows = load("wine")
        x, targets = train_rows[:, 1:-1], train_rows[:, 0]
        network = Layers([Standardize(x), *dense(random(), [12, 16, 16, 1])])
        layers = network.layers
        layers[-1].bias += targets.mean()
        train(network, x, square_error(targets), 400, 3e-3, 2, decay=1e-2)
        test, test_targets = test_rows[:, 1:-1], test_rows[:, 0]
        numpy.savez_compressed(FOLDER / "wine-test.npz", x=test.astype(numpy.float32), y=test_targets)
        error = numpy.abs(network.forward(test)[:, 0] - test_targets).mean()
        print(f"wine-alcohol: mean error {error:.3f} of {len(test)}, deviation {test_targets.std():.3f}")
        write("wine-alcohol", network, [12], 1)


main()

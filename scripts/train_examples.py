"""Trains the small models of crates/sources/tests/models/ and writes the predictions of the tools that trained them.

    pip install xgboost lightgbm scikit-learn numpy pandas
    python scripts/train_examples.py

For each model: the model as its tool saves it; `NAME.leaves.csv`, the leaf that each row of the data set reaches in each
tree; and for some `NAME.scores.csv`, raw scores (or, of scikit-learn, probabilities or means) as hexadecimal floats.
`NAME.probes.csv` has inputs that lie near thresholds, between values of binary32, near 0 or between categories, as
hexadecimal floats of binary64, and behind the input the leaf that it reaches in each tree.

With arguments, only the models whose names begin with one of them are trained again.
"""

import pathlib
import re
import sys

import lightgbm
import numpy
import sklearn.ensemble
import sklearn.tree
import xgboost

from export_sklearn import export

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "crates/sources/tests/models"


def load(name):
    table = numpy.loadtxt(ROOT / "data" / f"{name}.csv", delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1]


def hexadecimal(score):
    return re.sub(r"\.?0*p", "p", float(score).hex())


def write(name, leaves, scores=None):
    leaves = numpy.asarray(leaves).reshape(len(leaves), -1).astype(int)
    lines = [",".join(map(str, row)) for row in leaves]
    (FOLDER / f"{name}.leaves.csv").write_text("\n".join(lines) + "\n")
    if scores is not None:
        scores = numpy.asarray(scores).reshape(len(leaves), -1)
        lines = [",".join(map(hexadecimal, row)) for row in scores]
        (FOLDER / f"{name}.scores.csv").write_text("\n".join(lines) + "\n")


def wanted(name):
    return len(sys.argv) == 1 or any(name.startswith(start) for start in sys.argv[1:])


def probe(name, columns, thresholds, leaves, count=300):
    """Inputs near thresholds, in steps of binary64 and of binary32, their halves and quarters; and others around zero."""
    random = numpy.random.default_rng(1)
    steps = [0, 1e-35, -1e-35, 1e-36, -2e-35, 0.5, -0.5, 1.5, -1.0, -1.5, 3.0, 1e30, -1e30]
    points = [t for t in thresholds if numpy.isfinite(t)] + steps
    near = []
    for point in points:
        single = numpy.float32(point)
        for other in [numpy.nextafter(single, numpy.float32(s)) for s in (-numpy.inf, numpy.inf)]:
            near += [(float(single) * (4 - k) + float(other) * k) / 4 for k in range(5)]
        near += [numpy.nextafter(point, s) for s in (-numpy.inf, numpy.inf)] + [point]
    near = numpy.array(near)
    middle = near[5::13]
    near = numpy.concatenate([near, numpy.nextafter(middle, -numpy.inf), numpy.nextafter(middle, numpy.inf)])
    inputs = random.choice(near, (count, columns))
    found = numpy.asarray(leaves(inputs)).reshape(count, -1).astype(int)
    lines = [",".join([*map(hexadecimal, row), *map(str, leaf)]) for row, leaf in zip(inputs, found)]
    (FOLDER / f"{name}.probes.csv").write_text("\n".join(lines) + "\n")


def train_xgboost(name, inputs, labels, rounds, scores=True, end="json", probes=False, types=None, rows=None,
                  **parameters):
    if not wanted(name):
        return
    data = xgboost.DMatrix(inputs, label=labels, feature_types=types, enable_categorical=types is not None)
    booster = xgboost.train({"nthread": 1, "seed": 1, **parameters}, data, rounds)
    booster.save_model(FOLDER / f"{name}.{end}")
    if rows is not None:
        data = xgboost.DMatrix(rows)
    margins = booster.predict(data, output_margin=True) if scores else None
    if rounds:
        write(name, booster.predict(data, pred_leaf=True), margins)
    if probes:
        frame = booster.trees_to_dataframe()
        splits = frame[frame.Feature != "Leaf"].Split.dropna()
        leaves = lambda rows: booster.predict(
            xgboost.DMatrix(rows, feature_types=types, enable_categorical=types is not None), pred_leaf=True)
        probe(name, inputs.shape[1], list(splits), leaves)


def train_lightgbm(name, inputs, labels, rounds, scores=True, probes=False, categories="auto", **parameters):
    if not wanted(name):
        return
    quiet = {"verbose": -1, "num_threads": 1, "deterministic": True, "seed": 1}
    data = lightgbm.Dataset(inputs, label=labels, categorical_feature=categories)
    booster = lightgbm.train({**quiet, **parameters}, data, rounds)
    booster.save_model(FOLDER / f"{name}.txt")
    # A raw score of a random forest is the sum that it does not yet divide.
    raw = booster.predict(inputs, raw_score=parameters.get("boosting") != "rf") if scores else None
    write(name, booster.predict(inputs, pred_leaf=True), raw)
    if probes:
        splits = booster.trees_to_dataframe().threshold.dropna()
        numbers = [float(x) for text in splits for x in str(text).split("||")]
        probe(name, inputs.shape[1], numbers, lambda rows: booster.predict(rows, pred_leaf=True))


def train_sklearn(name, model, inputs, labels, scores=True, probes=False, rows=None):
    if not wanted(name):
        return
    model.fit(inputs, labels)
    export(model, FOLDER / f"{name}.json")
    inputs = inputs if rows is None else rows
    if scores:
        predict = getattr(model, "decision_function", getattr(model, "predict_proba", model.predict))
        scores = predict(inputs)
        scores = numpy.concatenate(scores, 1) if isinstance(scores, list) else scores
    else:
        scores = None
    write(name, model.apply(inputs), scores)
    if probes:
        trees = numpy.ravel(getattr(model, "estimators_", [model]))
        splits = [t for tree in trees for t in tree.tree_.threshold]
        probe(name, inputs.shape[1], splits, lambda rows: model.apply(rows.astype(numpy.float32)))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    iris, species = load("iris")
    digits, digit = load("digits")

    train_xgboost("xgboost-softprob", iris, species, 2, objective="multi:softprob", num_class=3, max_depth=2)
    # Pruning leaves deleted nodes in the file.
    train_xgboost("xgboost-logistic", iris, species == 1, 2, objective="binary:logistic", max_depth=4, gamma=1,
                  tree_method="exact")
    train_xgboost("xgboost-one", iris, species, 1, objective="reg:squarederror", max_depth=3)
    train_xgboost("xgboost-digits", digits, digit, 1, scores=False, objective="reg:squarederror", max_depth=5)

    train_xgboost("xgboost-dart", iris, species, 4, booster="dart", rate_drop=0.5, objective="reg:squarederror",
                  max_depth=2, probes=True)
    train_xgboost("xgboost-vector", iris, numpy.stack([species == 1, iris[:, 0]], 1), 2,
                  multi_strategy="multi_output_tree", tree_method="hist", max_depth=3)
    # The pixels of the middle rows, of 17 shades each, taken for categories and for numbers by turns.
    shades = digits[:, 18:30]
    train_xgboost("xgboost-categories", shades, digit, 3, end="ubj", max_depth=4, max_cat_to_onehot=4,
                  types=["c", "q"] * 6, probes=True, scores=False)
    # Since 3.2, a base score near 0 or 1 is clamped.
    for name, objective, score in [("clamped", "binary:logistic", 1e-7), ("clamped-above", "reg:logistic", 1 - 1e-7),
                                   ("logitraw", "binary:logitraw", 0.3)]:
        train_xgboost(f"xgboost-{name}", iris, species == 1, 1, objective=objective, base_score=score, max_depth=2)
    train_xgboost("xgboost-none", iris, species, 0, objective="count:poisson", base_score=2.5)
    missing = iris.copy()
    missing[species == 2, 0] = numpy.nan
    # Nothing but what is missing parts these rows.
    train_xgboost("xgboost-infinite", iris * 0 + (missing[:, :1] * 0 + 3e38), species == 2, 1, max_depth=1,
                  scores=False, rows=iris)

    train_lightgbm("lightgbm-multiclass", iris, species, 2, objective="multiclass", num_class=3, num_leaves=4,
                   min_data_in_leaf=5)
    train_lightgbm("lightgbm-forest", iris, species, 3, objective="regression", boosting="rf", bagging_freq=1,
                   bagging_fraction=0.5, num_leaves=5, min_data_in_leaf=3)
    train_lightgbm("lightgbm-digits", digits, digit, 1, scores=False, objective="regression", num_leaves=31)

    train_lightgbm("lightgbm-categories", shades, digit, 3, objective="regression", num_leaves=12, scores=False,
                   categories=list(range(0, 12, 2)), min_data_per_group=20, cat_smooth=1, probes=True)
    # Half of the zeros are labelled as if they were large, the other half as if they were small.
    zeros = numpy.round(iris * 2) - numpy.round(iris.mean(0) * 2)
    outcome = numpy.where(zeros[:, 0] == 0, 3, zeros[:, 0] < 0) + numpy.where(zeros[:, 1] == 0, -2, zeros[:, 1] > 0)
    train_lightgbm("lightgbm-zeros", zeros, outcome, 4, objective="regression", num_leaves=8, zero_as_missing=True,
                   min_data_in_leaf=3, scores=False, probes=True)

    tree = sklearn.tree
    ensemble = sklearn.ensemble
    train_sklearn("sklearn-tree", tree.DecisionTreeClassifier(random_state=1), iris, species.astype(int))
    train_sklearn("sklearn-forest", ensemble.RandomForestClassifier(3, max_depth=4, random_state=1), iris,
                  numpy.array(["setosa", "versicolor", "virginica"])[species.astype(int)])
    train_sklearn("sklearn-extra", ensemble.ExtraTreesRegressor(2, max_leaf_nodes=12, random_state=1), iris,
                  numpy.stack([species, iris[:, 0]], 1))
    train_sklearn("sklearn-digits", tree.DecisionTreeClassifier(max_leaf_nodes=24, random_state=1), digits,
                  digit.astype(int), scores=False)
    train_sklearn("sklearn-boosting", ensemble.GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=1),
                  iris, species.astype(int), probes=True)
    train_sklearn("sklearn-boosting-one", ensemble.GradientBoostingRegressor(n_estimators=3, max_depth=2, random_state=1),
                  iris, iris[:, 2] * species)
    train_sklearn("sklearn-outputs", tree.DecisionTreeClassifier(max_leaf_nodes=6, random_state=1), iris,
                  numpy.stack([species, iris[:, 0] > 5.8], 1).astype(int))
    train_sklearn("sklearn-missing", tree.DecisionTreeClassifier(random_state=1), missing, species.astype(int),
                  scores=False, rows=iris)


main()

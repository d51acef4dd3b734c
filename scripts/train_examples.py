"""Trains the small models of crates/sources/tests/models/ and writes the predictions of the tools that trained them.

    pip install xgboost lightgbm scikit-learn numpy
    python scripts/train_examples.py

For each model: the model as its tool saves it; `NAME.leaves.csv`, the leaf that each row of the data set reaches in each
tree; and for some `NAME.scores.csv`, raw scores (or, of scikit-learn, probabilities or means) as hexadecimal floats.
"""

import pathlib
import re

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


def train_xgboost(name, inputs, labels, rounds, scores=True, **parameters):
    data = xgboost.DMatrix(inputs, label=labels)
    booster = xgboost.train({"nthread": 1, "seed": 1, **parameters}, data, rounds)
    booster.save_model(FOLDER / f"{name}.json")
    margins = booster.predict(data, output_margin=True) if scores else None
    write(name, booster.predict(data, pred_leaf=True), margins)


def train_lightgbm(name, inputs, labels, rounds, scores=True, **parameters):
    quiet = {"verbose": -1, "num_threads": 1, "deterministic": True, "seed": 1}
    booster = lightgbm.train({**quiet, **parameters}, lightgbm.Dataset(inputs, label=labels), rounds)
    booster.save_model(FOLDER / f"{name}.txt")
    # A raw score of a random forest is the sum that it does not yet divide.
    raw = booster.predict(inputs, raw_score=parameters.get("boosting") != "rf") if scores else None
    write(name, booster.predict(inputs, pred_leaf=True), raw)


def train_sklearn(name, model, inputs, labels, scores=True):
    model.fit(inputs, labels)
    export(model, FOLDER / f"{name}.json")
    predict = getattr(model, "predict_proba", model.predict)
    write(name, model.apply(inputs), predict(inputs) if scores else None)


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

    train_lightgbm("lightgbm-multiclass", iris, species, 2, objective="multiclass", num_class=3, num_leaves=4,
                   min_data_in_leaf=5)
    train_lightgbm("lightgbm-forest", iris, species, 3, objective="regression", boosting="rf", bagging_freq=1,
                   bagging_fraction=0.5, num_leaves=5, min_data_in_leaf=3)
    train_lightgbm("lightgbm-digits", digits, digit, 1, scores=False, objective="regression", num_leaves=31)

    tree = sklearn.tree
    ensemble = sklearn.ensemble
    train_sklearn("sklearn-tree", tree.DecisionTreeClassifier(random_state=1), iris, species.astype(int))
    train_sklearn("sklearn-forest", ensemble.RandomForestClassifier(3, max_depth=4, random_state=1), iris,
                  numpy.array(["setosa", "versicolor", "virginica"])[species.astype(int)])
    train_sklearn("sklearn-extra", ensemble.ExtraTreesRegressor(2, max_leaf_nodes=12, random_state=1), iris,
                  numpy.stack([species, iris[:, 0]], 1))
    train_sklearn("sklearn-digits", tree.DecisionTreeClassifier(max_leaf_nodes=24, random_state=1), digits,
                  digit.astype(int), scores=False)


main()

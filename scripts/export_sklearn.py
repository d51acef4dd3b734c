"""Writes a fitted decision tree, forest or gradient boosting of scikit-learn as JSON that Roundproof reads.

    from export_sklearn import export
    export(model, "model.json")

or `python export_sklearn.py model.joblib model.json`, for a model that joblib stored. Loading such a file runs whatever
is in it: only do that with files of your own.

The form is written down in crates/sources/src/models/sklearn.rs. Every number is a hexadecimal float, so nothing is lost.
Of a classifier of several outputs, the fractions of the classes are written, those of each output after the other.
"""

import json
import math
import sys

KINDS = {
    "DecisionTreeClassifier": "decision-tree",
    "DecisionTreeRegressor": "decision-tree",
    "ExtraTreeClassifier": "decision-tree",
    "ExtraTreeRegressor": "decision-tree",
    "RandomForestClassifier": "random-forest",
    "RandomForestRegressor": "random-forest",
    "ExtraTreesClassifier": "random-forest",
    "ExtraTreesRegressor": "random-forest",
    "GradientBoostingClassifier": "gradient-boosting",
    "GradientBoostingRegressor": "gradient-boosting",
}


def threshold(value):
    """An infinite one parts missing values from others: finite inputs are all on one side of it."""
    value = float(value)
    if math.isnan(value):
        raise ValueError("a threshold is not a number; train the model again")
    return value.hex()


def number(value):
    value = float(value)
    if not math.isfinite(value):
        raise ValueError("a leaf or a base is not finite; train on labels that are finite and of moderate size")
    return value.hex()


def leaf_values(tree, classes):
    """A row for each node: the fractions of the classes of each output, or the means."""
    if classes is None:
        return tree.value[:, :, 0]
    rows = [[entry for output, count in zip(node, classes) for entry in output[:count]] for node in tree.value]
    leaves = [row for row, child in zip(rows, tree.children_left) if child == -1]
    if any(abs(sum(row) - len(classes)) > 1e-6 for row in leaves):
        raise ValueError("leaves hold counts, not fractions; train with scikit-learn 1.3 or later")
    return rows


def export_tree(tree, classes=None):
    values = leaf_values(tree, classes)
    leaves = [child == -1 for child in tree.children_left]

    def at_splits(column, show):
        return [None if leaf else show(entry) for leaf, entry in zip(leaves, column)]

    return {
        "column": at_splits(tree.feature, int),
        "threshold": at_splits(tree.threshold, threshold),
        "lower": at_splits(tree.children_left, int),
        "upper": at_splits(tree.children_right, int),
        "value": [[number(entry) for entry in row] if leaf else None for leaf, row in zip(leaves, values)],
    }


def boosted(model):
    """What gradient boosting adds up: where it begins, the learning rate, and its trees, stage by stage."""
    outputs = model.estimators_.shape[1]
    if type(model.init_).__name__ in ("DummyClassifier", "DummyRegressor"):
        start = model._raw_predict_init([[0.0] * model.n_features_in_])[0]
    elif model.init_ == "zero":
        start = [0.0] * outputs
    else:
        raise ValueError("gradient boosting that begins with another model (init) is not written; leave init out")
    trees = [export_tree(tree.tree_) for stage in model.estimators_ for tree in stage]
    return {"base": [number(entry) for entry in start], "scale": number(model.learning_rate), "trees": trees}


def document(model):
    name = type(model).__name__
    if name not in KINDS:
        raise ValueError(f"{name} is not written; what is: {', '.join(KINDS)}")
    result = {"schema": 1, "kind": KINDS[name], "estimator": name, "features": int(model.n_features_in_)}
    if hasattr(model, "feature_names_in_"):
        result["feature_names"] = [str(feature) for feature in model.feature_names_in_]
    classes = None
    if hasattr(model, "classes_"):
        several = isinstance(model.classes_, list)
        classes = [len(labels) for labels in model.classes_] if several else [len(model.classes_)]
        if not several:
            result["classes"] = [str(label) for label in model.classes_]
    if KINDS[name] == "gradient-boosting":
        return {**result, **boosted(model)}
    trees = [model] if KINDS[name] == "decision-tree" else model.estimators_
    result["trees"] = [export_tree(tree.tree_, classes) for tree in trees]
    return result


def export(model, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document(model), file, separators=(",", ":"), ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    import joblib

    if len(sys.argv) != 3:
        sys.exit("usage: python export_sklearn.py MODEL.joblib MODEL.json")
    export(joblib.load(sys.argv[1]), sys.argv[2])

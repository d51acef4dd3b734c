"""Writes a fitted decision tree or forest of scikit-learn as JSON that Roundproof reads.

    from export_sklearn import export
    export(model, "model.json")

or `python export_sklearn.py model.joblib model.json`, for a model that joblib stored. Loading such a file runs whatever
is in it: only do that with files of your own.

The form is written down in crates/sources/src/models/sklearn.rs. Every number is a hexadecimal float, so nothing is lost.
Gradient boosting is not written: its predictions are products that binary64 rounds.
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
}


def number(value):
    value = float(value)
    if not math.isfinite(value):
        raise ValueError("a threshold or leaf is not finite; train on data without missing values")
    return value.hex()


def export_tree(tree, classifier):
    # Classifiers have one output of as many values as classes, regressors have outputs of one value each.
    values = tree.value[:, 0, :] if classifier else tree.value[:, :, 0]
    leaves = [child == -1 for child in tree.children_left]
    if classifier and any(leaf and abs(sum(row) - 1) > 1e-6 for leaf, row in zip(leaves, values)):
        raise ValueError("leaves hold counts, not fractions; train with scikit-learn 1.3 or later")

    def at_splits(column, show):
        return [None if leaf else show(entry) for leaf, entry in zip(leaves, column)]

    return {
        "column": at_splits(tree.feature, int),
        "threshold": at_splits(tree.threshold, number),
        "lower": at_splits(tree.children_left, int),
        "upper": at_splits(tree.children_right, int),
        "value": [[number(entry) for entry in row] if leaf else None for leaf, row in zip(leaves, values)],
    }


def document(model):
    name = type(model).__name__
    if name not in KINDS:
        raise ValueError(f"{name} is not written; what is: {', '.join(KINDS)}")
    classifier = hasattr(model, "classes_")
    if classifier and not isinstance(model.n_classes_, int) and getattr(model.n_classes_, "ndim", 1) != 0:
        raise ValueError("a classifier of several outputs is not written; train one for each output")
    trees = [model] if KINDS[name] == "decision-tree" else model.estimators_
    result = {"schema": 1, "kind": KINDS[name], "estimator": name, "features": int(model.n_features_in_)}
    if hasattr(model, "feature_names_in_"):
        result["feature_names"] = [str(feature) for feature in model.feature_names_in_]
    if classifier:
        result["classes"] = [str(label) for label in model.classes_]
    result["trees"] = [export_tree(tree.tree_, classifier) for tree in trees]
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

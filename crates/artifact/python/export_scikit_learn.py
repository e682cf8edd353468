"""Export a fitted RandomForestRegressor or ExtraTreesRegressor for `spinney_artifact::ScikitLearnExport`.

`python export_scikit_learn.py MODEL OUT.json [--xform-params PARAMS]`: MODEL is a pickle or joblib file (only load files that you
trust: unpickling runs code), PARAMS the workshop's dictionary of transform parameters, as JSON, pickle or joblib. Needs
scikit-learn, in the version that the model was saved with, and joblib.
"""

import argparse
import json
import math
from pathlib import Path

import joblib
import sklearn
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

# What the workshop's script computes from two others, and how its categories are named in the dictionary.
DERIVED = {"HouseAge": ("YrSold", "YearBuilt")}
CLIPPED = {"OverallQual": (1.0, 10.0)}


def tree(estimator) -> dict:
    """Return the arrays of one tree, node by node; leaves have -1 for children."""
    nodes = estimator.tree_
    if nodes.value.shape[1:] != (1, 1):
        raise SystemExit("only forests with one target can be exported")
    # JSON has no infinity: a split that only separates missing from present values has none of it.
    thresholds = [None if math.isinf(value) else value for value in nodes.threshold.tolist()]
    return {
        "children_left": nodes.children_left.tolist(),
        "children_right": nodes.children_right.tolist(),
        "feature": nodes.feature.tolist(),
        "threshold": thresholds,
        "missing_go_to_left": [bool(left) for left in nodes.missing_go_to_left.tolist()],
        "value": nodes.value[:, 0, 0].tolist(),
        "impurity": nodes.impurity.tolist(),
        "n_node_samples": nodes.n_node_samples.tolist(),
        "weighted_n_node_samples": nodes.weighted_n_node_samples.tolist(),
    }


def transform_params(xform: dict) -> dict:
    """Return the workshop's dictionary in the form of spinney-preprocess."""
    features = xform["final_columns"]
    blocks = {
        column: [name.removeprefix(f"{column}_") for name in features if name.startswith(f"{column}_")]
        for column in xform["categorical_cols"]
    }
    encoded = {f"{column}_{category}" for column, categories in blocks.items() for category in categories}
    plain = [name for name in features if name not in encoded and name not in DERIVED]
    kind = lambda name: "categorical" if name == "ExterQual" or name in blocks else "numeric"
    mapping = xform["exterqual_mapping"]
    steps = [
        {"step": "difference", "output": output, "minuend": minuend, "subtrahend": subtrahend}
        for output, (minuend, subtrahend) in DERIVED.items()
    ]
    steps += [{"step": "clip", "column": name, "min": low, "max": high} for name, (low, high) in CLIPPED.items()]
    steps += [
        {"step": "impute", "column": "LotFrontage", "strategy": "mean", "value": xform["lotfrontage_mean"]},
        {"step": "impute", "column": "MasVnrType", "strategy": "most_frequent", "value": xform["masvnrtype_mode"]},
        {
            "step": "ordinal",
            "column": "ExterQual",
            "mapping": [{"category": word, "value": float(value)} for word, value in mapping.items()],
            "missing": float(mapping[xform["exterqual_na"]]),
        },
    ]
    steps += [
        {"step": "one_hot", "column": column, "categories": categories, "unseen": "zero"}
        for column, categories in blocks.items()
    ]
    return {
        "version": 1,
        "input": {
            "columns": [{"name": name, "kind": kind(name)} for name in plain + list(blocks)],
            "target": "SalePrice",
            "missing_tokens": ["", "NA", "NaN", "None", "nan", "null"],
        },
        "steps": steps,
        "features": features,
        "trained_with_missing": [],
    }


def export(model: RandomForestRegressor | ExtraTreesRegressor, xform: dict | None) -> dict:
    names = getattr(model, "feature_names_in_", None)
    return {
        "format": "spinney scikit-learn export",
        "version": 1,
        "scikit_learn": sklearn.__version__,
        "estimator": type(model).__name__,
        "parameters": {name: str(value) for name, value in model.get_params().items()},
        "n_features": int(model.n_features_in_),
        "feature_names": None if names is None else [str(name) for name in names],
        "transform_params": None if xform is None else transform_params(xform),
        "trees": [tree(estimator) for estimator in model.estimators_],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--xform-params", type=Path)
    args = parser.parse_args()
    model = joblib.load(args.model)
    if not isinstance(model, (RandomForestRegressor, ExtraTreesRegressor)):
        raise SystemExit(f"{type(model).__name__} is neither RandomForestRegressor nor ExtraTreesRegressor")
    xform = None
    if args.xform_params is not None:
        is_json = args.xform_params.suffix == ".json"
        xform = json.loads(args.xform_params.read_text()) if is_json else joblib.load(args.xform_params)
    args.out.write_text(json.dumps(export(model, xform), allow_nan=False))


if __name__ == "__main__":
    main()

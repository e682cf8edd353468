"""Fit what a test asks for with scikit-learn, and answer with hashes of forests and predictions.

Called as `scikit_learn.py FOLDER` with `fixtures` on the path: FOLDER/cases.json lists cases, each with the shape of its
data in FOLDER/{number}_x.bin (float32), FOLDER/{number}_y.bin (float64) and, if it is weighted, FOLDER/{number}_w.bin;
answers go to FOLDER/answers.json.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from expected.canonical import f64_bytes, forest_bytes, sha256


def answer(folder: Path, number: int, case: dict) -> dict[str, str]:
    x = np.fromfile(folder / f"{number}_x.bin", dtype="<f4").reshape(case["shape"])
    y = np.fromfile(folder / f"{number}_y.bin", dtype="<f8")
    weight = np.fromfile(folder / f"{number}_w.bin", dtype="<f8") if case["weighted"] else None
    estimator = ExtraTreesRegressor if case["extra_trees"] else RandomForestRegressor
    forest = estimator(**case["params"]).fit(x, y, sample_weight=weight)
    # Where no split decreased impurity it divides 0 by 0; we say 0.
    importances = np.nan_to_num(forest.feature_importances_)
    return {
        "forest": sha256(forest_bytes(forest)),
        "prediction": sha256(f64_bytes(forest.predict(x))),
        "importances": sha256(f64_bytes(importances)),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    cases = json.loads((folder / "cases.json").read_text())
    answers = [answer(folder, number, case) for number, case in enumerate(cases)]
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()

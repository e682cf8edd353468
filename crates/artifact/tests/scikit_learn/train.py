"""Fit models as the workshop does and save them: pickles, and what they predict, with and without missing values.

Called as `train.py FOLDER FIXTURES`.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor


def main() -> None:
    folder, fixtures = Path(sys.argv[1]), Path(sys.argv[2])
    workshop = fixtures / "expected" / "workshop"
    names = json.loads((workshop / "workshop.json").read_text())["feature_names"]

    def features(name: str) -> pd.DataFrame:
        return pd.DataFrame(np.fromfile(workshop / name, dtype="<f4").reshape(-1, len(names)), columns=names)

    x_train, x_test = features("ames_X_train_2344x48_f32le.bin"), features("ames_X_test_586x48_f32le.bin")
    y_train = np.fromfile(workshop / "ames_y_train_2344_f64le.bin", dtype="<f8")
    gaps = np.random.RandomState(0).random_sample(x_test.shape) < 0.2
    models = {
        "forest": RandomForestRegressor(random_state=42),
        "best_first": RandomForestRegressor(20, max_leaf_nodes=50, random_state=1),
        "extra_trees": ExtraTreesRegressor(20, random_state=2),
    }
    for name, model in models.items():
        model.fit(x_train, y_train)
        joblib.dump(model, folder / f"{name}.joblib")
        model.predict(x_test).astype("<f8").tofile(folder / f"{name}.predictions")
        model.predict(x_test.mask(gaps)).astype("<f8").tofile(folder / f"{name}.predictions_with_gaps")
    x_test.mask(gaps).to_numpy("<f4").tofile(folder / "x_with_gaps")


if __name__ == "__main__":
    main()

"""The model and the requests that servers are measured with, for all of them alike: made anew by every run, in seconds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "fixtures"))
from expected.workshop.make_workshop import RAW_COLUMNS, Learned, features  # noqa: E402

N_ROWS = 10_000
MOVED = ["LotFrontage", "GrLivArea", "GarageArea"]


class Model:
    """The workshop's forest as every server loads it, in one folder, and what it predicts for `rows`."""

    def __init__(self, folder: Path, binaries: Path, with_onnx: bool) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.models, self.bundle = folder / "models", folder / "ames.bundle"
        ames = self.models / "ames"
        ames.mkdir(parents=True)
        shutil.copy(ROOT / "fixtures/scoring/xform_params.json", ames)
        subprocess.run([binaries / "ames-pipeline", "run", "--bundle", self.bundle], check=True, stdout=subprocess.DEVNULL)

        houses = pd.read_csv(ROOT / "fixtures/AmesHousing.csv")
        train, test, y, _ = train_test_split(houses[RAW_COLUMNS], houses["SalePrice"], test_size=0.2, random_state=123)
        learned = Learned.from_rows(train)
        x = features(train, learned)
        forest = RandomForestRegressor(n_estimators=100, random_state=42, n_jobs=-1).fit(x, y)
        forest.n_jobs = None
        joblib.dump(forest, ames / "model.pkl")
        if with_onnx:
            save_onnx(forest, len(x.columns), ames / "model.onnx")

        table = varied(test)
        x = features(table, learned).reindex(columns=x.columns, fill_value=0)
        self.predictions: list[float] = forest.predict(x).tolist()
        self.rows: list[dict] = json.loads(table.to_json(orient="records"))

    def body(self, first: int, n_rows: int) -> str:
        """A request with these rows, from the start again after the last."""
        rows = (self.rows[i % N_ROWS] for i in range(first, first + n_rows))
        return json.dumps({"data": list(rows)})


def varied(test: pd.DataFrame) -> pd.DataFrame:
    """Hold-out rows over and over, areas and fronts moved by up to 5 %, no two rows alike."""
    rng = np.random.default_rng(1)
    table = pd.concat([test] * (2 * N_ROWS // len(test) + 1), ignore_index=True)
    for column in MOVED:
        moved = table[column] * (1 + rng.uniform(-0.05, 0.05, len(table)))
        table[column] = moved.round(1) if column == "LotFrontage" else moved.round()
    table["GrLivArea"] = table["GrLivArea"].astype(int)
    table = table.drop_duplicates(ignore_index=True)
    assert len(table) >= N_ROWS, "too many rows are alike"
    return table[:N_ROWS]


def save_onnx(forest: RandomForestRegressor, n_features: int, path: Path) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = to_onnx(forest, initial_types=[("x", FloatTensorType([None, n_features]))])
    path.write_bytes(model.SerializeToString())

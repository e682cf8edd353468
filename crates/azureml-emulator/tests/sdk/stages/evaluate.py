"""Says how well the line goes through rows that it has not seen."""

import argparse
import csv
import json
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ["model_path", "X", "y", "metrics"]:
    parser.add_argument(f"--{name}", required=True)
args = parser.parse_args()


def column(path, name):
    with open(path, newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


model = json.loads((Path(args.model_path) / "model.json").read_text())
predicted = [model["intercept"] + model["slope"] * value for value in column(args.X, "area")]
actual = column(args.y, "price")
mean = sum(actual) / len(actual)
unexplained = sum((a - p) ** 2 for a, p in zip(actual, predicted))
r2 = 1 - unexplained / sum((a - mean) ** 2 for a in actual)
Path(args.metrics).write_text(json.dumps({"r2": r2, "rows": len(actual)}))
print(f"r2 {r2:.6f}")

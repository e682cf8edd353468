"""Fits a straight line, and writes it with the parameters of the preparation into the model's folder."""

import argparse
import csv
import json
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ["X", "y", "xform_params", "model_path"]:
    parser.add_argument(f"--{name}", required=True)
args = parser.parse_args()


def column(path, name):
    with open(path, newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


X, y = column(args.X, "area"), column(args.y, "price")
mean = sum(y) / len(y)
slope = sum(a * (b - mean) for a, b in zip(X, y)) / sum(a * a for a in X)
params = json.loads(Path(args.xform_params).read_text())
model = {"slope": slope, "intercept": mean, "params": params}
(Path(args.model_path) / "model.json").write_text(json.dumps(model))
print(f"slope {slope:.3f}")

"""Time the training of one forest beside its peers, and print a table for each data set.

`python training.py FOLDER BINARIES [--rounds 3] [--data ames ...] [--only scikit_learn ...]`: FOLDER holds data, BINARIES the
Rust programs. Every fit runs in a process of its own, on one thread, and counts CPU seconds of the fit alone; rounds are
interleaved, so that all programs see the same neighbours. Run it by `cargo xtask bench training`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data import DATA, load

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
TREES = {"ames": 100, "ames_log": 100, "friedman": 20, "friedman_large": 10}
# What is measured on data that would take the others too long.
LARGE = {"friedman_large": ["scikit_learn", "scikit_learn_intelex", "spinney", "spinney_fast", "smartcore"]}
Predict = Callable[[np.ndarray], np.ndarray]


def scikit_learn(x: np.ndarray, y: np.ndarray, n_trees: int) -> Predict:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_trees, random_state=42, n_jobs=1).fit(x, y).predict


def scikit_learn_intelex(x: np.ndarray, y: np.ndarray, n_trees: int) -> Predict:
    from sklearnex.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_trees, random_state=42, n_jobs=1).fit(x, y).predict


def ydf(x: np.ndarray, y: np.ndarray, n_trees: int) -> Predict:
    import ydf as library

    columns = lambda x: {f"f{i}": x[:, i] for i in range(x.shape[1])}
    learner = library.RandomForestLearner(
        label="y",
        task=library.Task.REGRESSION,
        num_trees=n_trees,
        num_threads=1,
        max_depth=-1,
        min_examples=1,
        num_candidate_attributes_ratio=1.0,
        compute_oob_performances=False,
        random_seed=42,
    )
    library.verbose(0)
    return lambda rows, model=learner.train(columns(x) | {"y": y}): model.predict(columns(rows))


def lightgbm(x: np.ndarray, y: np.ndarray, n_trees: int) -> Predict:
    import lightgbm as library

    options = {"boosting_type": "rf", "subsample": 0.632, "subsample_freq": 1, "num_leaves": 4096, "min_child_samples": 1}
    return library.LGBMRegressor(n_estimators=n_trees, n_jobs=1, random_state=42, verbose=-1, **options).fit(x, y).predict


def xgboost(x: np.ndarray, y: np.ndarray, n_trees: int) -> Predict:
    import xgboost as library

    options = {"max_depth": 0, "subsample": 0.632, "colsample_bynode": 1.0, "reg_lambda": 0.0, "min_child_weight": 0.0}
    return library.XGBRFRegressor(n_estimators=n_trees, n_jobs=1, random_state=42, **options).fit(x, y).predict


def biosphere(x: np.ndarray, y: np.ndarray, n_trees: int) -> Predict:
    import biosphere as library

    forest = library.RandomForest(
        n_estimators=n_trees, max_depth=None, max_features=None, min_samples_leaf=1, min_samples_split=2, random_state=42, n_jobs=1
    )
    forest.fit(x.astype("f8"), y)
    return lambda rows: forest.predict(rows.astype("f8"))


PEERS = [scikit_learn, scikit_learn_intelex, ydf, lightgbm, xgboost, biosphere]
RUST = ["spinney", "spinney_fast", "smartcore"]
RANGER = "ranger"
ALL = [peer.__name__ for peer in PEERS] + RUST + [RANGER]
NOTES = """Same number of trees, all features at every split, unlimited depth, one row a leaf. Differences in meaning: lightgbm and
xgboost bin features (255 and 256 bins) and sample 63.2 % of the rows without replacement; lightgbm has at most 4,096 leaves;
smartcore, ranger and biosphere draw other bootstraps. spinney is scikit-learn's forest bit for bit, spinney_fast where targets are
whole. R² is of rows held out."""


def measure(name: str, data: dict[str, np.ndarray], n_trees: int) -> dict[str, float]:
    """Fit one Python peer here and now."""
    fit = {peer.__name__: peer for peer in PEERS}[name]
    fit(data["x"][:20], data["y"][:20], 1)
    start = time.process_time()
    predict = fit(data["x"], data["y"], n_trees)
    seconds = time.process_time() - start
    return {"seconds": seconds, "r2": r2(data["y_test"], predict(data["x_test"]))}


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float(1 - np.sum((truth - predicted) ** 2) / np.sum((truth - truth.mean()) ** 2))


def run(program: str, data: str, folder: Path, binaries: Path) -> dict[str, float]:
    """Fit in a process of its own."""
    if program in RUST:
        command = [str(binaries / "fit"), program, str(folder), data, str(TREES[data])]
    elif program == RANGER:
        command = ["Rscript", str(Path(__file__).with_name("ranger.R")), str(folder), data, str(TREES[data])]
    else:
        command = [sys.executable, __file__, str(folder), str(binaries), "--worker", program, "--data", data]
    output = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def has_ranger() -> bool:
    """It comes from the operating system, if at all."""
    command = ["Rscript", "-e", "library(ranger)"]
    return shutil.which("Rscript") is not None and subprocess.run(command, capture_output=True).returncode == 0


def programs_for(data: str, only: list[str]) -> list[str]:
    programs = [program for program in ALL if not only or program in only]
    if RANGER in programs and not has_ranger():
        programs.remove(RANGER)
    return [program for program in programs if data not in LARGE or program in LARGE[data]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--only", nargs="+", choices=ALL, default=[])
    parser.add_argument("--worker")
    args = parser.parse_args()
    if args.worker:
        name = args.data[0]
        print(json.dumps(measure(args.worker, load(name, args.folder), TREES[name])))
        return
    for name in args.data:
        programs = programs_for(name, args.only)
        if not programs:
            print(f"\n{name}: no program to measure")
            continue
        rows, columns = load(name, args.folder)["x"].shape
        print(f"\n### {name}: {rows} x {columns}, {TREES[name]} trees, 1 thread, {args.rounds} rounds\n")
        print(f"| program | CPU s, minimum | median | times {programs[0]} | R² |\n|---|---|---|---|---|")
        found: dict[str, list[dict[str, float]]] = {program: [] for program in programs}
        for _ in range(args.rounds):
            for program in programs:
                found[program].append(run(program, name, args.folder, args.binaries))
        base = min(result["seconds"] for result in found[programs[0]])
        for program, results in found.items():
            seconds = [result["seconds"] for result in results]
            print(
                f"| {program} | {min(seconds):.3f} | {statistics.median(seconds):.3f} "
                f"| {base / min(seconds):.2f} | {results[0]['r2']:.4f} |",
                flush=True,
            )
    print(f"\n{NOTES}")


if __name__ == "__main__":
    main()

"""Time Spinney's fit beside scikit-learn's: CPU seconds on one thread, taken in turn, and whether the forests are equal.

    cargo build --release -p benches
    PYTHONPATH=fixtures python benches/peers/train.py target/release/fit [--repeats 5] [--only NAME]

Needs what fixtures/requirements.txt lists. Reading, writing and predicting are not timed.
"""

import os

# Before numpy is loaded.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from expected.canonical import forest_bytes
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor

RECORDED = Path(__file__).parents[2] / "fixtures/expected/workshop"


def ames(change=lambda y: y):
    def part(name, rows):
        x = np.fromfile(RECORDED / f"ames_X_{name}_{rows}x48_f32le.bin", "<f4").reshape(rows, 48)
        return x, change(np.fromfile(RECORDED / f"ames_y_{name}_{rows}_f64le.bin", "<f8"))

    return *part("train", 2344), *part("test", 586)


def friedman(n_rows, change=lambda y: y):
    x, y = make_friedman1(n_rows + 2000, 20, noise=1.0, random_state=0)
    x, y = x.astype(np.float32), change(y)
    return x[:n_rows], y[:n_rows], x[n_rows:], y[n_rows:]


def thousandths(y):
    return np.round(1000 * y)


CASES = {
    "ames": ("Ames, whole prices", ames, 100),
    "friedman": ("Friedman #1, rounded to 1/1000", lambda: friedman(20_000, thousandths), 100),
    "friedman-large": ("Friedman #1, rounded to 1/1000", lambda: friedman(200_000, thousandths), 10),
    "ames-log": ("Ames, log prices", lambda: ames(np.log), 100),
    "friedman-real": ("Friedman #1", lambda: friedman(20_000), 10),
}


def measure(program, repeats, data, n_trees):
    x, y, x_test, y_test = data
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        command = [program, "--x", folder / "x.npy", "--y", folder / "y.npy"]
        command += ["--n-estimators", str(n_trees), "--dump", folder / "forest.bin"]
        for _ in range(repeats):
            ours.append(float(subprocess.run(command, check=True, capture_output=True).stdout))
            forest = RandomForestRegressor(n_trees, random_state=42, n_jobs=1)
            start = time.process_time()
            forest.fit(x, y)
            theirs.append(time.process_time() - start)
        equal = (folder / "forest.bin").read_bytes() == forest_bytes(forest)
    return ours, theirs, equal, forest.score(x_test, y_test)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=CASES, action="append")
    args = parser.parse_args()

    print("CPU seconds, 1 thread: minimum / median of", args.repeats)
    print("| data | rows x features | trees | Spinney | scikit-learn | ratio of medians | R² on test rows | same bytes |")
    print("|---|---|---|---|---|---|---|---|")
    for name in args.only or CASES:
        title, load, n_trees = CASES[name]
        data = load()
        ours, theirs, equal, r2 = measure(args.program, args.repeats, data, n_trees)
        rows, columns = data[0].shape
        seconds = [f"{min(s):.3f} / {statistics.median(s):.3f}" for s in (ours, theirs)]
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(
            f"| {title} | {rows:,} x {columns} | {n_trees} | {seconds[0]} | {seconds[1]} "
            f"| {ratio:.1f} | {r2:.5f} | {'yes' if equal else 'no'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

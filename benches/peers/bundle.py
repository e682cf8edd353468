"""A bundle beside the pickle it replaces: bytes, and milliseconds to save, load and look into it.

    cargo xtask bench bundle                 # the Ames forest: 100 trees
    cargo xtask bench bundle --trees 10000   # a hundred times as large

Both fit the same forest on the same data. Repetitions of every program are taken in turn; files are in the page cache. What loading
reads is checked by the bundle (hashes, then every node), and not by pickle or joblib.
"""

import argparse
import io
import pickle
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import joblib
from sklearn.ensemble import RandomForestRegressor

from data import load


class Spinney:
    def __init__(self, program: Path, folder: Path, n_trees: int) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([program, folder, str(n_trees)], text=True, **pipes)
        self.bytes, self.nodes = map(int, self.process.stdout.readline().split()[1:])

    def time(self, task: str) -> float:
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def milliseconds(task) -> float:
    start = time.perf_counter()
    task()
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where data is kept")
    parser.add_argument("binaries", type=Path, help="where the Rust programs are")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repetitions", type=int, default=15)
    args = parser.parse_args()
    data = load("ames", args.folder)
    forest = RandomForestRegressor(args.trees, random_state=42, n_jobs=-1).fit(data["x"], data["y"])
    ours = Spinney(args.binaries / "bundles", args.folder, args.trees)
    print(f"{ours.nodes:,} nodes; bundle {ours.bytes:,} bytes", end="")

    with tempfile.TemporaryDirectory() as folder:
        pickled, dumped = Path(folder) / "forest.pkl", Path(folder) / "forest.joblib"

        def save_pickle() -> None:
            with pickled.open("wb") as file:
                pickle.dump(forest, file)

        tasks = {
            ("save", "pickle"): lambda: milliseconds(save_pickle),
            ("save", "joblib"): lambda: milliseconds(lambda: joblib.dump(forest, dumped)),
            ("save", "Spinney, flushed to the disk"): lambda: ours.time("save"),
            ("load", "pickle"): lambda: milliseconds(lambda: pickle.load(io.BytesIO(pickled.read_bytes()))),
            ("load", "joblib"): lambda: milliseconds(lambda: joblib.load(dumped)),
            ("load", "Spinney, all checks"): lambda: ours.time("load"),
            ("load", "Spinney, then all nodes"): lambda: ours.time("load+nodes"),
            ("load", "reading and hashing the bundle"): lambda: ours.time("read+hash"),
            ("look into", "Spinney, header only"): lambda: ours.time("inspect"),
        }
        times: dict[tuple[str, str], list[float]] = {task: [] for task in tasks}
        for _ in range(args.repetitions):
            for task, run in tasks.items():
                times[task].append(run())
        print(f", pickle {pickled.stat().st_size:,}, joblib {dumped.stat().st_size:,}\n")

    print(f"milliseconds, {args.repetitions} repetitions in turn\n")
    print("| task | program | min | median | ratio of medians |\n|---|---|---|---|---|")
    ours_of = {"save": "Spinney, flushed to the disk", "load": "Spinney, all checks", "look into": "Spinney, header only"}
    for (task, program), taken in times.items():
        base = statistics.median(times[task, ours_of[task]])
        median = statistics.median(taken)
        print(f"| {task} | {program} | {min(taken):.2f} | {median:.2f} | {median / base:.1f} |")


if __name__ == "__main__":
    main()

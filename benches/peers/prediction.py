"""Prediction by scikit-learn and by Spinney in one run, a repetition of each in turn, one thread each.

    cargo xtask bench prediction           # the Ames forest: 100 trees, 286,572 nodes, 48 features
    cargo xtask bench prediction --large   # 500 trees, 10 million nodes, 20 features

Both fit the same forest, and their predictions are compared bit for bit before anything is timed. Rows are distinct: training rows
whose cells are drawn from their columns, some moved a little or left out. Before each repetition each side has as much to do, not
timed, so that its memory is in the cache again; the last line is what a call takes when it is not. onnxruntime computes in f32, so
its answers are not compared; neither it nor treelite takes part in the large forest.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"], "1"))

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestRegressor

ROOT = Path(__file__).resolve().parents[2]
N_ROWS = 10_000


def ames(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    workshop = ROOT / "fixtures/expected/workshop"
    x = np.fromfile(workshop / "ames_X_train_2344x48_f32le.bin", dtype="<f4").reshape(-1, 48)
    y = np.fromfile(workshop / "ames_y_train_2344_f64le.bin", dtype="<f8")
    rows = np.stack([rng.choice(column, N_ROWS) for column in x.T], axis=1)
    moved = rng.random(rows.shape) < 0.25
    rows[moved] *= (1 + 0.01 * rng.standard_normal(moved.sum())).astype(np.float32)
    rows[rng.random(rows.shape) < 0.01] = np.nan
    return x, y, rows, {"n_estimators": 100, "max_features": 1.0}


def large(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    x, rows = (rng.random((n, 20), dtype=np.float32) for n in (15_900, N_ROWS))
    y = 10 * x[:, 0] + 5 * x[:, 1] ** 2 + x[:, 2] * x[:, 3] + rng.standard_normal(len(x))
    return x, y, rows, {"n_estimators": 500, "max_features": 4}


class Spinney:
    def __init__(self, program: Path, folder: str, n_features: int, params: dict) -> None:
        args = [folder, n_features, params["n_estimators"], params["max_features"]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([program, *map(str, args)], text=True, **pipes)
        compiling, memory, nodes = self.process.stdout.readline().split()[1:]
        print(f"{int(nodes):,} nodes, compiled in {float(compiling):.1f} ms to {int(memory):,} bytes")

    def time(self, what: str, *rows: int) -> float:
        self.process.stdin.write(" ".join([what, *map(str, rows)]) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline()) / 1e3


def microseconds_per_row(predict, rows: np.ndarray, step: int) -> float:
    start = time.perf_counter()
    for first in range(0, len(rows), step):
        predict(rows[first : first + step])
    return (time.perf_counter() - start) * 1e6 / len(rows)


def treelite(forest: RandomForestRegressor):
    import treelite as library

    model = library.sklearn.import_model(forest)
    return lambda rows: library.gtil.predict(model, rows, nthread=1)


def onnx(forest: RandomForestRegressor, n_features: int):
    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = to_onnx(forest, initial_types=[("x", FloatTensorType([None, n_features]))])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return lambda rows: session.run(None, {"x": rows})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="for data that is kept; there is none")
    parser.add_argument("binaries", type=Path, help="where the Rust programs are")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--repetitions", type=int, default=15)
    args = parser.parse_args()
    x, y, rows, params = (large if args.large else ames)(np.random.default_rng(1))
    forest = RandomForestRegressor(**params, random_state=42, n_jobs=-1).fit(x, y)
    forest.n_jobs = 1

    with tempfile.TemporaryDirectory() as folder:
        for name, values in [("x", x), ("y", y), ("rows", rows)]:
            values.tofile(Path(folder) / f"{name}.bin")
        ours = Spinney(args.binaries / "predict", folder, x.shape[1], params)
        predictions = np.fromfile(Path(folder) / "ours.bin")
    assert predictions.tobytes() == forest.predict(rows).tobytes(), "the predictions differ"
    peers = {f"scikit-learn {sklearn.__version__}": forest.predict}
    if not args.large:
        peers |= {"onnxruntime": onnx(forest, x.shape[1]), "treelite": treelite(forest)}

    # Rows of a call, calls of a repetition by the peers and by us.
    sizes = [(1, 20, 1000), (100, 5, 20), (N_ROWS, 1, 1)]
    times: dict[tuple[int, str], list[float]] = {}
    for repetition in range(args.repetitions):
        for size, n_peer, n_ours in sizes:
            first = repetition * size * n_peer % N_ROWS
            for name, predict in peers.items():
                some = rows[first : first + size * n_peer]
                microseconds_per_row(predict, some, size)
                taken = microseconds_per_row(predict, some, size)
                times.setdefault((size, name), []).append(taken)
            if size == 1:
                first = repetition * n_ours % N_ROWS
                calls = [("single", first, first + n_ours)]
            else:
                firsts = [(repetition * n_ours + i) * size % N_ROWS for i in range(n_ours)]
                calls = [("batch", first, first + size) for first in firsts]
            _, taken = ([ours.time(*call) for call in calls] for _ in range(2))
            times.setdefault((size, "Spinney"), []).append(statistics.mean(taken))
        reference = ours.time("reference", 0, N_ROWS)
        times.setdefault((N_ROWS, "Spinney, not compiled"), []).append(reference)
    cold = [ours.time("cold", row) for row in range(300)]

    print(f"\nmicroseconds per row, one thread, {args.repetitions} repetitions in turn\n")
    print(f"| {'rows':>6} | {'':22} | {'min':>9} | {'median':>9} | {'ratio of medians':>16} |")
    print(f"|{'-' * 7}:|{'-' * 24}|{'-' * 10}:|{'-' * 10}:|{'-' * 17}:|")
    for (size, name), taken in sorted(times.items()):
        median = statistics.median(taken)
        ratio = median / statistics.median(times[size, "Spinney"])
        print(f"| {size:6} | {name:22} | {min(taken):9.2f} | {median:9.2f} | {ratio:16.1f} |")
    print(f"\na row after 4 MB of other memory: median {statistics.median(cold):.2f}, min {min(cold):.2f}")


if __name__ == "__main__":
    main()

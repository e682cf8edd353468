"""Scoring of parquet files by spinney-scale and by scikit-learn over pandas chunks, in turn, each run a process of its own.

    cargo xtask bench scale                        # 1,000,000 rows in 8 files, three rounds
    cargo xtask bench scale --rows 5000000 --rounds 1

Both do the whole of it: parquet in, gaps filled and words encoded, 100 trees, parquet out with all columns and a prediction. The
forest is fitted by each itself, of the same rows, and is the same one: predictions are compared bit for bit.
"""

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 100_000
WORDS = ["style", "street"]


def encoded(frame: pd.DataFrame, medians: pd.Series) -> pd.DataFrame:
    return pd.get_dummies(frame[["year", "Area", *WORDS]].fillna(medians), columns=WORDS)


def score(folder: Path, n_jobs: int) -> None:
    from sklearn.ensemble import RandomForestRegressor

    train = pd.read_csv(folder / "train.csv", skipinitialspace=True)
    medians = train[["Area"]].median()
    x = encoded(train, medians)
    forest = RandomForestRegressor(100, random_state=7, n_jobs=n_jobs).fit(x.to_numpy("f4"), train["price"])
    out = folder / "pandas"
    out.mkdir(exist_ok=True)
    n_rows, start = 0, time.perf_counter()
    for file in sorted((folder / "in").iterdir()):
        writer = None
        for batch in pq.ParquetFile(file).iter_batches(CHUNK):
            frame = batch.to_pandas()
            rows = encoded(frame, medians).reindex(columns=x.columns, fill_value=0)
            frame["prediction"] = forest.predict(rows.to_numpy("f4"))
            table = pa.Table.from_pandas(frame, preserve_index=False)
            writer = writer or pq.ParquetWriter(out / file.name, table.schema)
            writer.write_table(table)
            n_rows += len(frame)
        writer.close()
    rate = n_rows / (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{rate:.0f} rows/s, peak memory {peak} kB")


def predictions(folder: Path) -> np.ndarray:
    columns = [pq.read_table(file, columns=["id", "prediction"]).to_pandas() for file in sorted(folder.glob("*.parquet"))]
    return pd.concat(columns).sort_values("id")["prediction"].to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="for data that is kept; there is none")
    parser.add_argument("program", type=Path, help="the example `throughput`")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    args.folder = args.folder.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        subprocess.run([args.program, "prepare", folder, str(args.rows)], check=True)
        ours = lambda n: [args.program, "run", folder, str(n)]
        pandas = lambda n: [sys.executable, __file__, "--score", folder, str(n)]
        programs = {
            "spinney-scale, one file at a time": ours(1),
            "spinney-scale, two files at a time": ours(2),
            # The order in which threads add trees up is not fixed: what is compared comes from one thread, the last to write.
            "scikit-learn over pandas chunks, n_jobs=2": pandas(2),
            "scikit-learn over pandas chunks, n_jobs=1": pandas(1),
        }
        rates: dict[str, list[float]] = {name: [] for name in programs}
        peaks: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(args.rounds):
            for name, command in programs.items():
                said = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
                rate, peak = re.search(r"(\d+) rows/s, peak memory (\d+) kB", said).groups()
                rates[name].append(float(rate))
                peaks[name].append(float(peak) / 1024)
        a, b = (predictions(Path(folder) / made) for made in ["spinney", "pandas"])
        assert len(a) == args.rows and a.tobytes() == b.tobytes(), "the predictions differ"
    print(f"{args.rows:,} rows in 8 files, {args.rounds} rounds in turn; the same predictions, bit for bit\n")
    print("| program | rows/s, most | median | ratio of medians | peak memory, MiB |\n|---|---|---|---|---|")
    base = statistics.median(rates["scikit-learn over pandas chunks, n_jobs=1"])
    for name, taken in rates.items():
        median = statistics.median(taken)
        print(f"| {name} | {max(taken):,.0f} | {median:,.0f} | {median / base:.1f} | {max(peaks[name]):.0f} |")


if __name__ == "__main__":
    if sys.argv[1] == "--score":
        score(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()

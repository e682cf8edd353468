"""Our HTTP runtime beside its peers, all of them serving the workshop's forest on one machine in one run.

    cargo xtask bench serving                                    # everything; some minutes
    cargo xtask bench serving --only spinney constant --rounds 5 # ours beside a server that does nothing

What counts is CPU time of the server's processes per request, by the kernel's clock: it depends less on neighbours than latency, and
the sender of requests takes a core itself. Rounds take every server in turn. Answers are compared with scikit-learn's before anything
is measured: ours bit for bit, onnxruntime's to a millionth, since it computes in f32.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from server_process import Server
from serving_model import N_ROWS, Model

APPS = Path(__file__).with_name("serving_apps")
# It listens on all addresses and has no option for that.
AZUREML = "from azureml_inference_server_http import amlserver; amlserver.DEFAULT_HOST = '127.0.0.1'; amlserver.run()"


@dataclass(frozen=True)
class Program:
    label: str
    command: list[str | Path]
    environment: dict[str, str]
    # Largest relative difference from scikit-learn's predictions; None for what predicts nothing.
    tolerance: float | None = 0.0
    # The constant server has a route for each size of answers.
    path: str = "/score"


@dataclass(frozen=True)
class Case:
    n_rows: int
    n_connections: int

    def __str__(self) -> str:
        rows = f"{self.n_rows:,} row{'s' * (self.n_rows > 1)} a request"
        return f"{rows}, {self.n_connections} connection{'s' * (self.n_connections > 1)}"


CASES = [Case(1, 8), Case(1, 1), Case(1, 64), Case(100, 1), Case(N_ROWS, 1)]
CPU = "CPU ms a request"
# What was measured: for each program, by its label, a value of each name for each repetition.
Found = dict[str, list[dict[str, float]]]
# Distinct bodies of each size.
BODIES = {1: N_ROWS, 100: 100, N_ROWS: 4}


def programs(model: Model, binaries: Path) -> dict[str, Program]:
    python = [sys.executable, "-m"]
    ours = [binaries / "serve-bundle", model.bundle, "--port", "PORT", "--answer-style"]
    models = {"AZUREML_MODEL_DIR": str(model.models)}
    uvicorn = ["uvicorn", "fastapi_onnx:app", "--app-dir", APPS, "--port", "PORT", "--no-access-log", "--log-level", "warning"]
    azureml = ["--entry_script", APPS / "score.py", "--port", "PORT"]
    return {
        "spinney": Program("Spinney", [*ours, "list"], {}),
        "spinney_native": Program("Spinney, native answers", [*ours, "native"], {}),
        "constant": Program("axum, constant answer", [binaries / "constant_server", "127.0.0.1:PORT"], {}, None, "/score/{}"),
        "fastapi": Program("FastAPI, onnxruntime", [*python, *uvicorn], models, 1e-6),
        "azureml": Program("Azure ML inference server, scikit-learn", [sys.executable, "-c", AZUREML, *azureml], models),
    }


def compare(server: Server, program: Program, model: Model) -> None:
    """Fails if an answer is not what scikit-learn predicts."""
    for first, n_rows in [(0, N_ROWS), *((i, 1) for i in range(20))]:
        status, answer = server.ask("POST", program.path.format(n_rows), model.body(first, n_rows))
        assert status == 200, f"{program.label}: {status} {answer[:200]!r}"
        answer = json.loads(answer)
        found = np.array(answer["predictions"] if isinstance(answer, dict) else answer)
        expected = np.array(model.predictions[first : first + n_rows])
        assert len(found) == n_rows, f"{program.label}: {len(found)} predictions for {n_rows} rows"
        if program.tolerance is not None:
            distance = np.max(np.abs(found - expected) / expected)
            assert distance <= program.tolerance, f"{program.label}: predictions are {distance} off"


def load(args: argparse.Namespace, server: Server, program: Program, case: Case, seconds: float) -> dict[str, float]:
    """Sends requests for so long, and returns what they took; a single error ends the run."""
    bodies = args.folder / f"{case.n_rows}.jsonl"
    command = [args.binaries / "load", f"127.0.0.1:{server.port}", program.path.format(case.n_rows), bodies]
    command += ["--connections", str(case.n_connections), "--seconds", str(seconds)]
    before = server.cpu_seconds()
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    spent = server.cpu_seconds() - before
    assert found["errors"] == 0 and found["requests"] > 0, f"{program.label}, {case}: {found}"
    return {
        CPU: spent * 1e3 / found["requests"],
        "requests/s": found["per_second"],
        "p50 ms": found["p50_ms"],
        "p99 ms": found["p99_ms"],
    }


def neighbours_seconds(servers: list[Server]) -> float:
    """CPU time that was taken from us: by all other processes of the machine, and by its host."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    everything = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return everything - sum(os.times()[:4]) - sum(server.cpu_seconds() for server in servers)


def table(title: str, found: Found, main: str, others: list[str]) -> None:
    """Minimum and median of what counts, the ratio of its medians to the first program's, and medians of the others."""
    print(f"\n### {title}\n\n| program | {main}, minimum | median | ratio of medians | {' | '.join(others)} |")
    print("|---" * (4 + len(others)) + "|")
    median = lambda results, name: statistics.median(result[name] for result in results)
    base = median(next(iter(found.values())), main)
    for label, results in found.items():
        values = [min(result[main] for result in results), median(results, main)]
        values += [values[1] / base, *(median(results, other) for other in others)]
        print(f"| {label} | {' | '.join(map(number, values))} |", flush=True)


def number(value: float) -> str:
    """Three digits that count, and no fraction from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.{max(0, 2 - int(np.floor(np.log10(value))))}f}"


def measure_starts(args: argparse.Namespace, chosen: dict[str, Program], model: Model) -> None:
    found: Found = {program.label: [] for program in chosen.values()}
    for _ in range(args.starts):
        for name, program in chosen.items():
            with Server(program.command, program.environment, args.folder / f"{name}.log") as server:
                times = {"s to `GET /`": server.wait_for("GET", "/")}
                times["s to `POST /score`"] = server.wait_for("POST", program.path.format(1), model.body(0, 1))
                found[program.label].append(times | server.megabytes())
    title = f"From the start to the first 200, and memory then: {args.starts} starts"
    table(title, found, "s to `POST /score`", ["s to `GET /`", "RSS MB", "PSS MB"])


def measure_load(args: argparse.Namespace, chosen: dict[str, Program], model: Model) -> None:
    found: dict[Case, Found] = {case: {program.label: [] for program in chosen.values()} for case in CASES}
    with ExitStack() as stack:
        servers = {}
        for name, program in chosen.items():
            server = Server(program.command, program.environment, args.folder / f"{name}.log")
            servers[name] = stack.enter_context(server)
            server.wait_for("GET", "/")
            compare(server, program, model)
        for case in CASES:
            for name, program in chosen.items():
                load(args, servers[name], program, case, min(0.3, args.seconds))
        start, taken = time.perf_counter(), neighbours_seconds(list(servers.values()))
        for round_ in range(args.rounds):
            for case in CASES:
                # No program always follows the same one.
                for name, program in list(chosen.items())[:: 1 if round_ % 2 else -1]:
                    found[case][program.label].append(load(args, servers[name], program, case, args.seconds))
        taken = (neighbours_seconds(list(servers.values())) - taken) / (time.perf_counter() - start)
        memory: Found = {program.label: [servers[name].megabytes()] for name, program in chosen.items()}
    for case, results in found.items():
        table(str(case), results, CPU, ["requests/s", "p50 ms", "p99 ms"])
    print("\n### Memory after all of this\n\n| program | RSS MB | PSS MB |\n|---|---|---|")
    for label, [result] in memory.items():
        print(f"| {label} | {number(result['RSS MB'])} | {number(result['PSS MB'])} |")
    print(f"\nDuring the load, others took {max(taken, 0.0):.2f} of {os.cpu_count()} cores.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where data is kept")
    parser.add_argument("binaries", type=Path, help="where the Rust programs are")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load by a round, for each program and case")
    parser.add_argument("--starts", type=int, default=5)
    names = ["spinney", "spinney_native", "constant", "fastapi", "azureml"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    args.folder = args.folder / "serving"
    model = Model(args.folder, args.binaries, with_onnx="fastapi" in args.only)
    for n_rows, n_bodies in BODIES.items():
        bodies = (model.body(i * N_ROWS // n_bodies, n_rows) for i in range(n_bodies))
        (args.folder / f"{n_rows}.jsonl").write_text("\n".join(bodies))
    known = programs(model, args.binaries)
    chosen = {name: known[name] for name in names if name in args.only}
    print(f"{args.rounds} rounds of {args.seconds} s, programs in turn; other columns are medians, ratios are to the first program")
    if args.starts > 0:
        measure_starts(args, chosen, model)
    measure_load(args, chosen, model)


if __name__ == "__main__":
    main()

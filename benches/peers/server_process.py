"""A server that runs: what it costs, as the kernel counts it, over all of its processes."""

import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

LIMIT = 60.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """Starts with the object, in a session of its own, and ends with the `with` block. Its output goes to a file."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        command = [str(word).replace("PORT", str(self.port)) for word in command]
        self.log = log
        self.started = time.perf_counter()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            # Whatever a parent left behind.
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait_for(self, method: str, path: str, body: str | None = None) -> float:
        """Asks until the answer is 200, and returns the seconds since the start."""
        while time.perf_counter() - self.started < LIMIT and self.process.poll() is None:
            try:
                if self.ask(method, path, body)[0] == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.001)
        raise SystemExit(f"{self.process.args} does not answer {method} {path}: see {self.log}")

    def processes(self) -> list[int]:
        """The process and all that descend from it."""
        found = [self.process.pid]
        for process in found:
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found

    def cpu_seconds(self) -> float:
        """CPU time since the start, to the nanosecond, of threads that have ended too: each process's own CPU clock."""
        clocks = (~process << 3 | 2 for process in self.processes())
        return sum(map(time.clock_gettime_ns, clocks)) / 1e9

    def megabytes(self) -> dict[str, float]:
        """Resident memory; the proportional share counts what processes share once."""
        total = {"RSS MB": 0.0, "PSS MB": 0.0}
        for process in self.processes():
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                name = line.split(":")[0].upper() + " MB"
                if name in total:
                    total[name] += int(line.split()[1]) * 1024 / 1e6
        return total

"""Calls init() and run(mini_batch) of a scoring script as Azure ML's batch deployments do: in processes of their own, for a few files
at a time, again if a call fails or takes too long. Needs nothing but Python 3.8; settings.json beside it says how."""

import importlib.util
import json
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections import deque
from multiprocessing.connection import wait
from pathlib import Path

LOG = logging.getLogger("mini-batches")


class Failure(Exception):
    """Why the whole run fails."""


def start_logging(level):
    form = "%(asctime)s %(levelname)s %(processName)s: %(message)s"
    logging.basicConfig(level=level.upper(), stream=sys.stdout, format=form)


def files_of(data):
    """All files of a folder, in the order of their paths; of a file, itself."""
    if data.is_file():
        return [str(data)]
    files = [path for path in data.rglob("*") if path.is_file()]
    return [str(path) for path in sorted(files, key=lambda path: path.relative_to(data).parts)]


# In a worker process.


def load(path):
    code = Path.cwd()
    script = code / path
    if not script.is_file():
        raise Failure(f"the code has no scoring script {path}")
    sys.path[:0] = [str(folder) for folder in dict.fromkeys([script.parent, code])]
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            raise Failure(f"{path} has no function {name}()")
    return module


def rows_of(returned):
    """How many elements were returned, and the lines that they are."""
    kind = type(returned)
    if kind.__module__.split(".")[0] == "pandas" and hasattr(returned, "to_csv"):
        return len(returned), returned.to_csv(sep=" ", header=False, index=False)
    if kind.__module__ == "numpy" and hasattr(returned, "tolist"):
        returned = returned.tolist()
    if not isinstance(returned, (list, tuple)):
        raise TypeError(
            f"run() has returned {kind.__name__}, and must return a list, a tuple, an array, or pandas' DataFrame or Series"
        )
    return len(returned), "".join(f"{element}\n" for element in returned)


def end_with_parent():
    wait([multiprocessing.parent_process().sentinel])
    end_group(os.getpid())


def work(pipe, settings):
    """Says that it is ready, and then answers each mini-batch with ("done", number, lines) or ("failed", why)."""
    if hasattr(os, "setpgid"):
        # So that it can be ended with all that the script has started.
        os.setpgid(0, 0)
    threading.Thread(target=end_with_parent, daemon=True).start()
    start_logging(settings["loggingLevel"])
    doing = "importing"
    try:
        script = load(settings["scoringScript"])
        doing = "init() of"
        script.init()
    except Failure as failure:
        pipe.send(("broken", str(failure)))
        return
    # The script may call exit().
    except BaseException as error:
        print(traceback.format_exc(), flush=True)
        why = f"{type(error).__name__}: {error}"
        pipe.send(("broken", f"{doing} {settings['scoringScript']} has failed: {why}"))
        return
    pipe.send(("ready",))
    while True:
        mini_batch = pipe.recv()
        try:
            answer = ("done", *rows_of(script.run(mini_batch)))
        except Exception as error:
            print(traceback.format_exc(), flush=True)
            answer = ("failed", f"{type(error).__name__}: {error}")
        pipe.send(answer)


def end_group(process):
    """Ends a worker, and whatever its script has started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGTERM)
    except OSError:
        # It has ended already.
        pass


class Worker:
    """A process that calls the script, and what it is doing."""

    def __init__(self, name, settings):
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.settings = settings
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(other, settings), name=name)
        self.process.start()
        other.close()
        self.is_ready = False
        self.batch = None
        self.until = None

    def give(self, batch):
        self.batch = batch
        self.until = time.monotonic() + self.settings["timeoutMilliseconds"] / 1000
        try:
            self.pipe.send(batch.files)
        except OSError:
            # It has ended, which is what is heard of it next.
            pass

    def end(self):
        end_group(self.process.pid)
        self.process.kill()
        self.process.join()
        self.pipe.close()


class MiniBatch:
    def __init__(self, number, files):
        self.number = number
        self.files = files
        self.tries = 0

    def __str__(self):
        return f"mini-batch {self.number} ({len(self.files)} files)"


class Run:
    def __init__(self, settings, files, output):
        size = settings["miniBatchSize"]
        batches = [MiniBatch(n, files[at : at + size]) for n, at in enumerate(range(0, len(files), size))]
        self.settings = settings
        self.waiting = deque(batches)
        self.n_batches = self.n_open = len(batches)
        self.n_workers = 0
        self.workers = []
        self.n_failed = 0
        # Lines of mini-batches that have to wait for those before them.
        self.early = {}
        self.next = 0
        self.output = output

    def start_worker(self):
        self.n_workers += 1
        self.workers.append(Worker(f"worker-{self.n_workers}", self.settings))

    def go(self):
        n_processes = min(self.settings["processes"], self.n_batches)
        LOG.info("%s mini-batches, %s processes", self.n_batches, n_processes)
        try:
            for _ in range(n_processes):
                self.start_worker()
            while self.n_open:
                self.step()
        finally:
            for worker in self.workers:
                worker.end()

    def step(self):
        now = time.monotonic()
        for worker in list(self.workers):
            if worker.until is not None and now >= worker.until:
                seconds = self.settings["timeoutMilliseconds"] / 1000
                self.lose(worker, f"run() has taken longer than {seconds:g} s")
        untils = [worker.until for worker in self.workers if worker.until is not None]
        pause = max(0.0, min(untils) - time.monotonic()) if untils else None
        ready = wait([worker.pipe for worker in self.workers], pause)
        for worker in [worker for worker in self.workers if worker.pipe in ready]:
            try:
                said = worker.pipe.recv()
            except (EOFError, OSError):
                self.ended(worker)
                continue
            self.heard(worker, said)

    def heard(self, worker, said):
        if said[0] == "broken":
            raise Failure(said[1])
        if said[0] == "ready":
            worker.is_ready = True
        else:
            batch, worker.batch, worker.until = worker.batch, None, None
            if said[0] == "done":
                self.done(batch, *said[1:])
            else:
                self.failed(batch, said[1])
        if self.waiting and worker.batch is None:
            worker.give(self.waiting.popleft())

    def ended(self, worker):
        worker.process.join()
        how = f"the process has ended with {worker.process.exitcode}"
        if not worker.is_ready:
            raise Failure(f"init() of {self.settings['scoringScript']} has failed: {how}")
        self.lose(worker, how)

    def lose(self, worker, why):
        """Gives up a process and what it was doing, and takes another."""
        worker.end()
        self.workers.remove(worker)
        if worker.batch is not None:
            self.failed(worker.batch, why)
        if len(self.workers) < min(self.settings["processes"], self.n_open):
            self.start_worker()

    def failed(self, batch, why):
        batch.tries += 1
        if batch.tries <= self.settings["maxRetries"]:
            LOG.warning("%s has failed, try %s: %s; it is tried again", batch, batch.tries, why)
            self.waiting.appendleft(batch)
            for worker in self.workers:
                if worker.is_ready and worker.batch is None and self.waiting:
                    worker.give(self.waiting.popleft())
            return
        LOG.error("%s has failed, try %s: %s", batch, batch.tries, why)
        self.keep(batch, "", len(batch.files))

    def done(self, batch, n_elements, lines):
        n_missing = max(0, len(batch.files) - n_elements)
        if n_missing:
            LOG.warning("%s: run() has returned %s elements, so %s files have failed", batch, n_elements, n_missing)
        LOG.info("%s is done: %s elements", batch, n_elements)
        self.keep(batch, lines, n_missing)

    def keep(self, batch, lines, n_failed):
        self.n_open -= 1
        self.early[batch.number] = lines
        while self.next in self.early:
            self.output.write(self.early.pop(self.next))
            self.next += 1
        self.n_failed += n_failed
        threshold = self.settings["errorThreshold"]
        if 0 <= threshold < self.n_failed:
            raise Failure(f"{self.n_failed} files have failed, more than the errorThreshold of {threshold}")


def main():
    settings = json.loads((Path(__file__).parent / "settings.json").read_text(encoding="utf-8"))
    start_logging(settings["loggingLevel"])
    # Whoever cancels the run wants to find no process left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Batch scoring was canceled."))
    files = files_of(Path(os.environ["AZURE_ML_INPUT_data"]))
    if not files:
        raise Failure("the input has no files")
    LOG.info("%s files in mini-batches of %s", len(files), settings["miniBatchSize"])
    unfinished = Path(__file__).parent / "rows"
    with open(unfinished, "w", encoding="utf-8", newline="\n") as output:
        run = Run(settings, files, output)
        run.go()
    if settings["outputAction"] == "AppendRow":
        target = Path(os.environ["AZUREML_BI_OUTPUT_PATH"]) / settings["outputFileName"]
        # Whole or not at all.
        part = target.with_name(target.name + ".part")
        shutil.move(str(unfinished), str(part))
        os.replace(part, target)
    LOG.info("%s files, %s of them failed", len(files), run.n_failed)


if __name__ == "__main__":
    multiprocessing.freeze_support()
    try:
        main()
    except Failure as failure:
        sys.exit(f"Batch scoring has failed: {failure}.")

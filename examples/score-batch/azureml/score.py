"""Entry of an Azure ML batch deployment: has the program beside this file score each mini-batch with the model's bundle.

Each input becomes a parquet file of the same name in the job's output `score`. Needs nothing but Python."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def init():
    global program, bundle, outputs
    model = Path(os.environ["AZUREML_MODEL_DIR"])
    bundles = sorted(model.rglob("*.bundle"))
    if len(bundles) != 1:
        raise RuntimeError(f"the model must have one .bundle, and {model} has {len(bundles)}")
    bundle = bundles[0]
    outputs = Path(os.environ["AZUREML_BI_OUTPUT_PATH"])
    # Code is mounted or copied without permission to be run.
    program = Path(tempfile.mkdtemp()) / "score-batch"
    shutil.copyfile(Path(__file__).with_name("score-batch"), program)
    program.chmod(0o755)


def run(mini_batch):
    """Scores files, and returns the name and the number of rows of each output."""
    for path in mini_batch:
        claim(Path(path))
    with tempfile.TemporaryDirectory() as folder:
        # In a folder of its own: other processes score at the same time.
        command = [program, bundle, *mini_batch, "--output", folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"score-batch: {done.stderr.strip()}")
        manifest = json.loads((Path(folder) / "_manifest.json").read_text())
        scored = []
        for file in manifest["files"]:
            name = file["output"].rsplit("/", 1)[-1]
            publish(Path(folder) / name, name)
            scored.append(f"{name} {file['rows']}")
        return scored


def publish(path, name):
    """Whole or not at all."""
    part = outputs / f".{name}.{os.getpid()}.part"
    shutil.copyfile(path, part)
    os.replace(part, outputs / name)


def claim(path):
    """Refuses a file whose output another has, in a folder of its own: both would have the same name. The same contents may, for a
    call that is made again, wherever the input is mounted then."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    claims = outputs / "_inputs"
    claims.mkdir(exist_ok=True)
    own = claims / f"{path.stem}.{digest.hexdigest()}"
    own.write_text(f"{path}\n")
    for other in claims.iterdir():
        if other != own and other.name.rsplit(".", 1)[0] == path.stem:
            raise ValueError(f"{path} and {other.read_text().strip()} would both become {path.stem}.parquet")

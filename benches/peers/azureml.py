"""The Azure ML client beside Microsoft's: seconds from the start of a program to a client, and an upload to Azurite.

    cargo xtask bench azureml
    cargo xtask bench azureml --megabytes 1024 --rounds 5

Programs run in turn. Azure Resource Manager is played by this script; storage is Azurite, which both ask alike, so that its own
speed is in both figures. CPU is that of the client alone, and peak memory too, as the kernel counts them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from server_process import free_port

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
ACCOUNT = "devstoreaccount1"
# The key that Azurite publishes.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SDK_START = f"""
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
MLClient(DefaultAzureCredential(), "{SUBSCRIPTION}", "rg", "ws")
"""
SDK_UPLOAD = """
import sys
from azure.storage.blob import ContainerClient
with open(sys.argv[2], "rb") as file:
    ContainerClient.from_container_url(sys.argv[1]).upload_blob(sys.argv[3], file, max_concurrency=16, overwrite=True)
"""


def peak(process: int) -> float:
    """Megabytes that a process has had so far. What the kernel tells when it ends counts the parent that it was forked from."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return 0.0


def run(command: list, environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak megabytes of a program."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    memory = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.002):
            memory.append(peak(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    ended.set()
    watcher.join()
    process.returncode = status
    if status:
        sys.exit(f"{command[:2]} failed")
    return seconds, usage.ru_utime + usage.ru_stime, max(memory)


class ResourceManager(BaseHTTPRequestHandler):
    """As much of Azure as the registration of a model asks for."""

    sas = ""

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        if "/msi/token" in self.path:
            self.answer(200, {"access_token": "t", "expires_on": "4102444800"})
        elif "/datastores/" in self.path:
            properties = {"datastoreType": "AzureBlob", "accountName": ACCOUNT, "containerName": "models", "endpoint": "core.windows.net",
                          "protocol": "https", "isDefault": True, "credentials": {"credentialsType": "Sas"}}
            self.answer(200, {"name": "workspaceblobstore", "properties": properties})
        elif self.path.split("?")[0].endswith(("/onlineEndpoints", "/computes")):
            self.answer(200, {"value": []})
        else:
            self.answer(404, {"error": {"code": "NotFound", "message": "none"}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200, {"secretsType": "Sas", "sasToken": self.sas})

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(201, {"id": self.path.split("?")[0], "name": "1"} | body)

    def log_message(self, *_: object) -> None:
        pass


def row(name: str, figures: list[tuple[float, float, float]]) -> str:
    middle = [statistics.median(column) for column in zip(*figures)]
    return f"| {name} | {middle[0]:.3f} | {middle[1]:.3f} | {middle[2]:.0f} |"


def start(ours: list, environment: dict[str, str], rounds: int) -> None:
    # Ours also signs in and asks for two lists: `clean-up` without `--yes`.
    figures = [
        (run([*ours, "clean-up"], environment), run([sys.executable, "-c", SDK_START], {}), run([sys.executable, "-c", ""], {}))
        for _ in range(rounds + 1)
    ]
    print(f"\n### From the start to a client: {rounds} rounds\n\n| | s | CPU s | peak MB |\n|---|---|---|---|")
    names = ["Spinney, signed in and two lists read", "azure-ai-ml 1.35.2, imported and made", "(an empty Python program)"]
    for name, column in zip(names, zip(*figures[1:])):
        print(row(name, column))


def upload(ours: list, environment: dict[str, str], blobs: int, megabytes: int, rounds: int) -> None:
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        command = ["node", os.environ["SPINNEY_AZURITE"], "--skipApiVersionCheck", "--silent", "--location", folder]
        storage = subprocess.Popen([*command, "--blobHost", "127.0.0.1", "--blobPort", str(blobs)], stdout=subprocess.DEVNULL)
        try:
            service = BlobServiceClient(f"http://127.0.0.1:{blobs}/{ACCOUNT}", credential=KEY, retry_total=20)
            service.create_container("models")
            permissions = ContainerSasPermissions(read=True, write=True, create=True, add=True, list=True)
            signed = {"account_key": KEY, "permission": permissions, "expiry": "2099-01-01T00:00:00Z"}
            ResourceManager.sas = generate_container_sas(ACCOUNT, "models", **signed)
            container = f"http://127.0.0.1:{blobs}/{ACCOUNT}/models?{ResourceManager.sas}"
            for number in range(rounds + 1):
                # Other content each time: what is there is not sent again.
                file = Path(folder) / f"model-{number}.bin"
                with file.open("wb") as out:
                    for _ in range(megabytes):
                        out.write(os.urandom(1 << 20))
                sdk = [sys.executable, "-c", SDK_UPLOAD, container, file, f"sdk-{number}"]
                figures.append((run([*ours, "register", "big", file], environment), run(sdk, {})))
                file.unlink()
        finally:
            storage.terminate()
            storage.wait()
    print(f"\n### {megabytes} MiB to Azurite: {rounds} rounds\n\n| | s | CPU s | peak MB |\n|---|---|---|---|")
    names = ["Spinney, hashed and registered as well", "azure-storage-blob 12 as azure-ai-ml calls it"]
    for name, column in zip(names, zip(*figures[1:])):
        print(row(name, column))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where data is kept")
    parser.add_argument("binaries", type=Path, help="where the Rust programs are")
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), ResourceManager)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    manager, blobs = f"http://127.0.0.1:{server.server_port}", free_port()
    environment = {
        "MSI_ENDPOINT": f"{manager}/msi/token",
        "MSI_SECRET": "s",
        "SPINNEY_RESOURCE_MANAGER": manager,
        "SPINNEY_BLOB_ENDPOINT": f"http://127.0.0.1:{blobs}/{{account}}",
    }
    workspace = ["--subscription", SUBSCRIPTION, "--resource-group", "rg", "--workspace", "mlops-ws"]
    ours = [args.binaries / "azureml", *workspace]
    start(ours, environment, args.rounds)
    upload(ours, environment, blobs, args.megabytes, args.rounds)


if __name__ == "__main__":
    main()

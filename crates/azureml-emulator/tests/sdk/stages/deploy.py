"""Makes the endpoint, and writes what it can be asked."""

import argparse
import json
from pathlib import Path

from azure.ai.ml.entities import ManagedOnlineEndpoint
from workspace import connect

parser = argparse.ArgumentParser()
for name in ["model_name", "endpoint_name", "example_payload"]:
    parser.add_argument(f"--{name}", required=True)
args = parser.parse_args()

client = connect()
model = client.models.get(args.model_name, label="latest")
endpoint = ManagedOnlineEndpoint(name=args.endpoint_name, auth_mode="key", tags={"model": model.version})
client.online_endpoints.begin_create_or_update(endpoint).result()
Path(args.example_payload).write_text(json.dumps({"area": 100}))

"""Finds the endpoint and its key, as whoever asks it would."""

import argparse
import json
from pathlib import Path

from workspace import connect

parser = argparse.ArgumentParser()
parser.add_argument("--endpoint_name", required=True)
parser.add_argument("--example_payload", required=True)
args = parser.parse_args()

client = connect()
endpoint = client.online_endpoints.get(args.endpoint_name)
assert client.online_endpoints.get_keys(args.endpoint_name).primary_key
payload = json.loads(Path(args.example_payload).read_text())
print(f"{endpoint.scoring_uri} can be asked {payload}")

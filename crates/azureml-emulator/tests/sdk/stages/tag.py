"""Puts the metrics on the newest version of the model, as tags."""

import argparse
import json
from pathlib import Path

from workspace import connect

parser = argparse.ArgumentParser()
parser.add_argument("--model_name", required=True)
parser.add_argument("--metrics", required=True)
args = parser.parse_args()

client = connect()
model = client.models.get(args.model_name, label="latest")
metrics = json.loads(Path(args.metrics).read_text())
model.tags.update({name: str(value) for name, value in metrics.items()})
client.models.create_or_update(model)
print(f"{args.model_name}:{model.version} has {metrics}")

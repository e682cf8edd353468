"""Prints, as JSON, what Azure's SDK understands of the YAML files in a folder: `azure_yaml.py FOLDER`."""

import json
import sys
from pathlib import Path

from azure.ai.ml import load_environment, load_online_deployment

FOLDER = Path(sys.argv[1])
# Both refuse fields that they do not know.
environment = load_environment(FOLDER / "environment.yml")
deployment = load_online_deployment(FOLDER / "deployment.yml")
print(json.dumps({"environment": environment._to_dict(), "deployment": deployment._to_dict()}))

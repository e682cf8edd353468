"""The workspace that a job runs in, as the identity of its compute: what steps that call Azure begin with."""

import os

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential


def connect():
    # Azure's computes say which identity is theirs by a name of their own.
    os.environ["AZURE_CLIENT_ID"] = os.environ["DEFAULT_IDENTITY_CLIENT_ID"]
    names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    return MLClient(DefaultAzureCredential(), *names)

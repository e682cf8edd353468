"""Uploads a file or folder as azure-ai-ml does, with its own storage client, and prints what it made of it.

    python sdk_upload.py ACCOUNT_URL KEY CONTAINER PATH NAME VERSION

The line is the path in the container, then the name and version that the marks of a complete upload have: those given, if it
uploaded, or those of the upload that it found.
"""

import sys
from pathlib import Path

from azure.ai.ml._artifacts._blob_storage_helper import BlobStorageClient
from azure.ai.ml._utils._asset_utils import get_ignore_file, get_object_hash

account_url, key, container, path, name, version = sys.argv[1:]
ignored = get_ignore_file(Path(path))
client = BlobStorageClient(credential=key, account_url=account_url, container_name=container)
made = client.upload(
    path,
    name=name,
    version=version,
    ignore_file=ignored,
    asset_hash=get_object_hash(Path(path), ignored),
    show_progress=False,
)
print(made["remote path"], made["name"], made["version"], sep="\t")

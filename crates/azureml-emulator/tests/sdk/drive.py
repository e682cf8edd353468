"""Walks through Azure ML with the official SDK, which knows nothing of the emulator: what points it there are environment variables.

Usage: python drive.py FOLDER LOGIN [whole], where LOGIN is one of those in `credential`. Without `whole`, it only signs in and looks
at workspaces. Prints a last line of JSON; any difference from what is expected is an assertion that fails.
"""

import filecmp
import json
import os
import sys
from pathlib import Path

from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    ComputeInstance,
    Data,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    ProbeSettings,
)
from azure.ai.ml.entities._assets import Code
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
)


def credential(login):
    """The ways to sign in. Each reads the variables that the emulator prints."""
    if login == "default":
        return DefaultAzureCredential()
    if login == "managed-identity":
        return ManagedIdentityCredential()
    if login == "client-secret":
        return EnvironmentCredential()
    if login == "client-secret-here":
        # Without the proxy: this machine is no directory that Azure's own knows, so it must not be asked.
        names = [os.environ[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")]
        here = "https://" + os.environ["ARM_CLOUD_METADATA_URL"].split("/")[2]
        return ClientSecretCredential(*names, authority=here, disable_instance_discovery=True)
    raise ValueError(login)


def refused(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"{call} was not refused")


def workspaces(client):
    workspace = client.workspaces.get(client.workspace_name)
    assert workspace.name == client.workspace_name and workspace.location == "westeurope"
    assert client.workspace_name in [found.name for found in client.workspaces.list()]
    error = refused(ResourceNotFoundError, client.workspaces.get, "missing")
    assert error.error.code == "ResourceNotFound", error


def datastores(client):
    assert {found.name for found in client.datastores.list()} == {"workspaceblobstore", "workspaceartifactstore"}
    default = client.datastores.get_default()
    assert default.name == "workspaceblobstore"
    with_secret = client.datastores.get("workspaceblobstore", include_secrets=True)
    assert with_secret.container_name.startswith("azureml-blobstore-")
    refused(ResourceNotFoundError, client.datastores.get, "missing")


def computes(client):
    assert "Standard_DS3_v2" in [size.name for size in client.compute.list_sizes()]
    # The SDK leaves `current_value` empty, whatever it is: it looks for it by another name.
    assert {usage.limit for usage in client.compute.list_usage()} == {100}
    instance = ComputeInstance(name="ci1", size="Standard_DS11_v2", idle_time_before_shutdown_minutes=60)
    assert client.compute.begin_create_or_update(instance).result().state == "Running"
    assert client.compute.get("ci1").idle_time_before_shutdown == "PT60M"
    client.compute.begin_stop("ci1").result()
    assert client.compute.get("ci1").state == "Stopped"
    client.compute.begin_start("ci1").result()
    assert client.compute.get("ci1").state == "Running"
    cluster = AmlCompute(
        name="mlops-cluster", size="Standard_DS3_v2", min_instances=0, max_instances=1, idle_time_before_scale_down=120
    )
    made = client.compute.begin_create_or_update(cluster).result()
    assert (made.max_instances, made.provisioning_state) == (1, "Succeeded"), made
    assert [found.name for found in client.compute.list()] == ["ci1", "mlops-cluster"]
    large = AmlCompute(name="too-large", size="Standard_DS3_v2", max_instances=1000)
    poller = client.compute.begin_create_or_update(large)
    error = refused(HttpResponseError, poller.result)
    assert "ClusterCoreQuotaReached" in str(error), error
    for name in ["ci1", "mlops-cluster", "too-large"]:
        client.compute.begin_delete(name).result()
    assert list(client.compute.list()) == []
    refused(ResourceNotFoundError, client.compute.get, "ci1")


def data(client, folder):
    csv = folder / "houses.csv"
    csv.write_text("area,price\n" + "".join(f"{area},{area * 1000}\n" for area in range(1000)))
    made = client.data.create_or_update(Data(name="houses", path=str(csv), type=AssetTypes.URI_FILE, description="rows"))
    assert made.version == "1", made
    assert client.data.get("houses", version="1").path.endswith("/houses.csv")
    # The same once more, by its version, is an update; without, the SDK asks for the next.
    same = Data(name="houses", version="1", path=str(csv), type=AssetTypes.URI_FILE, description="more", tags={"a": "b"})
    assert client.data.create_or_update(same).tags == {"a": "b"}
    csv.write_text("area,price\n1,1\n")
    second = client.data.create_or_update(Data(name="houses", path=str(csv), type=AssetTypes.URI_FILE))
    assert second.version == "2", second
    assert client.data.get("houses", label="latest").version == "2"
    many = folder / "many"
    many.mkdir()
    for name in ["a.csv", "b.csv"]:
        (many / name).write_text(name)
    client.data.create_or_update(Data(name="many", path=str(many), type=AssetTypes.URI_FOLDER))
    assert sorted(found.name for found in client.data.list()) == ["houses", "many"]


def models(client, folder):
    file = folder / "model.pkl"
    file.write_bytes(bytes(range(256)) * 1000)
    tree = folder / "model-folder"
    (tree / "sub").mkdir(parents=True)
    (tree / "a.txt").write_text("a")
    (tree / "sub" / "b & c ü.bin").write_bytes(b"\0\1\2")
    (tree / "sub" / "empty").write_bytes(b"")

    registered = client.models.create_or_update(Model(name="minimal-model", path=str(file), type="custom_model"))
    assert registered.version == "1"
    second = client.models.create_or_update(Model(name="minimal-model", path=str(tree), type="custom_model"))
    assert second.version == "2"
    assert client.models.get("minimal-model", label="latest").version == "2"
    first = client.models.get("minimal-model", version="1")
    first.tags["r2"] = "0.9"
    client.models.create_or_update(first)
    assert client.models.get("minimal-model", version="1").tags == {"r2": "0.9"}
    assert [found.version for found in client.models.list("minimal-model")] == ["2", "1"]
    assert [found.name for found in client.models.list()] == ["minimal-model"]

    moved = client.models.get("minimal-model", version="1")
    moved._path = second.path
    error = refused(Exception, client.models.create_or_update, moved)
    assert "Asset paths cannot be updated" in str(error) or "cannot be updated" in str(error), error

    client.models.download("minimal-model", "1", download_path=str(folder / "down1"))
    assert filecmp.cmp(file, next((folder / "down1").rglob("model.pkl")), shallow=False)
    client.models.download("minimal-model", "2", download_path=str(folder / "down2"))
    top = next((folder / "down2").rglob("a.txt")).parent
    for name in ["a.txt", "sub/b & c ü.bin", "sub/empty"]:
        assert filecmp.cmp(tree / name, top / name, shallow=False), name

    client.models.archive("minimal-model", version="1")
    assert [found.version for found in client.models.list("minimal-model")] == ["2"]
    client.models.restore("minimal-model", version="1")
    assert len(list(client.models.list("minimal-model"))) == 2


def large_upload(client, folder):
    """More than 64 MiB, which the SDK uploads in blocks."""
    file = folder / "large.bin"
    part = bytes(range(251)) * 4178
    with file.open("wb") as out:
        for index in range(70):
            out.write(index.to_bytes(4, "big") + part)
    client.models.create_or_update(Model(name="large", path=str(file), type="custom_model"))
    client.models.download("large", "1", download_path=str(folder / "down-large"))
    assert filecmp.cmp(file, next((folder / "down-large").rglob("large.bin")), shallow=False)


def environments(client):
    conda = {"name": "x", "dependencies": ["python=3.10"]}
    made = client.environments.create_or_update(
        Environment(name="myenv", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", conda_file=conda)
    )
    assert made.version == "1", made
    latest = client.environments.get("myenv", label="latest")
    assert latest.version == "1" and latest.conda_file["dependencies"] == ["python=3.10"]
    assert [found.name for found in client.environments.list()] == ["myenv"]


def code(client, folder):
    stages = folder / "stages"
    stages.mkdir()
    (stages / "train.py").write_text("print('train')\n")
    first = client._code.create_or_update(Code(path=str(stages), base_path=str(folder)))
    again = client._code.create_or_update(Code(path=str(stages), base_path=str(folder)))
    first, again = [made if isinstance(made, str) else made.id for made in (first, again)]
    assert first == again, (first, again)


def components(client, folder):
    node = command(
        name="train",
        command="python train.py --out ${{outputs.model}} --rows ${{inputs.rows}}",
        code=str(folder / "stages"),
        environment="azureml:myenv:1",
        inputs={"rows": Input(type="uri_file", path="azureml:houses:1")},
        outputs={"model": Output(type="custom_model")},
    )
    made = client.components.create_or_update(node.component, version="1")
    assert (made.name, made.version) == ("train", "1"), made
    found = client.components.get("train", version="1")
    assert found.command == made.command and "/codes/" in found.code, found
    assert [found.name for found in client.components.list()] == ["train"]


def batch(client):
    made = client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="batch-endpoint")).result()
    assert made.name == "batch-endpoint", made
    assert [found.name for found in client.batch_endpoints.list()] == ["batch-endpoint"]
    client.batch_endpoints.begin_delete("batch-endpoint").result()
    refused(ResourceNotFoundError, client.batch_endpoints.get, "batch-endpoint")


def deployments(client, folder):
    bundles = Path(os.environ["SPINNEY_BUNDLES"])
    model = client.models.create_or_update(Model(name="prices", path=str(bundles / "prices.bundle"), type="custom_model"))
    serving = client.environments.create_or_update(
        Environment(name="serving", image="example.azurecr.io/spinney-scoring:1")
    )
    quickly = ProbeSettings(initial_delay=1, period=1, timeout=2, success_threshold=1, failure_threshold=20)
    blue = ManagedOnlineDeployment(
        name="blue",
        endpoint_name="sklearn-endpoint",
        model=model,
        environment=serving,
        instance_type="Standard_D2as_v4",
        instance_count=1,
        readiness_probe=quickly,
        liveness_probe=quickly,
    )
    crash = ManagedOnlineDeployment(
        name="crash",
        endpoint_name="sklearn-endpoint",
        model="azureml:minimal-model:1",
        environment=serving,
        instance_type="Standard_D2as_v4",
        instance_count=1,
    )
    begin = client.online_deployments.begin_create_or_update
    made = begin(blue).result()
    assert (made.name, made.provisioning_state, made.instance_count) == ("blue", "Succeeded", 1), made
    assert client.online_deployments.get("blue", "sklearn-endpoint").scale_settings.type == "default"
    # No bundle is in that model.
    error = refused(HttpResponseError, begin(crash).result)
    assert "User container has crashed" in str(error), error
    assert "Configuration Error" in client.online_deployments.get_logs("crash", "sklearn-endpoint", lines=50)
    found = {one.name: one.provisioning_state for one in client.online_deployments.list("sklearn-endpoint")}
    assert found == {"blue": "Succeeded", "crash": "Failed"}, found
    client.online_deployments.begin_delete("crash", "sklearn-endpoint").result()

    expected = next(one for one in json.loads((bundles / "expected.json").read_text()) if one["file"] == "prices.bundle")
    request = folder / "request.json"
    request.write_text(json.dumps(expected["rows"][:2]))
    invoke = lambda **more: client.online_endpoints.invoke("sklearn-endpoint", request_file=str(request), **more)
    predicted = {"predictions": expected["predictions"][:2]}
    assert json.loads(invoke(deployment_name="blue")) == predicted
    endpoint = client.online_endpoints.get("sklearn-endpoint")
    endpoint.traffic = {"blue": 100}
    assert client.online_endpoints.begin_create_or_update(endpoint).result().traffic == {"blue": 100}
    assert json.loads(invoke()) == predicted
    assert "serving on" in client.online_deployments.get_logs("blue", "sklearn-endpoint", lines=50)
    blue.instance_count = 2
    assert begin(blue).result().instance_count == 2
    assert json.loads(invoke()) == predicted
    delete = client.online_deployments.begin_delete
    error = refused(HttpResponseError, delete, "blue", "sklearn-endpoint")
    assert "traffic" in str(error), error
    endpoint.traffic = {"blue": 0}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    delete("blue", "sklearn-endpoint").result()
    assert list(client.online_deployments.list("sklearn-endpoint")) == []


def endpoints(client, folder):
    refused(ResourceNotFoundError, client.online_endpoints.get, "sklearn-endpoint")
    endpoint = ManagedOnlineEndpoint(name="sklearn-endpoint", auth_mode="key", tags={"team": "mlops"})
    made = client.online_endpoints.begin_create_or_update(endpoint).result()
    assert made.provisioning_state == "Succeeded" and made.scoring_uri.endswith("/score"), made
    assert client.online_endpoints.get("sklearn-endpoint").tags == {"team": "mlops"}
    assert [found.name for found in client.online_endpoints.list()] == ["sklearn-endpoint"]
    keys = client.online_endpoints.get_keys("sklearn-endpoint")
    assert keys.primary_key and keys.primary_key != keys.secondary_key
    # The SDK sends the key that there is, which stays.
    client.online_endpoints.begin_regenerate_keys("sklearn-endpoint", key_type="secondary").result()
    assert client.online_endpoints.get_keys("sklearn-endpoint").primary_key == keys.primary_key

    made.traffic = {"blue": 100}
    error = refused(HttpResponseError, client.online_endpoints.begin_create_or_update, made)
    assert "no deployment blue" in str(error), error

    deployments(client, folder)

    client.online_endpoints.begin_delete("sklearn-endpoint").result()
    refused(ResourceNotFoundError, client.online_endpoints.get, "sklearn-endpoint")


def main():
    folder, login = Path(sys.argv[1]).resolve(), sys.argv[2]
    names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    if login == "wrong-secret":
        error = refused(ClientAuthenticationError, EnvironmentCredential().get_token, "https://management.azure.com/.default")
        assert "AADSTS7000215" in str(error), error
        return print(json.dumps({"login": login, "refused": True}))
    client = MLClient(credential(login), *names)
    workspaces(client)
    if "whole" in sys.argv:
        datastores(client)
        computes(client)
        data(client, folder)
        models(client, folder)
        environments(client)
        code(client, folder)
        components(client, folder)
        endpoints(client, folder)
        batch(client)
        large_upload(client, folder)
    print(json.dumps({"login": login, "walked": True}))


main()

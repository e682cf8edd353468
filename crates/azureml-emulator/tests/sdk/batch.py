"""Scores files through a batch endpoint with the official SDK: a model's deployment, and one of a pipeline component.

Usage: python batch.py FOLDER LOGIN. Prints a last line of JSON; any difference from what is expected is an assertion that fails.
"""

import json
import os
import sys
from pathlib import Path

# Read once, when the SDK is loaded.
os.environ["AZUREML_RUN_POLLING_INTERVAL_MIN"] = "1"

from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.dsl import pipeline
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    BatchRetrySettings,
    CodeConfiguration,
    Environment,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
    PipelineComponentBatchDeployment,
)
from azure.ai.ml.exceptions import JobException, ValidationException
from azure.core.exceptions import HttpResponseError
from azure.identity import EnvironmentCredential, ManagedIdentityCredential

SKLEARN = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"

SCORE = """
import os
from pathlib import Path

def init():
    global factor
    factor = int(next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("factor.txt")).read_text())

def run(mini_batch):
    return [f"{Path(path).name} {factor * int(Path(path).read_text())}" for path in mini_batch]
"""


def model_deployment(client, folder):
    (folder / "model").mkdir()
    (folder / "model" / "factor.txt").write_text("3")
    model = client.models.create_or_update(Model(name="factor", path=folder / "model"))
    (folder / "code").mkdir()
    (folder / "code" / "score.py").write_text(SCORE)
    environment = client.environments.create_or_update(Environment(name="scoring", image="example.azurecr.io/python:3"))
    deployment = ModelBatchDeployment(
        name="model-dpl",
        endpoint_name="batch-sums",
        model=model,
        environment=environment,
        code_configuration=CodeConfiguration(code=str(folder / "code"), scoring_script="score.py"),
        compute="batch-cluster",
        settings=ModelBatchDeploymentSettings(
            mini_batch_size=2,
            instance_count=1,
            max_concurrency_per_instance=2,
            output_action="append_row",
            output_file_name="sums.csv",
            retry_settings=BatchRetrySettings(max_retries=1, timeout=60),
            error_threshold=0,
            logging_level="info",
        ),
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    made = client.batch_deployments.get("model-dpl", "batch-sums")
    assert made.output_file_name == "sums.csv" and made.mini_batch_size == 2, made
    assert [found.name for found in client.batch_deployments.list("batch-sums")] == ["model-dpl"]
    endpoint = client.batch_endpoints.get("batch-sums")
    endpoint.defaults.deployment_name = "model-dpl"
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    assert client.batch_endpoints.get("batch-sums").defaults.deployment_name == "model-dpl"

    data = folder / "data"
    (data / "b").mkdir(parents=True)
    for number, name in enumerate(["a.txt", "b/x.txt", "c.txt"]):
        (data / name).write_text(str(number))
    # A folder of this machine, uploaded by the SDK.
    job = client.batch_endpoints.invoke("batch-sums", input=Input(type="uri_folder", path=str(data)))
    client.jobs.stream(job.name)
    assert client.jobs.get(job.name).status == "Completed"
    rows = "a.txt 0\nx.txt 3\nc.txt 6\n"
    client.jobs.download(job.name, download_path=folder / "whole", output_name="score")
    assert (folder / "whole" / "named-outputs" / "score" / "sums.csv").read_text() == rows
    # By the step, as Azure's documentation has it.
    (step,) = client.jobs.list(parent_job_name=job.name)
    assert step.display_name == "batchscoring", step
    client.jobs.download(step.name, download_path=folder / "step", output_name="score")
    assert (folder / "step" / "named-outputs" / "score" / "sums.csv").read_text() == rows

    place = "azureml://datastores/workspaceblobstore/paths/results/mine.csv"
    named = client.batch_endpoints.invoke(
        "batch-sums",
        deployment_name="model-dpl",
        inputs={"numbers": Input(type="uri_folder", path=str(data))},
        outputs={"score": Output(type="uri_file", path=place)},
        params_override=[{"mini_batch_size": 1}],
        job_name="named-job",
        experiment_name="sums",
    )
    assert named.name == "named-job", named
    client.jobs.stream("named-job")
    assert client.jobs.get("named-job").experiment_name == "sums"
    client.jobs.download("named-job", download_path=folder / "named", output_name="score")
    assert (folder / "named" / "named-outputs" / "score" / "mine.csv").read_text() == rows
    jobs = [found.name for found in client.batch_endpoints.list_jobs("batch-sums")]
    assert jobs == ["named-job", job.name], jobs
    jobs = [found.name for found in client.batch_deployments.list_jobs("batch-sums", name="model-dpl")]
    assert jobs == ["named-job", job.name], jobs

    # What is no number fails, and more may not fail than none.
    (data / "b" / "x.txt").write_text("none")
    job = client.batch_endpoints.invoke("batch-sums", input=Input(type="uri_folder", path=str(data)))
    try:
        client.jobs.stream(job.name)
        raise AssertionError("the job has not failed")
    except JobException as error:
        assert "errorThreshold of 0" in str(error), error
    try:
        client.batch_endpoints.invoke("batch-sums", deployment_name="other", input=Input(type="uri_folder", path=str(data)))
        raise AssertionError("there is no such deployment")
    except ValidationException as error:
        assert "other" in str(error), error


def component_deployment(client, folder):
    shout = command(
        name="shout",
        inputs={"words": Input(type="uri_file"), "end": Input(type="string")},
        outputs={"said": Output(type="uri_file")},
        command='echo "$(tr a-z A-Z < ${{inputs.words}})${{inputs.end}}" > ${{outputs.said}}',
        environment=SKLEARN,
    )

    @pipeline(name="shouting")
    def shouting(words: Input(type="uri_file"), end: str = "!"):
        step = shout(words=words, end=end)
        return {"said": step.outputs.said}

    component = client.components.create_or_update(shouting().component)
    deployment = PipelineComponentBatchDeployment(
        name="component-dpl",
        endpoint_name="batch-sums",
        component=component,
        settings={"default_compute": "batch-cluster", "continue_on_step_failure": False},
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    (folder / "words.txt").write_text("some words")
    job = client.batch_endpoints.invoke(
        "batch-sums",
        deployment_name="component-dpl",
        inputs={"words": Input(type="uri_file", path=str(folder / "words.txt")), "end": Input(type="string", default=" loud")},
    )
    client.jobs.stream(job.name)
    client.jobs.download(job.name, download_path=folder / "shouted", output_name="said")
    said = next(path for path in (folder / "shouted").rglob("*") if path.is_file())
    assert said.read_text() == "SOME WORDS loud\n", said.read_text()


def main():
    folder, login = Path(sys.argv[1]).resolve(), sys.argv[2]
    names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    credential = EnvironmentCredential() if login == "client-secret" else ManagedIdentityCredential()
    client = MLClient(credential, *names)
    cluster = AmlCompute(name="batch-cluster", size="Standard_DS3_v2", min_instances=0, max_instances=1)
    client.compute.begin_create_or_update(cluster).result()
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="batch-sums")).result()
    model_deployment(client, folder)
    component_deployment(client, folder)
    client.batch_deployments.begin_delete("component-dpl", "batch-sums").result()
    client.batch_endpoints.begin_delete("batch-sums").result()
    try:
        client.batch_deployments.get("model-dpl", "batch-sums")
        raise AssertionError("the deployment has outlived its endpoint")
    except HttpResponseError as error:
        assert error.status_code == 404, error
    print(json.dumps({"login": login, "batch": True}))


main()

"""Runs jobs with the official SDK: a command, and the workshop's pipeline of seven components with small stages of its own.

Usage: python jobs.py FOLDER LOGIN. Prints a last line of JSON; any difference from what is expected is an assertion that fails.
"""

import contextlib
import io
import json
import os
import re
import sys
import time
from pathlib import Path

# Read once, when the SDK is loaded.
os.environ["AZUREML_RUN_POLLING_INTERVAL_MIN"] = "1"

from azure.ai.ml import Input, MLClient, Output, command, load_component
from azure.ai.ml.dsl import pipeline
from azure.ai.ml.entities import AmlCompute, Data
from azure.ai.ml.exceptions import JobException
from azure.identity import EnvironmentCredential, ManagedIdentityCredential

STAGES = Path(__file__).parent / "stages"
SKLEARN = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
ENDED = {"Completed", "Failed", "Canceled"}


def stream(client, name):
    """What the SDK prints of a job until it has ended."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        client.jobs.stream(name)
    return printed.getvalue()


def wait(client, name):
    for _ in range(600):
        job = client.jobs.get(name)
        if job.status in ENDED:
            return job
        time.sleep(0.2)
    raise AssertionError(f"{name} is still {job.status}")


def one_command(client, folder):
    code = folder / "code"
    code.mkdir()
    (code / "greet.py").write_text(
        "import os, pathlib, sys\n"
        "for name in ['AZUREML_RUN_ID', 'AZUREML_EXPERIMENT_NAME', 'GREETING']:\n"
        "    print(name, os.environ[name])\n"
        "print('error line', file=sys.stderr)\n"
        "text = pathlib.Path(sys.argv[1]).read_text()\n"
        "pathlib.Path(sys.argv[2]).write_text(text.upper())\n"
        "(pathlib.Path(sys.argv[3]) / 'a').mkdir()\n"
        "(pathlib.Path(sys.argv[3]) / 'a' / 'b.txt').write_text('deep')\n"
        "pathlib.Path('outputs').mkdir()\n"
        "pathlib.Path('outputs/kept.txt').write_text('unasked')\n"
    )
    (folder / "words.txt").write_text("some words")
    job = command(
        command="python greet.py ${{inputs.words}} ${{outputs.loud}} ${{outputs.many}} $[[${{inputs.none}}]]",
        code=str(code),
        environment=SKLEARN,
        compute="mlops-cluster",
        experiment_name="greetings",
        environment_variables={"GREETING": "hello & <you>"},
        inputs={
            "words": Input(type="uri_file", path=str(folder / "words.txt")),
            "none": Input(type="string", optional=True),
        },
        outputs={"loud": Output(type="uri_file"), "many": Output(type="uri_folder")},
    )
    submitted = client.jobs.create_or_update(job)
    printed = stream(client, submitted.name)
    assert "Streaming user_logs/std_log.txt" in printed, printed
    for line in [f"AZUREML_RUN_ID {submitted.name}", "AZUREML_EXPERIMENT_NAME greetings", "GREETING hello & <you>", "error line"]:
        assert line in printed, printed
    assert client.jobs.get(submitted.name).status == "Completed"

    down = folder / "down"
    client.jobs.download(submitted.name, download_path=down, all=True)
    assert next((down / "named-outputs" / "loud").rglob("*")).exists(), list(down.rglob("*"))
    files = {path.name: path.read_text() for path in down.rglob("*") if path.is_file()}
    assert "SOME WORDS" in files.values() and files["b.txt"] == "deep", files
    assert files["kept.txt"] == "unasked" and "error line" in files["std_log.txt"], files
    assert "the command ended" in files["lifecycler.log"], files["lifecycler.log"]
    only = folder / "only"
    client.jobs.download(submitted.name, download_path=only, output_name="loud")
    assert [path.read_text() for path in only.rglob("*") if path.is_file()] == ["SOME WORDS"]

    changed = client.jobs.update(submitted.name, tags={"kind": "test"}, display_name="greeting")
    assert changed.tags["kind"] == "test" and changed.display_name == "greeting", changed
    client.jobs.archive(submitted.name)
    assert submitted.name not in [found.name for found in client.jobs.list()]
    client.jobs.restore(submitted.name)
    assert submitted.name in [found.name for found in client.jobs.list()]


def failure_and_cancel(client):
    failing = command(command="echo too bad; exit 3", environment=SKLEARN, compute="mlops-cluster")
    failing = client.jobs.create_or_update(failing)
    try:
        stream(client, failing.name)
        raise AssertionError("a job that failed was streamed to a good end")
    except JobException as error:
        assert "status code 3" in str(error) and "too bad" in str(error), error
    assert client.jobs.get(failing.name).status == "Failed"

    endless = client.jobs.create_or_update(
        command(command="echo begun; sleep 600", environment=SKLEARN, compute="mlops-cluster")
    )
    while client.jobs.get(endless.name).status != "Running":
        time.sleep(0.2)
    client.jobs.begin_cancel(endless.name).result()
    assert wait(client, endless.name).status == "Canceled"


def component(name, arguments, inputs, outputs, optional=(), environment=SKLEARN):
    """A component by its YAML, as a file of its own would say it."""
    parts = [f"--{a} ${{{{{kind}.{a}}}}}" for kind, names in [("inputs", inputs), ("outputs", outputs)] for a in names]
    parts += [f"$[[--{a} ${{{{inputs.{a}}}}}]]" for a in optional]
    return {
        "$schema": "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json",
        "type": "command",
        "name": name,
        "version": "1",
        "display_name": name,
        "code": str(STAGES),
        "environment": environment,
        "command": f"python {arguments} " + " ".join(parts),
        "inputs": {a: {"type": kind, **({"optional": True} if a in optional else {})} for a, kind in {**inputs, **dict.fromkeys(optional, "uri_file")}.items()},
        "outputs": {a: {"type": kind} for a, kind in outputs.items()},
    }


def components(folder):
    specs = [
        component(
            "split",
            "split.py",
            {"input_data": "uri_file", "test_size": "string", "random_state": "string"},
            dict.fromkeys(["X_train", "y_train", "X_test", "y_test"], "uri_file"),
        ),
        component(
            "prep",
            "prep.py",
            {"raw_data": "uri_file"},
            dict.fromkeys(["prepped_data", "xform_params_out"], "uri_file"),
            optional=["xform_params_in"],
        ),
        component("train", "train.py", dict.fromkeys(["X", "y", "xform_params"], "uri_file"), {"model_path": "custom_model"}),
        component(
            "evaluate", "evaluate.py", {"model_path": "custom_model", "X": "uri_file", "y": "uri_file"}, {"metrics": "uri_file"}
        ),
        component("tag", "tag.py", {"model_name": "string", "metrics": "uri_file"}, {}),
        component("deploy", "deploy.py", {"model_name": "string", "endpoint_name": "string"}, {"example_payload": "uri_file"}),
        component("test", "test.py", {"endpoint_name": "string", "example_payload": "uri_file"}, {}),
    ]
    loaded = {}
    for spec in specs:
        path = folder / f"{spec['name']}.yml"
        # JSON is YAML.
        path.write_text(json.dumps(spec))
        loaded[spec["name"]] = load_component(source=str(path))
    # The model's path is an input that only orders the steps, as in the workshop.
    deploy = json.loads((folder / "deploy.yml").read_text())
    deploy["inputs"]["model_path"] = {"type": "custom_model"}
    (folder / "deploy.yml").write_text(json.dumps(deploy))
    loaded["deploy"] = load_component(source=str(folder / "deploy.yml"))
    return loaded


def workshop(client, folder):
    stages = folder / "components"
    stages.mkdir()
    steps = components(stages)
    csv = folder / "houses.csv"
    csv.write_text("area,price\n" + "".join(f"{area},{3 * area + 50 + area % 7}\n" for area in range(40, 240)))
    data = client.data.create_or_update(Data(name="houses", path=str(csv), type="uri_file"))

    @pipeline(default_compute="mlops-cluster", display_name="train_and_deploy")
    def train_and_deploy(dataset_uri: Input(type="uri_file"), model_name: str, endpoint_name: str):
        split = steps["split"](input_data=dataset_uri, test_size="0.2", random_state="42")
        prep_train = steps["prep"](raw_data=split.outputs.X_train)
        prep_test = steps["prep"](raw_data=split.outputs.X_test, xform_params_in=prep_train.outputs.xform_params_out)
        train = steps["train"](
            X=prep_train.outputs.prepped_data, y=split.outputs.y_train, xform_params=prep_train.outputs.xform_params_out
        )
        train.outputs.model_path = Output(type="custom_model", mode="upload", name="minimal-model")
        evaluate = steps["evaluate"](
            model_path=train.outputs.model_path, X=prep_test.outputs.prepped_data, y=split.outputs.y_test
        )
        tag = steps["tag"](model_name=model_name, metrics=evaluate.outputs.metrics)
        deploy = steps["deploy"](model_path=train.outputs.model_path, model_name=model_name, endpoint_name=endpoint_name)
        test = steps["test"](endpoint_name=endpoint_name, example_payload=deploy.outputs.example_payload)
        return {"metrics": evaluate.outputs.metrics}

    def job():
        made = train_and_deploy(
            dataset_uri=Input(type="uri_file", path=data.id), model_name="minimal-model", endpoint_name="sklearn-endpoint"
        )
        made.experiment_name = "workshop"
        return made

    submitted = client.jobs.create_or_update(job())
    printed = stream(client, submitted.name)
    assert "Streaming logs/azureml/executionlogs.txt" in printed, printed
    done = client.jobs.get(submitted.name)
    assert done.status == "Completed", printed

    children = list(client.jobs.list(parent_job_name=submitted.name))
    assert len(children) == 8 and {child.status for child in children} == {"Completed"}, children
    logs = {}
    for child in children:
        to = folder / "logs" / child.name
        client.jobs.download(child.name, download_path=to)
        logs[child.display_name] = logs.get(child.display_name, "") + next(to.rglob("std_log.txt")).read_text()
    assert "160 rows\n40 rows\n" in logs["split"], logs
    assert sorted(re.findall("parameters were (.*)", logs["prep"])) == ["given", "learned"], logs
    assert "r2 0.99" in logs["evaluate"] and "can be asked {'area': 100}" in logs["test"], logs

    client.jobs.download(submitted.name, download_path=folder / "metrics", output_name="metrics")
    metrics = json.loads(next(path for path in (folder / "metrics").rglob("*") if path.is_file()).read_text())
    model = client.models.get("minimal-model", version="1")
    assert metrics["r2"] > 0.99 and model.tags == {name: str(value) for name, value in metrics.items()}, (metrics, model.tags)
    client.models.download("minimal-model", "1", download_path=str(folder / "model"))
    line = json.loads(next((folder / "model").rglob("model.json")).read_text())
    assert abs(line["slope"] - 3) < 0.1, line
    assert client.online_endpoints.get("sklearn-endpoint").tags == {"model": "1"}

    # Steps that would do the same again are not done again.
    again = client.jobs.create_or_update(job())
    assert wait(client, again.name).status == "Completed"
    reused = [child for child in client.jobs.list(parent_job_name=again.name) if child.properties.get("azureml.isreused") == "true"]
    assert "split" in [child.display_name for child in reused], reused
    split = next(child for child in reused if child.display_name == "split")
    client.jobs.download(split.name, download_path=folder / "reused")
    assert "160 rows" in next((folder / "reused").rglob("std_log.txt")).read_text()
    client.online_endpoints.begin_delete("sklearn-endpoint").result()


def main():
    folder, login = Path(sys.argv[1]).resolve(), sys.argv[2]
    names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
    credential = EnvironmentCredential() if login == "client-secret" else ManagedIdentityCredential()
    client = MLClient(credential, *names)
    cluster = AmlCompute(name="mlops-cluster", size="Standard_DS3_v2", min_instances=0, max_instances=2)
    client.compute.begin_create_or_update(cluster).result()
    one_command(client, folder)
    failure_and_cancel(client)
    workshop(client, folder)
    print(json.dumps({"login": login, "jobs": True}))


main()

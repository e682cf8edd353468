use std::fs;

use spinney_azureml::{CommandJob, ModelSpec, TransferOptions};

use super::{ENVIRONMENT, SHORT, client::Lab};

/// What a step of the workshop does: it signs in as its compute's identity, and asks Azure by Azure's names.
const LIST_MODELS: &str = r#"
import os
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

os.environ["AZURE_CLIENT_ID"] = os.environ["DEFAULT_IDENTITY_CLIENT_ID"]
names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
client = MLClient(DefaultAzureCredential(), *names)
print("models", sorted(model.name for model in client.models.list()))
print("inside", client.jobs.get(os.environ["AZUREML_RUN_ID"]).status)
"#;

#[tokio::test]
#[ignore = "needs the official SDK: cargo xtask test"]
async fn a_step_asks_azure_as_the_identity_of_its_compute() {
    let lab = Lab::new().await;
    let (client, options) = (&lab.client, TransferOptions::default());
    let file = lab.path("model");
    fs::write(&file, "model").unwrap();
    for name in ["ames", "other"] {
        client.models().register(&ModelSpec::from_path(name, &file), &options).await.unwrap();
    }
    let stages = lab.path("stages");
    fs::create_dir(&stages).unwrap();
    fs::write(stages.join("models.py"), LIST_MODELS).unwrap();
    let code = client.code().upload(&stages, &options).await.unwrap();
    let job = CommandJob::new("python models.py", ENVIRONMENT).code(code.id);
    let name = client.jobs().submit(&job).await.unwrap().name;
    let done = client.jobs().wait(&name).delays(SHORT, SHORT).await;
    let log = lab.log(&name).await.join("\n");
    done.unwrap_or_else(|error| panic!("{error}\n{log}"));
    assert!(log.ends_with("models ['ames', 'other']\ninside Running"), "{log}");
}

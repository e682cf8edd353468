//! What the road has found, fetched from the workspace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use spinney_artifact::ModelBundle;
use spinney_azureml::{MlClient, TransferOptions};
use spinney_preprocess::Table;

use super::{
    materials::Materials,
    pipeline::{METRICS, REPORT},
};
use crate::{
    stages::{Evaluated, PAGE, PREDICTIONS},
    workshop,
};

/// What `--report` writes.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) workspace: String,
    pub(super) job: &'a str,
    /// The pipeline's steps with what became of them.
    pub(super) steps: BTreeMap<&'a str, &'a str>,
    pub(super) metrics: &'a BTreeMap<String, f64>,
    /// In the order of the test rows.
    pub(super) predictions_test: &'a [f64],
    pub(super) model: &'a RegisteredModel,
    pub(super) endpoint: &'a str,
    pub(super) endpoint_answer: &'a Answer,
    pub(super) timings_ms: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
pub(super) struct RegisteredModel {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) fingerprint: String,
    #[serde(skip)]
    bundle: ModelBundle,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) predictions: Vec<f64>,
}

/// Fetches what the evaluation has found, and puts its page where it is to be.
pub(super) async fn evaluation(
    client: &MlClient,
    job: &str,
    materials: &Materials,
    html: &Path,
) -> Result<Evaluated> {
    let options = TransferOptions::default();
    let outputs = client.jobs().download(job, materials.outputs(), &options).await?;
    let file = |output: &str, name: Option<&str>| -> Result<PathBuf> {
        let files = outputs.get(output).map(|downloaded| &downloaded.files);
        let mut files = files.into_iter().flatten();
        let found = files.find(|file| name.is_none_or(|name| file.ends_with(name)));
        found.cloned().with_context(|| format!("the pipeline's output {output} lacks a file"))
    };
    let page = file(REPORT, Some(PAGE))?;
    if let Some(folder) = html.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
    }
    fs::copy(page, html).with_context(|| format!("could not write {}", html.display()))?;
    Evaluated::read(&file(METRICS, None)?, &file(REPORT, Some(PREDICTIONS))?)
}

impl RegisteredModel {
    /// Fetches the model, and checks that its tags are the metrics, number for number.
    pub(super) async fn fetch(
        client: &MlClient,
        materials: &Materials,
        metrics: &BTreeMap<String, f64>,
    ) -> Result<Self> {
        let name = workshop::MODEL_NAME;
        let model = client.models().latest(name).await?;
        let folder = materials.outputs().join("model");
        let options = TransferOptions::default();
        let downloaded = client.models().download(name, &model.name, folder, &options).await?;
        let is_bundle = |file: &&PathBuf| file.extension().is_some_and(|end| end == "bundle");
        let file = downloaded.files.iter().find(is_bundle).context("the model has no bundle")?;
        let bundle = ModelBundle::load(file)?;
        let tags = model.properties.tags;
        for (metric, value) in metrics {
            let tag = tags.get(metric).and_then(|tag| tag.parse::<f64>().ok());
            ensure!(tag == Some(*value), "the model's tag {metric} is {tag:?}, and not {value}");
        }
        let (name, fingerprint) = (name.to_owned(), bundle.fingerprint().to_string());
        Ok(Self { name, version: model.name, tags, fingerprint, bundle })
    }

    /// Sends the workshop's request, and checks that the endpoint says what the model says here.
    pub(super) async fn ask(&self, client: &MlClient, endpoint: &str) -> Result<(Answer, String)> {
        let scored =
            client.online_endpoints().client(endpoint).score_json(workshop::REQUEST).await?;
        let answer: Answer = scored.json()?;
        // As Python writes them, gaps are no JSON.
        let rows = workshop::REQUEST.replace("NaN", "null");
        let rows = Table::from_json(&rows, self.bundle.input_schema())?;
        let predictions = self.bundle.predict(&rows)?.to_vec();
        ensure!(
            answer == Answer { predictions },
            "the endpoint answers {}, which is not what the model says",
            scored.text()
        );
        let deployment = scored.deployment().unwrap_or("a deployment without a name");
        let said = format!("{}\n{} from {deployment}", workshop::REQUEST.trim(), scored.text());
        Ok((answer, said))
    }

    pub(super) fn said(&self) -> String {
        let tags: Vec<String> =
            self.tags.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let Self { name, version, fingerprint, .. } = self;
        format!("{name}:{version}\ntags: {}\nfingerprint {fingerprint}", tags.join(", "))
    }
}

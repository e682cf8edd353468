//! How the pipeline gets on, step by step.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use spinney_azureml::{JobStatus, MlClient, Run};

use crate::stage::say;

/// How much of a failed step's log is shown.
const N_LINES: usize = 20;

/// Says each change until the pipeline has ended, and fails if it did not end well.
pub(super) async fn watch(client: &MlClient, job: &str, pause: Duration) -> Result<Vec<Run>> {
    let mut known: BTreeMap<String, JobStatus> = BTreeMap::new();
    loop {
        // The status first: what is new after the end is not lost.
        let status = client.jobs().get(job).await?.properties.status;
        let mut steps = client.jobs().children(job).await?.collect().await?;
        steps.sort_by(|one, other| one.start_time_utc.cmp(&other.start_time_utc));
        for step in &steps {
            if known.insert(step.run_id.clone(), step.status.clone()).as_ref() != Some(&step.status)
            {
                say(&format!("{:<15} {}{}", name(step), step.status, reused(step)));
            }
        }
        if status == JobStatus::Completed {
            return Ok(steps);
        }
        if status.is_terminal() {
            for step in steps.iter().filter(|step| step.status == JobStatus::Failed) {
                say_log(client, step).await;
            }
            if let Err(error) = client.jobs().wait(job).await {
                bail!("the pipeline {job} has ended {status}: {error}");
            }
            bail!("the pipeline {job} has ended {status}");
        }
        tokio::time::sleep(pause).await;
    }
}

pub(super) fn name(step: &Run) -> &str {
    let module = step.properties.get("azureml.moduleName").and_then(serde_json::Value::as_str);
    step.display_name.as_deref().or(module).unwrap_or(&step.run_id)
}

fn reused(step: &Run) -> &'static str {
    match step.properties.get("azureml.isreused").and_then(serde_json::Value::as_str) {
        Some("true") => ", with the outputs of an earlier run",
        _ => "",
    }
}

/// The end of a step's log, as far as it can be had: the failure itself is told anyway.
async fn say_log(client: &MlClient, step: &Run) {
    let mut logs = client.jobs().logs(&step.run_id);
    let mut lines = Vec::new();
    while let Ok(Some(more)) = logs.next().await {
        lines.extend(more.lines);
    }
    let first = lines.len().saturating_sub(N_LINES);
    say(&format!("{} says:", name(step)));
    lines.iter().skip(first).for_each(|line| say(&format!("  {line}")));
}

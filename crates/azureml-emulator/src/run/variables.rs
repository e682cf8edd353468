use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
};

use super::{
    CommandRun, MODEL, OUTPUT, RunInput, failure::Stop, folder::RunFolder, template::Values,
};
use crate::{
    door::Door,
    environment::{Environment, Way},
    world::World,
};

/// What of the emulator's own environment a command gets: languages and the time zone, and what Windows needs to start anything.
const INHERITED: [&str; 7] =
    ["LANG", "LC_ALL", "LC_CTYPE", "TZ", "SystemRoot", "ComSpec", "PATHEXT"];

/// What leads a program to this emulator by Azure's names, and lets it sign in as its compute's identity.
const OF_EMULATOR: [&str; 5] =
    ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "MSI_ENDPOINT", "MSI_SECRET"];

/// The environment of a run's command, as on Azure ML's computes.
pub(super) fn variables(
    world: &World,
    run: &CommandRun,
    folder: &RunFolder,
    search_path: &OsStr,
    values: &Values,
) -> Result<BTreeMap<OsString, OsString>, Stop> {
    let mut variables: BTreeMap<OsString, OsString> = INHERITED
        .iter()
        .filter_map(|name| Some((OsString::from(name), env::var_os(name)?)))
        .collect();
    let mut set = |name: &str, value: &OsStr| {
        variables.insert(name.into(), value.into());
    };
    set("PATH", search_path);
    set("HOME", folder.home().as_os_str());
    set("TMPDIR", folder.temporary().as_os_str());
    // What is printed is to be seen while the command runs.
    set("PYTHONUNBUFFERED", "1".as_ref());

    let emulator = Environment::read(&world.folder).map_err(std::io::Error::other)?;
    for (name, value) in emulator.variables(Way::Proxy) {
        if OF_EMULATOR.contains(&name) {
            set(name, value.as_ref());
        }
    }
    // The proxy leads to Azure's names alone.
    set("NO_PROXY", "localhost,127.0.0.1".as_ref());
    // A machine without an identity of its own has the emulator's.
    let identity = run.identity_client_id.as_deref().unwrap_or(&world.settings.client);
    set("DEFAULT_IDENTITY_CLIENT_ID", identity.as_ref());

    let api = Door::Azure.api(&world.settings.location);
    let root = run.parent.as_deref().unwrap_or(&run.name);
    for (name, value) in [
        ("AZUREML_RUN_ID", run.name.as_str()),
        ("AZUREML_ROOT_RUN_ID", root),
        ("AZUREML_EXPERIMENT_NAME", &run.experiment),
        ("AZUREML_ARM_PROJECT_NAME", &run.experiment),
        ("AZUREML_ARM_SUBSCRIPTION", segment(&run.workspace_id, "subscriptions")),
        ("AZUREML_ARM_RESOURCEGROUP", segment(&run.workspace_id, "resourcegroups")),
        ("AZUREML_ARM_WORKSPACE_NAME", segment(&run.workspace_id, "workspaces")),
        ("AZUREML_WORKSPACE_SCOPE", &run.workspace_id),
        ("AZUREML_SERVICE_ENDPOINT", &api),
        ("AZUREML_DISCOVERY_SERVICE_ENDPOINT", &format!("{api}/discovery")),
    ] {
        set(name, value.as_ref());
    }
    for (name, input) in &run.inputs {
        let value = values.inputs.get(name).and_then(Option::as_ref);
        if let (RunInput::Data { .. }, Some(value)) = (input, value) {
            set(&format!("AZURE_ML_INPUT_{name}"), value.as_ref());
        }
    }
    for (name, value) in &values.outputs {
        set(&format!("AZURE_ML_OUTPUT_{name}"), value.as_ref());
    }
    if run.mini_batches.is_some() {
        // The folder that the model is in, be it a file or a folder itself, as Azure ML has it.
        set("AZUREML_MODEL_DIR", folder.input(MODEL).as_os_str());
        set("AZUREML_BI_OUTPUT_PATH", folder.output(OUTPUT).as_os_str());
    }
    for (name, value) in &run.environment_variables {
        check(name, value)?;
        set(name, value.as_ref());
    }
    Ok(variables)
}

/// What the system takes for a variable.
fn check(name: &str, value: &str) -> Result<(), Stop> {
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        let message = format!("{name:?} cannot be an environment variable with that value");
        return Err(Stop::user_error(message));
    }
    Ok(())
}

/// The part of an id behind a word.
fn segment<'a>(id: &'a str, word: &str) -> &'a str {
    let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case(word));
    parts.nth(1).unwrap_or_default()
}

//! What was said, for the check against Azure's specification.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::{Value, json};

use super::{Answer, Fault, Seen};

/// Writes an exchange down, if a folder for it is named. A broken reply has no status.
pub(super) fn record(seen: &Seen, answer: &Answer) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(folder) = env::var_os("SPINNEY_AZUREML_TRAFFIC").map(PathBuf::from) else { return };
    let body = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let headers: BTreeMap<String, String> =
        answer.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    let is_broken = matches!(answer.fault, Some(Fault::Reset | Fault::Truncated));
    let exchange = json!({
        "test": test_name(), "method": seen.method, "path": seen.path, "query": seen.query,
        "request_headers": seen.headers, "request_body": body(&seen.body),
        "status": (!is_broken).then_some(answer.status), "headers": headers, "body": body(&answer.body),
    });
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{number:05}.json", process::id());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), serde_json::to_vec_pretty(&exchange).unwrap()).unwrap();
}

/// `file::test`: tests run on threads of their names, and their servers with them.
fn test_name() -> String {
    let program = env::current_exe().unwrap();
    let file = program.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // Behind the last dash is cargo's hash.
    let file = file.rsplit_once('-').map_or(file, |(file, _)| file);
    format!("{file}::{}", thread::current().name().unwrap_or("?"))
}

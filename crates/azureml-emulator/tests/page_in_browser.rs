//! The page in headless Chromium, without scripts: all that it links to, light and dark, and its button.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

mod support;

use std::{env, path::Path, process::Command};

use serde_json::{Value, json};
use support::local;

/// What the browser found.
fn look(url: &str, folder: &Path) -> Value {
    let modules = env::var_os("SPINNEY_BROWSER").expect("cargo xtask browser sets it");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/look.js");
    let output = Command::new("node")
        .arg(script)
        .arg(url)
        .arg(folder)
        .env("NODE_PATH", modules)
        // Where the browser is unpacked.
        .env("TMPDIR", folder)
        .output()
        .unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{out}\n{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap()
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask browser"]
async fn a_browser_reads_all_of_it_and_its_button_works() {
    let (_folder, local) = local().await;
    let hostile = "\"'><script>alert(1)</script><img src=https://x.example/ onerror=alert(1)>";
    let tags = json!({"r2": "0.91", hostile: hostile});
    let model = json!({"properties": {"modelUri": "azureml://datastores/d/paths/x", "tags": tags, "description": hostile}});
    local.put(&local.id("/models/ames/versions/1"), &model).await.expect(201);
    let endpoint =
        json!({"location": "westeurope", "tags": tags, "properties": {"authMode": "Key"}});
    local.put(&local.id("/onlineEndpoints/prices"), &endpoint).await.expect(201);
    let cluster = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 2, "maxNodeCount": 4},
    }}});
    local.put(&local.id("/computes/mlops-cluster"), &cluster).await.expect(201);
    local.wait();

    let folder = tempfile::tempdir().unwrap();
    let (url, path) = (local.emulator.environment().page_url(), folder.path().to_owned());
    let found = tokio::task::spawn_blocking(move || look(&url, &path)).await.unwrap();
    assert_eq!((&found["errors"], &found["dialogs"]), (&json!([]), &json!(0)), "{found}");
    let pages = found["pages"].as_object().unwrap();
    for (path, page) in pages {
        assert_eq!(page["status"], 200, "{path}");
        assert_eq!(page["isWide"], false, "{path} is wider than the window");
        assert_ne!(page["looks"]["light"], page["looks"]["dark"], "{path}");
    }
    let text = |path: &str| {
        let page = pages.get(path).unwrap_or_else(|| panic!("{path} among {:?}", pages.keys()));
        page["text"].as_str().unwrap()
    };
    let base = "/studio/rg/mlops-ws";
    assert!(text("/").contains("0.59 USD an hour"));
    assert!(text(&format!("{base}/models/ames/1")).contains(hostile));
    assert!(text(&format!("{base}/endpoints/prices")).contains("curl --cacert"));
    assert!(text(&format!("{base}/endpoints/prices?key=shown")).contains("Primary key"));
    assert_eq!(pages["/studio/stop"]["forms"], 1);
    assert!(found["stopped"].as_str().unwrap().contains("Delete the endpoint"), "{found}");
    local.wait();
    local.get(&local.id("/onlineEndpoints/prices")).await.expect(404);
}

//! The page in headless Chromium, without scripts: all that it links to, wide and narrow, light and dark, a job that gets on, and the button.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]
#![cfg(unix)]

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use spinney_azureml_emulator::{Clock, Emulator};
use support::{Local, send};

/// Where pictures of all pages are afterwards.
fn pictures() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("page")
}

/// What the browser found, which makes the file `go` when it has seen the job run.
fn look(url: &str, job: &str, go: &Path) -> Value {
    let modules = env::var_os("SPINNEY_BROWSER").expect("cargo xtask browser sets it");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/look.js");
    let (pictures, own) = (pictures(), tempfile::tempdir().unwrap());
    let _ = fs::remove_dir_all(&pictures);
    fs::create_dir_all(&pictures).unwrap();
    let output = Command::new("node")
        .arg(script)
        .args([url.as_ref(), pictures.as_os_str(), job.as_ref(), go.as_os_str()])
        .env("NODE_PATH", modules)
        // Where the browser is unpacked.
        .env("TMPDIR", own.path())
        .output()
        .unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{out}\n{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap()
}

const HOSTILE: &str = "\"'><script>alert(1)</script><img src=https://x.example/ onerror=alert(1)>";

/// A workspace in which somebody works.
struct Office {
    local: Local,
    token: String,
}

impl Office {
    async fn open(state: &Path) -> Self {
        let runtime = env!("CARGO_BIN_EXE_spinney-azureml-emulator");
        let builder = Emulator::builder(state).scoring_program(runtime, ["serve"]);
        let local = Local::start_with(builder, Clock::scaled(100.0).unwrap()).await;
        let token = local.sign_in("https://ml.azure.com").await;
        Self { local, token }
    }

    async fn put(&self, path: &str, body: &Value) {
        let request = self.local.request(Method::PUT, &self.local.id(path)).body(body.to_string());
        send(request.header("x-azureml-token", &self.token)).await.expect(201);
    }

    /// Waits until something has come as far as a word says.
    async fn until(&self, path: &str, field: &str, word: &str) {
        let id = self.local.id(path);
        for _ in 0..1500 {
            let found = self.local.get(&id).await.expect(200).body;
            if found["properties"][field] == word {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} does not become {word}");
    }

    async fn machines(&self) {
        for (name, least) in [("mlops-cluster", 2), ("spare", 0)] {
            self.put(&format!("/computes/{name}"), &json!({"location": "westeurope", "properties": {
                "computeType": "AmlCompute", "properties": {
                    "vmSize": "Standard_DS3_v2", "scaleSettings": {
                        "minNodeCount": least, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M",
                    },
                },
            }}))
            .await;
            self.until(&format!("/computes/{name}"), "provisioningState", "Succeeded").await;
        }
        let instance = json!({"location": "westeurope", "properties": {
            "computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS11_v2"},
        }});
        self.put("/computes/notebooks", &instance).await;
        self.until("/computes/notebooks", "provisioningState", "Succeeded").await;
    }

    /// Models, one of them with words that are hostile to a page.
    async fn models(&self) {
        let (container, sas) = self.local.container().await;
        let bundle =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bundles/v1/prices.bundle");
        let url = format!("{container}/models/prices.bundle?{sas}");
        let put = self.local.client.put(url).header("x-ms-blob-type", "BlockBlob");
        send(put.body(fs::read(bundle).unwrap())).await.expect(201);
        let uri = "azureml://datastores/workspaceblobstore/paths/models/prices.bundle";
        for version in 1..=3 {
            let tags = json!({"r2": format!("0.9{version}"), "rmse": "24107", "stage": "test"});
            let model = json!({"properties": {"modelUri": uri, "tags": tags}});
            self.put(&format!("/models/ames-prices/versions/{version}"), &model).await;
        }
        let tags = json!({"r2": "0.91", HOSTILE: HOSTILE});
        let model = json!({"properties": {"modelUri": uri, "tags": tags, "description": HOSTILE}});
        self.put("/models/hostile/versions/1", &model).await;
        let data = json!({"properties": {"dataType": "uri_file", "dataUri": uri}});
        self.put("/data/ames-raw/versions/1", &data).await;
        let image = json!({"properties": {"image": "example.azurecr.io/spinney-scoring:1"}});
        self.put("/environments/scoring/versions/1", &image).await;
    }

    async fn endpoint(&self) {
        let mut endpoint = json!({
            "location": "westeurope",
            "tags": {"team": "prices"},
            "properties": {"authMode": "Key"},
        });
        self.put("/onlineEndpoints/houses", &endpoint).await;
        self.until("/onlineEndpoints/houses", "provisioningState", "Succeeded").await;
        self.put("/onlineEndpoints/houses/deployments/blue", &json!({
            "location": "westeurope",
            "sku": {"name": "Default", "capacity": 1},
            "properties": {
                "endpointComputeType": "Managed",
                "instanceType": "Standard_D2as_v4",
                "model": "azureml:ames-prices:3",
                "environmentId": "azureml:scoring:1",
                "readinessProbe": {"initialDelay": "PT0S", "period": "PT1S", "failureThreshold": 30},
            },
        }))
        .await;
        self.until("/onlineEndpoints/houses/deployments/blue", "provisioningState", "Succeeded")
            .await;
        endpoint["properties"]["traffic"] = json!({"blue": 100});
        let id = self.local.id("/onlineEndpoints/houses");
        self.local.put(&id, &endpoint).await.expect(200);
        self.until("/onlineEndpoints/houses", "provisioningState", "Succeeded").await;
    }

    /// The workshop's eight steps in commands: one waits for the file `go`. And a job that fails.
    async fn jobs(&self, go: &Path) {
        let environment = self.local.id("/environments/scoring/versions/1");
        let begun = go.with_extension("begun");
        let wait = format!(
            "touch '{}'; while [ ! -e '{}' ]; do sleep 0.05; done; date",
            begun.display(),
            go.display()
        );
        let steps: [(&str, &str, &[&str]); 8] = [
            ("split", "echo 2930 rows", &[]),
            ("prep_train", "echo prepared", &["split"]),
            ("prep_test", "echo prepared", &["split", "prep_train"]),
            ("train", &wait, &["prep_train"]),
            ("evaluate", "echo r2 0.91", &["train", "prep_test"]),
            ("tag", "echo tagged", &["train", "evaluate"]),
            ("deploy", "echo deployed", &["train", "tag"]),
            ("test_endpoint_with_a_long_name", "echo 181500", &["deploy"]),
        ];
        let mut jobs = json!({});
        for (name, command, needs) in steps {
            let port = json!({"type": "uri_file"});
            let ports: serde_json::Map<_, _> =
                needs.iter().map(|need| ((*need).to_owned(), port.clone())).collect();
            let spec = json!({
                "type": "command",
                "command": format!("({command}) > ${{{{outputs.result}}}}"),
                "environment": environment,
                "inputs": ports,
                "outputs": {"result": port},
            });
            let body = json!({"properties": {"componentSpec": spec}});
            self.put(&format!("/components/{name}/versions/1"), &body).await;
            let bound = |need: &&str| {
                let value = format!("${{{{parent.jobs.{need}.outputs.result}}}}");
                ((*need).to_owned(), json!({"job_input_type": "literal", "value": value}))
            };
            let inputs: serde_json::Map<_, _> = needs.iter().map(bound).collect();
            jobs[name] = json!({"type": "command", "componentId": format!("azureml:{name}:1"), "inputs": inputs});
        }
        self.put(
            "/jobs/road",
            &json!({"properties": {
                "jobType": "Pipeline",
                "displayName": "ames-pipeline",
                "experimentName": "ames",
                "description": "From the raw rows to an endpoint that answers.",
                "tags": {"commit": "4f1c2d"},
                "settings": {"default_compute": self.local.id("/computes/mlops-cluster")},
                "jobs": jobs,
            }}),
        )
        .await;
        self.put("/jobs/wrong", &json!({"properties": {
            "jobType": "Command",
            "displayName": "train with a wrong column",
            "experimentName": "ames",
            "command": "echo reads 2930 rows; echo 'Error: there is no column GrLivArea2' >&2; exit 3",
            "environmentId": environment,
        }}))
        .await;
        self.until("/jobs/wrong", "status", "Failed").await;
        for attempt in 0.. {
            if begun.exists() {
                break;
            }
            assert!(attempt < 1500, "the step does not begin");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a browser: cargo xtask browser"]
async fn a_browser_reads_all_of_it_follows_a_job_and_its_button_works() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let office = Office::open(&folder.path().join("state")).await;
    office.machines().await;
    office.models().await;
    office.endpoint().await;
    office.jobs(&go).await;
    let local = &office.local;
    let keys = local.post(&local.id("/onlineEndpoints/houses/listKeys"), &Value::Null).await;
    let key = keys.expect(200).body["primaryKey"].as_str().unwrap().to_owned();

    let base = "/studio/rg/mlops-ws";
    let (url, job) = (local.emulator.environment().page_url(), format!("{base}/jobs/road"));
    let found = tokio::task::spawn_blocking(move || look(&url, &job, &go)).await.unwrap();
    assert_eq!((&found["errors"], &found["dialogs"]), (&json!([]), &json!(0)));
    let pages = found["pages"].as_object().unwrap();
    for (path, page) in pages {
        assert_eq!(page["status"], 200, "{path}");
        assert_eq!(page["tooWide"], json!([]), "{path} is wider than the window");
        assert_eq!(page["faint"], json!([]), "{path}");
        assert_ne!(page["backgrounds"]["light"], page["backgrounds"]["dark"], "{path}");
    }
    let page = |path: &str| {
        let path = format!("{base}{path}");
        pages.get(&path).unwrap_or_else(|| panic!("{path} among {:?}", pages.keys()))
    };
    let text = |path: &str| page(path)["text"].as_str().unwrap();

    assert!(text("/models/hostile/1").contains(HOSTILE));
    assert!(text("/models").contains("r2 0.93"));
    assert!(text("/computes").contains("0.293 USD"));
    let boxes = page("/jobs/road")["boxes"].as_array().unwrap();
    assert_eq!(boxes.len(), 8);
    for (class, title) in
        [("good", "split: Completed"), ("on", "train: Running"), ("off", "tag: NotStarted")]
    {
        assert!(boxes.contains(&json!([class, title])), "{title} is not in {boxes:?}");
    }
    let statuses = found["statuses"].as_array().unwrap();
    assert_eq!((&statuses[0], statuses.last().unwrap()), (&json!("Running"), &json!("Completed")));
    assert!(text("/jobs/wrong").contains("status code 3"), "{}", text("/jobs/wrong"));
    let log = "/jobs/wrong/logs/user_logs%2Fstd_log.txt";
    assert!(text(log).contains("there is no column GrLivArea2"));
    assert!(text("/endpoints/houses").contains("curl --cacert"));
    for (path, page) in pages {
        let shows_key = page["text"].as_str().unwrap().contains(&key);
        assert_eq!(shows_key, path.ends_with("/endpoints/houses?key=shown"), "{path}");
    }
    assert_eq!(pages["/studio/stop"]["forms"], 1);
    let asked = pages["/studio/stop"]["text"].as_str().unwrap();
    for words in ["Cancel the job", "Delete the endpoint", "Stop the compute instance"] {
        assert!(asked.contains(words), "{asked}");
    }
    assert!(found["stopped"].as_str().unwrap().contains("Delete the endpoint"), "{found}");
    let endpoint = local.id("/onlineEndpoints/houses");
    for attempt in 0.. {
        if local.get(&endpoint).await.status == 404 {
            break;
        }
        assert!(attempt < 500, "the endpoint stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    office.local.emulator.shutdown().await;
}

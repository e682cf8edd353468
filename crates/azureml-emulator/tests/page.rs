//! The page in a browser: who sees it, what it says of what there is, and that nothing in it is taken for anything but text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use spinney_azureml::{ComponentInput, ComponentOutput, ComponentSpec, PipelineJob};
use support::{Local, Reply, local, ml_client::ml_client, send};

/// Somebody with a browser.
struct Browser<'a> {
    local: &'a Local,
    client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// Opens the address that was printed.
    async fn open(local: &'a Local) -> Self {
        let ca = std::fs::read(local.emulator.ca_path()).unwrap();
        let ca = reqwest::Certificate::from_pem(&ca).unwrap();
        let client = Client::builder().tls_certs_only([ca]).no_proxy().redirect(Policy::none());
        let client = client.build().unwrap();
        let url = local.emulator.environment().page_url();
        let welcome = send(client.get(url)).await.expect(303);
        assert_eq!(welcome.header("location"), "/");
        let cookie = welcome.header("set-cookie").to_owned();
        for word in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { local, client, cookie }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.local.base());
        self.client.request(method, url).header("cookie", &self.cookie)
    }

    async fn read(&self, path: &str) -> String {
        let reply = send(self.request(Method::GET, path)).await.expect(200);
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(reply.header("cache-control"), "no-store");
        reply.body.as_str().unwrap().to_owned()
    }

    async fn stop(&self, form: &str) -> Reply {
        let body = format!("form={form}");
        send(self.request(Method::POST, "/studio/stop").body(body)).await
    }
}

/// What a page of ours carries for its form.
fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

const WORKSPACE: &str = "/studio/rg/mlops-ws";

async fn endpoint(local: &Local) {
    let body = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
    local.put(&local.id("/onlineEndpoints/prices"), &body).await.expect(201);
}

async fn cluster(local: &Local) {
    let body = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 2, "maxNodeCount": 4},
    }}});
    local.put(&local.id("/computes/mlops-cluster"), &body).await.expect(201);
}

#[tokio::test]
async fn only_who_has_the_printed_address_sees_anything() {
    let (_folder, local) = local().await;
    let browser = Browser::open(&local).await;
    browser.read("/").await;
    for path in ["/", "/studio/stop", WORKSPACE, "/page.css", "/?token=x"] {
        let url = format!("{}{path}", local.base());
        let refused = send(local.client.get(&url)).await.expect(401);
        assert!(!refused.body.to_string().contains("mlops-ws"));
        let wrong = local.client.get(&url).header("cookie", "__Host-spinney=x; a");
        send(wrong).await.expect(401);
        // A token for Azure Resource Manager is none for this.
        send(local.client.get(&url).bearer_auth(&local.token)).await.expect(401);
    }
    // A name that somebody else has made to lead here.
    let rebound = browser.request(Method::GET, "/").header("host", "evil.example");
    send(rebound).await.expect(421);
    // Neither is the cookie a token.
    let cookie = browser.cookie.split('=').nth(1).unwrap();
    let id = format!("{}{}?api-version=1", local.base(), local.id(""));
    send(local.client.get(id).bearer_auth(cookie)).await.expect(401);
    send(browser.request(Method::GET, "/studio/rg/other")).await.expect(404);
    send(browser.request(Method::GET, &format!("{WORKSPACE}/nothing"))).await.expect(404);
    send(browser.request(Method::PUT, "/")).await.expect(405);
}

#[tokio::test]
async fn what_there_is_is_shown() {
    let (_folder, local) = local().await;
    let browser = Browser::open(&local).await;
    let body = json!({"properties": {"modelUri": "azureml://datastores/d/paths/x", "tags": {"r2": "0.91"}}});
    local.put(&local.id("/models/ames/versions/3"), &body).await.expect(201);
    endpoint(&local).await;
    cluster(&local).await;
    local.wait();
    let overview = browser.read("/").await;
    assert!(overview.contains("mlops-ws") && overview.contains("0.59 USD an hour"), "{overview}");
    browser.read(WORKSPACE).await;
    let models = browser.read(&format!("{WORKSPACE}/models")).await;
    assert!(models.contains(&format!("href=\"{WORKSPACE}/models/ames/3\"")), "{models}");
    let model = browser.read(&format!("{WORKSPACE}/models/ames/3")).await;
    assert!(model.contains("<b>r2</b> 0.91") && model.contains("custom_model"), "{model}");
    let computes = browser.read(&format!("{WORKSPACE}/computes")).await;
    assert!(computes.contains("0.293 USD") && computes.contains("2 (2 to 4)"), "{computes}");
    assert!(computes.contains("for the region East US"), "{computes}");
    for kind in ["data", "environments", "components", "jobs", "endpoints"] {
        browser.read(&format!("{WORKSPACE}/{kind}")).await;
    }
    let address = format!("{WORKSPACE}/endpoints/prices");
    let id = local.id("/onlineEndpoints/prices/listKeys");
    let keys = local.post(&id, &Value::Null).await.expect(200).body;
    let key = keys["primaryKey"].as_str().unwrap();
    let endpoint = browser.read(&address).await;
    assert!(!endpoint.contains(key), "the key is shown when it is asked for");
    let uri = format!("{}/inference/westeurope/prices/score", local.base());
    assert!(endpoint.contains(&uri) && endpoint.contains("import requests"), "{endpoint}");
    let shown = browser.read(&format!("{address}?key=shown")).await;
    assert!(shown.contains(key) && shown.contains("bearer_auth"), "{shown}");
    assert!(!keys["secondaryKey"].as_str().is_some_and(|key| shown.contains(key)));
}

/// A pipeline of two steps, the first of which takes long.
async fn pipeline(local: &Local, hostile: &str) {
    let client = ml_client(&local.emulator, Duration::from_millis(50));
    let environment = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
    let split = ComponentSpec::new("split", "sleep 600 # ${{inputs.raw}}", environment)
        .input("raw", ComponentInput::string())
        .output("part", ComponentOutput::uri_file());
    let train = ComponentSpec::new("train", "cat ${{inputs.part}}", environment)
        .input("part", ComponentInput::uri_file());
    let split = client.components().create(&split, "1").await.unwrap();
    let train = client.components().create(&train, "1").await.unwrap();
    cluster(local).await;
    local.wait();
    let compute = local.id("/computes/mlops-cluster");
    let pipeline = PipelineJob::builder("road").name("road-1").description(hostile);
    let pipeline = pipeline.default_compute(compute);
    let first = pipeline.step("split_raw", &split).unwrap();
    first.bind("raw", hostile).unwrap();
    let second = pipeline.step("train", &train).unwrap();
    second.bind("part", first.output("part").unwrap()).unwrap();
    client.jobs().submit(&pipeline.build().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_pipeline_is_drawn_with_what_its_steps_need() {
    let (_folder, local) = local().await;
    let browser = Browser::open(&local).await;
    pipeline(&local, "</svg><script>").await;
    let jobs = browser.read(&format!("{WORKSPACE}/jobs")).await;
    assert!(jobs.contains(&format!("href=\"{WORKSPACE}/jobs/road-1\"")), "{jobs}");
    let job = browser.read(&format!("{WORKSPACE}/jobs/road-1")).await;
    let svg = job.split("<svg").nth(1).unwrap().split("</svg>").next().unwrap();
    assert_eq!((svg.matches("<rect").count(), svg.matches("<path").count()), (2, 1), "{svg}");
    assert!(svg.contains("split_raw") && svg.contains("train"), "{svg}");
    assert!(!job.contains("<script"), "{job}");
    assert!(job.contains("&lt;/svg&gt;&lt;script&gt;"), "{job}");
    // It is under way, and so read again; and it is canceled by the button.
    assert!(job.contains("http-equiv=\"refresh\""), "{job}");
    let asked = browser.read("/studio/stop").await;
    assert!(asked.contains("Cancel the job") && asked.contains("road-1"), "{asked}");
    let stopped = browser.stop(&form_token(&asked)).await.expect(200).body;
    assert!(stopped.as_str().unwrap().contains("state good"), "{stopped}");
}

#[tokio::test]
async fn hostile_names_tags_and_texts_stay_text() {
    let (_folder, local) = local().await;
    let browser = Browser::open(&local).await;
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}";
    let tags = json!({hostile: hostile});
    let model = json!({"properties": {
        "modelUri": format!("azureml://datastores/d/paths/{hostile}"), "tags": tags, "description": hostile,
        "jobName": hostile, "properties": {"x": hostile},
    }});
    local.put(&local.id("/models/ames/versions/1"), &model).await.expect(201);
    let endpoint = json!({"location": "westeurope", "tags": tags, "properties": {"authMode": "Key", "description": hostile}});
    local.put(&local.id("/onlineEndpoints/prices"), &endpoint).await.expect(201);
    let data = json!({"properties": {"dataType": "uri_file", "dataUri": format!("https://x/{hostile}"), "tags": tags}});
    local.put(&local.id("/data/raw/versions/1"), &data).await.expect(201);
    for path in
        ["", "/models", "/models/ames/1", "/endpoints", "/endpoints/prices", "/data", "/data/raw/1"]
    {
        let page = browser.read(&format!("{WORKSPACE}{path}")).await;
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(!page.contains("\"'>"), "{page}");
    }
    let page = browser.read(&format!("{WORKSPACE}/models/ames/1")).await;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    for path in
        ["/%3Cscript%3E", "/models/%22%3E%3Cscript%3E/1", "/jobs/x/logs/..%2F..%2Fsecrets.json"]
    {
        let reply =
            send(browser.request(Method::GET, &format!("{WORKSPACE}{path}"))).await.expect(404);
        assert!(!reply.body.to_string().contains("<script"), "{reply:?}");
    }
}

#[tokio::test]
async fn everything_is_stopped_by_who_was_asked_and_by_no_other_site() {
    let (_folder, local) = local().await;
    let browser = Browser::open(&local).await;
    let nothing = browser.read("/studio/stop").await;
    assert!(nothing.contains("Nothing runs") && !nothing.contains("<form"), "{nothing}");
    endpoint(&local).await;
    cluster(&local).await;
    let body = json!({"location": "westeurope", "properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS11_v2"}}});
    local.put(&local.id("/computes/ci1"), &body).await.expect(201);
    local.wait();

    let asked = browser.read("/studio/stop").await;
    let form = form_token(&asked);
    browser.stop("").await.expect(403);
    browser.stop(&form.replace(|c: char| c.is_ascii_digit(), "x")).await.expect(403);
    let other =
        browser.request(Method::POST, "/studio/stop").header("origin", "https://evil.example");
    send(other.body(format!("form={form}"))).await.expect(403);
    let anybody = local.client.post(format!("{}/studio/stop", local.base()));
    send(anybody.body(format!("form={form}"))).await.expect(401);
    local.get(&local.id("/onlineEndpoints/prices")).await.expect(200);

    let stopped = browser.stop(&form).await.expect(200).body;
    let stopped = stopped.as_str().unwrap();
    assert_eq!(stopped.matches("state good").count(), 3, "{stopped}");
    local.wait();
    local.get(&local.id("/onlineEndpoints/prices")).await.expect(404);
    let instance = local.get(&local.id("/computes/ci1")).await.expect(200).body;
    assert_eq!(instance["properties"]["properties"]["state"], "Stopped");
    // Its nodes go when they have been idle for long enough.
    local.clock.advance(Duration::from_secs(600));
    for attempt in 0.. {
        let cluster = local.get(&local.id("/computes/mlops-cluster")).await.expect(200).body;
        if cluster["properties"]["properties"]["currentNodeCount"] == 0 {
            break;
        }
        assert!(attempt < 500, "{cluster}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(browser.read("/").await.contains("0.00 USD an hour"));
}

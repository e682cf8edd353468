//! The emulator as a process, and what it costs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Certificate, Client, Method, RequestBuilder};
use serde_json::Value;
use spinney_azureml_emulator::{Environment, Way};

/// The emulator, on a core of its own.
pub(crate) struct Server {
    process: Child,
    pub(crate) client: Client,
    base: String,
    /// The id of the workspace that there is.
    workspace: String,
    token: String,
}

impl Drop for Server {
    /// Told to end, it ends the deployments that it has started; killed, it would leave them behind.
    fn drop(&mut self) {
        let told = Command::new("kill").arg(self.process.id().to_string()).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

impl Server {
    pub(crate) async fn start(state: &Path) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "1", env!("CARGO_BIN_EXE_spinney-azureml-emulator"), "--state"]);
        command.arg(state).args(["--port", "0", "--proxy-port", "0", "--time-scale", "100"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"), "the emulator does not start");
        let environment = Environment::read(state).unwrap();
        let variables = environment.variables(Way::CloudMetadata);
        let variable = |name: &str| &variables.iter().find(|(own, _)| *own == name).unwrap().1;
        let base = variable("ARM_CLOUD_METADATA_URL").split("/metadata").next().unwrap().to_owned();
        let workspace = format!(
            "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws",
            variable("AZUREML_ARM_SUBSCRIPTION")
        );
        let ca = Certificate::from_pem(&fs::read(environment.ca_path()).unwrap()).unwrap();
        let client = Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let mut server = Self { process, client, base, workspace, token: String::new() };
        server.token = server.sign_in(&environment, "https://management.azure.com").await;
        server
    }

    async fn sign_in(&self, environment: &Environment, resource: &str) -> String {
        let variables = environment.variables(Way::Proxy);
        let variable = |name: &str| &variables.iter().find(|(own, _)| *own == name).unwrap().1;
        let url = format!("{}/{}/oauth2/v2.0/token", self.base, variable("AZURE_TENANT_ID"));
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={resource}/.default",
            variable("AZURE_CLIENT_ID"),
            variable("AZURE_CLIENT_SECRET")
        );
        let token = answer(self.client.post(url).body(form)).await;
        token["access_token"].as_str().unwrap().to_owned()
    }

    /// A request to Azure Resource Manager about something in the workspace.
    pub(crate) fn arm(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{}{path}?api-version=2025-12-01", self.base, self.workspace);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    /// A request that puts something into the default datastore.
    pub(crate) async fn upload(&self, path: &str, content: Vec<u8>) {
        let datastore = "/datastores/workspaceblobstore";
        let store = answer(self.arm(Method::GET, datastore)).await;
        let container = store["properties"]["containerName"].as_str().unwrap();
        let secret = self.arm(Method::POST, &format!("{datastore}/listSecrets"));
        let secret =
            answer(secret.body(r#"{"expirableSecret": true, "expireAfterHours": 1}"#)).await;
        let sas = secret["sasToken"].as_str().unwrap();
        let url = format!("{}/devstoreaccount1/{container}/{path}?{sas}", self.base);
        let put = self.client.put(url).header("x-ms-blob-type", "BlockBlob").body(content);
        put.send().await.unwrap().error_for_status().unwrap();
    }

    /// The CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(self.process.id())
    }
}

/// The CPU time of all threads of a process so far, the kernel's share in it too.
pub(crate) fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = |place: usize| fields.split(' ').nth(place).unwrap().parse::<u64>().unwrap();
    // A hundredth of a second each, on every Linux that there is.
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// What must succeed, as JSON.
pub(crate) async fn answer(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.bytes().await.unwrap();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or_default()
}

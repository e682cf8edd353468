//! The project's own client, which takes an emulator for Azure.

use std::{fs, sync::Arc, time::Duration};

use reqwest::{Certificate, Proxy};
use spinney_azureml::{ComputeIdentityCredential, MlClient, RetryOptions, WorkspaceId};
use spinney_azureml_emulator::{Emulator, Way};

/// A client that knows nothing but the public cloud's names and what the emulator says for the environment, and asks again that often.
pub(crate) fn ml_client(emulator: &Emulator, poll_interval: Duration) -> MlClient {
    let variables = emulator.environment().variables(Way::Proxy);
    let variable =
        |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let certificate = Certificate::from_pem(&fs::read(emulator.ca_path()).unwrap()).unwrap();
    let proxy = Proxy::https(variable("HTTPS_PROXY").unwrap()).unwrap();
    let http = reqwest::Client::builder().add_root_certificate(certificate).proxy(proxy);
    let direct = reqwest::Client::builder().no_proxy().build().unwrap();
    let credential = ComputeIdentityCredential::new(
        &variable("MSI_ENDPOINT").unwrap(),
        variable("MSI_SECRET").unwrap(),
        None,
        direct,
    );
    let workspace = WorkspaceId::from_environment(variable).unwrap().unwrap();
    let retry =
        RetryOptions { initial_delay: Duration::from_millis(10), ..RetryOptions::default() };
    MlClient::builder(workspace)
        .credential(Arc::new(credential.unwrap()))
        .http_client(http.build().unwrap())
        .poll_interval(poll_interval)
        .retry(retry)
        .build()
        .unwrap()
}

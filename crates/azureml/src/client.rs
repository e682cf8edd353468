use std::{env, fmt, fs, path::PathBuf, sync::Arc, time::Duration};

use azure_core::credentials::TokenCredential;
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use url::Url;

use crate::{
    Cloud, Error, Pages, Poller, Result, RetryOptions, Workspace, WorkspaceId, default_credential,
    discovery,
    http::{Call, Pipeline, Reply, Tokens},
    poller::{Begun, Finish},
};

/// The newest stable version that all of this was written for, and the first with a compute instance's idle shutdown.
const API_VERSION: &str = "2025-12-01";

/// A client of one Azure Machine Learning workspace and the resource group around it.
///
/// It is cheap to clone: clones share connections, tokens and what is known of the workspace.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> spinney_azureml::Result<()> {
/// use spinney_azureml::{MlClient, WorkspaceId};
///
/// let client = MlClient::builder(WorkspaceId::from_config(".")?).build()?;
/// let workspace = client.workspaces().get().await?;
/// println!("{:?}", workspace.location);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MlClient {
    inner: Arc<Inner>,
}

struct Inner {
    workspace: WorkspaceId,
    api_version: String,
    pipeline: Pipeline,
    transfers: reqwest::Client,
    poll_interval: Duration,
    location: Option<String>,
    known: OnceCell<Workspace>,
    services: OnceCell<Url>,
}

/// The settings of an [`MlClient`].
#[must_use]
pub struct MlClientBuilder {
    workspace: WorkspaceId,
    cloud: Cloud,
    credential: Option<Arc<dyn TokenCredential>>,
    api_version: String,
    retry: RetryOptions,
    timeout: Duration,
    poll_interval: Duration,
    location: Option<String>,
    http: Option<reqwest::Client>,
}

impl MlClientBuilder {
    /// Where Azure is: the public cloud, unless said otherwise.
    pub fn cloud(self, cloud: Cloud) -> Self {
        Self { cloud, ..self }
    }

    /// Who asks. Without it, [`default_credential`].
    pub fn credential(self, credential: Arc<dyn TokenCredential>) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// The version of Azure ML's interface: 2025-12-01.
    pub fn api_version(self, api_version: impl Into<String>) -> Self {
        Self { api_version: api_version.into(), ..self }
    }

    /// When a request is sent again.
    pub fn retry(self, retry: RetryOptions) -> Self {
        Self { retry, ..self }
    }

    /// How long one attempt of a request may take: 300 s. Transfers of files take as long as they need; of them it is how long storage
    /// may be silent, at most one block's time.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long to wait between two looks at an operation when Azure does not say: 30 s.
    pub fn poll_interval(self, poll_interval: Duration) -> Self {
        Self { poll_interval, ..self }
    }

    /// The workspace's region, such as `westeurope`. Without it the workspace is asked once, when something is made in it.
    pub fn location(self, location: impl Into<String>) -> Self {
        Self { location: Some(location.into()), ..self }
    }

    /// The HTTP client to use, for proxies and certificates of one's own. [`timeout`](Self::timeout) then has no effect.
    pub fn http_client(self, http: reqwest::Client) -> Self {
        Self { http: Some(http), ..self }
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] if TLS cannot be set up, [`Error::Io`] if the file `SSL_CERT_FILE` cannot be read, [`Error::Credential`] if no
    /// credential could be made.
    pub fn build(self) -> Result<MlClient> {
        let (http, transfers) = match self.http {
            Some(http) => (http.clone(), http),
            None => (http_client(self.timeout)?, transfer_client(self.timeout)?),
        };
        let credential = match self.credential {
            Some(credential) => credential,
            None => default_credential(&http)?,
        };
        let tokens = Tokens::new(credential);
        let pipeline = Pipeline { http, tokens, retry: self.retry, cloud: self.cloud };
        Ok(MlClient {
            inner: Arc::new(Inner {
                workspace: self.workspace,
                api_version: self.api_version,
                pipeline,
                transfers,
                poll_interval: self.poll_interval,
                location: self.location,
                known: OnceCell::new(),
                services: OnceCell::new(),
            }),
        })
    }
}

impl fmt::Debug for MlClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlClientBuilder")
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

/// The HTTP client that an [`MlClient`] makes for itself: TLS by rustls with the system's certificates and those of the file
/// `SSL_CERT_FILE`, the proxy of `HTTPS_PROXY`, and no redirects, as they would take tokens elsewhere. `timeout` is that of a whole
/// request.
///
/// # Errors
///
/// [`Error::Setup`] if TLS cannot be set up, [`Error::Io`] if the file cannot be read.
pub fn http_client(timeout: Duration) -> Result<reqwest::Client> {
    built(http_builder()?.timeout(timeout))
}

/// A client for files, which take as long as they are large: only silence has a limit.
fn transfer_client(silence: Duration) -> Result<reqwest::Client> {
    built(http_builder()?.read_timeout(silence).tcp_keepalive(Duration::from_secs(60)))
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(setup)
}

fn setup(error: reqwest::Error) -> Error {
    Error::Setup { source: Box::new(error) }
}

fn http_builder() -> Result<reqwest::ClientBuilder> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(30));
    Ok(match certificate_file().filter(|_| !READS_CERTIFICATE_FILE) {
        Some(path) => builder.tls_certs_merge(certificates(path)?),
        None => builder,
    })
}

/// Whether the system's certificates are those of `SSL_CERT_FILE` already, where it is set.
const READS_CERTIFICATE_FILE: bool =
    cfg!(not(any(windows, target_vendor = "apple", target_os = "android")));

fn certificate_file() -> Option<PathBuf> {
    env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn certificates(path: PathBuf) -> Result<Vec<reqwest::Certificate>> {
    let pem = fs::read(&path).map_err(|source| Error::Io { path, source })?;
    reqwest::Certificate::from_pem_bundle(&pem).map_err(setup)
}

impl MlClient {
    /// The settings of a client of a workspace.
    pub fn builder(workspace: WorkspaceId) -> MlClientBuilder {
        MlClientBuilder {
            workspace,
            cloud: Cloud::public(),
            credential: None,
            api_version: API_VERSION.to_owned(),
            retry: RetryOptions::default(),
            timeout: Duration::from_secs(300),
            poll_interval: Duration::from_secs(30),
            location: None,
            http: None,
        }
    }

    /// The workspace.
    #[must_use]
    pub fn workspace_id(&self) -> &WorkspaceId {
        &self.inner.workspace
    }

    /// The region of the workspace, asked for at most once.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::Reply`] if the workspace names none.
    pub async fn location(&self) -> Result<String> {
        if let Some(location) = &self.inner.location {
            return Ok(location.clone());
        }
        let workspace = self.known_workspace().await?;
        workspace.location.clone().ok_or_else(|| {
            let target = self.inner.workspace.to_string();
            Error::reply("GET", target, "the workspace names no location")
        })
    }

    /// The workspace as it was when it was first needed.
    pub(crate) async fn known_workspace(&self) -> Result<&Workspace> {
        self.inner.known.get_or_try_init(|| self.workspaces().get()).await
    }

    pub(crate) fn api_version(&self) -> &str {
        &self.inner.api_version
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        self.inner.poll_interval
    }

    /// Where Azure ML's own services for the workspace are, asked for at most once.
    pub(crate) async fn services(&self) -> Result<&Url> {
        self.inner.services.get_or_try_init(|| discovery::services(self)).await
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.inner.pipeline
    }

    /// What files are sent and received with.
    pub(crate) fn transfer_client(&self) -> &reqwest::Client {
        &self.inner.transfers
    }

    /// An address in the workspace: its path with the segments, encoded.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut path: Vec<&str> = self.inner.workspace.segments().to_vec();
        path.extend(segments);
        self.provider_url(&path, &self.inner.api_version)
    }

    /// An address of Azure Resource Manager, with a provider's own version.
    pub(crate) fn provider_url(&self, segments: &[&str], api_version: &str) -> Url {
        let mut url = self.inner.pipeline.cloud.resource_manager.clone();
        // The address has a path: `Cloud` admits no other.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.query_pairs_mut().append_pair("api-version", api_version);
        url
    }

    /// An address from a resource id.
    pub(crate) fn id_url(&self, id: &str, api_version: &str) -> Url {
        let segments: Vec<&str> = id.trim_matches('/').split('/').collect();
        self.provider_url(&segments, api_version)
    }

    pub(crate) async fn send(&self, call: Call) -> Result<Reply> {
        self.inner.pipeline.send(call).await
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        self.send(Call::get(url)).await?.json()
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        url: Url,
        body: &impl Serialize,
    ) -> Result<T> {
        self.send(Call::put(url, body)).await?.json()
    }

    pub(crate) fn pages<T: DeserializeOwned>(&self, url: Url) -> Pages<T> {
        Pages::new(&self.inner.pipeline, url)
    }

    /// An operation that a PUT begins and whose result is the resource. The body is made when it begins.
    pub(crate) fn put_long<T, B>(
        &self,
        url: Url,
        body: impl Future<Output = Result<B>> + Send + 'static,
    ) -> Poller<T>
    where
        T: DeserializeOwned + Send + 'static,
        B: Serialize + Send,
    {
        let client = self.clone();
        self.poller(&url.clone(), async move {
            let call = Call::put(url.clone(), &body.await?);
            let reply = client.send(call).await?;
            Ok(Begun { reply, finish: Finish::Get(url) })
        })
    }

    /// An operation that results in nothing. What does not exist is deleted already.
    pub(crate) fn delete_long(&self, url: Url) -> Poller<()> {
        let client = self.clone();
        self.poller(&url.clone(), async move {
            let reply = match client.send(Call::delete(url.clone())).await {
                Err(error) if error.is_not_found() => Reply::no_content(Method::DELETE, url),
                reply => reply?,
            };
            Ok(Begun { reply, finish: Finish::Value(()) })
        })
    }

    pub(crate) fn post_long(&self, call: Call) -> Poller<()> {
        let client = self.clone();
        self.poller(&call.url.clone(), async move {
            let reply = client.send(call).await?;
            Ok(Begun { reply, finish: Finish::Value(()) })
        })
    }

    pub(crate) fn poller<T: DeserializeOwned + Send + 'static>(
        &self,
        url: &Url,
        begin: impl Future<Output = Result<Begun<T>>> + Send + 'static,
    ) -> Poller<T> {
        Poller::new(&self.inner.pipeline, self.inner.poll_interval, url.path(), begin)
    }
}

impl fmt::Debug for MlClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { workspace, api_version, pipeline, .. } = &*self.inner;
        f.debug_struct("MlClient")
            .field("workspace", workspace)
            .field("api_version", api_version)
            .field("resource_manager", &pipeline.cloud.resource_manager.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// What systems do that do not read the file themselves.
    #[test]
    fn certificates_of_a_file_are_trusted_and_a_file_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let missing = certificates(path.clone()).unwrap_err();
        assert!(missing.to_string().contains("ca.pem"), "{missing}");
        let pem = ["one.test", "other.test"]
            .map(|host| rcgen::generate_simple_self_signed([host.to_owned()]).unwrap().cert.pem());
        fs::write(&path, pem.concat()).unwrap();
        let certificates = certificates(path).unwrap();
        assert_eq!(certificates.len(), 2);
        assert!(reqwest::Client::builder().tls_certs_merge(certificates).build().is_ok());
    }
}

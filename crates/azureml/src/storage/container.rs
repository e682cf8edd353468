use std::{sync::Arc, time::Duration};

use azure_core::{
    credentials::Secret,
    http::{ClientOptions, RetryOptions as NoRetry, Transport},
    time::{OffsetDateTime, parse_rfc7231},
};
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobContainerClientOptions};
use tokio::sync::Mutex;
use url::Url;

use super::{
    bearer::Bearer,
    refusal::{Call, Refusal},
    sas,
};
use crate::{
    Datastore, DatastoreSecrets, Error, MlClient, Result,
    http::{check_encrypted, target_of},
};

/// Known to Azurite too, which refuses newer ones.
const STORAGE_VERSION: &str = "2025-11-05";
/// How long a signature of our own holds. It is renewed as often as a transfer needs it.
const SAS_VALIDITY: Duration = Duration::from_secs(3600);
/// How often one request gets a new signature. One should do, but on a slow network its time may be over again.
const MAX_RENEWALS: u32 = 5;

/// A container of a storage account, and the way into it: a signature, one made from the account's key, or an identity.
pub(crate) struct Container {
    client: MlClient,
    /// Its address, without a signature.
    url: Url,
    datastore: Option<Datastore>,
    connection: Mutex<Arc<Connection>>,
}

/// The way in, until it is replaced by another.
pub(super) struct Connection {
    container: BlobContainerClient,
    kind: Access,
    /// When its signature ends to hold. `None` if that is not known, as where this machine's clock is ahead of a new signature.
    expires_on: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Sas,
    Key,
    Identity,
}

impl Connection {
    pub(super) fn container(&self) -> &BlobContainerClient {
        &self.container
    }

    pub(super) fn blob(&self, name: &str) -> BlobClient {
        self.container.blob_client(name)
    }

    fn is_over(&self) -> bool {
        self.expires_on.is_some_and(|expires_on| expires_on <= OffsetDateTime::now_utc())
    }
}

impl Container {
    /// The container of a datastore.
    pub(crate) async fn of(client: &MlClient, datastore: &Datastore) -> Result<Self> {
        let url = datastore.properties.container_url(&client.pipeline().cloud)?;
        let connection = connect(client, datastore, &url, false).await?;
        Ok(Self {
            client: client.clone(),
            url,
            datastore: Some(datastore.clone()),
            connection: Mutex::new(Arc::new(connection)),
        })
    }

    /// A container by an address with a signature, which cannot be renewed.
    pub(crate) fn at(client: &MlClient, signed: &Url) -> Result<Self> {
        check_encrypted(signed)?;
        let mut url = signed.clone();
        url.set_query(None);
        let connection = Connection::new(client, signed.clone(), Access::Sas)?;
        let connection = Mutex::new(Arc::new(connection));
        Ok(Self { client: client.clone(), url, datastore: None, connection })
    }

    /// The address of a blob or of a path, without a signature.
    pub(crate) fn url_of(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path.split('/'));
        }
        url
    }

    /// Sends a request, again where that helps: after what passes, and with a new signature when the time of the old one is over.
    pub(super) async fn send<T, F>(
        &self,
        method: &'static str,
        path: &str,
        operation: impl Fn(Arc<Connection>) -> F + Send + Sync,
    ) -> Result<T>
    where
        F: Future<Output = azure_core::Result<T>> + Send,
    {
        let target = target_of(&self.url_of(path));
        let call = Call { method, target: &target };
        let (mut attempts, mut renewals) = (0, 0);
        loop {
            let mut connection = self.connection.lock().await.clone();
            if connection.is_over() && renewals < MAX_RENEWALS && self.datastore.is_some() {
                renewals += 1;
                connection = self.renew(&connection, false).await?;
            }
            attempts += 1;
            let refusal = match operation(Arc::clone(&connection)).await {
                Ok(done) => return Ok(done),
                Err(error) => Refusal { error },
            };
            tracing::debug!(target, method, status = ?refusal.status(), code = refusal.code(), "refused");
            let is_renewable = self.datastore.is_some() && connection.kind != Access::Identity;
            if is_renewable && refusal.is_of_keys() {
                self.renew(&connection, true).await?;
                continue;
            }
            let may_renew = if connection.is_over() { MAX_RENEWALS } else { 1 };
            if is_renewable && refusal.is_of_signature() && renewals < may_renew {
                renewals += 1;
                self.renew(&connection, false).await?;
                continue;
            }
            match self.delay(&refusal, attempts) {
                Some(delay) => {
                    tracing::info!(target, attempts, ?delay, "trying again");
                    tokio::time::sleep(delay).await;
                }
                None => {
                    let advice = self.advice(&refusal, &connection);
                    return Err(refusal.into_error(&call, attempts, advice));
                }
            }
        }
    }

    fn delay(&self, refusal: &Refusal, attempts: u32) -> Option<Duration> {
        let retry = &self.client.pipeline().retry;
        let Some(status) = refusal.status() else {
            return retry.after_failure(attempts, refusal.is_broken());
        };
        let after = refusal.headers().and_then(retry_after);
        retry.after_reply(attempts, status, after, true)
    }

    /// Replaces a way in that is closed, once for all requests that found it so.
    async fn renew(&self, closed: &Arc<Connection>, identity: bool) -> Result<Arc<Connection>> {
        let mut connection = self.connection.lock().await;
        if let Some(datastore) = &self.datastore
            && Arc::ptr_eq(&connection, closed)
        {
            tracing::info!(container = target_of(&self.url), identity, "renewing access");
            let renewed = connect(&self.client, datastore, &self.url, identity).await?;
            *connection = Arc::new(renewed);
        }
        Ok(Arc::clone(&connection))
    }

    /// Which role is lacking, and where; or what else is in the way.
    fn advice(&self, refusal: &Refusal, connection: &Connection) -> Option<String> {
        let account = match &self.datastore {
            Some(datastore) => datastore.properties.account_name.clone().unwrap_or_default(),
            None => self.url.host_str().unwrap_or_default().to_owned(),
        };
        match (refusal.code()?, connection.kind) {
            ("AuthorizationPermissionMismatch", Access::Identity) => Some(format!(
                "the identity lacks the role `Storage Blob Data Contributor` on the storage account `{account}`; a new \
                 assignment takes some minutes to hold"
            )),
            ("AuthorizationPermissionMismatch", Access::Sas | Access::Key) => {
                Some(format!("the signature for the storage account `{account}` does not allow it"))
            }
            ("AuthorizationFailure", Access::Identity) => Some(format!(
                "the identity lacks the role `Storage Blob Data Contributor` on the storage account `{account}`, or the \
                 account's firewall does not admit this machine"
            )),
            ("AuthorizationFailure", Access::Sas | Access::Key) => Some(format!(
                "the firewall of the storage account `{account}` does not admit this machine, or the signature does not \
                 allow it"
            )),
            ("KeyBasedAuthenticationNotPermitted", _) => Some(format!(
                "the storage account `{account}` admits identities only, those with the role `Storage Blob Data Contributor`"
            )),
            ("AuthenticationFailed", Access::Sas) if self.datastore.is_none() => {
                Some("the time of the signature is over; begin again".to_owned())
            }
            _ => None,
        }
    }
}

/// Finds a way in: what the datastore has secrets for, or else the identity.
async fn connect(
    client: &MlClient,
    datastore: &Datastore,
    url: &Url,
    only_identity: bool,
) -> Result<Connection> {
    let has_secrets = datastore.properties.credentials_type().is_some_and(|kind| kind != "None");
    if only_identity || !has_secrets {
        return Connection::new(client, url.clone(), Access::Identity);
    }
    let secrets = match client.datastores().secrets(&datastore.name).await {
        Ok(secrets) => secrets,
        // Who may not read the secrets may still have a role of their own on the account.
        Err(error) if error.status().is_some_and(|status| (402..500).contains(&status)) => {
            tracing::info!(datastore = datastore.name, %error, "no secrets, so by identity");
            return Connection::new(client, url.clone(), Access::Identity);
        }
        Err(error) => return Err(error),
    };
    match secrets {
        DatastoreSecrets::Sas { token } => {
            let url = signed(url, &token);
            Connection::new(client, url, Access::Sas)
        }
        DatastoreSecrets::AccountKey { key } => {
            let properties = &datastore.properties;
            let account = properties.account_name.as_deref().unwrap_or_default();
            let container = properties.container_name.as_deref().unwrap_or_default();
            let is_local = url.scheme() == "http";
            let sas = sas::container_sas(account, container, &key, SAS_VALIDITY, is_local);
            let sas = sas.ok_or_else(|| {
                Error::reply(
                    "POST",
                    format!("{}/listSecrets", datastore.id),
                    "its key is no base64",
                )
            })?;
            Connection::new(client, signed(url, &sas), Access::Key)
        }
        DatastoreSecrets::Other { .. } => Connection::new(client, url.clone(), Access::Identity),
    }
}

fn signed(url: &Url, sas: &Secret) -> Url {
    let mut url = url.clone();
    url.set_query(Some(sas.secret().trim_start_matches('?')));
    url
}

impl Connection {
    fn new(client: &MlClient, url: Url, kind: Access) -> Result<Self> {
        check_encrypted(&url)?;
        let now = OffsetDateTime::now_utc();
        let expires_on = sas::expiry(&url).filter(|expires_on| *expires_on > now);
        let mut options = ClientOptions {
            // Requests are repeated here, where signatures are renewed too.
            retry: NoRetry::none(),
            transport: Some(Transport::new(Arc::new(client.transfer_client().clone()))),
            ..ClientOptions::default()
        };
        if kind == Access::Identity {
            options.per_try_policies.push(Arc::new(Bearer(client.pipeline().tokens.clone())));
        }
        let options = BlobContainerClientOptions {
            client_options: options,
            version: STORAGE_VERSION.to_owned(),
        };
        let target = target_of(&url);
        let container = BlobContainerClient::new(url, None, Some(options))
            .map_err(|_| Error::InvalidUrl { url: target })?;
        Ok(Self { container, kind, expires_on })
    }
}

/// As storage sends it: seconds, or a date.
fn retry_after(headers: &azure_core::http::headers::Headers) -> Option<Duration> {
    let name = azure_core::http::headers::HeaderName::from_static("retry-after");
    let text = headers.get_optional_str(&name)?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: std::time::SystemTime = parse_rfc7231(text).ok()?.into();
    Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
}

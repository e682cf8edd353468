//! Azurite as the storage account, instead of the emulator's own.
//!
//! What comes with a shared access signature goes on as it is, and Azurite checks it; what comes with the account's key or a token is
//! checked here and signed anew, because the names under which clients get here are part of what they sign. Containers are rows of the
//! state, as ever, and made in Azurite when one is first needed.

pub(crate) mod files;
mod forward;
mod listing;

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header, uri::Authority,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::Url;

use super::{rows::Blobs, shared_key, target::Target};
use crate::{Error, Result, door::LOCAL_ACCOUNT, front::query, signature::sign, world::World};

/// Where Azurite is, and the key of its account `devstoreaccount1`.
///
/// # Examples
///
/// ```
/// use spinney_azureml_emulator::Azurite;
///
/// Azurite::at("http://127.0.0.1:10000")?;
/// // Nothing leaves this machine.
/// assert!(Azurite::at("https://spinney.blob.core.windows.net").is_err());
/// # Ok::<(), spinney_azureml_emulator::Error>(())
/// ```
#[derive(Clone)]
pub struct Azurite {
    authority: Authority,
    key: String,
}

/// The key that every Azurite has if nothing else is said, and that its documentation publishes.
const PUBLISHED_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The newest version of the protocol that is asked for; clients may speak newer ones, which Azurite refuses.
const NEWEST_VERSION: &str = "2024-08-04";

impl Azurite {
    /// Azurite at an address of this machine, `http://127.0.0.1:10000` say, with the key that it has by default.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] if the address is none of this machine over HTTP.
    pub fn at(url: &str) -> Result<Self> {
        let invalid = || Error::InvalidOption {
            name: "blob",
            value: url.to_owned(),
            rule: "embedded, or the address of an Azurite on this machine such as http://127.0.0.1:10000",
        };
        let parsed = Url::parse(url).map_err(|_| invalid())?;
        let is_local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost"));
        let path = parsed.path().trim_matches('/');
        let is_account = path.is_empty() || path == LOCAL_ACCOUNT;
        let is_plain = parsed.username().is_empty() && parsed.query().is_none();
        if !is_local || !is_account || !is_plain || parsed.scheme() != "http" {
            return Err(invalid());
        }
        // By its number: by a name, Azurite would take the name's first part for the account.
        let authority = format!("127.0.0.1:{}", parsed.port().unwrap_or(80));
        let authority = authority.parse().map_err(|_| invalid())?;
        Ok(Self { authority, key: PUBLISHED_KEY.to_owned() })
    }

    /// With another key of the account `devstoreaccount1`, in base64, as in Azurite's variable `AZURITE_ACCOUNTS`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] if it is no base64.
    pub fn key(self, key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if STANDARD.decode(&key).is_err() {
            let (name, value) = ("key of Azurite's account", "(not shown)".to_owned());
            return Err(Error::InvalidOption { name, value, rule: "base64" });
        }
        Ok(Self { key, ..self })
    }

    pub(crate) fn account_key(&self) -> &str {
        &self.key
    }
}

/// The key is nobody's business.
impl std::fmt::Debug for Azurite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Azurite").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// The way to a running Azurite.
#[derive(Debug)]
pub(crate) struct Storage {
    authority: Authority,
    key: Vec<u8>,
    client: Client<HttpConnector, Body>,
    /// Containers that are known to be there.
    made: Mutex<BTreeSet<String>>,
}

impl Storage {
    pub(crate) fn new(azurite: &Azurite) -> Self {
        Self {
            authority: azurite.authority.clone(),
            key: STANDARD.decode(&azurite.key).unwrap_or_default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            made: Mutex::default(),
        }
    }

    /// The address of a path, without the account and a slash before it, encoded already.
    fn uri(&self, path: &str, query: Option<&str>) -> io::Result<Uri> {
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        Uri::builder()
            .scheme("http")
            .authority(self.authority.clone())
            .path_and_query(format!("/{LOCAL_ACCOUNT}/{path}{query}"))
            .build()
            .map_err(io::Error::other)
    }

    /// Signs a request with the account's key, and sends it.
    async fn send_signed(&self, mut request: Request<Body>) -> io::Result<Response<Incoming>> {
        let headers = request.headers_mut();
        headers.remove(header::DATE);
        let date = crate::Clock::real().http();
        headers.insert("x-ms-date", HeaderValue::from_str(&date).map_err(io::Error::other)?);
        let target = Target {
            method: request.method().clone(),
            headers: request.headers().clone(),
            query: query(request.uri()),
            uri: request.uri().clone(),
            container: String::new(),
            blob: String::new(),
        };
        let signature = sign(&self.key, &shared_key::text_to_sign(&target, LOCAL_ACCOUNT));
        let value = format!("SharedKey {LOCAL_ACCOUNT}:{}", STANDARD.encode(signature));
        let value = HeaderValue::from_str(&value).map_err(io::Error::other)?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        self.send(request).await
    }

    async fn send(&self, mut request: Request<Body>) -> io::Result<Response<Incoming>> {
        let host = HeaderValue::from_str(self.authority.as_str()).map_err(io::Error::other)?;
        request.headers_mut().insert(header::HOST, host);
        self.client.request(request).await.map_err(|error| {
            io::Error::other(format!("Azurite at {} does not answer: {error}", self.authority))
        })
    }

    /// A request of the emulator's own.
    async fn ask(
        &self,
        method: Method,
        uri: Uri,
        headers: &[(&'static str, &str)],
        body: Body,
    ) -> io::Result<Response<Incoming>> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let own = [("x-ms-version", NEWEST_VERSION)];
        for (name, value) in headers.iter().chain(&own) {
            let value = HeaderValue::from_str(value).map_err(io::Error::other)?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self.send_signed(request).await
    }

    /// Makes a container, if it is not known to be there.
    async fn make_container(&self, container: &str) -> io::Result<()> {
        let is_made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if is_made().contains(container) {
            return Ok(());
        }
        let uri = self.uri(container, Some("restype=container"))?;
        let length = [("content-length", "0")];
        let response = self.ask(Method::PUT, uri, &length, Body::empty()).await?;
        match response.status().as_u16() {
            201 | 409 => {
                is_made().insert(container.to_owned());
                Ok(())
            }
            _ => Err(unexpected(&response)),
        }
    }

    /// Likewise, if it is one that the state has.
    async fn make_known_container(&self, world: &Arc<World>, container: &str) -> io::Result<()> {
        let (shared, name) = (Arc::clone(world), container.to_owned());
        let is_known = tokio::task::spawn_blocking(move || {
            let found = shared
                .store
                .transaction(|connection| Blobs { connection, container: &name }.has_container());
            found.map(|found| found.is_some()).map_err(io::Error::other)
        });
        if is_known.await.map_err(io::Error::other)?? {
            self.make_container(container).await?;
        }
        Ok(())
    }

    /// Somebody has started another Azurite, or removed a container in it.
    fn forget_container(&self, container: &str) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(container);
    }
}

/// What is said about one connection, and not about what it is used for.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        header::EXPECT,
        HeaderName::from_static("keep-alive"),
    ] {
        headers.remove(name);
    }
}

fn unexpected(response: &Response<Incoming>) -> io::Error {
    let code = response.headers().get("x-ms-error-code");
    let code = code.and_then(|code| code.to_str().ok()).unwrap_or_default();
    io::Error::other(format!("Azurite answered {} {code}", response.status()))
}

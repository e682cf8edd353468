use std::{sync::Arc, time::Duration};

use azure_core::{credentials::Secret, time::OffsetDateTime};
use reqwest::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    AuthMode, Cloud, Error, MlClient, NameRule, Result, RetryOptions,
    endpoint_keys::EndpointToken,
    http::{Call, Pipeline, Reply, Scope, Tokens, check_encrypted, target_of},
};

/// Scores rows at an online endpoint.
///
/// It reads the address and the key once and keeps them (the Python SDK reads both again for every request, four requests for one prediction).
/// A key that was made anew, or a token that has expired, is read again when the endpoint refuses it. Clones share them.
///
/// Scoring is not repeated blindly: only if there was no connection, or if the endpoint put the request off (429 or 503) and said for how long.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
/// use serde_json::json;
///
/// let endpoint = client.online_endpoints().client("house-prices");
/// let scored = endpoint.score(&json!({"data": [{"LotArea": 8450}]})).await?;
/// println!("{} by {:?}", scored.text(), scored.deployment());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct EndpointClient {
    source: Source,
    deployment: Option<String>,
    timeout: Option<Duration>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Clone)]
enum Source {
    /// An endpoint of a workspace.
    Endpoint { client: MlClient, name: String },
    /// An address and a key or token from elsewhere.
    Fixed { url: Url, secret: Option<Secret>, pipeline: Box<Pipeline> },
}

/// What was read of an endpoint. The place stays; secrets come and go.
#[derive(Debug, Default)]
struct Known {
    place: Option<Place>,
    kept: Option<Kept>,
}

/// Where to, and with what kind of secret.
#[derive(Debug, Clone)]
struct Place {
    url: Url,
    auth_mode: AuthMode,
}

/// A key, or a token of Azure ML's.
#[derive(Debug)]
struct Kept {
    secret: Secret,
    refresh_after: Option<OffsetDateTime>,
}

/// Where to, and with what.
#[derive(Debug, Clone)]
struct Access {
    url: Url,
    secret: Option<Secret>,
}

/// What an endpoint answered.
#[derive(Debug, Clone)]
pub struct Scored {
    reply: Reply,
}

impl EndpointClient {
    pub(crate) fn of_endpoint(client: MlClient, name: &str) -> Self {
        Self::of(Source::Endpoint { client, name: name.to_owned() })
    }

    fn of(source: Source) -> Self {
        Self { source, deployment: None, timeout: None, known: Arc::default() }
    }

    /// A client for an address, with a key or a token if it wants one: for who has no access to the workspace, and for local servers.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`]; [`Error::UntrustedUrl`] if a key would go over a network unencrypted; [`Error::Setup`].
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_azureml::EndpointClient;
    ///
    /// let endpoint = EndpointClient::at("http://127.0.0.1:5001/score", None)?;
    /// let error = EndpointClient::at("http://score.example/score", Some("key".into())).unwrap_err();
    /// assert!(error.to_string().contains("neither https nor this machine"));
    /// # let _ = endpoint;
    /// # Ok::<(), spinney_azureml::Error>(())
    /// ```
    pub fn at(scoring_uri: &str, secret: Option<Secret>) -> Result<Self> {
        let url = parse(scoring_uri)?;
        if secret.is_some() {
            check_encrypted(&url)?;
        }
        let pipeline = Box::new(Pipeline {
            http: crate::http_client(Duration::from_secs(300))?,
            tokens: Tokens::none(),
            retry: RetryOptions::default(),
            cloud: Cloud::public(),
        });
        Ok(Self::of(Source::Fixed { url, secret, pipeline }))
    }

    /// Asks this deployment, whatever the traffic; for trying one out before it gets any.
    #[must_use]
    pub fn deployment(self, deployment: impl Into<String>) -> Self {
        Self { deployment: Some(deployment.into()), ..self }
    }

    /// How long one attempt may take. Without it, the client's limit; Azure's own is that of the deployment, a minute unless set.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Scores what has a JSON form, such as `{"data": [{..}]}`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] of the deployment; what a request may fail with. Status 424 is the model's own error, which is in the message; 404 says that no deployment gets traffic.
    pub async fn score(&self, rows: &(impl Serialize + ?Sized)) -> Result<Scored> {
        let body = serde_json::to_vec(rows).map_err(|source| Error::Reply {
            method: "POST".to_owned(),
            target: "the rows to score".to_owned(),
            what: "they have no JSON form".to_owned(),
            source: Some(source),
        })?;
        self.score_json(body).await
    }

    /// Scores a text that is JSON, or what Python takes for JSON, as it is.
    ///
    /// # Errors
    ///
    /// As for [`score`](Self::score).
    pub async fn score_json(&self, body: impl Into<Vec<u8>>) -> Result<Scored> {
        let body = azure_core::Bytes::from(body.into());
        if let Some(deployment) = &self.deployment {
            NameRule::Deployment.check(deployment)?;
        }
        let access = self.access().await?;
        match self.send(&access, body.clone()).await {
            Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED.as_u16()) => {
                let Some(renewed) = self.renew(&access).await? else { return Err(error) };
                self.send(&renewed, body).await
            }
            scored => scored,
        }
    }

    async fn send(&self, access: &Access, body: azure_core::Bytes) -> Result<Scored> {
        let mut call =
            Call::post(access.url.clone()).scope(Scope::Anonymous).json(body).timeout(self.timeout);
        if let Some(secret) = &access.secret {
            check_encrypted(&access.url)?;
            call = call.header("authorization", format!("Bearer {}", secret.secret()));
        }
        if let Some(deployment) = &self.deployment {
            call = call.header("azureml-model-deployment", deployment.clone());
        }
        let pipeline = match &self.source {
            Source::Endpoint { client, .. } => client.pipeline(),
            Source::Fixed { pipeline, .. } => pipeline,
        };
        pipeline.send(call).await.map(|reply| Scored { reply })
    }

    async fn access(&self) -> Result<Access> {
        let (client, name) = match &self.source {
            Source::Endpoint { client, name } => (client, name),
            Source::Fixed { url, secret, .. } => {
                return Ok(Access { url: url.clone(), secret: secret.clone() });
            }
        };
        let mut known = self.known.lock().await;
        let Place { url, auth_mode } = match &known.place {
            Some(place) => place.clone(),
            None => known.place.insert(read_place(client, name).await?).clone(),
        };
        let secret = match (&auth_mode, &known.kept) {
            // The client keeps it and renews it in time.
            (AuthMode::AadToken, _) => {
                let pipeline = client.pipeline();
                pipeline.tokens.token(pipeline.cloud.scope(Scope::MachineLearning)).await?
            }
            (_, Some(kept)) if kept.is_current() => kept.secret.clone(),
            (mode, _) => known.kept.insert(read_secret(client, name, mode).await?).secret.clone(),
        };
        Ok(Access { url, secret: Some(secret) })
    }

    /// Reads the key or token again, unless another request has; `None` if there is no other.
    async fn renew(&self, refused: &Access) -> Result<Option<Access>> {
        let is_refused = |kept: &mut Kept| Some(&kept.secret) == refused.secret.as_ref();
        self.known.lock().await.kept.take_if(is_refused);
        let access = self.access().await?;
        // The same key again: it is not the key that is wrong.
        Ok((access.secret != refused.secret).then_some(access))
    }
}

impl Kept {
    fn is_current(&self) -> bool {
        self.refresh_after.is_none_or(|after| after > OffsetDateTime::now_utc())
    }
}

/// Reads where an endpoint is.
async fn read_place(client: &MlClient, name: &str) -> Result<Place> {
    let endpoint = client.online_endpoints().get(name).await?;
    let Some(uri) = &endpoint.properties.scoring_uri else {
        return Err(Error::reply("GET", endpoint.id, "the endpoint has no address yet"));
    };
    Ok(Place { url: parse(uri)?, auth_mode: endpoint.properties.auth_mode })
}

/// Reads a key, or gets a token of Azure ML's.
async fn read_secret(client: &MlClient, name: &str, auth_mode: &AuthMode) -> Result<Kept> {
    if *auth_mode != AuthMode::AmlToken {
        let secret = client.online_endpoints().keys(name).await?.primary_key;
        return Ok(Kept { secret, refresh_after: None });
    }
    let url = client.url(&["onlineEndpoints", name, "token"]);
    let token: EndpointToken = client.send(Call::post(url).repeatable()).await?.json()?;
    let after = match token.refresh_after_time_utc {
        0 => token.expiry_time_utc,
        after => after,
    };
    let refresh_after = OffsetDateTime::from_unix_timestamp(after).ok().filter(|_| after != 0);
    Ok(Kept { secret: token.access_token, refresh_after })
}

fn parse(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|_| Error::InvalidUrl { url: url.to_owned() })
}

impl Scored {
    /// The answer as a text.
    #[must_use]
    pub fn text(&self) -> String {
        self.reply.text()
    }

    /// The answer as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.reply.body
    }

    /// The answer, read as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Reply`] if it is of another form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.reply.json()
    }

    /// Which deployment answered, as the endpoint says.
    #[must_use]
    pub fn deployment(&self) -> Option<&str> {
        self.reply.header("azureml-model-deployment")
    }

    /// A header of the reply, such as `x-ms-request-id`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.reply.header(name)
    }

    /// Where it came from, without a query.
    #[must_use]
    pub fn source(&self) -> String {
        target_of(&self.reply.url)
    }
}

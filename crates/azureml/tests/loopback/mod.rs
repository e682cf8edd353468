//! A server on this machine that answers as a script says, and remembers what it was asked. It also does what no real peer does on demand:
//! break connections, cut replies short, be slow.

#![allow(dead_code, unused_imports, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod record;
pub(crate) mod tls;
mod traces;

use std::{
    collections::{BTreeMap, VecDeque},
    env, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use serde_json::{Value, json};
use spinney_azureml::{Cloud, MlClient, MlClientBuilder, RetryOptions, WorkspaceId};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::EnvFilter;

use record::record;
pub(crate) use tls::Certificate;
pub(crate) use traces::{Difference, Exchange, compare, compare_blob, step};

pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";
/// The path of the workspace of the traces and tests.
pub(crate) const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws";
/// The secret that must never be seen.
pub(crate) const TOKEN: &str = "TOKEN-THAT-MUST-NOT-BE-SEEN";

/// What the server says to one request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The connection ends without a reply.
    Reset,
    /// The reply ends half-way.
    Truncated,
    /// The reply comes so late.
    Slow(Duration),
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), fault: None }
    }

    pub(crate) fn json(status: u16, body: impl Into<Value>) -> Self {
        Self::new(status).header("Content-Type", "application/json").body(body.into().to_string())
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, json!({"error": {"code": code, "message": message}}))
    }

    pub(crate) fn fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::json(200, json!({"properties": {}})) }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }
}

/// A request that the server got.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&self.body)))
    }

    /// A parameter of the address.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Method and path within the workspace.
    pub(crate) fn short(&self) -> String {
        format!("{} {}", self.method, self.path.strip_prefix(WORKSPACE).unwrap_or(&self.path))
    }
}

/// The scripted server. It ends with its last handle.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Answers by method and lower-case path, in the order they are given; the last stays if it is to.
    script: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    always: Mutex<BTreeMap<String, Answer>>,
    /// For whatever else comes, in turn.
    everything: Mutex<VecDeque<Answer>>,
    is_random: AtomicBool,
    seen: Mutex<Vec<Seen>>,
    unexpected: Mutex<Vec<String>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// A server that speaks TLS, with an address in `https:`.
    pub(crate) async fn start_tls(certificate: &Certificate) -> Self {
        Self::listen(Some(certificate.acceptor())).await
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Self {
        log();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state: Arc<State> = Arc::default();
        let shared = Arc::downgrade(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some(state) = shared.upgrade() else { return };
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url, state }
    }

    /// A server that answers as in a step of the recorded traffic.
    pub(crate) async fn replaying(step_name: &str) -> (Self, Vec<Exchange>) {
        let server = Self::start().await;
        let exchanges = step(step_name);
        for exchange in &exchanges {
            server.replay(exchange);
        }
        (server, exchanges)
    }

    pub(crate) fn replay(&self, exchange: &Exchange) {
        let answer = exchange.answer(&self.url);
        self.enqueue(&exchange.method, &exchange.path, answer);
    }

    /// Answers a request within the workspace once.
    pub(crate) fn on(&self, method: &str, path: &str, answer: Answer) -> &Self {
        self.enqueue(method, &format!("{WORKSPACE}{path}"), answer);
        self
    }

    /// Answers a request within the workspace however often it comes, when nothing else is left for it.
    pub(crate) fn always(&self, method: &str, path: &str, answer: Answer) -> &Self {
        self.always_at(method, &format!("{WORKSPACE}{path}"), answer)
    }

    /// Answers a request to any path however often it comes.
    pub(crate) fn always_at(&self, method: &str, path: &str, answer: Answer) -> &Self {
        self.state.always.lock().unwrap().insert(key(method, path), answer);
        self
    }

    /// Answers a request to any path once.
    pub(crate) fn enqueue(&self, method: &str, path: &str, answer: Answer) {
        self.state.script.lock().unwrap().entry(key(method, path)).or_default().push_back(answer);
    }

    /// Gives these answers in turn to whatever the script does not know. They are random, and what a client reads it may write back: such
    /// traffic is nothing to check.
    pub(crate) fn to_everything(&self, answers: Vec<Answer>) {
        self.state.is_random.store(true, Ordering::Relaxed);
        *self.state.everything.lock().unwrap() = answers.into();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Methods and paths of all requests.
    pub(crate) fn seen_short(&self) -> Vec<String> {
        self.seen().iter().map(Seen::short).collect()
    }

    /// Fails if a request came that the script does not know, or if an answer is left.
    pub(crate) fn check(&self) {
        assert_eq!(*self.state.unexpected.lock().unwrap(), [""; 0], "requests without an answer");
        let script = self.state.script.lock().unwrap();
        let left: Vec<&String> =
            script.iter().filter(|(_, answers)| !answers.is_empty()).map(|(key, _)| key).collect();
        assert_eq!(left, [""; 0], "answers without a request");
    }

    /// A client that takes this server for Azure, and does not wait long.
    pub(crate) fn client(&self) -> MlClient {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> MlClientBuilder {
        let workspace = WorkspaceId::new(SUBSCRIPTION, "rg", "mlops-ws").unwrap();
        let mut cloud = Cloud::at(&self.url).unwrap();
        cloud.blob_endpoint = Some(format!("{}/{{account}}", self.url));
        let retry =
            RetryOptions { initial_delay: Duration::from_millis(10), ..RetryOptions::default() };
        MlClient::builder(workspace)
            .cloud(cloud)
            .credential(Arc::new(StaticToken::default()))
            .retry(retry)
            .poll_interval(Duration::from_millis(10))
    }
}

/// By what a request finds its answer: random ids match each other.
fn key(method: &str, path: &str) -> String {
    format!("{method} {}", without_ids(&path.to_lowercase()))
}

/// A path without random ids and those that the traces have words for.
pub(crate) fn without_ids(path: &str) -> String {
    let is_random = |part: &str| {
        part.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("guid-"))
            || part.len() == 36 && part.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let parts = path.split('/').map(|part| if is_random(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Prints what is logged, if `RUST_LOG` asks for it and the test listens to nothing itself.
fn log() {
    if env::var_os("RUST_LOG").is_some() {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env());
        let _ = log.with_ansi(false).with_writer(io::stderr).try_init();
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: &State) {
    let mut stream = BufReader::new(stream);
    let Some(seen) = read(&mut stream).await else { return };
    let answer = state
        .script
        .lock()
        .unwrap()
        .get_mut(&key(&seen.method, &seen.path))
        .and_then(VecDeque::pop_front);
    let answer = answer
        .or_else(|| state.always.lock().unwrap().get(&key(&seen.method, &seen.path)).cloned());
    let answer = answer.or_else(|| {
        let mut everything = state.everything.lock().unwrap();
        let answer = everything.pop_front()?;
        everything.push_back(answer.clone());
        Some(answer)
    });
    let answer = answer.unwrap_or_else(|| {
        state.unexpected.lock().unwrap().push(seen.short());
        Answer::error(418, "Unexpected", "the script has no answer to this")
    });
    if !state.is_random.load(Ordering::Relaxed) {
        record(&seen, &answer);
    }
    let is_head = seen.method == "HEAD";
    state.seen.lock().unwrap().push(seen);
    match answer.fault {
        Some(Fault::Reset) => return,
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    let mut reply = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        reply.push_str(&format!("{name}: {value}\r\n"));
    }
    if !is_head && answer.status != 204 {
        reply.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    reply.push_str("\r\n");
    let mut reply = reply.into_bytes();
    if !is_head && answer.status != 204 {
        reply.extend(&answer.body);
    }
    if let Some(Fault::Truncated) = answer.fault {
        reply.truncate(reply.len() - answer.body.len() / 2);
    }
    let _ = stream.get_mut().write_all(&reply).await;
    let _ = stream.get_mut().shutdown().await;
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let url = url::Url::parse("http://local").unwrap().join(target).ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let query = url.query_pairs().into_owned().collect();
    let path = percent_decode(url.path());
    Some(Seen { method, path, query, headers, body })
}

fn percent_decode(path: &str) -> String {
    let pairs = format!("path={}", path.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map(|(_, path)| path.into_owned())
        .unwrap_or_default()
}

/// A credential without an identity. It counts how often it was asked.
#[derive(Debug, Default)]
pub(crate) struct StaticToken {
    pub(crate) asked: AtomicUsize,
    pub(crate) lifetime: Option<Duration>,
}

#[async_trait]
impl TokenCredential for StaticToken {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let lifetime = self.lifetime.unwrap_or(Duration::from_secs(3600));
        Ok(AccessToken::new(TOKEN.to_owned(), OffsetDateTime::now_utc() + lifetime))
    }
}

//! Tokens, keys and signatures are in no error, in no `Debug` output and in no log, whatever goes wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::{
    env,
    error::Error as _,
    fmt, fs, io,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{ClientOptions, Transport},
    time::OffsetDateTime,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use loopback::{Answer, Certificate, Fault, Server, TOKEN, WORKSPACE};
use serde_json::{Value, json};
use spinney_azureml::{
    ChainedCredential, ComputeIdentityCredential, Error, MlClient, RetryOptions, http_client,
};
use tracing_subscriber::fmt::MakeWriter;

/// Of the signature of an address.
const SIGNATURE: &str = "SIGNATURE-THAT-MUST-NOT-BE-SEEN";
/// Of an endpoint, an account, an application, an identity endpoint.
const KEY: &str = "KEY-THAT-MUST-NOT-BE-SEEN";

/// What all secrets of the tests have in common, and all of the traces that are one.
const SECRET: &[&str] = &[
    "THAT-MUST-NOT-BE-SEEN",
    "JWT-PLACEHOLDER",
    "KEY-PLACEHOLDER",
    "SECRET-PLACEHOLDER",
    "SIGNATURE-PLACEHOLDER",
];

/// The lines of a text in which there is a secret.
fn lines_with_secrets(text: &str) -> Vec<&str> {
    let has_secret = |line: &&str| SECRET.iter().any(|secret| line.contains(secret));
    text.lines().filter(has_secret).collect()
}

/// A place that logs are written to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that is logged in this process, by this crate and by those below it, in as much detail as there is.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    everything.with_ansi(false).with_writer(log.clone()).init();
    log
});

/// What was shown to a user or a developer.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug(&mut self, value: &impl fmt::Debug) {
        self.0 += &format!("{value:?}\n{value:#?}\n");
    }

    /// An error as it is printed, in both ways, with all its causes.
    fn error(&mut self, error: &Error) {
        self.debug(error);
        self.0 += &format!("{error}\n{error:#}\n");
        let mut cause = error.source();
        while let Some(error) = cause {
            self.0 += &format!("{error}\n{error:?}\n");
            cause = error.source();
        }
    }

    #[track_caller]
    fn check(&self, expected: &str) {
        assert!(self.0.contains(expected), "{}", self.0);
        assert_eq!(lines_with_secrets(&self.0), [""; 0]);
        let log = LOG.text();
        assert!(log.contains("spinney_azureml"), "nothing was logged");
        assert_eq!(lines_with_secrets(&log), [""; 0]);
    }
}

async fn start() -> Server {
    LazyLock::force(&LOG);
    Server::start().await
}

/// A client that tries twice.
fn client(server: &Server) -> MlClient {
    let retry = RetryOptions {
        max_retries: 1,
        initial_delay: Duration::from_millis(1),
        ..RetryOptions::default()
    };
    server.builder().retry(retry).build().unwrap()
}

/// An address with a signature.
fn signed(server: &Server, path: &str) -> String {
    format!("{}{path}?sv=2026-10-06&sig={SIGNATURE}", server.url)
}

#[test]
fn what_looks_for_secrets_finds_them() {
    let log = Log::default();
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    tracing::subscriber::with_default(everything.with_writer(log.clone()).finish(), || {
        tracing::trace!(headers = ?[("authorization", TOKEN)], "planted");
        tracing::trace!("in order");
    });
    assert_eq!(lines_with_secrets(&log.text()).len(), 1);
    let mut shown = Shown::default();
    let cause = io::Error::other(KEY);
    let source = azure_core::Error::with_error(ErrorKind::Credential, cause, "no token");
    shown.error(&Error::Credential { scope: "any".to_owned(), source });
    assert!(!lines_with_secrets(&shown.0).is_empty(), "it is in the cause only");
}

#[tokio::test]
async fn refusals() {
    let server = start().await;
    let mut shown = Shown::default();
    let client = client(&server);
    shown.debug(&client);
    shown.debug(&server.builder());
    shown.debug(&client.computes());
    for status in [401, 403, 409, 400, 404, 503] {
        let quoted = json!({"error": {
            "code": "Refused",
            "message": format!("cannot read {}", signed(&server, "/blob")),
            "details": [{
                "code": "Detail", "message": format!("of '{}'", signed(&server, "/blob")),
                "additionalInfo": [{"type": "Blob", "info": {"uris": [signed(&server, "/blob")]}}],
            }],
        }});
        server.always("GET", "/computes/ci1", Answer::json(status, quoted));
        shown.error(&client.computes().get("ci1").await.unwrap_err());
        let text = format!("<html>{}</html>", signed(&server, "/blob"));
        server.always("GET", "/computes/ci1", Answer::new(status).body(text));
        shown.error(&client.computes().get("ci1").await.unwrap_err());
    }
    shown.check("cannot read");
    assert!(shown.0.contains("?sv=2026-10-06&sig=.."), "the rest of an address is told");
}

#[tokio::test]
async fn replies_without_sense() {
    let server = start().await;
    let mut shown = Shown::default();
    let client = client(&server);
    for body in [
        json!(KEY),
        json!([KEY]),
        json!({"properties": KEY}),
        json!({"properties": {"computeType": {"key": KEY}}}),
        json!({"properties": {"properties": KEY}}),
        json!({"identity": KEY, "properties": {}}),
        json!({"sku": {"name": "a", "capacity": KEY}, "properties": {}}),
        json!({"name": format!("{KEY}, expected nothing"), "tags": KEY, "properties": {}}),
    ] {
        server.on("GET", "/computes/ci1", Answer::json(200, body));
        shown.error(&client.computes().get("ci1").await.unwrap_err());
    }
    server.on("GET", "/computes/ci1", Answer::new(200).body(format!("{{\"key\": {KEY}")));
    shown.error(&client.computes().get("ci1").await.unwrap_err());
    shown.check("a reply of another form");
    server.check();
}

#[tokio::test]
async fn pages() {
    let server = start().await;
    let mut shown = Shown::default();
    let client = client(&server);
    let broken = format!("{WORKSPACE}/broken");
    let links = [
        format!("https://elsewhere.example/?sig={SIGNATURE}"),
        format!("http://[{SIGNATURE}"),
        signed(&server, &broken),
    ];
    server.always_at("GET", &broken, Answer::fault(Fault::Reset));
    for link in links {
        server.on("GET", "/computes", Answer::json(200, json!({"value": [], "nextLink": link})));
        let mut pages = client.computes().list();
        shown.error(&pages.next().await.unwrap_err());
        shown.debug(&pages);
        shown.debug(&pages.next().await.is_ok());
    }
    shown.check("no reply after 2 attempts");
}

#[tokio::test]
async fn operations() {
    let server = start().await;
    let mut shown = Shown::default();
    let client = client(&server);
    let failed = json!({"status": "Failed", "error": {
        "code": "ModelNotFound", "message": format!("no {}", signed(&server, "/model.bin")),
    }});
    for (header, path, answer) in [
        ("Azure-AsyncOperation", "/operations/failed", Answer::json(200, failed)),
        ("Azure-AsyncOperation", "/operations/key", Answer::json(200, json!(KEY))),
        ("Azure-AsyncOperation", "/operations/broken", Answer::fault(Fault::Reset)),
        ("Location", "/operations/refused", Answer::error(403, "Forbidden", "no")),
        ("Location", "/operations/cut", Answer::fault(Fault::Truncated)),
    ] {
        let accepted = Answer::new(202).header(header, signed(&server, path));
        server.on("POST", "/computes/ci1/stop", accepted);
        server.always_at("GET", path, answer);
        let mut stopping = client.computes().stop("ci1");
        shown.debug(&stopping);
        shown.debug(&stopping.step().await.unwrap());
        shown.debug(&stopping);
        shown.error(&stopping.step().await.unwrap_err());
        shown.debug(&stopping);
    }
    let endless = signed(&server, "/operations/endless");
    server.on("POST", "/computes/ci1/stop", Answer::new(202).header("Location", &endless));
    server.always_at("GET", "/operations/endless", Answer::new(202).header("Location", &endless));
    let stopping = client.computes().stop("ci1").deadline(Duration::from_millis(50));
    shown.error(&stopping.await.unwrap_err());
    let elsewhere = format!("https://elsewhere.example/?sig={SIGNATURE}");
    server.on("POST", "/computes/ci1/stop", Answer::new(202).header("Location", elsewhere));
    shown.error(&client.computes().stop("ci1").await.unwrap_err());
    shown.check("has not ended within");
    server.check();
}

/// A credential whose token cannot stand in a header.
#[derive(Debug)]
struct TwoLines;

#[async_trait]
impl TokenCredential for TwoLines {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let end = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(format!("{TOKEN}\n{TOKEN}"), end))
    }
}

#[tokio::test]
async fn requests_that_cannot_be_sent() {
    let server = start().await;
    let mut shown = Shown::default();
    let client = server.builder().credential(Arc::new(TwoLines)).build().unwrap();
    shown.error(&client.computes().get("ci1").await.unwrap_err());
    assert!(server.seen().is_empty());
    shown.check("no reply after 1 attempt");
}

#[tokio::test]
async fn credentials() {
    let server = start().await;
    let mut shown = Shown::default();
    let compute = || {
        let http = http_client(Duration::from_secs(10)).unwrap();
        let endpoint = signed(&server, "/msi/token");
        Arc::new(ComputeIdentityCredential::new(&endpoint, KEY, None, http).unwrap())
    };
    let certificate = Certificate::of("login.microsoftonline.com");
    let authority = Server::start_tls(&certificate).await;
    let secret = || {
        let transport = Transport::new(Arc::new(certificate.client(authority.address())));
        let client_options =
            ClientOptions { transport: Some(transport), ..ClientOptions::default() };
        let options = Some(ClientSecretCredentialOptions { client_options });
        let key = Secret::new(KEY.to_owned());
        ClientSecretCredential::new("tenant", "client".to_owned(), key, options).unwrap()
    };
    let end = OffsetDateTime::now_utc().unix_timestamp() + 3600;
    let token = |more: Value| {
        let mut reply = json!({"access_token": TOKEN, "token_type": "Bearer"});
        reply.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Answer::json(200, reply)
    };
    for (of_compute, of_authority) in [
        (
            Answer::error(400, "invalid", "no"),
            Answer::json(401, json!({"error": "invalid_client"})),
        ),
        (token(json!({})), token(json!({}))),
        (token(json!({"expires_on": "never"})), token(json!({"expires_in": "never"}))),
        // `azure_identity` quotes a reply that is nothing but a text. No authority sends its tokens so.
        (Answer::json(200, json!(TOKEN)), Answer::json(200, json!([TOKEN]))),
        (Answer::fault(Fault::Reset), Answer::new(403).body("no")),
    ] {
        server.always_at("GET", "/msi/token", of_compute);
        authority.always_at("POST", "/tenant/oauth2/v2.0/token", of_authority);
        let links: [(&str, Arc<dyn TokenCredential>); 2] =
            [("compute", compute()), ("secret", secret())];
        let chain = Arc::new(ChainedCredential::new(links).unwrap());
        shown.debug(&chain);
        let client = server.builder().credential(chain).build().unwrap();
        shown.error(&client.computes().get("ci1").await.unwrap_err());
        shown.debug(&client);
    }
    // Tokens that are in order are not shown either.
    server.always_at("GET", "/msi/token", token(json!({"expires_on": end})));
    authority.always_at("POST", "/tenant/oauth2/v2.0/token", token(json!({"expires_in": 3600})));
    server.always("GET", "/computes/ci1", Answer::error(401, "ExpiredAuthenticationToken", "no"));
    for credential in [compute() as Arc<dyn TokenCredential>, secret()] {
        let chain = Arc::new(ChainedCredential::new([("only", credential)]).unwrap());
        let client = server.builder().credential(chain.clone()).build().unwrap();
        shown.error(&client.computes().get("ci1").await.unwrap_err());
        shown.debug(&(client, chain));
    }
    shown.check("none of these gave a token");
}

/// `cargo xtask test` runs all tests of this crate with everything logged, and hands over what they printed.
#[test]
#[ignore = "needs the output of all other tests; run `cargo xtask test`"]
fn no_test_of_this_crate_prints_or_logs_a_secret() {
    let Some(file) = env::var_os("SPINNEY_AZUREML_OUTPUT") else {
        panic!("SPINNEY_AZUREML_OUTPUT names no file: run `cargo xtask test`");
    };
    let output = fs::read(file).unwrap();
    let output = String::from_utf8_lossy(&output);
    for control in ["DEBUG spinney_azureml::http", "TRACE ", "test result: ok"] {
        assert!(output.contains(control), "the output lacks {control}");
    }
    assert_eq!(lines_with_secrets(&output), [""; 0]);
}

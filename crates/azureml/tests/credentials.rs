//! Who asks: identities of computes, app services and virtual machines, client secrets, and chains of them, beside the recorded requests of
//! Microsoft's SDK.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::print_stdout,
    reason = "a test that runs again in a process of its own talks to itself"
)]

mod loopback;

use std::{
    collections::BTreeMap,
    env,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use azure_core::{
    Result,
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{ClientOptions, Transport},
    time::OffsetDateTime,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use loopback::{
    Answer, Certificate, Exchange, Fault, Server, StaticToken, TOKEN, tls::client_through,
};
use serde_json::{Value, json};
use spinney_azureml::{ChainedCredential, ComputeIdentityCredential, Error, http_client};

const SCOPE: &str = "https://management.azure.com/.default";
/// The path and the secret of the identity endpoint in the traces.
const ENDPOINT: &str = "/msi/token";
const SECRET: &str = "PLACEHOLDER";
const TENANT: &str = "TENANT-ID";
/// When the recorded tokens end.
const END: i64 = 1_795_499_000;

fn http() -> reqwest::Client {
    http_client(Duration::from_secs(10)).unwrap()
}

fn compute_identity(server: &Server, client_id: Option<&str>) -> ComputeIdentityCredential {
    let endpoint = format!("{}{ENDPOINT}", server.url);
    ComputeIdentityCredential::new(&endpoint, SECRET, client_id.map(str::to_owned), http()).unwrap()
}

/// A variable of the environment, from a list.
fn variable(set: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    let set: BTreeMap<String, String> =
        set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    move |name| set.get(name).cloned()
}

/// Compares the one request with a recorded one: method, path, query and the headers that are named.
#[track_caller]
fn compare(server: &Server, recorded: &Exchange, path: &str, headers: &[&str]) {
    let seen = server.seen();
    let [seen] = &seen[..] else { panic!("{} requests", seen.len()) };
    assert_eq!((&seen.method, seen.path.as_str()), (&recorded.method, path));
    let query = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
    assert_eq!(query(&seen.query), query(&recorded.query));
    for header in headers {
        assert!(recorded.request_headers.contains_key(*header), "{header} is recorded");
        assert_eq!(seen.headers.get(*header), recorded.request_headers.get(*header), "{header}");
    }
    assert!(!seen.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_compute_of_azure_ml_is_asked_as_the_sdk_asks_it() {
    let (server, recorded) = Server::replaying("msi_azureml").await;
    let token =
        compute_identity(&server, Some("IDENTITY-CLIENT-ID")).get_token(&[SCOPE], None).await;
    let token = token.unwrap();
    assert_eq!(token.token.secret(), "JWT-PLACEHOLDER");
    assert_eq!(token.expires_on.unix_timestamp(), END);
    compare(&server, &recorded[0], ENDPOINT, &["secret"]);
    server.check();

    // The workshop's scripts, run in a job: the identity is not named there, or as in all the others.
    for step in ["stage_tag_py", "stage_deploy_py", "stage_test_py"] {
        let (server, recorded) = Server::replaying(step).await;
        let client_id = recorded[0].query.iter().find(|(name, _)| name == "clientid");
        let client_id = client_id.map(|(_, client_id)| client_id.as_str());
        compute_identity(&server, client_id).get_token(&[SCOPE], None).await.unwrap();
        compare(&server, &recorded[0], ENDPOINT, &["secret"]);
    }
}

#[tokio::test]
async fn ends_of_tokens_are_read_in_all_forms_that_are_seen() {
    for expires_on in [
        json!(END),
        json!(END.to_string()),
        json!("11/24/2026 05:43:20 +00:00"),
        json!("11/24/2026 5:43:20 AM +00:00"),
        json!("2026-11-24T05:43:20Z"),
    ] {
        let server = Server::start().await;
        let reply = json!({"access_token": TOKEN, "expires_on": expires_on});
        server.enqueue("GET", ENDPOINT, Answer::json(200, reply));
        let token = compute_identity(&server, None).get_token(&[SCOPE], None).await.unwrap();
        assert_eq!(token.expires_on.unix_timestamp(), END, "{expires_on}");
    }
}

#[tokio::test]
async fn identity_endpoints_that_give_no_token_are_errors() {
    let no_token = "the identity endpoint's reply holds no token";
    let no_time = "the identity endpoint's `expires_on` is no time";
    let token = |expires_on: Value| json!({"access_token": TOKEN, "expires_on": expires_on});
    for (answer, message) in [
        (
            Answer::json(
                400,
                json!({"error": "invalid_request", "error_description": "Identity not found"}),
            ),
            "refused with 400 Bad Request: {\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
        ),
        (Answer::new(500), "the identity endpoint refused with 500 Internal Server Error: "),
        (Answer::new(200), no_token),
        (Answer::new(200).body("<html>"), no_token),
        (Answer::json(200, json!([TOKEN])), no_token),
        (Answer::json(200, json!({"access_token": TOKEN})), no_token),
        (Answer::json(200, json!({"access_token": null, "expires_on": END})), no_token),
        (Answer::json(200, token(json!(true))), no_token),
        (Answer::json(200, token(json!("tomorrow"))), no_time),
        (Answer::json(200, token(json!(i64::MAX))), no_time),
        (Answer::fault(Fault::Reset), "the identity endpoint gave no reply"),
        (Answer::fault(Fault::Truncated), "the identity endpoint gave no reply"),
    ] {
        let server = Server::start().await;
        server.enqueue("GET", ENDPOINT, answer);
        let error = compute_identity(&server, None).get_token(&[SCOPE], None).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(message), "{text}");
        assert!(!text.contains(TOKEN) && !text.contains(SECRET), "{text}");
        server.check();
    }
    let error = ComputeIdentityCredential::new("nowhere", SECRET, None, http()).unwrap_err();
    assert!(matches!(error, Error::InvalidUrl { .. }), "{error}");
    let server = Server::start().await;
    for scopes in [&[][..], &[SCOPE, SCOPE][..]] {
        let error = compute_identity(&server, None).get_token(scopes, None).await.unwrap_err();
        assert!(error.to_string().contains("one scope at a time"), "{error}");
    }
    assert!(server.seen().is_empty());
}

/// A client secret's credential, whose authority is this machine's.
fn client_secret(
    certificate: &Certificate,
    server: &Server,
    secret: &str,
) -> Arc<ClientSecretCredential> {
    let transport = Transport::new(Arc::new(certificate.client(server.address())));
    let client_options = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
    let options = ClientSecretCredentialOptions { client_options };
    ClientSecretCredential::new(
        TENANT,
        "cid".to_owned(),
        Secret::new(secret.to_owned()),
        Some(options),
    )
    .unwrap()
}

/// A server that is the authority, with the recorded replies to `POST`s. The SDK asks for more, which this client does without.
async fn authority(step: &str) -> (Certificate, Server, Exchange) {
    let certificate = Certificate::of("login.microsoftonline.com");
    let server = Server::start_tls(&certificate).await;
    let exchanges = loopback::step(step);
    let post = exchanges.into_iter().find(|exchange| exchange.method == "POST").unwrap();
    server.always_at("POST", &post.path, post.answer(&server.url));
    (certificate, server, post)
}

fn form(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn a_client_secret_is_sent_as_the_sdk_sends_it() {
    let (certificate, server, recorded) = authority("aad_client_secret").await;
    let set = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", "cid"),
        ("AZURE_CLIENT_SECRET", "CLIENT-SECRET-PLACEHOLDER"),
    ];
    let http = certificate.client(server.address());
    let chain = ChainedCredential::from_environment(variable(&set), &http).unwrap();
    assert_eq!(chain.names()[0], "client secret");
    let token = chain.get_token(&[SCOPE], None).await.unwrap();
    assert_eq!(token.token.secret(), "JWT-PLACEHOLDER");
    compare(&server, &recorded, "/TENANT-ID/oauth2/v2.0/token", &["content-type"]);
    let sent = form(std::str::from_utf8(&server.seen()[0].body).unwrap());
    let mut expected = form(recorded.body.as_str().unwrap());
    // MSAL asks for what it shows of the user.
    expected.remove("client_info").unwrap();
    assert_eq!(sent, expected);

    // A token that holds is not asked for again.
    chain.get_token(&[SCOPE], None).await.unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_wrong_client_secret_is_said_and_not_shown() {
    let (certificate, server, _) = authority("aad_client_secret_wrong").await;
    let credential = client_secret(&certificate, &server, "WRONG-SECRET-PLACEHOLDER");
    let chain = ChainedCredential::new([("client secret", credential as Arc<dyn TokenCredential>)])
        .unwrap();
    let error = chain.get_token(&[SCOPE], None).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("AADSTS7000215: Invalid client secret provided."), "{text}");
    let shown = format!("{text} {error:?} {chain:?}");
    assert!(!shown.contains("WRONG-SECRET"), "{shown}");
    assert_eq!(server.seen().len(), 1, "it is not tried again");
}

/// A credential that counts how often it is asked, and fails as often as it is told to.
#[derive(Debug, Default)]
struct Failing {
    times: usize,
    asked: AtomicUsize,
}

#[async_trait]
impl TokenCredential for Failing {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if asked < self.times {
            let message = format!("attempt {asked} failed\nand more");
            return Err(azure_core::Error::with_message(ErrorKind::Credential, message));
        }
        let end = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(TOKEN.to_owned(), end))
    }
}

#[tokio::test]
async fn a_chain_asks_in_order_and_stays_with_what_worked() {
    let first = Arc::new(Failing { times: usize::MAX, ..Failing::default() });
    let (second, third) = (Arc::new(StaticToken::default()), Arc::new(StaticToken::default()));
    let links: [(&str, Arc<dyn TokenCredential>); 3] =
        [("first", first.clone()), ("second", second.clone()), ("third", third.clone())];
    let chain = ChainedCredential::new(links).unwrap();
    assert_eq!(chain.names(), ["first", "second", "third"]);
    for _ in 0..3 {
        assert_eq!(chain.get_token(&[SCOPE], None).await.unwrap().token.secret(), TOKEN);
    }
    let asked = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    assert_eq!((asked(&first.asked), asked(&second.asked), asked(&third.asked)), (1, 3, 0));
}

#[tokio::test]
async fn a_chain_of_which_none_works_says_what_each_said_and_can_be_asked_again() {
    let link = || Arc::new(Failing { times: 1, ..Failing::default() }) as Arc<dyn TokenCredential>;
    let chain = ChainedCredential::new([("first", link()), ("second", link())]).unwrap();
    let error = chain.get_token(&[SCOPE], None).await.unwrap_err();
    let text = "none of these gave a token\n  first: attempt 0 failed\n  second: attempt 0 failed";
    assert_eq!(error.to_string(), text);
    assert!(chain.get_token(&[SCOPE], None).await.is_ok());

    let none: [(&str, Arc<dyn TokenCredential>); 0] = [];
    let error = ChainedCredential::new(none).unwrap_err();
    assert!(error.to_string().contains("the number of credentials"), "{error}");
}

#[test]
fn the_environment_says_what_is_tried() {
    let names = |set: &[(&str, &str)]| {
        ChainedCredential::from_environment(variable(set), &http()).unwrap().names()
    };
    let tools = ["Azure CLI", "Azure Developer CLI", "virtual machine"];
    let secret =
        [("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", "cid"), ("AZURE_CLIENT_SECRET", "s")];
    let compute = [("MSI_ENDPOINT", "http://127.0.0.1:1/msi"), ("MSI_SECRET", "s")];
    let token = tempfile::NamedTempFile::new().unwrap();
    let file = ("AZURE_FEDERATED_TOKEN_FILE", token.path().to_str().unwrap());
    let expect = |first: &[&'static str]| [first, &tools].concat();
    assert_eq!(names(&[]), expect(&[]));
    assert_eq!(names(&secret), expect(&["client secret"]));
    assert_eq!(names(&compute), expect(&["Azure ML compute"]));
    assert_eq!(
        names(&[&secret[..], &[file], &compute].concat()),
        expect(&["client secret", "workload identity", "Azure ML compute"])
    );
    // Half of what belongs together, or what is empty, is as nothing.
    for set in [&secret[..2], &secret[1..], &compute[..1], &compute[1..], &[file][..]] {
        assert_eq!(names(set), expect(&[]), "{set:?}");
    }
    assert_eq!(names(&[("MSI_ENDPOINT", ""), ("MSI_SECRET", "s")]), expect(&[]));

    let chain = |set: &[(&str, &str)]| ChainedCredential::from_environment(variable(set), &http());
    let nonsense = [("MSI_ENDPOINT", "nowhere"), ("MSI_SECRET", "s")];
    assert!(matches!(chain(&nonsense).unwrap_err(), Error::InvalidUrl { .. }));
    let tenant = [("AZURE_TENANT_ID", "a/b"), secret[1], secret[2]];
    let file = [secret[0], secret[1], ("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")];
    for set in [tenant, file] {
        assert!(matches!(chain(&set).unwrap_err(), Error::Credential { .. }), "{set:?}");
    }
}

#[tokio::test]
async fn the_identity_of_a_job_is_found_without_copying_variables() {
    for (set, expected) in [
        (&[("DEFAULT_IDENTITY_CLIENT_ID", "default")][..], Some("default")),
        (&[("DEFAULT_IDENTITY_CLIENT_ID", "default"), ("AZURE_CLIENT_ID", "own")][..], Some("own")),
        (&[][..], None),
    ] {
        let (server, _) = Server::replaying("msi_azureml").await;
        let endpoint = format!("{}{ENDPOINT}", server.url);
        let compute = [("MSI_ENDPOINT", endpoint.as_str()), ("MSI_SECRET", SECRET)];
        let set = [&compute[..], set].concat();
        let chain = ChainedCredential::from_environment(variable(&set), &http()).unwrap();
        chain.get_token(&[SCOPE], None).await.unwrap();
        let query = &server.seen()[0].query;
        let client_id = query.iter().find(|(name, _)| name == "clientid");
        assert_eq!(client_id.map(|(_, value)| value.as_str()), expected);
    }
}

/// Set in a process that a test starts, to the address that everything is sent through.
const PROXY: &str = "SPINNEY_AZUREML_TEST_PROXY";

/// `azure_identity` reads the variables of the process: runs a test again in a process of its own that has these and no others. There the
/// test is to call [`say_token`].
fn again(test: &str, server: &Server, variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture"]).env_clear().env(PROXY, &server.url);
    // No `az` and no `azd` of whoever runs this.
    child.env("PATH", "");
    let output = child.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Asks the credential of this process's environment for a token and prints it. `false` in a process that [`again`] has not started.
async fn say_token() -> bool {
    let Ok(proxy) = env::var(PROXY) else { return false };
    let credential = spinney_azureml::default_credential(&client_through(&proxy)).unwrap();
    let token = credential.get_token(&[SCOPE], None).await.unwrap();
    println!("{} until {}", token.token.secret(), token.expires_on.unix_timestamp());
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_service_is_asked_as_the_sdk_asks_it() {
    if say_token().await {
        return;
    }
    let (server, recorded) = Server::replaying("msi_appservice").await;
    let variables = [
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:8442/msi/token"),
        ("IDENTITY_HEADER", SECRET),
        ("AZURE_CLIENT_ID", "IDENTITY-CLIENT-ID"),
    ];
    let test = "an_app_service_is_asked_as_the_sdk_asks_it";
    let said = tokio::task::block_in_place(|| again(test, &server, &variables));
    assert!(said.contains(&format!("JWT-PLACEHOLDER until {END}")), "{said}");
    compare(&server, &recorded[0], ENDPOINT, &["x-identity-header", "metadata"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_machine_is_asked_when_nothing_else_is_there() {
    if say_token().await {
        return;
    }
    let (server, mut recorded) = Server::replaying("msi_imds").await;
    let test = "a_virtual_machine_is_asked_when_nothing_else_is_there";
    let variables = [("DEFAULT_IDENTITY_CLIENT_ID", "IDENTITY-CLIENT-ID")];
    let said = tokio::task::block_in_place(|| again(test, &server, &variables));
    assert!(said.contains(&format!("JWT-PLACEHOLDER until {END}")), "{said}");
    // The library speaks a later version than the SDK.
    let version = recorded[0].query.iter_mut().find(|(name, _)| name == "api-version").unwrap();
    assert_eq!(std::mem::replace(&mut version.1, "2019-08-01".to_owned()), "2018-02-01");
    compare(&server, &recorded[0], "/metadata/identity/oauth2/token", &["metadata"]);
}

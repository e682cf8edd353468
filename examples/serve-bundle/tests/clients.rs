//! Clients that others wrote, against the running program: curl, Python's, Azure's own SDK, and one that reads the API document and
//! sends whatever it allows, and more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

mod houses;
mod outside;
mod program;

use std::{fs, path::Path, process::Command};

use houses::{houses, predictions, rows, save};
use outside::{python, script, text};
use program::{Program, command};
use serde_json::{Value, json};

const KEY: &str = "open sesame";

#[test]
#[ignore = "needs requests: cargo xtask test"]
fn scores_for_the_client_of_the_workshop() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = houses(1.0);
    let path = save(&bundle, folder.path());
    for style in ["native", "list", "json-string"] {
        let server = Program::serve(&path, &["--key", KEY, "--answer-style", style]);
        let case = folder.path().join(format!("{style}.json"));
        let description = json!({
            "url": format!("{}/score", server.url),
            "key": KEY,
            "style": style,
            "rows": rows(),
            "expected": predictions(&bundle, &rows()),
        });
        fs::write(&case, description.to_string()).unwrap();
        let printed = text(&python().arg(script("workshop.py")).arg(&case).output().unwrap());
        assert!(printed.ends_with("9 cases\n"), "{printed}");
        assert!(server.stop().0.success());
    }
}

/// Runs curl with a key, and returns what it wrote: heads of requests (`>`) and of answers (`<`), then the answer.
fn curl(url: &str, key: &str, args: &[&str]) -> (String, String) {
    let mut curl = Command::new("curl");
    // Nobody's ~/.curlrc, and no proxy.
    curl.args(["--disable", "--noproxy", "*", "--silent", "--verbose", "--max-time", "60"]);
    curl.args(["--header", &format!("Authorization: Bearer {key}")]).args(args).arg(url);
    let output = curl.output().unwrap_or_else(|error| panic!("these tests need curl: {error}"));
    let answer = text(&output);
    // A line of a head ends as HTTP says.
    (String::from_utf8_lossy(&output.stderr).replace('\r', ""), answer)
}

/// A server with a key, a file with a request for it, and what it has to answer.
fn for_curl(folder: &Path) -> (Program, String, Value) {
    let bundle = houses(1.0);
    let server = Program::serve(&save(&bundle, folder), &["--key", KEY]);
    let file = folder.join("request.json");
    fs::write(&file, json!({"data": rows()}).to_string()).unwrap();
    let expected = json!({"predictions": predictions(&bundle, &rows())});
    (server, file.to_str().unwrap().to_owned(), expected)
}

#[test]
fn scores_what_curl_sends_however_it_sends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file, expected) = for_curl(folder.path());
    let url = format!("{}/score", server.url);
    let at = format!("@{file}");
    for (args, sent, answered) in [
        // Without a type curl says that it is a form, which Azure ML's own server takes for an empty body.
        (
            vec!["--data", &at],
            "\n> Content-Type: application/x-www-form-urlencoded\n",
            "\n< HTTP/1.1 200 OK\n",
        ),
        (
            vec!["--request", "POST", "--upload-file", &file, "--header", "Expect: 100-continue"],
            "\n> Expect: 100-continue\n",
            "\n< HTTP/1.1 100 Continue\n",
        ),
        (
            vec!["--data-binary", &at, "--header", "Transfer-Encoding: chunked"],
            "\n> Transfer-Encoding: chunked\n",
            "\n< HTTP/1.1 200 OK\n",
        ),
        // A client of HTTP/1.0 knows the end of an answer by the end of the connection.
        (vec!["--http1.0", "--data", &at], "> POST /score HTTP/1.0\n", "\n* Closing connection"),
        (vec!["--compressed", "--data", &at], "\n> Accept-Encoding: ", "\n< HTTP/1.1 200 OK\n"),
    ] {
        let (heads, answer) = curl(&url, KEY, &args);
        assert!(heads.contains(sent) && heads.contains(answered), "{heads}");
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), expected, "{args:?}");
    }
    // A row in the address.
    let row = &rows()[0];
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        ["--data-urlencode".to_owned(), format!("{name}={text}")]
    };
    let pairs: Vec<String> = row.as_object().unwrap().iter().flat_map(pair).collect();
    let args: Vec<&str> = ["--get"].into_iter().chain(pairs.iter().map(String::as_str)).collect();
    let (_, answer) = curl(&url, KEY, &args);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["predictions"], json!([expected["predictions"][0]]));
}

/// Such a body need not be sent: curl asks before it sends it.
#[test]
fn refuses_a_body_before_curl_sends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, file, _) = for_curl(folder.path());
    let url = format!("{}/score", server.url);
    let large = folder.path().join("large");
    fs::File::create(&large).unwrap().set_len(40 << 20).unwrap();
    for (file, key, url, status, code) in [
        (large.to_str().unwrap(), KEY, url.clone(), 413, "BodyTooLarge"),
        (&file, "guess", url, 401, "WrongKey"),
        (&file, KEY, format!("{}/scores", server.url), 404, "NotFound"),
    ] {
        let (heads, answer) = curl(
            &url,
            key,
            &[
                "--request",
                "POST",
                "--upload-file",
                file,
                "--header",
                "Expect: 100-continue",
                "--write-out",
                "\n%{size_upload}",
            ],
        );
        assert!(heads.contains(&format!("\n< HTTP/1.1 {status} ")), "{heads}");
        assert!(!heads.contains("100 Continue"), "{heads}");
        let (answer, n_sent) = answer.rsplit_once('\n').unwrap();
        assert!(heads.contains(&format!("\n< HTTP/1.1 {status} ")), "{heads}");
        assert!(!heads.contains("100 Continue"), "{heads}");
        assert_eq!(n_sent, "0");
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}

#[test]
fn answers_curl_that_only_asks_who_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _, _) = for_curl(folder.path());
    let (heads, head) = curl(&format!("{}/", server.url), KEY, &["--head"]);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    // As long as the answer to GET would be, and yet nothing comes: the connection is ready for more.
    assert!(head.contains("\r\ncontent-length: 7\r\n"), "{head}");
    assert!(heads.contains("left intact"), "{heads}");
    let (_, answer) = curl(&format!("{}/", server.url), KEY, &[]);
    assert_eq!(answer, "Healthy");

    let (heads, answer) = curl(&format!("{}/", server.url), KEY, &["--request", "OPTIONS"]);
    assert!(heads.contains("\n< HTTP/1.1 200 OK\n"), "{heads}");
    assert!(heads.contains("\n< allow: GET, OPTIONS, HEAD\n"), "{heads}");
    assert_eq!(answer, "");
    let (heads, answer) = curl(&format!("{}/score", server.url), KEY, &["--request", "OPTIONS"]);
    assert!(heads.contains("\n< HTTP/1.1 200 OK\n"), "{heads}");
    assert_eq!(answer, "");
}

#[test]
#[ignore = "needs azure-ai-ml: cargo xtask test"]
fn is_an_endpoint_to_the_sdk_of_azure() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sdk = script("azure_sdk.py");
    text(&python().arg(&sdk).arg(folder).arg("certificates").output().unwrap());
    let [blue, green] = [1.0, 2.0].map(|price| {
        let bundle = houses(price);
        let path = folder.join(format!("{price}.bundle"));
        bundle.save(&path).unwrap();
        (json!({"predictions": predictions(&bundle, &rows())}), path)
    });
    assert_ne!(blue.0, green.0);
    let mut server = command();
    for (name, (_, path)) in [("blue", &blue), ("green", &green)] {
        server.arg("--deployment").arg(format!("{name}={}", path.display()));
    }
    server.args(["--traffic", "green=100"]).env("SPINNEY_PRIMARY_KEY", KEY);
    server.arg("--tls-certificate").arg(folder.join("certificate.pem"));
    server.arg("--tls-key").arg(folder.join("key.pem"));
    let server = Program::start(server);

    let request = |name: &str, rows: Value| {
        fs::write(folder.join(name), json!({"data": rows}).to_string()).unwrap();
    };
    request("request.json", rows());
    request("refused.json", json!([{"area": 1, "garage": 2, "town": "Ames"}]));
    let mut invoke = python();
    invoke.arg(&sdk).arg(folder).args(["invoke", &format!("{}/score", server.url)]);
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/azureml/invoke.json");
    let output = invoke.arg(recorded).env("SPINNEY_PRIMARY_KEY", KEY).output().unwrap();
    let returned: Value = serde_json::from_str(&text(&output)).unwrap();
    // The SDK hands answers out as text.
    let answer = |name: &str| serde_json::from_str::<Value>(returned[name].as_str().unwrap());
    assert_eq!(answer("by_traffic").unwrap(), green.0);
    assert_eq!(answer("by_name").unwrap(), blue.0);
    // Who calls sees what is wrong, and where.
    let refused = returned["refused"].as_str().unwrap();
    assert!(
        refused.starts_with("422: (MissingColumn) row 0: column `quality` is not there\n"),
        "{refused}"
    );
    let unauthorized = returned["unauthorized"].as_str().unwrap();
    assert!(unauthorized.starts_with("401: (WrongKey) "), "{unauthorized}");
    assert!(server.stop().0.success());
}

/// What Schemathesis looks at. Two more of its checks do not hold: `negative_data_rejection`, because `true` is taken for 1, as pandas
/// does; `positive_data_acceptance`, because no document says how large a number a forest can hold.
const CHECKS: &str = "not_a_server_error,unsupported_method,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,allow_header_conformance,\
    missing_required_header,ignored_auth";

#[test]
#[ignore = "needs schemathesis: cargo xtask test"]
fn keeps_to_its_api_documents_whatever_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(&houses(1.0), folder.path());
    for (version, style, key) in [
        ("2", "native", None),
        ("2", "list", Some(KEY)),
        ("3", "native", Some(KEY)),
        ("3", "json-string", None),
        ("3.1", "list", None),
        ("3.1", "native", Some(KEY)),
    ] {
        let mut server = command();
        // Nobody reads the log, and a pipe holds only so much of it.
        server.arg(&path).args(["--answer-style", style, "--log", "error"]);
        let mut run = python();
        // It keeps files where it runs.
        run.current_dir(folder.path()).args(["-m", "schemathesis.cli", "run", "--no-color"]);
        if let Some(key) = key {
            server.env("SPINNEY_PRIMARY_KEY", key);
            run.args(["--header", &format!("Authorization: Bearer {key}")]);
        }
        let server = Program::start(server);
        run.args(["--checks", CHECKS, "--max-examples", "100", "--continue-on-failure"]);
        run.args(["--generation-deterministic"]);
        run.arg(format!("{}/swagger.json?version={version}", server.url));
        let printed = text(&run.output().unwrap());
        assert!(printed.contains("\n  Tested: 3\n"), "{printed}");
        let n_cases = printed.split_once(" generated, ").and_then(|(before, _)| {
            before.rsplit_once(' ').and_then(|(_, n_cases)| n_cases.parse::<u32>().ok())
        });
        assert!(n_cases.is_some_and(|n_cases| n_cases > 100), "{printed}");
    }
}

//! Several models behind one address: who answers, and how one is swapped for another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod constant;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use app::{Answer, call, get, post};
use axum::{Router, body::Body, http::Request};
use constant::Constant;
use spinney_scoring::{Deployment, Endpoint, Error, Server, ServerOptions};

fn deployment(name: &str, number: f64) -> Deployment {
    Deployment::new(name, Arc::new(Constant::new(number)))
}

fn server(deployments: impl IntoIterator<Item = (Deployment, u32)>) -> Server {
    Server::new(Endpoint::new(deployments).unwrap(), ServerOptions::default())
}

async fn ask(app: &Router, deployment: &str) -> Answer {
    let request = Request::post("/score").header("azureml-model-deployment", deployment);
    call(app.clone(), request.body(Body::from("[{}]")).unwrap()).await
}

#[tokio::test]
async fn requests_are_shared_exactly() {
    let server = server([(deployment("blue", 1.0), 90), (deployment("green", 2.0), 10)]);
    let app = server.router();
    let mut n_green = 0;
    let mut in_a_row = 0;
    for _ in 0..200 {
        let answer = post(app.clone(), "[{}]").await;
        let is_green = answer.text == r#"{"predictions":[2.0]}"#;
        let name = if is_green { "green" } else { "blue" };
        assert_eq!(answer.headers["azureml-model-deployment"], name);
        n_green += usize::from(is_green);
        in_a_row = if is_green { in_a_row + 1 } else { 0 };
        assert!(in_a_row < 3, "shares come mixed");
    }
    assert_eq!(n_green, 20);
    server.endpoint().set_traffic(&[("green", 100)]).unwrap();
    assert_eq!(post(app, "[{}]").await.text, r#"{"predictions":[2.0]}"#);
}

#[tokio::test]
async fn a_header_names_the_deployment() {
    let server = server([(deployment("blue", 1.0), 0), (deployment("green", 2.0), 0)]);
    let app = server.router();
    assert_eq!(ask(&app, "green").await.text, r#"{"predictions":[2.0]}"#);
    assert_eq!(ask(&app, "blue").await.headers["x-spinney-model-version"], "1");
    assert_eq!(ask(&app, "red").await.refusal().1, "NotFound");
    let (status, code, ..) = post(app.clone(), "[{}]").await.refusal();
    assert_eq!((status, code.as_str()), (404, "NoTraffic"));
    // A version in the path finds the deployment that has it.
    let answer = get(app, "/v2/models/constant/versions/2").await;
    assert_eq!(answer.json()["versions"][0], "2");
}

/// Azure ML's front door lets the header through to the container that it has chosen by it, which knows nothing of the name.
#[tokio::test]
async fn one_deployment_alone_answers_whatever_the_header_says() {
    let app = Server::of(Constant::new(3.0), ServerOptions::default()).router();
    let answer = ask(&app, "blue").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, r#"{"predictions":[3.0]}"#));
    assert!(
        !answer.headers.contains_key("azureml-model-deployment"),
        "the name is the front door's to tell"
    );
    let request = Request::get("/v2/models/constant").header("azureml-model-deployment", "blue");
    assert_eq!(call(app, request.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn who_asks_early_is_told_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("number"), "5").unwrap();
    let server = server([(Deployment::of_model_dir::<Constant>("blue", folder.path()), 100)]);
    let app = server.router();
    for path in ["/", "/v2/models/constant/ready", "/swagger.json"] {
        let answer = get(app.clone(), path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.refusal().1.as_str()),
            (503, "NotReady"),
            "{path}"
        );
    }
    assert_eq!(get(app.clone(), "/v2/health/ready").await.status, 503);
    assert_eq!(get(app.clone(), "/v2/health/live").await.status, 200);
    let answer = post(app.clone(), "[{}]").await;
    assert_eq!(
        (answer.refusal().1.as_str(), &answer.headers["retry-after"]),
        ("NotReady", &"1".parse().unwrap())
    );

    server.reload().await.unwrap();
    for path in ["/", "/v2/health/ready", "/v2/models/constant/ready", "/swagger.json"] {
        assert_eq!(get(app.clone(), path).await.status, 200, "{path}");
    }
    assert_eq!(post(app.clone(), "[{}]").await.text, r#"{"predictions":[5.0]}"#);
    // Alive is alive, whatever gets the traffic later.
    server.endpoint().set_traffic(&[]).unwrap();
    assert_eq!(get(app, "/").await.text, "Healthy");
}

#[tokio::test]
async fn a_model_that_does_not_load_or_work_changes_nothing() {
    let works = Arc::new(AtomicBool::new(true));
    let loads = Arc::new(AtomicUsize::new(0));
    let (works_inside, loads_inside) = (Arc::clone(&works), Arc::clone(&loads));
    let load = move || match loads_inside.fetch_add(1, Ordering::Relaxed) {
        2 => Err("the file is gone".into()),
        3 => panic!("the loader panics"),
        _ if works_inside.load(Ordering::Relaxed) => Ok(Constant::new(1.0)),
        _ => Ok(Constant::broken()),
    };
    let server = server([(Deployment::loading("blue", load), 100)]);
    server.reload().await.unwrap();
    works.store(false, Ordering::Relaxed);
    let error = server.reload().await.unwrap_err();
    assert!(
        matches!(&error, Error::SelfTest { deployment, .. } if deployment == "blue"),
        "{error}"
    );
    let error = server.reload().await.unwrap_err();
    assert!(
        matches!(&error, Error::Init { source, .. } if source.to_string() == "the file is gone")
    );
    assert!(matches!(server.reload().await, Err(Error::Init { .. })));
    let app = server.router();
    assert_eq!(post(app.clone(), "[{}]").await.text, r#"{"predictions":[1.0]}"#);
    let metrics = get(app, "/metrics").await.text;
    assert!(
        metrics.contains(r#"spinney_reloads_total{deployment="blue",result="failure"} 3"#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"spinney_reloads_total{deployment="blue",result="success"} 1"#));
}

#[test]
fn endpoints_are_checked() {
    let new =
        |deployments: Vec<(Deployment, u32)>| Endpoint::new(deployments).unwrap_err().to_string();
    assert_eq!(new(vec![]), "an endpoint needs at least one deployment");
    let twice = vec![(deployment("a", 1.0), 50), (deployment("a", 2.0), 50)];
    assert_eq!(new(twice), "there are two deployments `a`");
    for name in ["", "1a", "a b", "é", &"a".repeat(33)] {
        assert!(new(vec![(deployment(name, 1.0), 100)]).contains("begins with a letter"), "{name}");
    }
    for percent in [1, 99, 101, u32::MAX] {
        let message = new(vec![(deployment("a", 1.0), percent), (deployment("b", 1.0), 0)]);
        assert!(message.ends_with("percent together, but must be 0 or 100"), "{message}");
    }
    let endpoint = Endpoint::new([(deployment("a", 1.0), 100)]).unwrap();
    assert!(matches!(endpoint.set_traffic(&[("b", 100)]), Err(Error::UnknownDeployment { .. })));
    assert!(matches!(endpoint.set_traffic(&[("a", 50)]), Err(Error::Traffic { total: 50 })));
    assert_eq!(endpoint.traffic(), [("a", 100)]);
    assert!(matches!(endpoint.reload_one("a"), Err(Error::NotReloadable { .. })));
    assert!(matches!(endpoint.reload_one("b"), Err(Error::UnknownDeployment { .. })));
}

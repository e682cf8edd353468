//! Over a real socket: start, score, shut down.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod workshop;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use spinney_scoring::{
    InitError, ScoreError, ScoreRequest, ScoreResponse, Scorer, Server, ServerOptions, Stopped,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<Stopped>>,
}

async fn start(scorer: impl Scorer) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let signal = async move { drop(stopped.await) };
    let server = Server::of(scorer, ServerOptions::default());
    Running { address, stop, task: tokio::spawn(server.serve(listener, signal)) }
}

/// Sends a request as text and reads until the server closes the connection.
async fn exchange(address: std::net::SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn scores_and_shuts_down() {
    let server = start(workshop::scorer()).await;
    let alive = exchange(server.address, "GET /", "").await;
    assert!(alive.starts_with("HTTP/1.1 200") && alive.ends_with("Healthy"), "{alive}");
    let body = workshop::request("workshop.json");
    let answer = exchange(server.address, "POST /score", &body).await;
    assert!(answer.ends_with(r#"{"predictions":[210830.93,232084.33666666667]}"#), "{answer}");

    server.stop.send(()).unwrap();
    server.task.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

struct Slow;

impl Scorer for Slow {
    fn init(_: &Path) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn run(&self, _: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        std::thread::sleep(Duration::from_millis(500));
        Ok(ScoreResponse::new(vec![1.0]))
    }
}

#[tokio::test]
async fn finishes_requests_under_way() {
    let server = start(Slow).await;
    let under_way =
        tokio::spawn(async move { exchange(server.address, "POST /score", "[]").await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.stop.send(()).unwrap();
    let answer = under_way.await.unwrap();
    assert!(answer.ends_with(r#"{"predictions":[1.0]}"#), "{answer}");
    server.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn liveness_does_not_wait_behind_scoring() {
    let server = start(Slow).await;
    let address = server.address;
    let scoring: Vec<_> = (0..8)
        .map(|_| tokio::spawn(async move { exchange(address, "POST /score", "[]").await }))
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = Instant::now();
    let alive = exchange(address, "GET /", "").await;
    let answered = asked.elapsed();
    assert!(alive.ends_with("Healthy"));
    let still_scoring = scoring.iter().filter(|task| !task.is_finished()).count();
    assert!(still_scoring > 0, "liveness was answered after all scoring: {answered:?}");
    for task in scoring {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn many_clients_get_the_answers_of_one() {
    let server = start(workshop::scorer()).await;
    let address = server.address;
    let body = workshop::request("workshop_lesson2.json");
    let clients = (0..20).map(|_| {
        let body = body.clone();
        tokio::spawn(async move { exchange(address, "POST /score", &body).await })
    });
    for client in clients.collect::<Vec<_>>() {
        assert!(client.await.unwrap().ends_with(r#"{"predictions":[205980.87]}"#));
    }
}

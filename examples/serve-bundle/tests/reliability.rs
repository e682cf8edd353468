//! Many requests, many connections, and changes under load. Each test is bounded; `SPINNEY_RELIABILITY` multiplies its size:
//! with 50 the first sends a million requests, and 10,000 connections are held.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail by panicking, and these tell figures"
)]

mod program;

use std::{
    env,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use program::{Program, bundle};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Runtime,
    task::JoinSet,
};

fn scale() -> usize {
    env::var("SPINNEY_RELIABILITY").map_or(1, |scale| scale.parse().unwrap())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// One connection that is kept.
struct Client {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), line: String::new(), body: Vec::new() })
    }

    /// Asks for the price of an area: the status and the body, or nothing if the connection ended before an answer began.
    async fn ask(&mut self, area: usize) -> Option<(u16, &[u8])> {
        let body = format!("[{{\"area\": {area}}}]");
        let request = format!(
            "POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).await.ok()?;
        let (mut status, mut length) = (0, 0);
        loop {
            self.line.clear();
            if self.stream.read_line(&mut self.line).await.ok()? == 0 {
                assert_eq!(status, 0, "an answer broke off in its head");
                return None;
            }
            let line = self.line.trim_end();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await.expect("an answer broke off in its body");
        Some((status, &self.body))
    }
}

/// The answers to expect, as bytes, by area.
fn answers(factor: f64) -> Vec<Vec<u8>> {
    let bundle = bundle(factor);
    let answer = |area: usize| {
        let records = serde_json::from_str::<Vec<_>>(&format!("[{{\"area\": {area}}}]")).unwrap();
        let predictions = bundle.predict_records(&records).unwrap().to_vec();
        serde_json::to_vec(&serde_json::json!({"predictions": predictions})).unwrap()
    };
    (0..60).map(answer).collect()
}

/// Lets 64 clients ask until they are told to stop, or have asked so often together. Every answer is compared with those that are
/// possible; the number of answers is returned.
async fn load(
    address: SocketAddr,
    n_requests: usize,
    stop: Arc<AtomicBool>,
    possible: Arc<Vec<Vec<Vec<u8>>>>,
) -> usize {
    let sent = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..64 {
        let (sent, stop, possible) = (Arc::clone(&sent), Arc::clone(&stop), Arc::clone(&possible));
        clients.spawn(async move {
            let mut client = Client::connect(address).await.unwrap();
            let mut n_answers = 0;
            loop {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                if number >= n_requests || stop.load(Ordering::Relaxed) {
                    return n_answers;
                }
                let area = number % 60;
                let (status, body) = client.ask(area).await.expect("an answer");
                assert_eq!(status, 200);
                assert!(possible.iter().any(|answers| answers[area] == body), "{area} {body:?}");
                n_answers += 1;
            }
        });
    }
    clients.join_all().await.into_iter().sum()
}

fn serve(factor: f64) -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("areas.bundle");
    bundle(factor).save(&path).unwrap();
    let program = Program::serve(&path, &[]);
    (folder, program)
}

#[test]
fn many_requests_without_an_error_in_flat_memory() {
    let (_folder, program) = serve(1.0);
    let n_requests = 20_000 * scale();
    let possible = Arc::new(vec![answers(1.0)]);
    let ask =
        |n| runtime().block_on(load(program.address(), n, Arc::default(), Arc::clone(&possible)));
    assert_eq!(ask(n_requests / 10), n_requests / 10);
    let before = program.resident();
    let start = Instant::now();
    assert_eq!(ask(n_requests), n_requests);
    let after = program.resident();
    eprintln!(
        "{n_requests} requests at 64 connections in {:.1} s, no error; resident before {before} and after {after} bytes",
        start.elapsed().as_secs_f64()
    );
    assert!(after < before + (8 << 20), "memory grew from {before} to {after}");
}

#[test]
fn idle_and_slow_connections_hold_nobody_up() {
    let (_folder, program) = serve(1.0);
    let address = program.address();
    let n_held = 200 * scale().min(50);
    runtime().block_on(async {
        let mut held = Vec::new();
        for i in 0..n_held {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // A third says nothing, a third half a head, a third half a body.
            let begun: &[u8] = match i % 3 {
                0 => b"",
                1 => b"POST /score HTTP/1.1\r\nho",
                _ => b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n[{\"area\"",
            };
            stream.write_all(begun).await.unwrap();
            held.push(stream);
        }
        let resident = program.resident();
        let start = Instant::now();
        let n_answers = load(address, 2000, Arc::default(), Arc::new(vec![answers(1.0)])).await;
        assert_eq!(n_answers, 2000);
        eprintln!("{n_held} connections held at {resident} bytes resident; 2000 requests beside them in {:.2} s", start.elapsed().as_secs_f64());
        assert!(resident < (64 << 20) + (n_held as u64) * (32 << 10), "{resident}");
        // Those that are slow are answered when they have said it all.
        let mut n_slow = 0;
        for stream in held.iter_mut().skip(2).step_by(3) {
            stream.write_all(b": 7}]").await.unwrap();
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200");
            n_slow += 1;
        }
        assert_eq!(n_slow, (n_held - 2).div_ceil(3));
    });
}

#[test]
fn bundles_change_under_load_without_a_failed_request() {
    let (folder, program) = serve(1.0);
    let path = folder.path().join("areas.bundle");
    let stop = Arc::new(AtomicBool::new(false));
    let possible = Arc::new(vec![answers(1.0), answers(2.0)]);
    let runtime = runtime();
    let loading =
        runtime.spawn(load(program.address(), usize::MAX / 2, Arc::clone(&stop), possible));
    let bundles = [bundle(2.0), bundle(1.0)];
    for i in 0..(10 * scale().min(10)) {
        bundles[i % 2].save(&path).unwrap();
        program.signal("HUP");
        std::thread::sleep(Duration::from_millis(40));
    }
    stop.store(true, Ordering::Relaxed);
    let n_answers = runtime.block_on(loading).unwrap();
    let metrics =
        reqwest::blocking::get(format!("{}/metrics", program.url)).unwrap().text().unwrap();
    let reloads = metrics
        .lines()
        .find(|line| line.starts_with("spinney_reloads_total") && line.contains("success"));
    eprintln!("{n_answers} requests while {}", reloads.unwrap());
    assert!(!metrics.contains("result=\"failure\"") && n_answers > 100);
}

#[test]
fn a_signal_to_stop_loses_no_request_that_is_being_answered() {
    let (_folder, program) = serve(1.0);
    let address = program.address();
    let expected = Arc::new(answers(1.0));
    let runtime = runtime();
    let n_answers = Arc::new(AtomicUsize::new(0));
    let clients = {
        let n_answers = Arc::clone(&n_answers);
        runtime.spawn(async move {
            let mut clients = JoinSet::new();
            for _ in 0..64 {
                let (expected, n_answers) = (Arc::clone(&expected), Arc::clone(&n_answers));
                clients.spawn(async move {
                    let mut client = Client::connect(address).await.unwrap();
                    // The end comes between two answers: one that has begun is whole.
                    while let Some((status, body)) = client.ask(7).await {
                        assert_eq!((status, body), (200, &expected[7][..]));
                        n_answers.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            clients.join_all().await;
        })
    };
    while n_answers.load(Ordering::Relaxed) < 5000 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (status, log) = program.stop();
    assert!(status.success(), "{log}");
    runtime.block_on(clients).unwrap();
}

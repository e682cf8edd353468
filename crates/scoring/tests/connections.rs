//! Connections that behave badly, and a server that stops while others behave well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

mod constant;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use constant::Constant;
use proptest::prelude::*;
use spinney_scoring::{
    InitError, Key, ScoreError, ScoreRequest, ScoreResponse, Scorer, Server, ServerOptions, Stopped,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<Stopped>>,
}

impl Running {
    async fn start(scorer: impl Scorer, options: ServerOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = Server::of(scorer, options);
        let task = tokio::spawn(server.serve(listener, async move { drop(stopped.await) }));
        Self { address, stop, task }
    }

    async fn stop(self) -> Stopped {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap()
    }

    /// Sends bytes, and returns all that comes back until the server closes the connection, or nothing more within a second.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// On the runtime of the test, and on two threads of the server's own.
fn on_either() -> [ServerOptions; 2] {
    let options = ServerOptions::default();
    [options.clone(), options.connection_threads(NonZeroUsize::new(2).unwrap())]
}

fn request(body: &str) -> String {
    format!("POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// One connection that is kept, and asked again and again.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(address).await?) })
    }

    /// The status, or nothing if the connection ended before an answer began.
    async fn ask(&mut self, body: &str) -> Option<u16> {
        self.stream.get_mut().write_all(request(body).as_bytes()).await.ok()?;
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.ok()? == 0 {
                assert!(status.is_none(), "an answer broke off in its head");
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|status| status.parse().ok());
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("an answer broke off in its body");
        status
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests_also_pipelined() {
    for options in on_either() {
        let server = Running::start(Constant::new(1.0), options).await;
        let mut client = Client::connect(server.address).await.unwrap();
        for _ in 0..100 {
            assert_eq!(client.ask("[{}]").await, Some(200));
        }
        let pipelined = request("[{}]").repeat(3)
            + &request("[{}]").replace("host: x", "connection: close\r\nhost: x");
        let answers = server.send(pipelined.as_bytes()).await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 4, "{answers}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = Running::start(Constant::new(1.0), ServerOptions::default()).await;
    let long = "x".repeat(300_000);
    let many: String = (0..200).map(|i| format!("h{i}: x\r\n")).collect();
    for (bytes, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400"),
        ("POST /score HTTP/1.1\r\ncontent-length: -5\r\n\r\n".to_owned(), "400"),
        (
            "POST /score HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
            "400",
        ),
        (format!("GET / HTTP/1.1\r\nh: {long}\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "431"),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), "431"),
        ("POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(), "400"),
    ] {
        let answer = server.send(bytes.as_bytes()).await;
        let head: String = bytes.chars().take(60).collect();
        // Either side may be the first to close while the other still sends.
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || (answer.is_empty() && bytes.len() > 1000),
            "{head}: {answer}"
        );
    }
    assert!(server.send(request("[{}]").as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_that_breaks_off_harms_nobody() {
    let server = Running::start(Constant::new(1.0), ServerOptions::default()).await;
    for _ in 0..50 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&request("[{}]").as_bytes()[..50]).await.unwrap();
        drop(stream);
    }
    assert!(server.send(request("[{}]").as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.stop().await.n_cut_off, 0);
}

/// A client that sends its whole body before it listens sees why it was refused.
#[tokio::test]
async fn refusals_of_long_bodies_arrive() {
    let options = ServerOptions::default().max_body_bytes(1 << 20).key(Key::new("secret"));
    let server = Running::start(Constant::new(1.0), options).await;
    for (path, key, n_bytes, status) in [
        ("/score", "wrong", 3 << 20, 401),
        ("/score", "secret", 20 << 20, 413),
        ("/nowhere", "secret", 3 << 20, 404),
        ("/swagger.json", "secret", 3 << 20, 405),
    ] {
        for chunked in [false, true] {
            let body = if chunked {
                format!("{:x}\r\n{}\r\n0\r\n\r\n", n_bytes, " ".repeat(n_bytes))
            } else {
                " ".repeat(n_bytes)
            };
            let length = if chunked {
                "transfer-encoding: chunked".to_owned()
            } else {
                format!("content-length: {n_bytes}")
            };
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{length}\r\n\r\n"
            );
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body.as_bytes()).await.expect("the body is taken");
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.expect("an answer");
            assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes(), "{path} {chunked}");
        }
    }
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    for options in on_either() {
        let options = options.request_timeout(Duration::from_millis(100));
        let server = Running::start(Constant::new(1.0), options).await;
        let begun = b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n[";
        let answer = server.send(begun).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("Timeout"), "{answer}");
    }
}

#[tokio::test]
async fn a_slow_head_is_given_up_and_so_is_a_long_rest() {
    let options = ServerOptions::default().header_timeout(Duration::from_millis(100));
    let server = Running::start(Constant::new(1.0), options).await;
    for begun in ["", "POST /score HT", "POST /score HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest));
        assert!(closed.await.is_ok(), "still open after {begun:?}");
    }
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_their_turn() {
    let server =
        Running::start(Constant::new(1.0), ServerOptions::default().max_connections(2)).await;
    let mut first = Client::connect(server.address).await.unwrap();
    let mut second = Client::connect(server.address).await.unwrap();
    assert_eq!((first.ask("[{}]").await, second.ask("[{}]").await), (Some(200), Some(200)));
    let mut third = Client::connect(server.address).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(100), third.ask("[{}]")).await;
    assert!(waited.is_err(), "there was no place for a third");
    drop(first);
    let mut fourth = Client::connect(server.address).await.unwrap();
    drop(third);
    assert_eq!(fourth.ask("[{}]").await, Some(200));
}

#[tokio::test]
async fn what_takes_too_long_at_the_end_is_cut_off_and_said() {
    for options in on_either() {
        let options = options.drain_timeout(Duration::from_millis(50));
        let server = Running::start(Constant::slow(1.0, Duration::from_millis(600)), options).await;
        let mut idle = Client::connect(server.address).await.unwrap();
        assert_eq!(idle.ask("[{}]").await, Some(200));
        let mut busy = Client::connect(server.address).await.unwrap();
        let busy = tokio::spawn(async move { busy.ask("[{}]").await });
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(server.stop().await.n_cut_off, 1, "the idle one is closed, the busy one not");
        busy.abort();
    }
}

/// Tells on which threads it scores, as what is quick does where its connection is.
#[derive(Clone, Default)]
struct Threads(Arc<Mutex<BTreeSet<String>>>);

impl Scorer for Threads {
    fn init(_: &Path) -> Result<Self, InitError> {
        Ok(Self::default())
    }

    fn run(&self, _: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        self.0.lock().unwrap().insert(name);
        Ok(ScoreResponse::new(vec![1.0]))
    }

    fn is_quick(&self, _: usize) -> bool {
        true
    }
}

#[tokio::test]
async fn connections_are_shared_out_and_stay_where_they_are() {
    let scorer = Threads::default();
    let [_, options] = on_either();
    let server = Running::start(scorer.clone(), options).await;
    let mut first = Client::connect(server.address).await.unwrap();
    for _ in 0..20 {
        assert_eq!(first.ask("[{}]").await, Some(200));
    }
    assert_eq!(scorer.0.lock().unwrap().len(), 1);
    let mut second = Client::connect(server.address).await.unwrap();
    assert_eq!(second.ask("[{}]").await, Some(200));
    let threads = scorer.0.lock().unwrap().clone();
    assert_eq!(threads.into_iter().collect::<Vec<_>>(), ["connections-0", "connections-1"]);
    // Idle ones are closed.
    assert_eq!(server.stop().await.n_cut_off, 0);
    assert_eq!((first.ask("[{}]").await, second.ask("[{}]").await), (None, None));
}

/// Counts what it scores.
#[derive(Clone, Default)]
struct Counting {
    n_scored: Arc<AtomicUsize>,
}

impl Scorer for Counting {
    fn init(_: &Path) -> Result<Self, InitError> {
        Ok(Self::default())
    }

    fn run(&self, _: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        self.n_scored.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(2));
        Ok(ScoreResponse::new(vec![1.0]))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_scored_is_answered_also_at_the_end() {
    for options in on_either() {
        whatever_is_scored_is_answered(options).await;
    }
}

async fn whatever_is_scored_is_answered(options: ServerOptions) {
    let scorer = Counting::default();
    let server = Running::start(scorer.clone(), options).await;
    let address = server.address;
    let clients: Vec<_> = (0..32)
        .map(|_| {
            tokio::spawn(async move {
                let mut n_answered = 0;
                let Ok(mut client) = Client::connect(address).await else { return 0 };
                while let Some(status) = client.ask("[{}]").await {
                    assert_eq!(status, 200);
                    n_answered += 1;
                }
                n_answered
            })
        })
        .collect();
    while scorer.n_scored.load(Ordering::SeqCst) < 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(server.stop().await.n_cut_off, 0);
    let mut n_answered = 0;
    for client in clients {
        n_answered += client.await.unwrap();
    }
    assert_eq!(n_answered, scorer.n_scored.load(Ordering::SeqCst));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, the server closes the connection or answers, and goes on.
    #[test]
    fn no_bytes_stop_the_server(
        start in prop_oneof![Just(""), Just("POST /score HTTP/1.1\r\n"), Just("GET / HTTP/1.1\r\nhost: x\r\n")],
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = ServerOptions::default().header_timeout(Duration::from_millis(20));
            let options = options.request_timeout(Duration::from_millis(20));
            let server = Running::start(Constant::new(1.0), options).await;
            server.send(&[start.as_bytes(), &bytes].concat()).await;
            let answer = server.send(request("[{}]").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        });
    }
}

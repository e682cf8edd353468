//! The process is killed again and again while it works, and what it has answered for is there each time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The program, which dies with the test.
struct Program(Child);

impl Program {
    fn spawn(state: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spinney-azureml-emulator"));
        command.arg("--state").arg(state).args([
            "--port",
            "0",
            "--proxy-port",
            "0",
            "--time-scale",
            "100",
        ]);
        Self(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it can be worked with.
    fn start(state: &Path) -> Self {
        let mut program = Self::spawn(state);
        let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        program
    }

    /// As by `kill -9`.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Who works with the emulator, and counts what was asked.
struct Worker {
    worker: support::Worker,
    n_asked: Arc<AtomicUsize>,
}

/// A request that the process did not live to answer.
struct Died;

type Tried<T> = Result<T, Died>;

impl Worker {
    async fn new(state: &Path, n_asked: &Arc<AtomicUsize>) -> Self {
        Self { worker: support::Worker::new(state).await, n_asked: Arc::clone(n_asked) }
    }

    async fn read(&self, request: RequestBuilder) -> Tried<(StatusCode, Vec<u8>)> {
        self.n_asked.fetch_add(1, Ordering::SeqCst);
        let response = request.send().await.map_err(|_| Died)?;
        let status = response.status();
        Ok((status, response.bytes().await.map_err(|_| Died)?.into()))
    }

    async fn get(&self, path: &str) -> Tried<Value> {
        let (status, body) = self.read(self.worker.arm(Method::GET, path)).await?;
        assert_eq!(status, 200, "{path}");
        Ok(serde_json::from_slice(&body).unwrap())
    }

    async fn put(&self, path: &str, body: &Value) -> Tried<()> {
        let request = self.worker.arm(Method::PUT, path).body(body.to_string());
        let (status, answer) = self.read(request).await?;
        // What a process began that died is under way.
        let is_done = status.is_success() || status == StatusCode::CONFLICT;
        assert!(is_done, "{path}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    async fn put_blob(&self, path: &str, content: Vec<u8>) -> Tried<()> {
        let (status, answer) = self.read(self.worker.blob(Method::PUT, path).body(content)).await?;
        assert!(status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Uploads a model's file, registers it and tags it: all of which may be done again.
    async fn register(&self, number: usize) -> Tried<()> {
        let content = content(number);
        let blob = format!("model-{number}/model.bin");
        if number.is_multiple_of(2) {
            self.put_blob(&blob, content).await?;
        } else {
            let mut list = String::new();
            for (place, block) in content.chunks(10_000).enumerate() {
                let id = STANDARD.encode(format!("{place:04}"));
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs([("comp", "block"), ("blockid", &id)])
                    .finish();
                self.put_blob(&format!("{blob}?{query}"), block.to_vec()).await?;
                list += &format!("<Latest>{id}</Latest>");
            }
            let list = format!("<BlockList>{list}</BlockList>");
            self.put_blob(&format!("{blob}?comp=blocklist"), list.into_bytes()).await?;
        }
        let uri = format!("azureml://datastores/workspaceblobstore/paths/{blob}");
        let path = format!("/models/model/versions/{number}");
        self.put(&path, &json!({"properties": {"modelUri": uri}})).await?;
        self.put(&path, &json!({"properties": {"modelUri": uri, "tags": {"done": "yes"}}})).await?;
        // Something that takes a while, and may be under way.
        let endpoint = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
        self.put(&format!("/onlineEndpoints/endpoint-{number}"), &endpoint).await?;
        // What the next one replaces.
        self.put_blob("latest", content_of_latest(number)).await
    }

    /// All that was answered for is there, whole; and nothing is there half.
    async fn check(&self, n_done: usize) -> Tried<()> {
        for number in 0..n_done {
            let model = self.get(&format!("/models/model/versions/{number}")).await?;
            assert_eq!(model["properties"]["tags"]["done"], "yes");
        }
        let all = self.get("/models/model/versions").await?;
        for model in all["value"].as_array().unwrap() {
            // What is registered has its content, answered for or not.
            let number: usize = model["name"].as_str().unwrap().parse().unwrap();
            let blob = format!("model-{number}/model.bin");
            assert!(model["properties"]["modelUri"].as_str().unwrap().ends_with(&blob));
            let (status, found) = self.read(self.worker.blob(Method::GET, &blob)).await?;
            assert!(status == 200 && found == content(number), "{blob}: {status}");
        }
        Ok(())
    }
}

fn content(number: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number as u64);
    (0..random.usize(1..60_000)).map(|_| random.u8(..)).collect()
}

fn content_of_latest(number: usize) -> Vec<u8> {
    format!("the latest is {number}").into_bytes()
}

/// Every file is what its name says, and none is left over: read after a start, which clears away.
fn check_files(state: &Path) {
    assert_eq!(fs::read_dir(state.join("incoming")).unwrap().count(), 0);
    let database = rusqlite::Connection::open(state.join("state.db")).unwrap();
    let checked: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    let mut names = database
        .prepare("SELECT hash FROM piece UNION SELECT hash FROM block ORDER BY hash")
        .unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let folders = fs::read_dir(state.join("blobs")).unwrap().map(|folder| folder.unwrap().path());
    let mut files: Vec<_> = folders
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let found: Vec<_> =
        files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(found, names);
    for file in &files {
        let hash = hex::encode(Sha256::digest(fs::read(file).unwrap()));
        assert_eq!(file.file_name().unwrap(), hash.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_for_survives_kill_9_at_any_moment() {
    let kills = std::env::var("SPINNEY_KILLS").map_or(30, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let mut n_done = 0;
    for _ in 0..kills {
        // While it starts, for the first time too.
        let mut starting = Program::spawn(&state);
        tokio::time::sleep(Duration::from_micros(random.u64(0..25_000))).await;
        starting.kill();

        let mut program = Program::start(&state);
        check_files(&state);
        let n_asked = Arc::new(AtomicUsize::new(0));
        let (n_before, later) = (random.usize(1..50), Duration::from_micros(random.u64(0..3000)));
        let killed = tokio::spawn({
            let n_asked = Arc::clone(&n_asked);
            async move {
                // Somewhere within or behind that request.
                while n_asked.load(Ordering::SeqCst) < n_before {
                    tokio::time::sleep(Duration::from_micros(100)).await;
                }
                tokio::time::sleep(later).await;
                program.kill();
            }
        });
        // Works until it dies.
        let work = async {
            let worker = Worker::new(&state, &n_asked).await;
            loop {
                worker.register(n_done).await?;
                n_done += 1;
            }
            #[expect(unreachable_code, reason = "gives the block its type")]
            Tried::Ok(())
        };
        assert!(work.await.is_err());
        killed.await.unwrap();
    }
    // It was killed while it worked, and not only while it started.
    assert!(n_done > 0);
    // And what was begun can be finished.
    let program = Program::start(&state);
    let n_asked = Arc::default();
    let worker = Worker::new(&state, &n_asked).await;
    worker.check(n_done).await.map_err(|_| "died").unwrap();
    worker.register(n_done).await.map_err(|_| "died").unwrap();
    worker.check(n_done + 1).await.map_err(|_| "died").unwrap();
    for number in 0..=n_done {
        let path = format!("/onlineEndpoints/endpoint-{number}");
        let mut patience = 200;
        loop {
            let endpoint = worker.get(&path).await.map_err(|_| "died").unwrap();
            if endpoint["properties"]["provisioningState"] == "Succeeded" {
                break;
            }
            patience -= 1;
            assert!(patience > 0, "{endpoint}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    drop(program);
    drop(Program::start(&state));
    check_files(&state);
    println!("{kills} kills at work and as many while it started, {n_done} models");
}

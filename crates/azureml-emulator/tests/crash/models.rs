//! Models are uploaded, registered and tagged, one after the other.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    client::{Client, Tried},
    files::check_files,
    killer::{TIME_SCALE, kill_later, n_kills},
    support::program::Program,
};

struct Models(Client);

impl Models {
    async fn new(state: &Path, n_asked: &Arc<AtomicUsize>) -> Self {
        Self(Client::new(state, n_asked).await)
    }

    async fn get(&self, path: &str) -> Tried<Value> {
        self.0.json(self.0.worker.arm(Method::GET, path)).await
    }

    async fn put(&self, path: &str, body: &Value) -> Tried<()> {
        let request = self.0.worker.arm(Method::PUT, path).body(body.to_string());
        let (status, answer) = self.0.read(request).await?;
        // What a process began that died is under way.
        let is_done = status.is_success() || status == StatusCode::CONFLICT;
        assert!(is_done, "{path}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    async fn put_blob(&self, name: &str, content: &[u8], block: Option<usize>) -> Tried<()> {
        let blob = |method, rest: &str| self.0.worker.blob(method, &format!("{name}{rest}"));
        self.0.put_blob(blob, content, block).await
    }

    /// Uploads a model's file, registers it and tags it: all of which may be done again.
    async fn register(&self, number: usize) -> Tried<()> {
        let content = content(number);
        let blob = format!("model-{number}/model.bin");
        let block = (!number.is_multiple_of(2)).then_some(10_000);
        self.put_blob(&blob, &content, block).await?;
        let uri = format!("azureml://datastores/workspaceblobstore/paths/{blob}");
        let path = format!("/models/model/versions/{number}");
        self.put(&path, &json!({"properties": {"modelUri": uri}})).await?;
        self.put(&path, &json!({"properties": {"modelUri": uri, "tags": {"done": "yes"}}})).await?;
        // Something that takes a while, and may be under way.
        let endpoint = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
        self.put(&format!("/onlineEndpoints/endpoint-{number}"), &endpoint).await?;
        // What the next one replaces.
        self.put_blob("latest", format!("the latest is {number}").as_bytes(), None).await
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
            let (status, found) = self.0.read(self.0.worker.blob(Method::GET, &blob)).await?;
            assert!(status == 200 && found == content(number), "{blob}: {status}");
        }
        Ok(())
    }
}

fn content(number: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number as u64);
    (0..random.usize(1..60_000)).map(|_| random.u8(..)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_for_survives_kill_9_at_any_moment() {
    let n_kills = n_kills(30);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let mut n_done = 0;
    for _ in 0..n_kills {
        // While it starts, for the first time too.
        let starting = Program::spawn(&state, TIME_SCALE);
        tokio::time::sleep(Duration::from_micros(random.u64(0..25_000))).await;
        starting.kill();

        let program = Program::start_by(&state, TIME_SCALE);
        check_files(&state);
        let n_asked = Arc::new(AtomicUsize::new(0));
        let later = Duration::from_micros(random.u64(0..3000));
        let killed = kill_later(program, Arc::clone(&n_asked), random.usize(1..50), later);
        // Works until it dies.
        let work = async {
            let models = Models::new(&state, &n_asked).await;
            loop {
                models.register(n_done).await?;
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
    let program = Program::start_by(&state, TIME_SCALE);
    let n_asked = Arc::default();
    let models = Models::new(&state, &n_asked).await;
    models.check(n_done).await.map_err(|_| "died").unwrap();
    models.register(n_done).await.map_err(|_| "died").unwrap();
    models.check(n_done + 1).await.map_err(|_| "died").unwrap();
    for number in 0..=n_done {
        let path = format!("/onlineEndpoints/endpoint-{number}");
        let mut patience = 200;
        loop {
            let endpoint = models.get(&path).await.map_err(|_| "died").unwrap();
            if endpoint["properties"]["provisioningState"] == "Succeeded" {
                break;
            }
            patience -= 1;
            assert!(patience > 0, "{endpoint}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    drop(program);
    drop(Program::start_by(&state, TIME_SCALE));
    check_files(&state);
    println!("{n_kills} kills at work and as many while it started, {n_done} models");
}

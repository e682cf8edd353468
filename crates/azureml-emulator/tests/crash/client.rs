//! Who works with an emulator that may die at any moment.

use std::path::Path;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::support::Worker;

/// Counts what was asked.
pub(crate) struct Client {
    pub(crate) worker: Worker,
    n_asked: Arc<AtomicUsize>,
}

/// A request that the process did not live to answer.
#[derive(Debug)]
pub(crate) struct Died;

pub(crate) type Tried<T> = Result<T, Died>;

impl Client {
    pub(crate) async fn new(state: &Path, n_asked: &Arc<AtomicUsize>) -> Self {
        Self { worker: Worker::new(state).await, n_asked: Arc::clone(n_asked) }
    }

    pub(crate) async fn read(&self, request: RequestBuilder) -> Tried<(StatusCode, Vec<u8>)> {
        self.n_asked.fetch_add(1, Ordering::SeqCst);
        let response = request.send().await.map_err(|_| Died)?;
        let status = response.status();
        Ok((status, response.bytes().await.map_err(|_| Died)?.into()))
    }

    /// What must succeed, as JSON.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Tried<Value> {
        let (status, body) = self.read(request).await?;
        assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn stored(&self, request: RequestBuilder) -> Tried<()> {
        let (status, answer) = self.read(request).await?;
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Stores a blob at once, or in blocks of a length.
    pub(crate) async fn put_blob(
        &self,
        blob: impl Fn(Method, &str) -> RequestBuilder,
        content: &[u8],
        block: Option<usize>,
    ) -> Tried<()> {
        let Some(length) = block else {
            return self.stored(blob(Method::PUT, "").body(content.to_vec())).await;
        };
        let mut list = String::new();
        for (place, block) in content.chunks(length).enumerate() {
            let id = STANDARD.encode(format!("{place:04}"));
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("comp", "block"), ("blockid", &id)])
                .finish();
            let put = blob(Method::PUT, &format!("?{query}"));
            self.stored(put.body(block.to_vec())).await?;
            list += &format!("<Latest>{id}</Latest>");
        }
        let list = format!("<BlockList>{list}</BlockList>");
        self.stored(blob(Method::PUT, "?comp=blocklist").body(list)).await
    }
}

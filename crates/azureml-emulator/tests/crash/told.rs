//! What the emulator has answered for, in all its lives.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::Value;

use crate::client::{Client, Tried};

#[derive(Default)]
pub(crate) struct Told {
    /// Resources by their ids, as they were written last.
    there: BTreeMap<String, Value>,
    /// The ids of resources that were seen to be gone.
    gone: BTreeSet<String>,
    /// Contents by container and name.
    blobs: BTreeMap<(String, String), Vec<u8>>,
}

impl Told {
    pub(crate) fn written(&mut self, id: &str, body: &Value) {
        self.gone.remove(id);
        self.there.insert(id.to_owned(), body.clone());
    }

    pub(crate) fn stored(&mut self, container: &str, name: &str, content: &[u8]) {
        self.blobs.insert((container.to_owned(), name.to_owned()), content.to_vec());
    }

    /// Somebody is about to delete it, with all that is below it: it may be there, or gone.
    pub(crate) fn forget(&mut self, id: &str) {
        self.there.retain(|known, _| known != id && !known.starts_with(&format!("{id}/")));
    }

    pub(crate) fn is_gone(&mut self, id: &str) {
        self.gone.insert(id.to_owned());
    }

    /// Looks at a resource: it is as it was answered for.
    pub(crate) async fn find(&self, client: &Client, id: &str) -> Tried<Option<Value>> {
        let (status, body) = client.read(client.worker.at(Method::GET, id)).await?;
        let told = self.there.get(id);
        if status == 404 {
            assert!(told.is_none(), "{id} is lost");
            return Ok(None);
        }
        assert_eq!(status, 200, "{id}: {}", String::from_utf8_lossy(&body));
        assert!(!self.gone.contains(id), "{id} is back");
        let found = serde_json::from_slice(&body).unwrap();
        if let Some(told) = told {
            assert_has(&found, told, id);
        }
        Ok(Some(found))
    }

    /// Likewise, at a blob.
    pub(crate) async fn find_blob(
        &self,
        client: &Client,
        container: &str,
        name: &str,
    ) -> Tried<Option<Vec<u8>>> {
        let (status, body) =
            client.read(client.worker.blob_in(container, Method::GET, name)).await?;
        let told = self.blobs.get(&(container.to_owned(), name.to_owned()));
        if status == 404 {
            assert!(told.is_none(), "{name} is lost");
            return Ok(None);
        }
        assert_eq!(status, 200, "{name}: {}", String::from_utf8_lossy(&body));
        assert!(told.is_none_or(|told| *told == body), "{name} is another");
        Ok(Some(body))
    }

    /// Looks at everything whose id or container begins so.
    pub(crate) async fn check(&self, client: &Client, workspace: &str) -> Tried<()> {
        for id in self.there.keys().chain(&self.gone).filter(|id| id.starts_with(workspace)) {
            self.find(client, id).await?;
        }
        Ok(())
    }

    pub(crate) async fn check_blobs(&self, client: &Client) -> Tried<()> {
        for (container, name) in self.blobs.keys() {
            self.find_blob(client, container, name).await?;
        }
        Ok(())
    }
}

/// All that was written is what is found, which may have more.
#[track_caller]
pub(crate) fn assert_has(found: &Value, written: &Value, path: &str) {
    match (found, written) {
        (Value::Object(found), Value::Object(written)) => {
            for (name, value) in written {
                assert_has(
                    found.get(name).unwrap_or(&Value::Null),
                    value,
                    &format!("{path}/{name}"),
                );
            }
        }
        _ => assert_eq!(found, written, "{path}"),
    }
}

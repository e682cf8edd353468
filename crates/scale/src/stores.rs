use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::{error::Result as EngineResult, execution::object_store::ObjectStoreRegistry};
use object_store::{
    ObjectStore, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder, local::LocalFileSystem,
};
use url::{Position, Url};

use crate::{Error, Location, Result};

/// The storage behind URLs, opened when first asked for and then kept.
///
/// `file:` is this machine. Azure (`az:`, `azure:`, `adl:`, `abfs:`, `abfss:`) and S3 (`s3:`, `s3a:`) take account and
/// credentials from the environment of the process, by the names that `object_store` gives them: `AZURE_STORAGE_ACCOUNT_NAME`
/// and `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_USE_EMULATOR` for Azurite, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT` and so on. A
/// plan carries URLs and no credentials: every node of a cluster has its own.
#[derive(Debug, Default)]
pub struct Stores {
    known: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
}

impl Stores {
    /// Opens the storage of a file or folder.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownStorage`], and [`Error::Storage`] if the environment does not say how to reach it.
    pub fn open(&self, location: &Location) -> Result<Arc<dyn ObjectStore>> {
        self.get(location.url())
    }

    fn get(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let root = &url[..Position::BeforePath];
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = known.get(root) {
            return Ok(Arc::clone(store));
        }
        let store = open(url, root)?;
        known.insert(root.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}

fn open(url: &Url, root: &str) -> Result<Arc<dyn ObjectStore>> {
    let failed =
        |source| Error::Storage { action: "open the storage", location: root.to_owned(), source };
    Ok(match url.scheme() {
        "file" => Arc::new(LocalFileSystem::new()),
        "az" | "azure" | "adl" | "abfs" | "abfss" => {
            Arc::new(MicrosoftAzureBuilder::from_env().with_url(root).build().map_err(failed)?)
        }
        "s3" | "s3a" => {
            Arc::new(AmazonS3Builder::from_env().with_url(root).build().map_err(failed)?)
        }
        _ => return Err(Error::UnknownStorage { url: url.to_string() }),
    })
}

/// DataFusion asks for storage by URL, on every node.
impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(url[..Position::BeforePath].to_owned(), store)
    }

    fn deregister_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = known.remove(&url[..Position::BeforePath]);
        removed.ok_or_else(|| Error::UnknownStorage { url: url.to_string() }.into())
    }

    fn get_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        Ok(self.get(url)?)
    }
}

use object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};
use spinney_artifact::Fingerprint;

use crate::{Error, Location, Result, Stores};

/// What a finished batch consists of: written beside the outputs as [`Manifest::NAME`], when all of them are there.
///
/// Two runs over the same inputs give the same manifest, whether or not the second had anything left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub version: u32,
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub model_version: String,
    /// The bundle's fingerprint.
    pub bundle: Fingerprint,
    /// The column of the predictions.
    pub prediction: String,
    /// Rows in all files together.
    pub rows: u64,
    /// The files, in the order of the inputs.
    pub files: Vec<ScoredFile>,
}

/// An input, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredFile {
    /// The input.
    pub input: Location,
    /// Its length.
    pub input_bytes: u64,
    /// What the storage calls the version that was read: its entity tag.
    pub input_version: String,
    /// The output.
    pub output: Location,
    /// Its length.
    pub output_bytes: u64,
    /// Rows of the output. They were compared with those of the input, where that says how many it has: a CSV does not.
    pub rows: u64,
}

impl Manifest {
    /// The file's name.
    pub const NAME: &str = "_manifest.json";

    /// Reads the manifest in a folder of outputs.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if there is none, [`Error::Manifest`] if it is not one of this version.
    pub async fn read(folder: &Location, stores: &Stores) -> Result<Self> {
        let file = folder.join(Self::NAME);
        let failed = |source| Error::Storage { action: "read", location: file.to_string(), source };
        let object = stores.open(&file)?.get(&file.path()).await.map_err(failed)?;
        let bytes = object.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes)
            .map_err(|source| Error::Manifest { file: file.to_string(), source })
    }

    pub(crate) async fn write(&self, folder: &Location, stores: &Stores) -> Result<()> {
        let file = folder.join(Self::NAME);
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|source| Error::Manifest { file: file.to_string(), source })?;
        json.push(b'\n');
        let put = stores.open(&file)?.put(&file.path(), json.into()).await;
        put.map(|_| ()).map_err(|source| Error::Storage {
            action: "write",
            location: file.to_string(),
            source,
        })
    }
}

use std::{fs, io::ErrorKind, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{Error, Result, durable};

/// What only the owner of a state folder knows: whoever holds these may do everything.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secrets {
    /// The password of the application that signs in with a client secret.
    pub(crate) client_secret: String,
    /// What managed identities are asked with.
    pub(crate) identity_secret: String,
    /// The key that makes tokens ours.
    token_key: String,
    /// The key of the storage account, as Azure writes such keys.
    pub(crate) account_key: String,
}

impl Secrets {
    /// Reads the file of a state folder, or makes it.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        match Self::read(folder) {
            Err(Error::State { source, .. }) if source.kind() == ErrorKind::NotFound => {
                let secrets = Self::random().map_err(Error::state(folder))?;
                let path = folder.join(FILE);
                let text = serde_json::to_vec_pretty(&secrets).unwrap_or_default();
                durable::write_private(&path, &text).map_err(Error::state(path))?;
                Ok(secrets)
            }
            result => result,
        }
    }

    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read(&path).map_err(Error::state(&path))?;
        let secrets: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::Damaged { path: path.clone(), what: error.to_string() })?;
        if STANDARD.decode(&secrets.account_key).is_err() {
            let what = "the account key is not base64".to_owned();
            return Err(Error::Damaged { path, what });
        }
        Ok(secrets)
    }

    fn random() -> std::io::Result<Self> {
        Ok(Self {
            client_secret: random_word()?,
            identity_secret: random_word()?,
            token_key: random_word()?,
            account_key: STANDARD.encode(random_bytes::<64>()?),
        })
    }

    pub(crate) fn token_key(&self) -> &[u8] {
        self.token_key.as_bytes()
    }

    pub(crate) fn account_key(&self) -> Vec<u8> {
        STANDARD.decode(&self.account_key).unwrap_or_default()
    }
}

const FILE: &str = "secrets.json";

/// Compares without telling by the time it takes how much is right.
pub(crate) fn are_equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn random_bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// 256 random bits that need no escape anywhere.
pub(crate) fn random_word() -> std::io::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

use std::{fs, io::ErrorKind, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, durable};

/// The names that a state is made with at the first start, and has ever after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) subscription: String,
    pub(crate) tenant: String,
    pub(crate) client: String,
    pub(crate) resource_group: String,
    pub(crate) workspace: String,
    pub(crate) location: String,
    /// The storage account behind the workspace's datastores, by its name in Azure.
    pub(crate) account: String,
}

/// The names that somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) subscription: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) resource_group: Option<String>,
    pub(crate) workspace: Option<String>,
    pub(crate) location: Option<String>,
    /// Whose contents the state has: the emulator's own account's, or Azurite's.
    pub(crate) account: String,
}

impl Default for Wishes {
    fn default() -> Self {
        let Settings { account, .. } = Settings::default();
        Self {
            subscription: None,
            tenant: None,
            resource_group: None,
            workspace: None,
            location: None,
            account,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let of = str::to_owned;
        Self {
            subscription: of("5b1ce700-0000-4000-8000-000000000001"),
            tenant: of("5b1ce700-0000-4000-8000-000000000002"),
            client: of("5b1ce700-0000-4000-8000-000000000003"),
            resource_group: of("rg"),
            workspace: of("mlops-ws"),
            location: of("westeurope"),
            account: of("spinneystorage"),
        }
    }
}

const FILE: &str = "names.json";

impl Settings {
    /// Reads the names of a state, or makes them as wished. Wishes that the state cannot fulfil are refused.
    pub(crate) fn open(folder: &Path, wishes: &Wishes) -> Result<Self> {
        match Self::read(folder) {
            Ok(settings) => {
                if settings.account != wishes.account {
                    let rule =
                        "embedded or an Azurite, as when the state was made: contents do not move";
                    return Err(invalid("blob", &wishes.account, rule));
                }
                if settings.clone().with(wishes) == settings {
                    return Ok(settings);
                }
                Err(invalid("name", &format!("{wishes:?}"), "what the state was made with"))
            }
            Err(Error::State { source, .. }) if source.kind() == ErrorKind::NotFound => {
                let settings = Self::default().with(wishes);
                settings.check()?;
                let path = folder.join(FILE);
                let text = serde_json::to_vec_pretty(&settings).unwrap_or_default();
                durable::write_private(&path, &text).map_err(Error::state(path))?;
                Ok(settings)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read(&path).map_err(Error::state(&path))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::Damaged { path, what: error.to_string() })
    }

    fn with(mut self, wishes: &Wishes) -> Self {
        for (name, wish) in [
            (&mut self.subscription, &wishes.subscription),
            (&mut self.tenant, &wishes.tenant),
            (&mut self.resource_group, &wishes.resource_group),
            (&mut self.workspace, &wishes.workspace),
            (&mut self.location, &wishes.location),
        ] {
            if let Some(wish) = wish {
                name.clone_from(wish);
            }
        }
        self.account.clone_from(&wishes.account);
        self
    }

    fn check(&self) -> Result<()> {
        for (name, value) in [("subscription", &self.subscription), ("tenant", &self.tenant)] {
            if uuid::Uuid::parse_str(value).is_err() {
                return Err(invalid(name, value, "a GUID"));
            }
        }
        let is_word = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !is_word(&self.resource_group, "-_.()") || self.resource_group.len() > 90 {
            let rule = "1 to 90 letters, digits and any of -_.()";
            return Err(invalid("resource group", &self.resource_group, rule));
        }
        if !crate::arm::is_workspace_name(&self.workspace) {
            let rule = "3 to 33 letters, digits, hyphens and underscores, a letter or digit first";
            return Err(invalid("workspace", &self.workspace, rule));
        }
        if !is_word(&self.location, "") {
            return Err(invalid(
                "location",
                &self.location,
                "a region of Azure such as westeurope",
            ));
        }
        Ok(())
    }
}

fn invalid(name: &'static str, value: &str, rule: &'static str) -> Error {
    Error::InvalidOption { name, value: value.to_owned(), rule }
}

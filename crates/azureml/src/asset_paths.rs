//! Addresses of what assets are made of: `azureml://datastores/../paths/..`.

use crate::{Error, Result, WorkspaceId, datastores::WORKSPACE_BLOB_STORE, storage::LocalFiles};

/// A path in a datastore of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatastorePath {
    pub(crate) datastore: String,
    pub(crate) path: String,
}

impl DatastorePath {
    /// Reads the short form and the long one. Another workspace's path is none of this one.
    pub(crate) fn parse(uri: &str, workspace: &WorkspaceId) -> Option<Self> {
        let rest = uri.strip_prefix("azureml://")?;
        let parts: Vec<&str> = rest.split('/').collect();
        let in_workspace = match parts.as_slice() {
            [a, subscription, b, group, c, name, rest @ ..]
                if a.eq_ignore_ascii_case("subscriptions")
                    && b.eq_ignore_ascii_case("resourcegroups")
                    && c.eq_ignore_ascii_case("workspaces") =>
            {
                let same = [
                    (*subscription, workspace.subscription_id()),
                    (*group, workspace.resource_group()),
                    (*name, workspace.workspace_name()),
                ];
                if !same.iter().all(|(left, right)| left.eq_ignore_ascii_case(right)) {
                    return None;
                }
                rest
            }
            rest => rest,
        };
        let [a, datastore, path @ ..] = in_workspace else { return None };
        let is_path = a.eq_ignore_ascii_case("datastores");
        // Jobs write what is in their own place without the word.
        let path = match path {
            [b, path @ ..] if b.eq_ignore_ascii_case("paths") => path,
            path => path,
        };
        let path = path.join("/");
        let path = path.trim_matches('/');
        (is_path && !datastore.is_empty() && !path.is_empty())
            .then(|| Self { datastore: (*datastore).to_owned(), path: path.to_owned() })
    }

    /// Where files are uploaded to: a folder named by their content.
    pub(crate) fn of_upload(datastore: Option<&str>, files: &LocalFiles) -> Self {
        Self {
            datastore: datastore.unwrap_or(WORKSPACE_BLOB_STORE).to_owned(),
            path: format!("LocalUpload/{}/{}", files.hash, files.name),
        }
    }

    /// As [`parse`](Self::parse), for what an asset says it is made of.
    pub(crate) fn of(uri: &str, workspace: &WorkspaceId) -> Result<Self> {
        Self::parse(uri, workspace).ok_or_else(|| Error::InvalidArgument {
            what: "the address of what is to be downloaded",
            value: uri.to_owned(),
            rule: "azureml://datastores/../paths/.., in this workspace",
        })
    }

    pub(crate) fn short(&self) -> String {
        format!("azureml://datastores/{}/paths/{}", self.datastore, self.path)
    }

    /// With the workspace, as the SDK writes it for models.
    pub(crate) fn long(&self, workspace: &WorkspaceId) -> String {
        format!(
            "azureml://subscriptions/{}/resourcegroups/{}/workspaces/{}/datastores/{}/paths/{}",
            workspace.subscription_id(),
            workspace.resource_group(),
            workspace.workspace_name(),
            self.datastore,
            self.path
        )
    }
}

/// Whether two addresses are the same place, in whichever form.
pub(crate) fn is_same_place(left: &str, right: &str, workspace: &WorkspaceId) -> bool {
    left == right
        || match (DatastorePath::parse(left, workspace), DatastorePath::parse(right, workspace)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_others_are_not() {
        let workspace =
            WorkspaceId::new("00000000-0000-0000-0000-000000000000", "rg", "mlops-ws").unwrap();
        let path = DatastorePath { datastore: "store".to_owned(), path: "a/b".to_owned() };
        assert_eq!(DatastorePath::parse(&path.short(), &workspace), Some(path.clone()));
        assert_eq!(DatastorePath::parse(&path.long(&workspace), &workspace), Some(path.clone()));
        let other_case = path.long(&workspace).replace("resourcegroups/rg", "resourceGroups/RG");
        assert!(is_same_place(&other_case, &format!("{}/", path.short()), &workspace));
        for uri in [
            "",
            "azureml://",
            "azureml://datastores/store/paths/",
            "azureml://datastores//paths/a",
            "azureml://jobs/j/outputs/o/paths/a",
            "https://account.blob.core.windows.net/container/a",
            &path.long(&workspace).replace("mlops-ws", "another"),
        ] {
            assert_eq!(DatastorePath::parse(uri, &workspace), None, "{uri}");
            assert!(DatastorePath::of(uri, &workspace).is_err());
        }
        assert!(is_same_place("https://x/y", "https://x/y", &workspace));
        assert!(!is_same_place("https://x/y", "https://x/z", &workspace));
    }
}

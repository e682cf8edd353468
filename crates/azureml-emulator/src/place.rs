use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    arm::{Answer, Refusal},
    door::{Door, LOCAL_ACCOUNT},
    store::{Order, Resources},
    world::World,
};

/// Where something is in the storage account: a blob, or all blobs below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) container: String,
    /// Without slashes at its ends; empty for the whole container.
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn new(container: impl Into<String>, path: &str) -> Self {
        Self { container: container.into(), path: path.trim_matches('/').to_owned() }
    }

    /// A place below this one.
    pub(crate) fn join(&self, name: &str) -> Self {
        Self::new(self.container.clone(), &format!("{}/{name}", self.path))
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// A path in the datastore that a workspace puts things in.
    pub(crate) fn in_default_datastore(
        connection: &Connection,
        workspace: &str,
        path: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let container = container(connection, workspace, "workspaceblobstore")?;
        Ok(container.map(|container| Self::new(container, path)))
    }

    /// What an address refers to, as clients write it:
    ///
    /// - `azureml://[subscriptions/../workspaces/NAME/]datastores/NAME/paths/PATH`,
    /// - `https://ACCOUNT.blob.../CONTAINER/PATH`, by either door,
    /// - the id of a version of data, a model or code, with or without `azureml:` before it,
    /// - `azureml:NAME:VERSION` of data.
    pub(crate) fn of_uri(
        world: &World,
        connection: &Connection,
        workspace: &str,
        uri: &str,
    ) -> Answer<Self> {
        if let Some(path) = uri.strip_prefix("azureml://") {
            return of_datastore(connection, workspace, path, uri);
        }
        if uri.starts_with("https://") || uri.starts_with("http://") {
            return of_blob(world, uri);
        }
        let id = uri.strip_prefix("azureml:").unwrap_or(uri);
        if id.starts_with('/') {
            return of_version(world, connection, workspace, id, uri);
        }
        if let (true, Some((name, version))) = (id.len() < uri.len(), id.rsplit_once(':')) {
            let id = format!("{workspace}/data/{name}/versions/{version}");
            return of_version(world, connection, workspace, &id, uri);
        }
        Err(unreadable(uri, "it is no azureml:// path, no address of a blob and no asset").into())
    }

    /// The address of this place: in a datastore of the workspace, or of the blob if its container is none's.
    pub(crate) fn uri(
        &self,
        world: &World,
        connection: &Connection,
        workspace: &str,
        door: Door,
    ) -> rusqlite::Result<String> {
        let newest = Order::Created { newest_first: false };
        let datastores = format!("{workspace}/datastores");
        for datastore in Resources(connection).list(&datastores, newest, None, usize::MAX)? {
            if datastore.body["properties"]["containerName"] == self.container.as_str() {
                let long = workspace
                    .trim_start_matches('/')
                    .replace("/providers/Microsoft.MachineLearningServices", "");
                let (name, path) = (datastore.name(), &self.path);
                return Ok(format!("azureml://{long}/datastores/{name}/paths/{path}"));
            }
        }
        let base = door.blobs(&world.settings.account);
        Ok(format!("{base}/{}/{}", self.container, self.path))
    }
}

fn unreadable(uri: &str, why: &str) -> Refusal {
    Refusal::user_error(format!("the emulator cannot read from {uri:?}: {why}"))
}

/// The container behind a datastore.
fn container(
    connection: &Connection,
    workspace: &str,
    name: &str,
) -> rusqlite::Result<Option<String>> {
    let datastore = Resources(connection).get(&format!("{workspace}/datastores/{name}"))?;
    let container =
        datastore.map(|datastore| datastore.body["properties"]["containerName"].clone());
    Ok(container.and_then(|container| container.as_str().map(str::to_owned)))
}

fn of_datastore(connection: &Connection, workspace: &str, path: &str, uri: &str) -> Answer<Place> {
    let parts: Vec<&str> = path.split('/').collect();
    let is = |place: usize, word: &str| {
        parts.get(place).is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    let Some(at) = (0..parts.len()).find(|at| is(*at, "datastores") && is(at + 2, "paths")) else {
        return Err(unreadable(uri, "it has no datastores/NAME/paths/PATH").into());
    };
    // Of another workspace, if it says so.
    let other = (0..at).find(|at| is(*at, "workspaces")).and_then(|at| parts.get(at + 1));
    let other = other.map(|name| match workspace.rsplit_once('/') {
        Some((rest, _)) => format!("{rest}/{name}"),
        None => workspace.to_owned(),
    });
    let name = parts.get(at + 1).copied().unwrap_or_default();
    let container = container(connection, other.as_deref().unwrap_or(workspace), name)?;
    let container = container.ok_or_else(|| unreadable(uri, "there is no such datastore"))?;
    let path = parts.get(at + 3..).unwrap_or_default().join("/");
    Ok(Place::new(container, &path))
}

fn of_blob(world: &World, uri: &str) -> Answer<Place> {
    let url = Url::parse(uri).map_err(|_| unreadable(uri, "it is no address"))?;
    let host = url.host_str().unwrap_or_default();
    let account = host.split('.').next().unwrap_or_default();
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8();
    let path = path.map_err(|_| unreadable(uri, "its path is no text"))?;
    let path = path.trim_start_matches('/');
    let path = if host == "localhost" || host == "127.0.0.1" {
        let (account, rest) = path.split_once('/').unwrap_or((path, ""));
        account.starts_with(LOCAL_ACCOUNT).then_some(rest)
    } else {
        (host.contains(".blob.") && account == world.settings.account).then_some(path)
    };
    let path = path.ok_or_else(|| unreadable(uri, "it is not in the emulator's account"))?;
    let (container, path) = path.split_once('/').unwrap_or((path, ""));
    Ok(Place::new(container, path))
}

fn of_version(
    world: &World,
    connection: &Connection,
    workspace: &str,
    id: &str,
    uri: &str,
) -> Answer<Place> {
    let version = Resources(connection).get(id)?;
    let version = version.ok_or_else(|| unreadable(uri, "there is no such asset"))?;
    let properties = &version.body["properties"];
    let uris = ["dataUri", "modelUri", "codeUri"].map(|name| properties[name].as_str());
    let inner = uris.into_iter().flatten().next();
    let inner = inner.ok_or_else(|| unreadable(uri, "the asset has no files"))?;
    // What a version refers to is a path, and no version again.
    if inner.starts_with("azureml:") && !inner.starts_with("azureml://") {
        return Err(unreadable(uri, "it refers to another asset").into());
    }
    Place::of_uri(world, connection, workspace, inner)
}

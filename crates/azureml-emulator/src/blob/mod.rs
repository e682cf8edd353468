//! The Blob service: block blobs of one account, as far as Azure ML's clients use it.

mod access;
mod block_list;
mod conditions;
pub(crate) mod files;
mod list;
mod read;
mod receive;
mod refusal;
mod rows;
mod sas;
mod shared_key;
mod target;
mod write;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, Response, StatusCode},
};
use uuid::Uuid;

use self::{
    access::Grant,
    refusal::{Answer, Refusal},
    rows::Blobs,
    target::Target,
};
pub(crate) use self::{
    rows::create_container,
    sas::{sign_blob, sign_container},
};
use crate::{
    door::{Door, LOCAL_ACCOUNT},
    world::World,
};

/// Does work that waits for the disk, away from the threads that serve.
async fn blocking<T: Send + 'static>(
    world: &Arc<World>,
    work: impl FnOnce(&World) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let world = Arc::clone(world);
    let done = tokio::task::spawn_blocking(move || work(&world)).await;
    done.map_err(std::io::Error::other)?
}

/// Answers one request to an account.
pub(crate) async fn answer(
    world: &Arc<World>,
    door: Door,
    account: &str,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let client_id = parts.headers.get("x-ms-client-request-id").cloned();
    let version = parts.headers.get("x-ms-version").cloned();
    let answered = async {
        if account != world.settings.account && account != LOCAL_ACCOUNT {
            let message = format!("the emulator has no storage account {account}");
            return Err(Refusal::new(404, "ResourceNotFound", message));
        }
        let target = Target::new(door, parts)?;
        let grant = access::authorise(world, door, &target, world.clock.now())?;
        route(world, target, grant, body).await
    };
    let mut response = answered.await.unwrap_or_else(Refusal::into_response);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-ms-request-id", id);
    }
    for (name, value) in [("x-ms-client-request-id", client_id), ("x-ms-version", version)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    response
}

async fn route(world: &Arc<World>, target: Target, grant: Grant, body: Body) -> Answer {
    let comp = target.parameter("comp").unwrap_or_default().to_lowercase();
    if target.container.is_empty() {
        return Err(Refusal::not_implemented("operations on the account"));
    }
    if target.blob.is_empty() {
        let is_container = target.parameter("restype") == Some("container");
        return match (&target.method, comp.as_str()) {
            (&Method::GET, "list") if is_container => {
                grant.require("l")?;
                list::list(world, target).await
            }
            (&Method::PUT, "") if is_container => create(world, target, &grant).await,
            (&Method::GET | &Method::HEAD, "") if is_container => {
                grant.require("r")?;
                properties(world, target).await
            }
            _ => Err(Refusal::not_implemented("this operation on a container")),
        };
    }
    if target.parameter("snapshot").is_some() || target.parameter("versionid").is_some() {
        return Err(Refusal::not_implemented("snapshots and versions of blobs"));
    }
    if target.header("x-ms-lease-id").is_some() {
        return Err(Refusal::not_implemented("leases"));
    }
    match (target.method.clone(), comp.as_str()) {
        (Method::GET | Method::HEAD, "" | "metadata") => {
            grant.require("r")?;
            read::blob(world, target).await
        }
        (Method::GET, "blocklist") => {
            grant.require("r")?;
            block_list::get(world, target).await
        }
        (Method::PUT, "") => {
            grant.require("wc")?;
            write::blob(world, target, grant, body).await
        }
        (Method::PUT, "block") => {
            grant.require("wc")?;
            write::block(world, target, grant, body).await
        }
        (Method::PUT, "blocklist") => {
            grant.require("wc")?;
            write::block_list(world, target, grant, body).await
        }
        (Method::PUT, "metadata") => {
            grant.require("w")?;
            write::metadata(world, target).await
        }
        (Method::DELETE, "") => {
            grant.require("d")?;
            write::delete(world, target).await
        }
        _ => Err(Refusal::not_implemented("this operation on a blob")),
    }
}

/// Makes a container, which no signature for one permits.
async fn create(world: &Arc<World>, target: Target, grant: &Grant) -> Answer {
    if matches!(grant, Grant::Signed(_)) {
        grant.require("")?;
    }
    let name = &target.container;
    let is_name = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    if !is_name {
        let message = "The specified resource name contains invalid characters.";
        return Err(Refusal::new(400, "InvalidResourceName", message));
    }
    blocking(world, move |world| {
        let now = world.clock.now();
        world.store.transaction(|connection| {
            if !create_container(connection, &target.container, now)? {
                let message = "The specified container already exists.";
                return Err(Refusal::new(409, "ContainerAlreadyExists", message));
            }
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::CREATED;
            Ok(response)
        })
    })
    .await
}

async fn properties(world: &Arc<World>, target: Target) -> Answer {
    blocking(world, move |world| {
        world.store.transaction(|connection| {
            let blobs = Blobs { connection, container: &target.container };
            let (etag, modified) = blobs.has_container()?.ok_or_else(Refusal::missing_container)?;
            let mut response = Response::new(Body::empty());
            for (name, value) in [("etag", etag), ("last-modified", modified.http())] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(name, value);
                }
            }
            Ok(response)
        })
    })
    .await
}

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::HeaderValue;
use rusqlite::Connection;
use serde_json::Value;

use crate::{
    arm::{BATCH_ENDPOINTS, DEPLOYMENTS, ONLINE_ENDPOINTS},
    serving::Live,
    store::{Order, Resource, Resources},
    world::World,
};

/// Who is asked and who may ask, as of the last write.
#[derive(Default)]
pub(crate) struct Tables {
    last: RwLock<Option<Arc<Table>>>,
    /// One makes a new table, and the others wait for it.
    making: tokio::sync::Mutex<()>,
}

pub(super) struct Table {
    /// How often something had been written before this was read.
    writes: u64,
    endpoints: BTreeMap<String, Endpoint>,
    batch_endpoints: BTreeMap<String, BatchEndpoint>,
}

/// A batch endpoint, of which all else is Azure Resource Manager's business.
pub(super) struct BatchEndpoint {
    location: String,
    pub(super) id: String,
}

pub(super) struct Endpoint {
    location: String,
    pub(super) mode: Mode,
    deployments: Vec<Arc<Deployment>>,
    /// Places of deployments, each with its share in percent.
    traffic: Vec<(usize, u64)>,
    pub(super) mirror: Vec<(usize, u64)>,
}

/// Who may ask.
pub(super) enum Mode {
    Key([String; 2]),
    OwnToken { audience: String },
    DirectoryToken,
}

pub(super) struct Deployment {
    pub(super) name: String,
    pub(super) header: HeaderValue,
    pub(super) live: Arc<Live>,
}

impl Tables {
    pub(super) async fn current(&self, world: &Arc<World>) -> Result<Arc<Table>, String> {
        if let Some(table) = self.of_last_write(world) {
            return Ok(table);
        }
        let _making = self.making.lock().await;
        if let Some(table) = self.of_last_write(world) {
            return Ok(table);
        }
        let (reader, writes) = (Arc::clone(world), *world.writes.borrow());
        let read = tokio::task::spawn_blocking(move || {
            reader.store.transaction(|connection| Table::read(&reader, connection, writes))
        });
        let read = read.await.map_err(|error| error.to_string())?;
        let table = Arc::new(read.map_err(|error: rusqlite::Error| error.to_string())?);
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&table));
        Ok(table)
    }

    fn of_last_write(&self, world: &World) -> Option<Arc<Table>> {
        let writes = *world.writes.borrow();
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|table| table.writes == writes).cloned()
    }
}

impl Table {
    fn read(world: &World, connection: &Connection, writes: u64) -> rusqlite::Result<Self> {
        let resources = Resources(connection);
        let mut endpoints = BTreeMap::new();
        for endpoint in resources.of_kind(ONLINE_ENDPOINTS, None)? {
            let name = endpoint.name().to_lowercase();
            endpoints.insert(name, Endpoint::read(world, resources, &endpoint)?);
        }
        let batch_endpoints =
            resources.of_kind(BATCH_ENDPOINTS, None)?.into_iter().map(|endpoint| {
                let location = endpoint.body["location"].as_str().unwrap_or_default().to_owned();
                (
                    endpoint.name().to_lowercase(),
                    BatchEndpoint { location, id: endpoint.id().to_owned() },
                )
            });
        Ok(Self { writes, endpoints, batch_endpoints: batch_endpoints.collect() })
    }

    pub(super) fn batch_endpoint(&self, location: &str, name: &str) -> Option<&BatchEndpoint> {
        let endpoint = self.batch_endpoints.get(&name.to_lowercase());
        endpoint.filter(|endpoint| endpoint.location.eq_ignore_ascii_case(location))
    }

    pub(super) fn endpoint(&self, location: &str, name: &str) -> Option<&Endpoint> {
        let endpoint = match self.endpoints.get(name) {
            None => self.endpoints.get(&name.to_lowercase()),
            found => found,
        };
        endpoint.filter(|endpoint| endpoint.location.eq_ignore_ascii_case(location))
    }
}

impl Endpoint {
    fn read(
        world: &World,
        resources: Resources<'_>,
        endpoint: &Resource,
    ) -> rusqlite::Result<Self> {
        let id = endpoint.id();
        let properties = &endpoint.body["properties"];
        let mode = match properties["authMode"].as_str() {
            Some("Key") => {
                let [one, two] =
                    ["primaryKey", "secondaryKey"].map(|key| resources.secret(id, key));
                Mode::Key([one?, two?].map(Option::unwrap_or_default))
            }
            Some("AMLToken") => Mode::OwnToken { audience: id.to_lowercase() },
            _ => Mode::DirectoryToken,
        };
        let order = Order::Created { newest_first: false };
        let collection = format!("{id}/{DEPLOYMENTS}");
        let deployments: Vec<Arc<Deployment>> = resources
            .list(&collection, order, None, usize::MAX)?
            .iter()
            .map(|deployment| {
                Arc::new(Deployment {
                    name: deployment.name().to_owned(),
                    header: HeaderValue::from_str(deployment.name())
                        .unwrap_or(HeaderValue::from_static("")),
                    live: world.serving.live(deployment.id()),
                })
            })
            .collect();
        let shares = |percents: &Value| -> Vec<(usize, u64)> {
            let percents = percents.as_object().into_iter().flatten();
            let share = |(name, percent): (&String, &Value)| {
                let place =
                    deployments.iter().position(|one| one.name.eq_ignore_ascii_case(name))?;
                Some((place, percent.as_u64().filter(|percent| *percent > 0)?))
            };
            percents.filter_map(share).collect()
        };
        Ok(Self {
            location: endpoint.body["location"].as_str().unwrap_or_default().to_owned(),
            mode,
            traffic: shares(&properties["traffic"]),
            mirror: shares(&properties["mirrorTraffic"]),
            deployments,
        })
    }

    pub(super) fn deployment(&self, name: &str) -> Option<&Arc<Deployment>> {
        self.deployments.iter().find(|deployment| deployment.name.eq_ignore_ascii_case(name))
    }

    /// One of the deployments, each as often as its share says.
    pub(super) fn by_traffic(&self) -> Option<&Arc<Deployment>> {
        match self.traffic.as_slice() {
            [(place, _)] => self.deployments.get(*place),
            shares => self.drawn(shares, shares.iter().map(|(_, share)| share).sum()),
        }
    }

    /// The deployment that is to get a copy of a request, if one is.
    pub(super) fn by_mirror(&self) -> Option<&Arc<Deployment>> {
        self.drawn(&self.mirror, 100)
    }

    fn drawn(&self, shares: &[(usize, u64)], out_of: u64) -> Option<&Arc<Deployment>> {
        if shares.is_empty() || out_of == 0 {
            return None;
        }
        let mut draw = fastrand::u64(..out_of);
        for (place, share) in shares {
            match draw.checked_sub(*share) {
                None => return self.deployments.get(*place),
                Some(rest) => draw = rest,
            }
        }
        None
    }
}

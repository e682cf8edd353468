//! The bundles that plans of this process need: each is loaded once, however many tasks ask for it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use spinney_artifact::ModelBundle;

use crate::{
    Error, Result, Stores,
    model::{self, ModelId},
};

/// Bundles that a process keeps. A cluster's node serves many jobs, and may not keep all models it has ever seen.
const KEPT: usize = 4;

type Slot = Arc<Mutex<Option<Arc<ModelBundle>>>>;

/// The bundles used last, the last of all at the end.
static LOADED: Mutex<Vec<(ModelId, Slot)>> = Mutex::new(Vec::new());

/// Returns a model's bundle, and loads it if this process does not have it. Others that ask for the same one wait. A load that
/// failed is not kept: the next one who asks tries again.
pub(crate) fn get(id: &ModelId) -> Result<Arc<ModelBundle>> {
    let slot = slot(id);
    let mut bundle = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bundle) = &*bundle {
        return Ok(Arc::clone(bundle));
    }
    let loaded = Arc::new(load(id)?);
    *bundle = Some(Arc::clone(&loaded));
    Ok(loaded)
}

fn slot(id: &ModelId) -> Slot {
    let mut slots = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = slots.iter().position(|(known, _)| known == id);
    let (id, slot) = match place {
        Some(place) => slots.remove(place),
        None => (id.clone(), Slot::default()),
    };
    if slots.len() >= KEPT {
        slots.remove(0);
    }
    slots.push((id, Arc::clone(&slot)));
    slot
}

/// The engine calls functions on threads that must not wait for a runtime's events, so the storage gets a thread of its own.
fn load(id: &ModelId) -> Result<ModelBundle> {
    let bundle = thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|source| Error::Thread { source })?;
            runtime.block_on(model::fetch(&id.location, &Stores::default()))
        });
        loading.join().unwrap_or_else(|_| {
            let source = std::io::Error::other("it panicked");
            Err(Error::Thread { source })
        })
    })?;
    let (expected, found) = (id.fingerprint, bundle.fingerprint());
    if found == expected {
        Ok(bundle)
    } else {
        Err(Error::OtherBundle { location: id.location.to_string(), expected, found })
    }
}

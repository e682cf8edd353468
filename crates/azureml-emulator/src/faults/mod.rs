//! Faults on demand: what a client has to ride out, when a test says so.

mod about;
mod admin;
mod answer;
mod rule;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{body::Body, extract::Request, http::Response};
use futures_util::StreamExt;
use serde_json::Value;

pub use self::rule::Fault;
use self::rule::Kind;
pub(crate) use self::{
    about::{About, Service},
    admin::answer as answer_admin,
};

/// The faults that there are. They end with the emulator: a test that was killed leaves none behind.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    active: Vec<Active>,
    last_id: u64,
}

#[derive(Debug)]
struct Active {
    id: u64,
    fault: Fault,
    /// Requests that it is about.
    n_asked: u64,
    /// Those that it befell.
    n_befallen: u64,
}

/// What befalls a request.
#[derive(Debug, Default)]
struct Fate {
    delay: Duration,
    end: Option<End>,
}

/// How a request ends that does not get to where it was sent.
#[derive(Debug)]
enum End {
    Answered(Response<Body>),
    Reset,
}

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("reset by a fault on demand")]
pub(crate) struct Reset;

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        let new = Self::default();
        for fault in faults {
            new.add(fault);
        }
        new
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list().active.is_empty()
    }

    fn add(&self, fault: Fault) -> u64 {
        let mut list = self.list();
        list.last_id += 1;
        let id = list.last_id;
        list.active.push(Active { id, fault, n_asked: 0, n_befallen: 0 });
        id
    }

    /// Has a request answered after what befalls it, or instead.
    pub(crate) async fn befall(
        &self,
        service: Service,
        request: Request,
        answer: impl AsyncFnOnce(Request) -> Response<Body>,
    ) -> Result<Response<Body>, Reset> {
        let fate = self.meet(&About::new(service, request.method(), request.uri()));
        if !fate.delay.is_zero() {
            tokio::time::sleep(fate.delay).await;
        }
        match fate.end {
            None => Ok(answer(request).await),
            Some(End::Reset) => Err(Reset),
            Some(End::Answered(response)) => {
                // A client that is still sending does not listen.
                let mut body = request.into_body().into_data_stream();
                while let Some(Ok(_)) = body.next().await {}
                Ok(response)
            }
        }
    }

    /// What befalls a request before anything else: delays add up, and of the rest the first that was asked for counts.
    fn meet(&self, request: &About) -> Fate {
        let mut fate = Fate::default();
        for active in &mut self.list().active {
            let is_passed_over = match active.fault.kind {
                Kind::Slow(_) => false,
                Kind::Ends(_) => fate.end.is_some(),
                Kind::Operation(_) => true,
            };
            if is_passed_over || !active.befalls(request) {
                continue;
            }
            match active.fault.kind {
                Kind::Slow(delay) => fate.delay += delay,
                Kind::Ends(ending) => {
                    fate.end = Some(answer::end(ending, request.service, &active.fault));
                }
                Kind::Operation(_) => {}
            }
        }
        fate
    }

    /// The error of the operation that a request begins, if it is to fail.
    pub(crate) fn failure(&self, request: &About) -> Option<Value> {
        self.list().active.iter_mut().find_map(|active| {
            let is_of_operations = matches!(active.fault.kind, Kind::Operation(_));
            if !is_of_operations || !active.befalls(request) {
                return None;
            }
            match &active.fault.kind {
                Kind::Operation(failing) => Some(answer::error(failing, &active.fault)),
                _ => None,
            }
        })
    }
}

impl Active {
    fn befalls(&mut self, request: &About) -> bool {
        if !self.fault.is_about(request) {
            return false;
        }
        let befalls = self.fault.befalls(self.n_asked, self.n_befallen);
        self.n_asked += 1;
        self.n_befallen += u64::from(befalls);
        befalls
    }
}

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Deployment, Error, ErrorCode, ScoreError, Scorer};

/// The header by which a client chooses a deployment, and an answer names the one that gave it.
const DEPLOYMENT: HeaderName = HeaderName::from_static("azureml-model-deployment");

/// Deployments behind one address, with the share of requests that each gets: blue and green.
///
/// A request goes to the deployment that its header `azureml-model-deployment` names, or else to one by share. Shares are exact
/// over every hundred requests. A single deployment gets all requests, whatever the header says.
///
/// # Examples
///
/// ```
/// use std::{path::Path, sync::Arc};
///
/// use spinney_scoring::{
///     Deployment, Endpoint, InitError, ScoreError, ScoreRequest, ScoreResponse, Scorer,
/// };
///
/// struct Constant(f64);
///
/// impl Scorer for Constant {
///     fn init(_: &Path) -> Result<Self, InitError> {
///         Ok(Self(1.0))
///     }
///
///     fn run(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
///         Ok(ScoreResponse::new(vec![self.0; request.records()?.len()]))
///     }
/// }
///
/// let blue = Deployment::new("blue", Arc::new(Constant(1.0)));
/// let green = Deployment::of_model_dir::<Constant>("green", "/var/azureml-app/green");
/// let endpoint = Endpoint::new([(blue, 90), (green, 10)])?;
/// endpoint.reload_one("green")?;
/// endpoint.set_traffic(&[("blue", 0), ("green", 100)])?;
/// assert_eq!(endpoint.traffic(), [("blue", 0), ("green", 100)]);
/// # Ok::<(), spinney_scoring::Error>(())
/// ```
#[derive(Debug)]
pub struct Endpoint {
    deployments: Vec<Arc<Deployment>>,
    percent: Vec<AtomicU32>,
    turn: AtomicU64,
}

impl Endpoint {
    /// Takes deployments with their share of requests in percent: 100 together, or 0 if only the header is to choose.
    ///
    /// # Errors
    ///
    /// [`Error::NoDeployments`], [`Error::DuplicateDeployment`], [`Error::InvalidDeploymentName`], or [`Error::Traffic`].
    pub fn new(deployments: impl IntoIterator<Item = (Deployment, u32)>) -> Result<Self, Error> {
        let (deployments, percent): (Vec<_>, Vec<u32>) = deployments
            .into_iter()
            .map(|(deployment, percent)| (Arc::new(deployment), percent))
            .unzip();
        if deployments.is_empty() {
            return Err(Error::NoDeployments);
        }
        let mut names = BTreeSet::new();
        for name in deployments.iter().map(|deployment| deployment.name()) {
            if !is_name(name) {
                return Err(Error::InvalidDeploymentName { name: name.to_owned() });
            }
            if !names.insert(name) {
                return Err(Error::DuplicateDeployment { name: name.to_owned() });
            }
        }
        check_traffic(&percent)?;
        let percent = percent.into_iter().map(AtomicU32::new).collect();
        Ok(Self { deployments, percent, turn: AtomicU64::new(0) })
    }

    /// Puts one scorer behind an endpoint, as the deployment `default`.
    #[must_use]
    pub fn of(scorer: impl Scorer) -> Self {
        let deployment = Arc::new(Deployment::new("default", Arc::new(scorer)));
        Self {
            deployments: vec![deployment],
            percent: vec![AtomicU32::new(100)],
            turn: AtomicU64::new(0),
        }
    }

    /// All deployments, in the order they were given.
    #[must_use]
    pub fn deployments(&self) -> &[Arc<Deployment>] {
        &self.deployments
    }

    /// Whether every deployment with traffic has its model.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let shares = self.deployments.iter().zip(&self.percent);
        let mut used = shares.filter(|(_, percent)| percent.load(Ordering::Relaxed) > 0).peekable();
        if used.peek().is_none() {
            return self.deployments.iter().all(|deployment| deployment.is_ready());
        }
        used.all(|(deployment, _)| deployment.is_ready())
    }

    /// The share of each deployment in percent.
    #[must_use]
    pub fn traffic(&self) -> Vec<(&str, u32)> {
        let names = self.deployments.iter().map(|deployment| deployment.name());
        names.zip(self.percent.iter().map(|percent| percent.load(Ordering::Relaxed))).collect()
    }

    /// Sets the share of each deployment in percent; one that is not named gets none.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownDeployment`] or [`Error::Traffic`]; the shares stay as they are.
    pub fn set_traffic(&self, shares: &[(&str, u32)]) -> Result<(), Error> {
        let mut percent = vec![0; self.deployments.len()];
        for &(name, share) in shares {
            *self
                .place(name)
                .and_then(|place| percent.get_mut(place))
                .ok_or_else(|| Error::UnknownDeployment { name: name.to_owned() })? = share;
        }
        check_traffic(&percent)?;
        for (share, percent) in self.percent.iter().zip(percent) {
            share.store(percent, Ordering::Relaxed);
        }
        Ok(())
    }

    /// [Loads](Deployment::reload) one deployment anew.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownDeployment`], otherwise as for [`Deployment::reload`].
    pub fn reload_one(&self, name: &str) -> Result<(), Error> {
        let place = self.place(name).and_then(|place| self.deployments.get(place));
        place.ok_or_else(|| Error::UnknownDeployment { name: name.to_owned() })?.reload()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.deployments.iter().position(|deployment| deployment.name() == name)
    }

    /// The deployment that a request names. Where there is only one the header is for whoever stands in front: Azure ML's front
    /// door lets it through to the deployment that it has chosen by it.
    pub(crate) fn named<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        headers.get(DEPLOYMENT).filter(|_| self.deployments.len() > 1)
    }

    /// What an answer says of the deployment that gave it: nothing where there is only one, as whoever stands in front may have
    /// another name for it.
    pub(crate) fn say(&self, deployment: &Deployment, headers: &mut HeaderMap) {
        if self.deployments.len() > 1 {
            headers.insert(DEPLOYMENT, deployment.name_header().clone());
        }
    }

    /// The deployment for a request.
    pub(crate) fn choose(&self, headers: &HeaderMap) -> Result<&Arc<Deployment>, ScoreError> {
        if let Some(name) = self.named(headers) {
            let named = self.deployments.iter().find(|deployment| deployment.name_header() == name);
            return named.ok_or_else(|| {
                ScoreError::new(ErrorCode::NotFound, "there is no such deployment")
            });
        }
        // 37 and 100 have no common divisor: a hundred turns meet every percent once, and no deployment in a row.
        let mut turn = match self.deployments.len() {
            1 => 0,
            _ => (self.turn.fetch_add(1, Ordering::Relaxed) % 100 * 37 % 100) as u32,
        };
        for (deployment, percent) in self.deployments.iter().zip(&self.percent) {
            let percent = percent.load(Ordering::Relaxed);
            if turn < percent {
                return Ok(deployment);
            }
            turn -= percent;
        }
        let message = "no deployment has traffic: name one in `azureml-model-deployment`";
        Err(ScoreError::new(ErrorCode::NoTraffic, message))
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn check_traffic(percent: &[u32]) -> Result<(), Error> {
    let total = percent.iter().fold(0_u32, |total, &percent| total.saturating_add(percent));
    if total == 0 || total == 100 { Ok(()) } else { Err(Error::Traffic { total }) }
}

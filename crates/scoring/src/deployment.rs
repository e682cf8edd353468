use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::HeaderValue;

use crate::{Error, InitError, ModelIdentity, Scorer, answer::ModelHeaders};

/// One model behind an endpoint, under a name: it is loaded, tested, and swapped for another while requests come in.
///
/// # Examples
///
/// ```no_run
/// use spinney_scoring::{BundleScorer, Deployment};
///
/// let blue = Deployment::loading("blue", || BundleScorer::load("models/blue.bundle"));
/// blue.reload()?;
/// # Ok::<(), spinney_scoring::Error>(())
/// ```
pub struct Deployment {
    name: String,
    name_header: HeaderValue,
    load: Option<Box<Load>>,
    current: RwLock<Option<Arc<Loaded>>>,
}

type Load = dyn Fn() -> Result<Arc<dyn Scorer>, InitError> + Send + Sync;

/// A model that gets traffic, and what every answer of it says.
pub(crate) struct Loaded {
    pub(crate) scorer: Arc<dyn Scorer>,
    pub(crate) headers: ModelHeaders,
}

impl Loaded {
    fn new(scorer: Arc<dyn Scorer>) -> Arc<Self> {
        let headers = ModelHeaders::new(scorer.model());
        Arc::new(Self { scorer, headers })
    }
}

impl Deployment {
    /// Takes a scorer that is there for good.
    #[must_use]
    pub fn new(name: impl Into<String>, scorer: Arc<dyn Scorer>) -> Self {
        let deployment = Self::empty(name.into(), None);
        deployment.set(Loaded::new(scorer));
        deployment
    }

    /// Takes a way to load a scorer. Nothing is loaded yet: [`reload`](Self::reload) does that, the first time too.
    #[must_use]
    pub fn loading<S: Scorer>(
        name: impl Into<String>,
        load: impl Fn() -> Result<S, InitError> + Send + Sync + 'static,
    ) -> Self {
        let load = move || Ok(Arc::new(load()?) as Arc<dyn Scorer>);
        Self::empty(name.into(), Some(Box::new(load)))
    }

    /// Takes a folder that [`Scorer::init`] gets, as Azure ML names it in `AZUREML_MODEL_DIR`.
    #[must_use]
    pub fn of_model_dir<S: Scorer>(name: impl Into<String>, model_dir: impl Into<PathBuf>) -> Self {
        let model_dir = model_dir.into();
        Self::loading(name, move || S::init(&model_dir))
    }

    fn empty(name: String, load: Option<Box<Load>>) -> Self {
        // Names that are no header values are refused by the endpoint.
        let name_header = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static(""));
        Self { name, name_header, load, current: RwLock::new(None) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn name_header(&self) -> &HeaderValue {
        &self.name_header
    }

    /// Whether a model is loaded.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.current().is_some()
    }

    /// Which model is loaded, if it has a name.
    #[must_use]
    pub fn model(&self) -> Option<ModelIdentity> {
        self.current()?.scorer.model().cloned()
    }

    /// Loads the model and tests it beside the one that is there, and swaps them. Requests under way finish on the old one.
    ///
    /// It takes as long as the model does: call it where nothing waits.
    ///
    /// # Errors
    ///
    /// [`Error::Init`], [`Error::SelfTest`], or [`Error::NotReloadable`]; what was loaded before stays.
    pub fn reload(&self) -> Result<(), Error> {
        let deployment = || self.name.clone();
        let load =
            self.load.as_ref().ok_or_else(|| Error::NotReloadable { deployment: deployment() })?;
        let scorer = load().map_err(|source| Error::Init { deployment: deployment(), source })?;
        scorer
            .self_test()
            .map_err(|source| Error::SelfTest { deployment: deployment(), source })?;
        self.set(Loaded::new(scorer));
        Ok(())
    }

    pub(crate) fn current(&self) -> Option<Arc<Loaded>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, loaded: Arc<Loaded>) {
        let old = self.current.write().unwrap_or_else(PoisonError::into_inner).replace(loaded);
        // Perhaps megabytes: not under the lock.
        drop(old);
    }
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment")
            .field("name", &self.name)
            .field("model", &self.model())
            .finish_non_exhaustive()
    }
}

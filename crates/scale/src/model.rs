use std::{fmt, sync::Arc};

use datafusion::logical_expr::ScalarUDF;
use object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};
use spinney_artifact::{Fingerprint, ModelBundle};
use spinney_preprocess::ColumnKind;

use crate::{Error, Location, Predict, Result, Stores, predict::Cells};

/// A bundle and where it is, so that other processes can load the same one.
///
/// # Examples
///
/// ```
/// use spinney_artifact::{BundleMetadata, ModelBundle};
/// use spinney_forest::RandomForest;
/// use spinney_preprocess::{InputSchema, Preprocessor, Table};
/// use spinney_scale::{Engine, EngineOptions, Location, Model, Stores};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("prices.bundle");
/// # let schema = InputSchema::builder().numeric(["area"]).target("price").build()?;
/// # let table = Table::from_csv_reader("area,price\n50,100\n90,200\n".as_bytes(), &schema)?;
/// # let (transformer, x) = Preprocessor::builder(&schema).build()?.fit_transform(&table)?;
/// # let params = RandomForest::params().bootstrap(false);
/// # let forest = params.fit_arrays(x.view(), table.target()?.into())?;
/// # let bundle = ModelBundle::new(transformer, forest, BundleMetadata::new("prices", "1"))?;
/// # bundle.save(&path)?;
/// # let path = path.to_str().unwrap();
/// let model = Model::load(&Location::parse(path)?, &Stores::default()).await?;
/// let engine = Engine::embedded(&EngineOptions::default())?;
/// engine.context().register_udf(model.predict());
/// let rows = engine.context().sql("SELECT predict(95.0) AS prediction").await?.collect().await?;
/// assert!(format!("{rows:?}").contains("200.0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Model {
    id: Arc<ModelId>,
    bundle: Arc<ModelBundle>,
}

/// What a plan carries of a model: where it is, which one it is, and the columns it takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ModelId {
    pub(crate) location: Location,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) columns: Vec<(String, Kind)>,
}

/// [`ColumnKind`], as a plan carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Numeric,
    Categorical,
}

impl Model {
    /// Loads a bundle.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if it cannot be read, [`Error::Bundle`] if it is none.
    pub async fn load(location: &Location, stores: &Stores) -> Result<Self> {
        let bundle = fetch(location, stores).await?;
        let columns = bundle.input_schema().columns();
        let columns = columns.map(|(name, kind)| (name.to_owned(), kind.into())).collect();
        let (location, fingerprint) = (location.clone(), bundle.fingerprint());
        let id = Arc::new(ModelId { location, fingerprint, columns });
        Ok(Self { id, bundle: Arc::new(bundle) })
    }

    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> &ModelBundle {
        &self.bundle
    }

    /// Where the bundle is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.id.location
    }

    /// SHA-256 of the bundle's contents.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.id.fingerprint
    }

    /// The columns that [`predict`](Self::predict) takes, in this order.
    #[must_use]
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, ColumnKind)> {
        self.id.columns.iter().map(|(name, kind)| (name.as_str(), (*kind).into()))
    }

    /// The SQL function `predict(columns...)`: see [`Predict`].
    #[must_use]
    pub fn predict(&self) -> ScalarUDF {
        self.predict_from(Cells::Typed)
    }

    pub(crate) fn predict_from(&self, cells: Cells) -> ScalarUDF {
        Predict::loaded(&self.id, cells, &self.bundle).into()
    }
}

/// Reads a bundle from its storage.
pub(crate) async fn fetch(location: &Location, stores: &Stores) -> Result<ModelBundle> {
    let failed = |source| Error::Storage { action: "read", location: location.to_string(), source };
    let object = stores.open(location)?.get(&location.path()).await.map_err(failed)?;
    let bytes = object.bytes().await.map_err(failed)?;
    ModelBundle::from_bytes(&bytes)
        .map_err(|source| Error::Bundle { location: location.to_string(), source })
}

impl From<ColumnKind> for Kind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Categorical => Self::Categorical,
            _ => Self::Numeric,
        }
    }
}

impl From<Kind> for ColumnKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Numeric => Self::Numeric,
            Kind::Categorical => Self::Categorical,
        }
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.location, self.fingerprint)
    }
}

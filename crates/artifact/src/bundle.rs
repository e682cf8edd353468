use std::{
    fs,
    path::Path,
    sync::{Arc, OnceLock},
};

use ndarray::Array1;
use spinney_forest::{Predictor, RandomForest};
use spinney_preprocess::{
    FeatureMatrix, FeatureSchema, FittedPreprocessor, InputSchema, Record, Table,
};

use crate::{
    BundleMetadata, Error, Fingerprint, Limits, Result, atomic_file,
    container::{self, Header},
    inspect,
    sections::{self, PackedForest},
};

/// A transformer and the forest that was fitted on its features, as one thing.
///
/// There is no way to score with one of them alone, so serving cannot drift from training.
///
/// # Examples
///
/// ```
/// use spinney_artifact::{BundleMetadata, ModelBundle};
/// use spinney_forest::RandomForest;
/// use spinney_preprocess::{InputSchema, Preprocessor, Table};
///
/// let schema =
///     InputSchema::builder().numeric(["area"]).categorical(["style"]).target("price").build()?;
/// let csv = "area,style,price\n50,flat,100\n80,house,200\n90,house,250\n";
/// let table = Table::from_csv_reader(csv.as_bytes(), &schema)?;
/// let plan = Preprocessor::builder(&schema).one_hot(["style"]).build()?;
/// let (transformer, x) = plan.fit_transform(&table)?;
/// let forest = RandomForest::params().fit_arrays(x.view(), table.target()?.into())?;
///
/// let bundle = ModelBundle::new(transformer, forest, BundleMetadata::new("prices", "1"))?;
/// let again = ModelBundle::from_bytes(&bundle.to_bytes())?;
/// assert_eq!(again.predict(&table)?, bundle.predict(&table)?);
/// assert_eq!(again.fingerprint(), bundle.fingerprint());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelBundle {
    transformer: FittedPreprocessor,
    /// Where the forest comes from, if it was loaded.
    packed: Option<Arc<PackedForest>>,
    forest: OnceLock<Arc<RandomForest>>,
    predictor: OnceLock<Arc<Predictor>>,
    metadata: BundleMetadata,
    fingerprint: OnceLock<Fingerprint>,
}

impl ModelBundle {
    /// Joins a transformer and a forest.
    ///
    /// Out-of-bag predictions of the forest belong to its training rows and do not travel with it.
    ///
    /// # Errors
    ///
    /// [`Error::FeatureCount`] if they do not fit together, [`Error::SchemaMismatch`] if the metadata says that the forest was
    /// fitted on other [features](BundleMetadata::feature_schema), [`Error::InvalidMetric`] and [`Error::InvalidRange`] for numbers
    /// that are not finite.
    pub fn new(
        transformer: FittedPreprocessor,
        forest: RandomForest,
        metadata: BundleMetadata,
    ) -> Result<Self> {
        check(&transformer, forest.n_features(), &metadata)?;
        let forest = OnceLock::from(Arc::new(forest));
        let (packed, predictor, fingerprint) = (None, OnceLock::new(), OnceLock::new());
        Ok(Self { transformer, packed, forest, predictor, metadata, fingerprint })
    }

    /// Predicts each row of a table; no rows give no predictions.
    ///
    /// # Errors
    ///
    /// [`Error::Preprocess`] if the table lacks a column, [`Error::Forest`] if a feature is infinite as `f32`.
    pub fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        self.predict_features(&self.transform(table)?)
    }

    /// Predicts each record, which is what a scoring request holds.
    ///
    /// # Errors
    ///
    /// [`Error::Preprocess`] names record and column, otherwise as for [`predict`](Self::predict).
    pub fn predict_records(&self, records: &[Record]) -> Result<Array1<f64>> {
        self.predict(&Table::from_records(records, self.input_schema())?)
    }

    /// Makes the features of each row, with a [report](FeatureMatrix::report) of what was unusual about them.
    ///
    /// # Errors
    ///
    /// [`Error::Preprocess`] if the table lacks a column.
    pub fn transform(&self, table: &Table) -> Result<FeatureMatrix> {
        Ok(self.transformer.transform(table)?)
    }

    /// Predicts from features that this bundle's [`transform`](Self::transform) made.
    ///
    /// # Errors
    ///
    /// [`Error::SchemaMismatch`] if another transformer made them, [`Error::Forest`] if one is infinite as `f32`.
    pub fn predict_features(&self, features: &FeatureMatrix) -> Result<Array1<f64>> {
        let (theirs, ours) = (features.schema(), self.transformer.feature_schema());
        if !Arc::ptr_eq(theirs, ours) && theirs.hash() != ours.hash() {
            return Err(Error::SchemaMismatch);
        }
        Ok(self.predictor().predict(features.view())?)
    }

    /// The forest compiled for prediction, which is what predictions are made with. It is compiled when first asked for.
    #[expect(clippy::expect_used, reason = "loading has checked what the nodes are made of")]
    pub fn predictor(&self) -> &Predictor {
        self.predictor.get_or_init(|| {
            Arc::new(match (self.forest.get(), &self.packed) {
                // Who only predicts need not keep the nodes: they are ten times what the predictor takes.
                (None, Some(packed)) => {
                    packed.restore().expect("what was checked before is still valid").compile()
                }
                _ => self.forest().compile(),
            })
        })
    }

    /// What a raw row must contain.
    #[must_use]
    pub fn input_schema(&self) -> &InputSchema {
        self.transformer.input_schema()
    }

    /// The columns that the forest sees.
    #[must_use]
    pub fn feature_schema(&self) -> &FeatureSchema {
        self.transformer.feature_schema()
    }

    /// The transformer.
    #[must_use]
    pub fn transformer(&self) -> &FittedPreprocessor {
        &self.transformer
    }

    /// The forest. One that was loaded is unpacked when first asked for; it was checked before.
    #[must_use]
    #[expect(clippy::expect_used, reason = "loading has checked what the nodes are made of")]
    pub fn forest(&self) -> &RandomForest {
        self.forest.get_or_init(|| {
            let packed = self.packed.as_ref().expect("a bundle has a forest or was loaded");
            Arc::new(packed.restore().expect("what was checked before is still valid"))
        })
    }

    /// What the bundle says about itself.
    #[must_use]
    pub fn metadata(&self) -> &BundleMetadata {
        &self.metadata
    }

    /// SHA-256 of the contents. That of a bundle that was neither loaded nor written before takes as long as writing it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| self.encode().1)
    }

    /// Writes the bundle as bytes. The same bundle gives the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (bytes, fingerprint) = self.encode();
        self.fingerprint.get_or_init(|| fingerprint);
        bytes
    }

    #[expect(
        clippy::expect_used,
        reason = "JSON with text keys and flat sequences can always be written to memory"
    )]
    fn encode(&self) -> (Vec<u8>, Fingerprint) {
        self.try_encode().expect("nothing in a bundle is beyond its format")
    }

    fn try_encode(&self) -> Result<(Vec<u8>, Fingerprint)> {
        let [forest, statistics] = sections::to_bytes(self.forest())?;
        let header = Header {
            metadata: self.metadata.clone(),
            schema_hash: self.feature_schema().hash().to_string(),
            transform_params: self.transformer.params().clone(),
            sections: container::list([&forest, &statistics]),
        };
        let (mut bytes, fingerprint) = container::write(&header)?;
        bytes.extend(forest);
        bytes.extend(statistics);
        Ok((bytes, fingerprint))
    }

    /// Reads a bundle from bytes, which may come from anywhere: everything is checked.
    ///
    /// # Errors
    ///
    /// [`Error::NotABundle`], [`Error::UnsupportedVersion`], [`Error::Truncated`], [`Error::TrailingBytes`],
    /// [`Error::HeaderTooLong`], [`Error::TooManyNodes`], [`Error::ChecksumMismatch`], [`Error::Header`],
    /// [`Error::UnknownSection`], [`Error::SchemaHash`], [`Error::ForestSection`], [`Error::Preprocess`], [`Error::Forest`] and
    /// [`Error::FeatureCount`] say what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::from_bytes_with(bytes, &Limits::default())
    }

    /// Likewise, with limits.
    ///
    /// # Errors
    ///
    /// As for [`from_bytes`](Self::from_bytes).
    pub fn from_bytes_with(bytes: &[u8], limits: &Limits) -> Result<Self> {
        let (header, fingerprint, rest) = container::read_head(bytes, limits)?;
        let [forest, statistics] = container::read_sections(&header, rest)?;
        let transformer = inspect::transformer(&header)?;
        let packed = PackedForest::from_bytes(forest, statistics, limits)?;
        let metadata = header.metadata;
        check(&transformer, packed.n_features(), &metadata)?;
        let (packed, forest) = (Some(Arc::new(packed)), OnceLock::new());
        let (predictor, fingerprint) = (OnceLock::new(), OnceLock::from(fingerprint));
        Ok(Self { transformer, packed, forest, predictor, metadata, fingerprint })
    }

    /// Saves the bundle to a file. Whatever happens, `path` holds its old contents or all of the new.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] names the path.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        atomic_file::write(path, &self.to_bytes()).map_err(|source| Error::Io {
            action: "save",
            path: path.to_owned(),
            source,
        })
    }

    /// Loads a bundle from a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] names the path, otherwise as for [`from_bytes`](Self::from_bytes).
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(path, &Limits::default())
    }

    /// Likewise, with limits.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub fn load_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| Error::Io {
            action: "load",
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes_with(&bytes, limits)
    }
}

fn check(transformer: &FittedPreprocessor, forest: usize, metadata: &BundleMetadata) -> Result<()> {
    let schema = transformer.feature_schema();
    if schema.len() != forest {
        return Err(Error::FeatureCount { transformer: schema.len(), forest });
    }
    metadata.check(schema.hash())
}

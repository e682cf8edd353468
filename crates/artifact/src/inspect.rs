use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use spinney_preprocess::{FeatureSchema, FittedPreprocessor, InputSchema, TransformParams};

use crate::{
    BundleMetadata, Error, Fingerprint, Limits, Result, Section,
    container::{self, Header},
};

/// What a bundle says about itself, read without its forest.
///
/// The header's hash is checked, those of the sections are not: [`ModelBundle::load`](crate::ModelBundle::load) does that.
///
/// # Examples
///
/// ```no_run
/// use spinney_artifact::BundleInfo;
///
/// let info = BundleInfo::read("ames.bundle")?;
/// println!("{} {} {}", info.metadata().name(), info.metadata().version(), info.fingerprint());
/// for section in info.sections() {
///     println!("{}: {} bytes", section.name(), section.len());
/// }
/// # Ok::<(), spinney_artifact::Error>(())
/// ```
#[derive(Debug)]
pub struct BundleInfo {
    header: Header,
    transformer: FittedPreprocessor,
    fingerprint: Fingerprint,
    header_len: u64,
}

impl BundleInfo {
    /// Reads the header of a file, and no byte behind it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] names the path, otherwise as for [`ModelBundle::from_bytes`](crate::ModelBundle::from_bytes).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_with(path, &Limits::default())
    }

    /// Likewise, with limits.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        let failed =
            |source: io::Error| Error::Io { action: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        (&file).take(container::prefix_len() as u64).read_to_end(&mut bytes).map_err(failed)?;
        let head_len = container::head_len(&bytes, limits)?;
        (&file).take(head_len - bytes.len() as u64).read_to_end(&mut bytes).map_err(failed)?;
        let (header, fingerprint, _) = container::read_head(&bytes, limits)?;
        let transformer = transformer(&header)?;
        Ok(Self { header, transformer, fingerprint, header_len: head_len })
    }

    /// Name, version, metrics and provenance.
    #[must_use]
    pub fn metadata(&self) -> &BundleMetadata {
        &self.header.metadata
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

    /// What the transformer learned.
    #[must_use]
    pub fn transform_params(&self) -> &TransformParams {
        &self.header.transform_params
    }

    /// The sections behind the header.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.header.sections
    }

    /// SHA-256 of the header, which holds those of the sections.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The length of the whole file in bytes, as the header has it.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.header.sections.iter().fold(self.header_len, |sum, section| {
            // What a header claims may be anything.
            sum.saturating_add(section.len())
        })
    }
}

/// Makes the transformer of a header, whose schema hash has to be its own.
pub(crate) fn transformer(header: &Header) -> Result<FittedPreprocessor> {
    let transformer = FittedPreprocessor::from_params(header.transform_params.clone())?;
    if header.schema_hash == transformer.feature_schema().hash().to_string() {
        Ok(transformer)
    } else {
        Err(Error::SchemaHash)
    }
}

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::program::Program;
use crate::{ColumnKind, Error, InputSchema, Result, SchemaHash, StepParams};

/// The version of the JSON that this crate writes and reads.
const VERSION: u64 = 1;

/// Everything a fit learned, self-contained: the input schema, the steps with their values, and the
/// names of the features.
///
/// As JSON it is made to be read, and comes back bit for bit, `-0.0` and subnormal numbers
/// included.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Impute, InputSchema, Preprocessor, Table, TransformParams};
///
/// let schema = InputSchema::builder().numeric(["LotFrontage"]).build()?;
/// let train = Table::from_csv_reader("LotFrontage\n60\nNA\n80\n".as_bytes(), &schema)?;
/// let plan = Preprocessor::builder(&schema).impute("LotFrontage", Impute::Mean).build()?;
/// let fitted = plan.fit(&train)?;
///
/// let json = fitted.params().to_json();
/// assert!(json.contains(r#""strategy": "mean""#) && json.contains(r#""value": 70.0"#));
/// assert_eq!(&TransformParams::from_json(&json)?, fitted.params());
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[doc(alias = "xform_params")]
#[derive(Debug, Clone, PartialEq)]
pub struct TransformParams {
    input: InputSchema,
    steps: Vec<StepParams>,
    features: Vec<String>,
    trained_with_missing: Vec<String>,
}

impl TransformParams {
    /// Puts together what a fit learned, which is valid by construction.
    pub(crate) fn new(
        input: InputSchema,
        steps: Vec<StepParams>,
        features: Vec<String>,
        trained_with_missing: Vec<String>,
    ) -> Self {
        Self { input, steps, features, trained_with_missing }
    }

    /// Reads and checks what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedVersion`] if written by a later version; [`Error::Json`] if it is not
    /// JSON or not of this form, with the place in the source; otherwise the error that a plan with
    /// these steps would give, or [`Error::WrongFeatures`] or [`Error::WrongMissing`] if the
    /// features do not follow from the steps.
    pub fn from_json(json: &str) -> Result<Self> {
        // Later versions may have any other field, so the version is looked at first.
        let Version { version } =
            serde_json::from_str(json).map_err(|source| Error::Json { source })?;
        if version != VERSION {
            return Err(Error::UnsupportedVersion { found: version, supported: VERSION });
        }
        let wire: Wire = serde_json::from_str(json).map_err(|source| Error::Json { source })?;
        wire.check()
    }

    /// Writes indented JSON.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "writing to memory cannot fail, and all keys are strings"
    )]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("params are valid JSON")
    }

    /// Returns what a raw row must contain.
    #[must_use]
    pub fn input_schema(&self) -> &InputSchema {
        &self.input
    }

    /// Returns the steps in order. A `passthrough` leaves no trace: it changes nothing.
    #[must_use]
    pub fn steps(&self) -> &[StepParams] {
        &self.steps
    }

    /// Returns the names of the features in order.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Returns the features that were missing in some row of training, in feature order.
    #[must_use]
    pub fn trained_with_missing(&self) -> &[String] {
        &self.trained_with_missing
    }

    /// Hashes the compact JSON, whose fields have one order and whose numbers one form.
    #[expect(
        clippy::expect_used,
        reason = "writing to memory cannot fail, and all keys are strings"
    )]
    pub(crate) fn hash(&self) -> SchemaHash {
        let json = serde_json::to_vec(self).expect("params are valid JSON");
        SchemaHash::from_bytes(Sha256::digest(json).into())
    }
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u64,
    input: Input,
    steps: Vec<StepParams>,
    features: Vec<String>,
    trained_with_missing: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    missing_tokens: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    kind: ColumnKind,
}

impl Wire {
    fn check(self) -> Result<TransformParams> {
        let Self { version, input, steps, features, trained_with_missing } = self;
        if version != VERSION {
            return Err(Error::UnsupportedVersion { found: version, supported: VERSION });
        }
        let input = input.check()?;
        let program = Program::new(&input, &steps)?;
        if let Some(index) = first_difference(&program.names, &features) {
            let expected = program.names.get(index).cloned();
            return Err(Error::WrongFeatures {
                index,
                expected,
                found: features.get(index).cloned(),
            });
        }
        // A list in feature order, so that equal params have equal JSON.
        let mut plain = program.plain_names();
        if let Some(feature) =
            trained_with_missing.iter().find(|name| !plain.any(|plain| plain == *name))
        {
            return Err(Error::WrongMissing { feature: feature.clone() });
        }
        Ok(TransformParams { input, steps, features, trained_with_missing })
    }
}

impl Input {
    fn check(self) -> Result<InputSchema> {
        let mut builder = InputSchema::builder().missing_tokens(self.missing_tokens);
        for Column { name, kind } in self.columns {
            builder = match kind {
                ColumnKind::Numeric => builder.numeric([name]),
                ColumnKind::Categorical => builder.categorical([name]),
            };
        }
        match self.target {
            Some(target) => builder.target(target).build(),
            None => builder.build(),
        }
    }
}

fn first_difference(expected: &[String], found: &[String]) -> Option<usize> {
    let n = expected.len().max(found.len());
    (0..n).find(|&index| expected.get(index) != found.get(index))
}

impl Serialize for TransformParams {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let column = |(name, kind): (&str, ColumnKind)| Column { name: name.to_owned(), kind };
        let input = Input {
            columns: self.input.columns().map(column).collect(),
            target: self.input.target().map(str::to_owned),
            missing_tokens: self.input.missing_tokens().map(str::to_owned).collect(),
        };
        let wire = Wire {
            version: VERSION,
            input,
            steps: self.steps.clone(),
            features: self.features.clone(),
            trained_with_missing: self.trained_with_missing.clone(),
        };
        wire.serialize(serializer)
    }
}

/// Checks as [`TransformParams::from_json`] does.
impl<'de> Deserialize<'de> for TransformParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.check().map_err(de::Error::custom)
    }
}

use serde_json::{Value as Json, json};
use spinney_preprocess::{ColumnKind, Value};

/// What one column of a record may hold: the source of API documents, and of `allowed` in refusals.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::ColumnKind;
/// use spinney_scoring::InputField;
///
/// let quality = InputField::new("ExterQual", ColumnKind::Categorical)
///     .nullable(false)
///     .words(["TA", "Gd"])
///     .only_words(true);
/// assert_eq!(quality.name(), "ExterQual");
/// assert_eq!(quality.json_schema().to_string(), r#"{"enum":["TA","Gd"],"type":"string"}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InputField {
    name: String,
    kind: ColumnKind,
    nullable: bool,
    words: Vec<String>,
    only_words: bool,
}

/// How a schema says that a value may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaDialect {
    /// `x-nullable`, an extension that generators of clients know.
    Swagger2,
    /// `nullable`.
    OpenApi3,
    /// A list of types.
    JsonSchema,
}

impl InputField {
    /// Describes a column that may be null, and any word if it is categorical.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind, nullable: true, words: Vec::new(), only_words: false }
    }

    /// Says whether a value may be missing.
    #[must_use]
    pub fn nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// Lists the words that are known of a categorical column.
    #[must_use]
    pub fn words<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.words = words.into_iter().map(Into::into).collect();
        self
    }

    /// Says whether other words are refused.
    #[must_use]
    pub fn only_words(mut self, only_words: bool) -> Self {
        self.only_words = only_words;
        self
    }

    /// The column.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers or words.
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Whether a value may be missing.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Whether a word may stand in the column.
    #[must_use]
    pub fn admits(&self, word: &str) -> bool {
        !self.only_words || self.words.iter().any(|known| known == word)
    }

    /// A value that the column may hold: 0 or the first word.
    pub(crate) fn example(&self) -> Value {
        match self.kind {
            ColumnKind::Numeric => Value::Number(0.0),
            _ => Value::from(self.words.first().map_or("", String::as_str)),
        }
    }

    /// Likewise, for a document.
    pub(crate) fn json_example(&self) -> Json {
        match self.kind {
            ColumnKind::Numeric => json!(0),
            _ => self.words.first().map_or("", String::as_str).into(),
        }
    }

    /// What the column may hold, as a JSON Schema.
    #[must_use]
    pub fn json_schema(&self) -> Json {
        self.schema(SchemaDialect::JsonSchema)
    }

    /// Likewise, in the words of one kind of document.
    pub(crate) fn schema(&self, dialect: SchemaDialect) -> Json {
        let base = if self.kind == ColumnKind::Numeric { "number" } else { "string" };
        let mut schema = json!({ "type": base });
        if self.nullable {
            match dialect {
                SchemaDialect::Swagger2 => schema["x-nullable"] = true.into(),
                SchemaDialect::OpenApi3 => schema["nullable"] = true.into(),
                SchemaDialect::JsonSchema => schema["type"] = json!([base, "null"]),
            }
        }
        if self.only_words {
            let null = self.nullable.then_some(Json::Null);
            let words = self.words.iter().map(|word| word.as_str().into());
            schema["enum"] = words.chain(null).collect();
        } else if !self.words.is_empty() {
            schema["description"] = format!("known: {}", self.words.join(", ")).into();
        }
        schema
    }
}

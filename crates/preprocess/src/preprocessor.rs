use crate::frame::Frame;
use crate::plan_step::PlanStep;
use crate::program::ProgramBuilder;
use crate::report::ColumnCount;
use crate::{
    Error, FeatureMatrix, FittedPreprocessor, InputSchema, PreprocessorBuilder, Result, Table,
    TransformParams,
};

/// A plan: the steps from raw rows to features, before anything is learned.
///
/// Steps apply in the order given, each to what the earlier ones left. Numeric columns need no step
/// to become features; categorical ones must be encoded or dropped.
///
/// The features are in the order of pandas' `get_dummies`: the columns of the schema that are
/// numbers by then, in schema order (an ordinal column keeps its place); derived columns in the
/// order of their steps; then the one-hot blocks in the order of theirs.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Impute, InputSchema, Preprocessor, Table};
///
/// let schema = InputSchema::builder()
///     .categorical(["MasVnrType"])
///     .numeric(["LotFrontage", "YearBuilt", "YrSold"])
///     .build()?;
/// let plan = Preprocessor::builder(&schema)
///     .difference("HouseAge", "YrSold", "YearBuilt")
///     .impute("LotFrontage", Impute::Mean)
///     .one_hot(["MasVnrType"])
///     .build()?;
///
/// let csv = "MasVnrType,LotFrontage,YearBuilt,YrSold\nStone,60,1990,2006\nBrkFace,NA,2001,2008\n";
/// let (fitted, x) = plan.fit_transform(&Table::from_csv_reader(csv.as_bytes(), &schema)?)?;
/// assert_eq!(
///     fitted.feature_schema().names(),
///     ["LotFrontage", "YearBuilt", "YrSold", "HouseAge", "MasVnrType_BrkFace", "MasVnrType_Stone"]
/// );
/// assert_eq!(x.view().row(1).to_vec(), [60.0, 2001.0, 2008.0, 7.0, 1.0, 0.0]);
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessor {
    schema: InputSchema,
    steps: Vec<PlanStep>,
}

impl Preprocessor {
    /// Puts together what a builder has checked.
    pub(crate) fn new(schema: InputSchema, steps: Vec<PlanStep>) -> Self {
        Self { schema, steps }
    }

    /// Starts a plan without steps for rows of `schema`.
    pub fn builder(schema: &InputSchema) -> PreprocessorBuilder {
        PreprocessorBuilder::new(schema.clone())
    }

    /// Returns what a raw row must contain.
    #[must_use]
    pub fn input_schema(&self) -> &InputSchema {
        &self.schema
    }

    /// Learns from training rows: the result depends on them, on their order, and on nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::NoRows`]; [`Error::SchemaMismatch`] if the table was read with another schema;
    /// [`Error::AllMissing`] if a step or a feature has no value at all to learn from;
    /// [`Error::Overflow`] or [`Error::InfiniteResult`] if numbers are too large to work with;
    /// [`Error::DuplicateFeature`] or [`Error::NoFeatures`] if the categories make it so.
    pub fn fit(&self, train: &Table) -> Result<FittedPreprocessor> {
        self.learn(train).map(|Learned { fitted, .. }| fitted)
    }

    /// Learns from training rows and returns their features too, at the price of a fit: the same as
    /// [`fit`](Self::fit) and then [`transform`](FittedPreprocessor::transform).
    ///
    /// # Errors
    ///
    /// Those of [`fit`](Self::fit).
    pub fn fit_transform(&self, train: &Table) -> Result<(FittedPreprocessor, FeatureMatrix)> {
        let Learned { fitted, frame, unseen } = self.learn(train)?;
        let matrix = fitted.matrix(&frame, unseen);
        Ok((fitted, matrix))
    }

    fn learn<'t>(&self, train: &'t Table) -> Result<Learned<'t>> {
        self.schema.expect_same(train.schema())?;
        let n_rows = train.n_rows();
        if n_rows == 0 {
            return Err(Error::NoRows);
        }
        let mut builder = ProgramBuilder::new(&self.schema);
        let mut frame = Frame::new(train);
        let mut unseen = Vec::new();
        let mut steps = Vec::new();
        for step in &self.steps {
            if let Some(params) = step.learn(&frame, &builder.layout)? {
                builder.push(&params)?.run(&mut frame, &mut unseen)?;
                steps.push(params);
            }
        }
        let program = builder.finish()?;

        let mut with_missing = Vec::new();
        for (name, &place) in program.plain_names().zip(&program.plain) {
            match frame.numbers(place).iter().filter(|number| number.is_nan()).count() {
                0 => {}
                n if n == n_rows => {
                    return Err(Error::AllMissing { column: name.to_owned(), n_rows });
                }
                _ => with_missing.push(name.to_owned()),
            }
        }
        let names = program.names.clone();
        let params = TransformParams::new(self.schema.clone(), steps, names, with_missing);
        Ok(Learned { fitted: FittedPreprocessor::new(params, program), frame, unseen })
    }
}

/// What a fit leaves: the training columns are features by then.
struct Learned<'t> {
    fitted: FittedPreprocessor,
    frame: Frame<'t>,
    unseen: Vec<ColumnCount>,
}

use std::ops::RangeBounds;

use crate::layout::Layout;
use crate::plan_step::PlanStep;
use crate::{Error, Impute, InputSchema, OneHot, Ordinal, Preprocessor, Result};

/// Collects the steps of a [`Preprocessor`].
#[derive(Debug, Clone)]
#[must_use]
pub struct PreprocessorBuilder {
    schema: InputSchema,
    steps: Vec<PlanStep>,
}

impl PreprocessorBuilder {
    pub(crate) fn new(schema: InputSchema) -> Self {
        Self { schema, steps: Vec::new() }
    }

    /// Appends a numeric column `output = minuend - subtrahend`, missing where either is.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["YearBuilt", "YrSold"]).build()?;
    /// let plan = Preprocessor::builder(&schema)
    ///     .difference("HouseAge", "YrSold", "YearBuilt")
    ///     .build()?;
    /// let csv = "YearBuilt,YrSold\n1990,2006\nNA,2008\n";
    /// let rows = Table::from_csv_reader(csv.as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.view().row(0).to_vec(), [1990.0, 2006.0, 16.0]);
    /// assert!(x.view()[[1, 2]].is_nan());
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn difference(
        self,
        output: impl Into<String>,
        minuend: impl Into<String>,
        subtrahend: impl Into<String>,
    ) -> Self {
        self.step(PlanStep::Difference {
            output: output.into(),
            minuend: minuend.into(),
            subtrahend: subtrahend.into(),
        })
    }

    /// Limits numbers to a range, `1..=10`, `0.5..` or `..=1e6`; missing ones stay missing.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["OverallQual"]).build()?;
    /// let plan = Preprocessor::builder(&schema).clip("OverallQual", 1..=10).build()?;
    /// let rows = Table::from_csv_reader("OverallQual\n-1\n5\n11\n".as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.view().column(0).to_vec(), [1.0, 5.0, 10.0]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn clip<T: Copy + Into<f64>>(
        self,
        column: impl Into<String>,
        range: impl RangeBounds<T>,
    ) -> Self {
        let (min, max) = (range.start_bound(), range.end_bound());
        self.step(PlanStep::Clip {
            column: column.into(),
            min: min.map(|end| (*end).into()),
            max: max.map(|end| (*end).into()),
        })
    }

    /// Fills missing values of a numeric or categorical column.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{Impute, InputSchema, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["LotFrontage"]).build()?;
    /// let plan = Preprocessor::builder(&schema).impute("LotFrontage", Impute::Median).build()?;
    /// let rows = Table::from_csv_reader("LotFrontage\n80\nNA\n60\n61\n".as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.view().column(0).to_vec(), [80.0, 61.0, 60.0, 61.0]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn impute(self, column: impl Into<String>, impute: Impute) -> Self {
        self.step(PlanStep::Impute { column: column.into(), impute })
    }

    /// Turns a categorical column into numbers, in place.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Ordinal, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().categorical(["ExterQual"]).build()?;
    /// let plan = Preprocessor::builder(&schema)
    ///     .ordinal("ExterQual", Ordinal::levels(["Po", "Fa", "TA"]).missing("Fa"))
    ///     .build()?;
    /// let rows = Table::from_csv_reader("ExterQual\nTA\nNA\nPo\n".as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.view().column(0).to_vec(), [3.0, 2.0, 1.0]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn ordinal(self, column: impl Into<String>, ordinal: Ordinal) -> Self {
        self.step(PlanStep::Ordinal { column: column.into(), ordinal })
    }

    /// Turns categorical columns into a block of features each, as [`OneHot::new`] has it.
    #[doc(alias = "get_dummies")]
    pub fn one_hot<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        columns.into_iter().fold(self, |plan, column| plan.one_hot_with(column, OneHot::new()))
    }

    /// Turns a categorical column into a block of features.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{Drop, InputSchema, OneHot, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().categorical(["Street"]).build()?;
    /// let plan = Preprocessor::builder(&schema)
    ///     .one_hot_with("Street", OneHot::new().drop(Drop::IfBinary))
    ///     .build()?;
    /// let rows = Table::from_csv_reader("Street\nPave\nGrvl\nPave\n".as_bytes(), &schema)?;
    /// let (fitted, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(fitted.feature_schema().names(), ["Street_Pave"]);
    /// assert_eq!(x.view().column(0).to_vec(), [1.0, 0.0, 1.0]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn one_hot_with(self, column: impl Into<String>, one_hot: OneHot) -> Self {
        self.step(PlanStep::OneHot { column: column.into(), one_hot })
    }

    /// Scales a numeric column to mean 0 and standard deviation 1 in training, missing values
    /// aside.
    ///
    /// Bit for bit scikit-learn's `StandardScaler` on one column: the deviation is that of the
    /// population, and a column that is constant but for rounding is only shifted.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["Area"]).build()?;
    /// let plan = Preprocessor::builder(&schema).standard_scale("Area").build()?;
    /// let rows = Table::from_csv_reader("Area\n1\n3\n".as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.view().column(0).to_vec(), [-1.0, 1.0]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn standard_scale(self, column: impl Into<String>) -> Self {
        self.step(PlanStep::StandardScale { column: column.into() })
    }

    /// Scales a numeric column to 0..=1 in training, missing values aside: scikit-learn's
    /// `MinMaxScaler` on one column.
    ///
    /// Later values may fall outside. A constant column is only shifted.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["Area"]).build()?;
    /// let plan = Preprocessor::builder(&schema).min_max_scale("Area").build()?;
    /// let rows = Table::from_csv_reader("Area\n10\n14\n11\n".as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.view().column(0).to_vec(), [0.0, 1.0, 0.25]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn min_max_scale(self, column: impl Into<String>) -> Self {
        self.step(PlanStep::MinMaxScale { column: column.into() })
    }

    /// States that columns are features as they are. Numeric columns are so anyway: this checks it.
    pub fn passthrough<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        let step = |column: S| PlanStep::Passthrough { column: column.into() };
        columns.into_iter().fold(self, |plan, column| plan.step(step(column)))
    }

    /// Makes no features of columns that were of use to earlier steps only, or are there for other
    /// readers of the rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Preprocessor, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["Area"]).categorical(["PID"]).build()?;
    /// let plan = Preprocessor::builder(&schema).drop(["PID"]).build()?;
    /// let rows = Table::from_csv_reader("Area,PID\n900,1\n".as_bytes(), &schema)?;
    /// let (_, x) = plan.fit_transform(&rows)?;
    /// assert_eq!(x.schema().names(), ["Area"]);
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn drop<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        let step = |column: S| PlanStep::Drop { column: column.into() };
        columns.into_iter().fold(self, |plan, column| plan.step(step(column)))
    }

    /// Checks the steps, in order.
    ///
    /// # Errors
    ///
    /// Each names step and column: [`Error::UnknownColumn`], [`Error::WrongColumnKind`],
    /// [`Error::ColumnUsed`] after it was encoded or dropped, [`Error::NameTaken`]; for its options
    /// [`Error::ExcludedBound`], [`Error::InvalidRange`], [`Error::InvalidNumber`],
    /// [`Error::ZeroLimit`], [`Error::WrongFill`], [`Error::NoCategories`],
    /// [`Error::DuplicateCategory`], [`Error::UnknownCategory`]; at the end [`Error::NotEncoded`]
    /// and [`Error::NoFeatures`].
    pub fn build(self) -> Result<Preprocessor> {
        let Self { schema, steps } = self;
        let mut layout = Layout::new(&schema);
        for step in &steps {
            step.check(&mut layout)?;
        }
        // What passes through must still be there at the end.
        for step in steps.iter().filter(|step| matches!(step, PlanStep::Passthrough { .. })) {
            step.check(&mut layout)?;
        }
        let n_blocks = steps.iter().filter(|step| matches!(step, PlanStep::OneHot { .. })).count();
        if layout.plain_features()?.is_empty() && n_blocks == 0 {
            return Err(Error::NoFeatures);
        }
        Ok(Preprocessor::new(schema, steps))
    }

    fn step(mut self, step: PlanStep) -> Self {
        self.steps.push(step);
        self
    }
}

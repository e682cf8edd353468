use std::collections::BTreeMap;

use crate::{ColumnKind, Error, InputSchema, Result, StepKind};

/// What each column is at some point of a plan: decides which steps may come next, without any
/// data.
///
/// Plans and transform params are both checked by playing their steps through a layout. Columns
/// have places: first those of the schema, then the derived ones.
#[derive(Debug)]
pub(crate) struct Layout {
    columns: Vec<(String, State)>,
    places: BTreeMap<String, usize>,
    target: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain(ColumnKind),
    /// Numbers now, words before.
    Ordinal,
    /// No longer a column, by a one-hot or drop step.
    Gone(StepKind),
}

impl Layout {
    pub(crate) fn new(schema: &InputSchema) -> Self {
        let columns: Vec<_> =
            schema.columns().map(|(name, kind)| (name.to_owned(), State::Plain(kind))).collect();
        let places = columns.iter().zip(0..).map(|((name, _), place)| (name.clone(), place));
        let target = schema.target().map(str::to_owned);
        Self { places: places.collect(), columns, target }
    }

    /// Finds a column for a step that works on either kind.
    pub(crate) fn column(&self, step: StepKind, column: &str) -> Result<(usize, ColumnKind)> {
        let (place, state) = self.find(step, column)?;
        match state {
            State::Plain(kind) => Ok((place, kind)),
            State::Ordinal => Ok((place, ColumnKind::Numeric)),
            State::Gone(by) => Err(Error::ColumnUsed { step, column: column.to_owned(), by }),
        }
    }

    pub(crate) fn numeric(&self, step: StepKind, column: &str) -> Result<usize> {
        match self.column(step, column)? {
            (place, ColumnKind::Numeric) => Ok(place),
            _ => Err(Error::WrongColumnKind {
                step,
                column: column.to_owned(),
                expected: ColumnKind::Numeric,
            }),
        }
    }

    /// Appends a numeric column.
    pub(crate) fn derive(&mut self, step: StepKind, output: &str) -> Result<()> {
        if output.is_empty() {
            return Err(Error::EmptyColumnName);
        }
        if self.places.contains_key(output) || self.target.as_deref() == Some(output) {
            return Err(Error::NameTaken { step, column: output.to_owned() });
        }
        self.places.insert(output.to_owned(), self.columns.len());
        self.columns.push((output.to_owned(), State::Plain(ColumnKind::Numeric)));
        Ok(())
    }

    /// Turns words into numbers in place.
    pub(crate) fn ordinal(&mut self, column: &str) -> Result<usize> {
        let place = self.categorical(StepKind::Ordinal, column)?;
        self.set(place, State::Ordinal);
        Ok(place)
    }

    /// Takes a column out, to become a block of features.
    pub(crate) fn one_hot(&mut self, column: &str) -> Result<usize> {
        let place = self.categorical(StepKind::OneHot, column)?;
        self.set(place, State::Gone(StepKind::OneHot));
        Ok(place)
    }

    /// Takes a column out for good.
    pub(crate) fn drop(&mut self, column: &str) -> Result<()> {
        let (place, _) = self.column(StepKind::Drop, column)?;
        self.set(place, State::Gone(StepKind::Drop));
        Ok(())
    }

    /// Checks that no words are left, and returns the remaining columns with their places.
    pub(crate) fn plain_features(&self) -> Result<Vec<(usize, &str)>> {
        let mut features = Vec::new();
        for (place, (name, state)) in self.columns.iter().enumerate() {
            match state {
                State::Plain(ColumnKind::Categorical) => {
                    return Err(Error::NotEncoded { column: name.clone() });
                }
                State::Plain(ColumnKind::Numeric) | State::Ordinal => {
                    features.push((place, name.as_str()));
                }
                State::Gone(_) => {}
            }
        }
        Ok(features)
    }

    fn categorical(&self, step: StepKind, column: &str) -> Result<usize> {
        let (place, state) = self.find(step, column)?;
        let by = match state {
            State::Plain(ColumnKind::Categorical) => return Ok(place),
            State::Plain(ColumnKind::Numeric) => {
                return Err(Error::WrongColumnKind {
                    step,
                    column: column.to_owned(),
                    expected: ColumnKind::Categorical,
                });
            }
            State::Ordinal => StepKind::Ordinal,
            State::Gone(by) => by,
        };
        Err(Error::ColumnUsed { step, column: column.to_owned(), by })
    }

    fn find(&self, step: StepKind, column: &str) -> Result<(usize, State)> {
        let place = self.places.get(column).copied();
        place
            .and_then(|place| Some((place, self.columns.get(place)?.1)))
            .ok_or_else(|| Error::UnknownColumn { step, column: column.to_owned() })
    }

    fn set(&mut self, place: usize, state: State) {
        if let Some(column) = self.columns.get_mut(place) {
            column.1 = state;
        }
    }
}

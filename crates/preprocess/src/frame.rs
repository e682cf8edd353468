use std::borrow::Cow;

use crate::column::CategoricalColumn;
use crate::one_hot::Slot;
use crate::{Column, Table};

/// The columns of a table on their way to features: changed in place, the table's own data copied
/// only when a step writes.
///
/// Places are those of the [`Layout`](crate::layout::Layout) that admitted the steps, which is why
/// a wrong place or kind is a bug here and not an error.
pub(crate) struct Frame<'t> {
    pub(crate) table: &'t Table,
    columns: Vec<Cells<'t>>,
}

pub(crate) enum Cells<'t> {
    Numbers(Cow<'t, [f64]>),
    Words(Cow<'t, CategoricalColumn>),
    Slots(Vec<Slot>),
}

impl<'t> Frame<'t> {
    pub(crate) fn new(table: &'t Table) -> Self {
        let cells = |column: &'t Column| match column {
            Column::Numeric(values) => Cells::Numbers(Cow::Borrowed(values)),
            Column::Categorical(column) => Cells::Words(Cow::Borrowed(column)),
        };
        Self { table, columns: table.columns().map(|(_, column)| cells(column)).collect() }
    }

    pub(crate) fn append(&mut self, numbers: Vec<f64>) {
        self.columns.push(Cells::Numbers(Cow::Owned(numbers)));
    }

    pub(crate) fn replace(&mut self, place: usize, cells: Cells<'t>) {
        if let Some(column) = self.columns.get_mut(place) {
            *column = cells;
        }
    }

    pub(crate) fn numbers(&self, place: usize) -> &[f64] {
        match self.columns.get(place) {
            Some(Cells::Numbers(numbers)) => numbers,
            _ => unreachable!("the layout admits steps on numbers only where numbers are"),
        }
    }

    pub(crate) fn numbers_mut(&mut self, place: usize) -> &mut Vec<f64> {
        match self.columns.get_mut(place) {
            Some(Cells::Numbers(numbers)) => numbers.to_mut(),
            _ => unreachable!("the layout admits steps on numbers only where numbers are"),
        }
    }

    pub(crate) fn words(&self, place: usize) -> &CategoricalColumn {
        match self.columns.get(place) {
            Some(Cells::Words(words)) => words,
            _ => unreachable!("the layout admits steps on words only where words are"),
        }
    }

    pub(crate) fn words_mut(&mut self, place: usize) -> &mut CategoricalColumn {
        match self.columns.get_mut(place) {
            Some(Cells::Words(words)) => words.to_mut(),
            _ => unreachable!("the layout admits steps on words only where words are"),
        }
    }

    pub(crate) fn slots(&self, place: usize) -> &[Slot] {
        match self.columns.get(place) {
            Some(Cells::Slots(slots)) => slots,
            _ => unreachable!("every one-hot step leaves slots"),
        }
    }
}

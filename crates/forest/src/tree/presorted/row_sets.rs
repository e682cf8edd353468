//! Up to 16 rows as bits of a word: their order in every column, and the sums of their sets.

use super::{
    columns::{Columns, LANES},
    real_targets::Term,
    targets::{Sums, TreeTargets},
};
use crate::feature_columns::FeatureColumns;

/// Rows of a small subtree at most: the bits of [`Set`].
pub(super) const MAX_ROWS: usize = 16;

/// Rows of the subtree, by bit.
pub(super) type Set = u16;

/// The rows of a small subtree.
#[derive(Debug)]
pub(super) struct RowSets {
    pub(super) rows: Vec<u32>,
    pub(super) stride: usize,
    /// For each row, by feature: the rows that are not above it in that feature's order, itself among them.
    pub(super) not_above: Vec<Set>,
    /// Likewise, the rows that are below it; filled only if the order of rows matters.
    pub(super) below: Vec<Set>,
    /// By feature, the rows whose value is missing.
    missing: Vec<Set>,
    pub(super) any_missing: bool,
    /// Buffer, by row and feature, where there are no ranks.
    values: Vec<f32>,
    /// Buffer, by feature: rows that are not above any row of a node.
    common: Vec<Set>,
    /// Sum and weight of every set of the lower eight rows, and of the upper eight.
    low_sums: Box<[[f64; 2]; 256]>,
    high_sums: Box<[[f64; 2]; 256]>,
    /// Whether sums depend on the order of rows.
    pub(super) in_order: bool,
    /// What sums of the whole numbers are multiples of.
    pub(super) unit: f64,
    /// What each row adds to the sums of nodes.
    pub(super) terms: [Term; MAX_ROWS],
}

impl RowSets {
    pub(super) fn new(columns: &Columns) -> Self {
        Self {
            rows: Vec::with_capacity(MAX_ROWS),
            stride: columns.stride,
            not_above: vec![0; MAX_ROWS * columns.stride],
            below: vec![0; MAX_ROWS * columns.stride],
            missing: vec![0; columns.stride],
            any_missing: false,
            values: vec![0.0; if columns.ranks.is_none() { MAX_ROWS * columns.stride } else { 0 }],
            common: vec![0; columns.stride],
            low_sums: Box::new([[0.0; 2]; 256]),
            high_sums: Box::new([[0.0; 2]; 256]),
            in_order: false,
            unit: 1.0,
            terms: [Term::default(); MAX_ROWS],
        }
    }

    /// Looks up the order of the rows in every column. `false` if values of a column differ and yet count as equal: what
    /// is a boundary then depends on the rows of each node.
    pub(super) fn enter(
        &mut self,
        x: &FeatureColumns,
        columns: &Columns,
        targets: &TreeTargets<'_>,
        rows: &[u32],
    ) -> bool {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        if columns.close.are_among(rows, x) {
            return false;
        }
        self.compare(x, columns, &targets.sums);
        (self.unit, self.in_order) = (targets.unit, matches!(targets.sums, Sums::InOrder(_)));
        self.any_missing = false;
        for (feature, _) in columns.has_missing.iter().enumerate().filter(|(_, has)| **has) {
            let column = x.column(feature);
            self.missing[feature] = 0;
            for (bit, &row) in rows.iter().enumerate() {
                self.missing[feature] |= Set::from(column[row as usize].is_nan()) << bit;
            }
            self.any_missing |= self.missing[feature] != 0;
        }
        for (term, &row) in self.terms.iter_mut().zip(rows) {
            match &targets.sums {
                Sums::InOrder(targets) => *term = Term::of_row(*targets, row),
                Sums::Whole { squares } => term.squares = squares[row as usize] as f64,
            }
        }
        let (low, high) = rows.split_at(rows.len().min(8));
        fill_sums(&mut self.low_sums[..], low, targets);
        fill_sums(&mut self.high_sums[..], high, targets);
        true
    }

    fn compare(&mut self, x: &FeatureColumns, columns: &Columns, sums: &Sums<'_>) {
        let stride = self.stride;
        if let Some(ranks) = &columns.ranks {
            self.compare_cells(sums, |_, row| &ranks[row as usize * stride..][..stride]);
        } else {
            let mut values = std::mem::take(&mut self.values);
            for feature in 0..columns.n_features {
                let column = x.column(feature);
                for (bit, &row) in self.rows.iter().enumerate() {
                    let value = column[row as usize];
                    // Above all others, none of which is infinite.
                    values[bit * stride + feature] =
                        if value.is_nan() { f32::INFINITY } else { value };
                }
            }
            self.compare_cells(sums, |bit, _| &values[bit * stride..][..stride]);
            self.values = values;
        }
    }

    fn compare_cells<'c, T: Copy + PartialOrd + 'c>(
        &mut self,
        sums: &Sums<'_>,
        by_row: impl Fn(usize, u32) -> &'c [T],
    ) {
        let mut cells: [&[[T; LANES]]; MAX_ROWS] = [&[]; MAX_ROWS];
        for (bit, (cells, &row)) in cells.iter_mut().zip(&self.rows).enumerate() {
            *cells = by_row(bit, row).as_chunks().0;
        }
        match sums {
            Sums::Whole { .. } => self.compare_rows::<T, false>(&cells),
            Sums::InOrder(_) => self.compare_rows::<T, true>(&cells),
        }
    }

    /// Compares every row with every other, eight columns at a time.
    fn compare_rows<T: Copy + PartialOrd, const BELOW: bool>(
        &mut self,
        cells: &[&[[T; LANES]]; MAX_ROWS],
    ) {
        let n_rows = self.rows.len();
        for chunk in 0..self.stride / LANES {
            let mut eight_columns = [cells[0][chunk]; MAX_ROWS];
            for (copy, row) in eight_columns.iter_mut().zip(&cells[..n_rows]) {
                *copy = row[chunk];
            }
            let eight_columns = &eight_columns[..n_rows];
            for (row, own) in eight_columns.iter().enumerate() {
                let mut set = [0; LANES];
                let mut below = [0; LANES];
                let mut flag: Set = 1;
                for other in eight_columns {
                    for lane in 0..LANES {
                        set[lane] |= if other[lane] <= own[lane] { flag } else { 0 };
                    }
                    if BELOW {
                        for lane in 0..LANES {
                            below[lane] |= if other[lane] < own[lane] { flag } else { 0 };
                        }
                    }
                    flag = flag.wrapping_shl(1);
                }
                let place = row * self.stride + chunk * LANES;
                self.not_above[place..][..LANES].copy_from_slice(&set);
                if BELOW {
                    self.below[place..][..LANES].copy_from_slice(&below);
                }
            }
        }
    }

    /// A column is constant if every row has all others not above it.
    pub(super) fn find_constants(&mut self, set: Set, constant: &mut [u8]) {
        let Self { not_above, common, stride, .. } = self;
        let row = |bit: usize| &not_above[bit * *stride..][..*stride];
        let first = set.trailing_zeros() as usize;
        let second = (set & (set - 1)).trailing_zeros() as usize;
        for ((common, first), second) in common.iter_mut().zip(row(first)).zip(row(second)) {
            *common = first & second;
        }
        for bit in bits(set).skip(2) {
            for (common, row) in common.iter_mut().zip(row(bit)) {
                *common &= row;
            }
        }
        for (out, common) in constant.iter_mut().zip(common) {
            *out = u8::from(*common & set == set);
        }
    }

    /// Rows of a set whose value is missing.
    #[inline(always)]
    pub(super) fn missing(&self, feature: usize, set: Set) -> Set {
        if self.any_missing { self.missing[feature] & set } else { 0 }
    }

    /// Sum and weight.
    #[inline(always)]
    pub(super) fn sums_of(&self, set: Set) -> [f64; 2] {
        let low = self.low_sums[usize::from(set & 0xff)];
        let high = self.high_sums[usize::from(set >> 8)];
        [low[0] + high[0], low[1] + high[1]]
    }

    pub(super) fn squares_of(&self, set: Set) -> f64 {
        bits(set).map(|bit| self.terms[bit].squares).sum()
    }
}

/// The places of the bits that are set, ascending.
pub(super) fn bits(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (set != 0).then(|| {
            let bit = set.trailing_zeros() as usize;
            set &= set - 1;
            bit
        })
    })
}

/// Sums and weights of all sets of up to eight rows.
fn fill_sums(sums: &mut [[f64; 2]], rows: &[u32], targets: &TreeTargets<'_>) {
    sums[0] = [0.0; 2];
    for (bit, &row) in rows.iter().enumerate() {
        let records = &targets.records;
        let (sum, weight) = (records.sum(row) as f64, f64::from(records.weight(row)));
        let (without, with) = sums.split_at_mut(1 << bit);
        for (with, without) in with.iter_mut().zip(without) {
            *with = [without[0] + sum, without[1] + weight];
        }
    }
}

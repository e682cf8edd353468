//! Up to 16 rows as bits of a word: their order in every column, and the sums of their sets.

use super::{
    columns::{Columns, LANES},
    places::PlacedColumns,
    real_targets::Term,
    targets::{Sums, TreeTargets},
};

/// Rows of a small subtree at most: the bits of [`Set`].
pub(super) const MAX_ROWS: usize = 16;

/// Rows of the subtree, by bit.
pub(super) type Set = u16;

/// The rows of a small subtree.
#[derive(Debug)]
pub(super) struct RowSets {
    pub(super) rows: Vec<u32>,
    pub(super) stride: usize,
    two_valued_from: usize,
    /// For each row, by feature: the rows that are not above it in that feature's order, itself among them.
    pub(super) not_above: Vec<Set>,
    /// Likewise, the rows that are below it; filled only if the order of rows matters.
    pub(super) below: Vec<Set>,
    /// By feature with two values, the rows with the lower one.
    lower: Vec<Set>,
    /// By feature, the rows whose value is missing.
    missing: Vec<Set>,
    pub(super) any_missing: bool,
    /// Buffer, by row and feature, where there are no ranks.
    values: Vec<f32>,
    /// Rows from this one on are upper ones, which are as many as lower ones or one less.
    n_low: u32,
    /// Sum and weight of every set of the lower rows, and of the upper ones.
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
        let n_places = columns.places.n_places();
        let n_values = if columns.ranks.is_none() { MAX_ROWS * n_places } else { 0 };
        Self {
            rows: Vec::with_capacity(MAX_ROWS),
            stride: n_places,
            two_valued_from: columns.places.two_valued_from(),
            not_above: vec![0; MAX_ROWS * n_places],
            below: vec![0; MAX_ROWS * n_places],
            lower: vec![0; n_places],
            missing: vec![0; n_places],
            any_missing: false,
            values: vec![0.0; n_values],
            n_low: 0,
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
        x: PlacedColumns<'_>,
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
        let (low, high) = rows.split_at(rows.len().div_ceil(2));
        self.n_low = low.len() as u32;
        fill_sums(&mut self.low_sums[..], low, targets);
        fill_sums(&mut self.high_sums[..], high, targets);
        true
    }

    fn compare(&mut self, x: PlacedColumns<'_>, columns: &Columns, sums: &Sums<'_>) {
        let stride = self.stride;
        if let Some(ranks) = &columns.ranks {
            self.compare_cells(sums, |_, row| &ranks[row as usize * stride..][..stride]);
        } else {
            let mut values = std::mem::take(&mut self.values);
            for &place in columns.places.in_order() {
                let feature = place as usize;
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
        let (many_valued, all) = (self.two_valued_from / LANES, self.stride / LANES);
        for chunk in 0..many_valued {
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
        for chunk in many_valued..all {
            self.compare_two_values::<T, BELOW>(cells, chunk);
        }
    }

    /// Likewise in columns of two values: a row either has the lower one, or no row is above it.
    fn compare_two_values<T: Copy + PartialOrd, const BELOW: bool>(
        &mut self,
        cells: &[&[[T; LANES]]; MAX_ROWS],
        chunk: usize,
    ) {
        let rows = &cells[..self.rows.len()];
        let mut least = rows[0][chunk];
        for row in rows {
            for lane in 0..LANES {
                least[lane] =
                    if row[chunk][lane] < least[lane] { row[chunk][lane] } else { least[lane] };
            }
        }
        let mut lower = [0; LANES];
        let mut flag: Set = 1;
        for row in rows {
            for lane in 0..LANES {
                lower[lane] |= if row[chunk][lane] <= least[lane] { flag } else { 0 };
            }
            flag = flag.wrapping_shl(1);
        }
        self.lower[chunk * LANES..][..LANES].copy_from_slice(&lower);
        for (row, cells) in rows.iter().enumerate() {
            let own = &cells[chunk];
            let place = row * self.stride + chunk * LANES;
            let upper: [Set; LANES] =
                std::array::from_fn(|lane| if own[lane] > least[lane] { Set::MAX } else { 0 });
            let not_above: [Set; LANES] = std::array::from_fn(|lane| lower[lane] | upper[lane]);
            self.not_above[place..][..LANES].copy_from_slice(&not_above);
            if BELOW {
                let below: [Set; LANES] = std::array::from_fn(|lane| lower[lane] & upper[lane]);
                self.below[place..][..LANES].copy_from_slice(&below);
            }
        }
    }

    /// A column is constant if every row has all others not above it.
    pub(super) fn find_constants(&self, set: Set, constant: &mut [u8]) {
        let by_row = self.stride / LANES;
        let (chunks, _) = self.not_above.as_chunks::<LANES>();
        let (many_valued, two_valued) = constant.split_at_mut(self.two_valued_from);
        for (chunk, out) in many_valued.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut common = [set; LANES];
            for bit in bits(set) {
                let not_above = &chunks[bit * by_row + chunk];
                for lane in 0..LANES {
                    common[lane] &= not_above[lane];
                }
            }
            *out = common.map(|common| u8::from(common == set));
        }
        for (out, lower) in two_valued.iter_mut().zip(&self.lower[self.two_valued_from..]) {
            *out = u8::from(*lower & set == set) | u8::from(*lower & set == 0);
        }
    }

    #[inline(always)]
    pub(super) fn has_two_values(&self, feature: u32) -> bool {
        feature as usize >= self.two_valued_from
    }

    /// Rows with the lower value of a feature that has two.
    #[inline(always)]
    pub(super) fn lower(&self, feature: u32) -> Set {
        self.lower[feature as usize]
    }

    /// Rows of a set whose value is missing.
    #[inline(always)]
    pub(super) fn missing(&self, feature: usize, set: Set) -> Set {
        if self.any_missing { self.missing[feature] & set } else { 0 }
    }

    /// Sum and weight.
    #[inline(always)]
    pub(super) fn sums_of(&self, set: Set) -> [f64; 2] {
        let low = self.low_sums[usize::from(set & !(Set::MAX << self.n_low)) & 0xff];
        let high = self.high_sums[usize::from(set >> self.n_low) & 0xff];
        [low[0] + high[0], low[1] + high[1]]
    }

    pub(super) fn rows_of(&self, set: Set) -> impl Iterator<Item = u32> {
        bits(set).map(|bit| self.rows[bit])
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

//! The boundaries of columns with many values.

use std::ops::Range;

use super::{
    contest::{Contest, Turn, midway},
    gain_bounds::{BLOCK, GainBounds},
    lists::row_of,
    records::Records,
};
use crate::tree::search::FEATURE_THRESHOLD;

/// Tries every boundary of a column without missing values in the node, whose gains have these bounds.
pub(super) fn enter_list(
    rows: &[u32],
    column: &[f32],
    gains: &GainBounds<'_>,
    (feature, draw): (u32, u32),
    allowed: &Range<u32>,
    contest: &mut Contest,
) {
    let records = gains.records();
    let packing = records.packing();
    let mut before = 0_u64;
    let mut words = [0_u64; BLOCK];
    for (block, chunk) in rows[..rows.len() - 1].chunks(BLOCK).enumerate() {
        before = records.add_up(chunk, before, &mut words);
        // In fours: what is behind the last is of no meaning.
        let in_use = &words[..chunk.len().next_multiple_of(4)];
        let mut promising = gains.promising(in_use.as_chunks().0, contest.floor());
        promising &= u64::MAX >> (BLOCK - chunk.len());
        while promising != 0 {
            let i = promising.trailing_zeros() as usize;
            promising &= promising - 1;
            let n_left = (block * BLOCK + i + 1) as u32;
            if !allowed.contains(&n_left) {
                continue;
            }
            let left_sum = packing.sum(words[i]) as f64;
            let left_weight = f64::from(packing.weight(words[i]));
            if contest.excess(left_sum, left_weight) < 0.0 {
                continue;
            }
            let below = column[row_of(chunk[i]) as usize];
            let above = column[row_of(rows[n_left as usize]) as usize];
            if above > below + FEATURE_THRESHOLD {
                let turn = Turn { draw, missing_left: false, n_left };
                contest.offer(turn, left_sum, left_weight, || {
                    (feature, midway(below, above), n_left > rows.len() as u32 - n_left)
                });
            }
        }
    }
}

/// Tries every boundary of any column whose rows come in order, missing ones last.
pub(super) fn enter_sorted(
    rows: &[u32],
    column: &[f32],
    records: &Records,
    (feature, draw): (u32, u32),
    allowed: &Range<u32>,
    contest: &mut Contest,
) {
    let n_rows = rows.len() as u32;
    let n_missing =
        rows.iter().rev().take_while(|&&row| column[row_of(row) as usize].is_nan()).count();
    let (present, missing) = rows.split_at(rows.len() - n_missing);
    let passes = if n_missing > 0 { 2 } else { 1 };
    for missing_left in [false, true].into_iter().take(passes) {
        let (mut sum, mut weight, mut n_left) = (0_i64, 0_i64, 0);
        let mut take = |row: u32| {
            sum += records.sum(row_of(row));
            weight += i64::from(records.weight(row_of(row)));
            n_left += 1;
            (sum as f64, weight as f64, n_left)
        };
        if missing_left {
            missing.iter().for_each(|&row| _ = take(row));
        }
        for (i, &row) in present.iter().enumerate() {
            let (left_sum, left_weight, n_left) = take(row);
            let below = column[row_of(row) as usize];
            let threshold = match present.get(i + 1) {
                Some(&next) => {
                    let above = column[row_of(next) as usize];
                    if above <= below + FEATURE_THRESHOLD {
                        continue;
                    }
                    midway(below, above)
                }
                // All present on one side, all missing on the other; only tried this way round.
                None if n_missing > 0 && !missing_left => f64::INFINITY,
                None => continue,
            };
            if allowed.contains(&n_left) && contest.excess(left_sum, left_weight) >= 0.0 {
                let turn = Turn { draw, missing_left, n_left };
                contest.offer(turn, left_sum, left_weight, || {
                    let to_left =
                        if n_missing > 0 { missing_left } else { n_left > n_rows - n_left };
                    (feature, threshold, to_left)
                });
            }
        }
    }
}

//! What the boundaries of a list gain at most, at less cost than trying them.

use wide::{bytemuck::cast, f32x4, i32x4, u32x4, u64x2};

use super::{lists::row_of, records::Records};

/// Lists that are gone through at once.
pub(super) const LANES: usize = 4;

/// Bounds gains d²/(wl·wr) in a node, by the upper halves of [records](Records) and in single precision.
#[derive(Debug)]
pub(super) struct GainBounds<'a> {
    records: &'a Records,
    weight_mask: i32x4,
    weight: f32x4,
    /// The node's mean, in units.
    mean: f32x4,
    /// By how many units d may be off, beside roundings of itself.
    error: f32x4,
    /// What an upper half counts, in whole numbers.
    unit: f64,
}

impl<'a> GainBounds<'a> {
    /// For a node with these sums of whole numbers.
    pub(super) fn new(records: &'a Records, total: f64, weight: f64) -> Self {
        let packing = records.packing();
        let unit = f64::from(packing.coarse_bits()).exp2();
        // L is cut off, and L and wl·T/W are rounded; |L| is at most |d| + wl·|T|/W.
        let error = 1.0 + 4.0 * f64::from(f32::EPSILON) * total.abs() / unit;
        Self {
            records,
            weight_mask: i32x4::splat(packing.weight_mask() as i32),
            weight: f32x4::splat(weight as f32),
            mean: f32x4::splat((total / weight / unit) as f32),
            error: f32x4::splat(error as f32),
            unit,
        }
    }

    /// For each of these lists, all of the node's rows, a gain that no boundary exceeds.
    pub(super) fn of_lists(&self, lists: [&[u32]; LANES]) -> [f64; LANES] {
        let n_boundaries = lists[0].len() - 1;
        let [a, b, c, d] = lists.map(|list| &list[..n_boundaries]);
        let word = |entry| self.records.word(row_of(entry));
        let (mut sums_ab, mut sums_cd) = (u64x2::ZERO, u64x2::ZERO);
        let mut most = f32x4::ZERO;
        for (((&a, &b), &c), &d) in a.iter().zip(b).zip(c).zip(d) {
            sums_ab += u64x2::new([word(a), word(b)]);
            sums_cd += u64x2::new([word(c), word(d)]);
            let (ab, cd): (u32x4, u32x4) = (cast(sums_ab), cast(sums_cd));
            let (ac, bd): (u64x2, u64x2) = (cast(ab.unpack_lo(cd)), cast(ab.unpack_hi(cd)));
            let weights: i32x4 = cast(ac.unpack_lo(bd));
            let sums: i32x4 = cast(ac.unpack_hi(bd));
            let left = (weights & self.weight_mask).round_float();
            let d = (sums.round_float() - left * self.mean).abs() + self.error;
            most = (d * d / (left * (self.weight - left))).fast_max(most);
        }
        // More than all roundings, of which each is below 10⁻⁷.
        let scale = self.unit * self.unit * 1.000_01;
        let [a, c, b, d] = most.to_array().map(|most| f64::from(most) * scale);
        [a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{
        presorted::{contest::gain, records::Packing},
        xorshift::XorShift32,
    };

    #[test]
    fn no_boundary_gains_more() {
        let mut generator = XorShift32::new(11);
        for round in 0..300 {
            let n_rows = 2 + generator.draw(0, 60) as u32;
            let (most, spread) = (1 + generator.draw(0, 9), 1 << generator.draw(0, 28));
            let shift = generator.draw(0, spread) as i32;
            let rows: Vec<(i32, u32)> = (0..n_rows)
                .map(|_| {
                    let weight = 1 + generator.draw(0, most) as i32;
                    let y = generator.draw(0, spread) as i32 / weight - shift / 10;
                    (y * weight, weight as u32)
                })
                .collect();
            let total: i64 = rows.iter().map(|row| i64::from(row.0)).sum();
            let weight: u64 = rows.iter().map(|row| u64::from(row.1)).sum();
            // As in a tree of which this node is all, or a small part.
            let packing = Packing::new(weight << (round % 3 * 6)).unwrap();
            let mut records = Records::new(rows.len(), packing);
            rows.iter().for_each(|&(sum, weight)| records.push(sum, weight));
            let lists: [Vec<u32>; LANES] = std::array::from_fn(|_| {
                let mut list: Vec<u32> = (0..n_rows).collect();
                list.sort_by_cached_key(|_| generator.next_u31());
                list
            });
            let bounds = GainBounds::new(&records, total as f64, weight as f64);
            let bounds = bounds.of_lists(lists.each_ref().map(|list| &list[..]));
            for (list, bound) in lists.iter().zip(bounds) {
                let (mut sum, mut left, mut best) = (0, 0, 0.0_f64);
                for &row in &list[..list.len() - 1] {
                    sum += records.sum(row);
                    left += records.weight(row);
                    let mean = total as f64 / weight as f64;
                    best = best.max(gain(mean, weight as f64, sum as f64, f64::from(left)));
                }
                assert!(best <= bound, "{best} {bound}");
                // Nor much less.
                let unit = f64::from(packing.coarse_bits()).exp2();
                let error = 3.0 * unit + 1e-6 * (total as f64).abs();
                assert!(bound.sqrt() <= best.sqrt() * 1.001 + error, "{best} {bound} {unit}");
            }
        }
    }
}

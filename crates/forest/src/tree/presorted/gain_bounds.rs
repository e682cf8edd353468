//! What the boundaries of a list gain at most, at less cost than trying them.

use wide::{bytemuck::cast, f32x4, i32x4, u32x4, u64x2};

use super::{lists::row_of, records::Records};

/// Lists that are gone through at once.
pub(super) const LANES: usize = 4;

/// Boundaries that are looked at together: the bits of a word.
pub(super) const BLOCK: usize = 64;

/// More than all roundings, of which each is below 10⁻⁷.
const ROUNDINGS: f64 = 1.000_01;

/// From this weight on single precision does not tell every weight from the next: what is right of a boundary could be anything.
const MAX_WEIGHT: f64 = (1_u32 << 24) as f64;

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
    /// Whether weights are exact. If not there are no bounds.
    knows_weights: bool,
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
            knows_weights: weight < MAX_WEIGHT,
        }
    }

    pub(super) fn records(&self) -> &'a Records {
        self.records
    }

    /// Which boundaries may gain as much as `floor`, by the words of all rows on their left: up to a block, in fours.
    pub(super) fn promising(&self, words: &[[u64; 4]], floor: f64) -> u64 {
        if !self.knows_weights {
            return u64::MAX;
        }
        let floor = f32x4::splat((floor / (self.unit * self.unit * ROUNDINGS)) as f32);
        let mut promising = 0;
        for (i, &[a, b, c, d]) in words.iter().enumerate() {
            let (d, sides) = self.distance_and_sides(u64x2::new([a, b]), u64x2::new([c, d]));
            let four = u64::from((d * d).simd_ge(floor * sides).to_bitmask());
            promising |= four << (4 * i);
        }
        // Of each four the inner two are exchanged.
        let [outer, second, third] =
            [0x99, 0x22, 0x44].map(|bits| promising & u64::from_ne_bytes([bits; 8]));
        outer | second << 1 | third >> 1
    }

    /// d, and wl·wr, of the boundaries with these words on their left: of the first, third, second and fourth.
    #[inline(always)]
    fn distance_and_sides(&self, ab: u64x2, cd: u64x2) -> (f32x4, f32x4) {
        let (ab, cd): (u32x4, u32x4) = (cast(ab), cast(cd));
        let (ac, bd): (u64x2, u64x2) = (cast(ab.unpack_lo(cd)), cast(ab.unpack_hi(cd)));
        let weights: i32x4 = cast(ac.unpack_lo(bd));
        let sums: i32x4 = cast(ac.unpack_hi(bd));
        let left = (weights & self.weight_mask).round_float();
        let d = (sums.round_float() - left * self.mean).abs() + self.error;
        (d, left * (self.weight - left))
    }

    /// For each of these lists, all of the node's rows, a gain that no boundary exceeds.
    pub(super) fn of_lists(&self, lists: [&[u32]; LANES]) -> [f64; LANES] {
        if !self.knows_weights {
            return [f64::INFINITY; LANES];
        }
        let n_boundaries = lists[0].len() - 1;
        let [a, b, c, d] = lists.map(|list| &list[..n_boundaries]);
        let word = |entry| self.records.word(row_of(entry));
        let (mut sums_ab, mut sums_cd) = (u64x2::ZERO, u64x2::ZERO);
        let mut most = f32x4::ZERO;
        for (((&a, &b), &c), &d) in a.iter().zip(b).zip(c).zip(d) {
            sums_ab += u64x2::new([word(a), word(b)]);
            sums_cd += u64x2::new([word(c), word(d)]);
            let (d, sides) = self.distance_and_sides(sums_ab, sums_cd);
            most = (d * d / sides).fast_max(most);
        }
        let scale = self.unit * self.unit * ROUNDINGS;
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
    fn weights_that_single_precision_rounds_have_no_bounds() {
        let rows = [(-4, 1 << 25), (1, 2), (3, 1)];
        let weight = (1_u64 << 25) + 3;
        let mut records = Records::new(rows.len(), Packing::new(weight).unwrap());
        rows.iter().for_each(|&(sum, weight)| records.push(sum, weight));
        let bounds = GainBounds::new(&records, 0.0, weight as f64);
        let best = gain(0.0, weight as f64, -3.0, weight as f64 - 1.0);
        assert!(bounds.of_lists([&[0, 1, 2][..]; LANES]).iter().all(|bound| *bound >= best));
        let mut words = [[0; 4]];
        records.add_up(&[0, 1], 0, &mut words[0]);
        assert_eq!(bounds.promising(&words, best) & 0b11, 0b11);
    }

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
            let bound_of_lists = bounds.of_lists(lists.each_ref().map(|list| &list[..]));
            for (list, bound) in lists.iter().zip(bound_of_lists) {
                let mean = total as f64 / weight as f64;
                let mut words = [0; BLOCK];
                let n_boundaries = list.len() - 1;
                records.add_up(&list[..n_boundaries], 0, &mut words);
                let gain_of = |word| {
                    let (sum, left) = (packing.sum(word) as f64, f64::from(packing.weight(word)));
                    gain(mean, weight as f64, sum, left)
                };
                let gains: Vec<f64> = words[..n_boundaries].iter().copied().map(gain_of).collect();
                let best = gains.iter().copied().fold(0.0, f64::max);
                assert!(best <= bound, "{best} {bound}");
                for floor in [f64::NEG_INFINITY, 0.0, best / 2.0, best] {
                    let promising = bounds.promising(words.as_chunks().0, floor);
                    for (i, &gain) in gains.iter().enumerate() {
                        assert!(gain < floor || promising >> i & 1 == 1, "{i}: {gain} {floor}");
                    }
                }
                let beyond = bounds.promising(words.as_chunks().0, bound * 1.001 + 1e-30);
                assert_eq!(beyond & (u64::MAX >> (BLOCK - n_boundaries)), 0);
                // Nor much less.
                let unit = f64::from(packing.coarse_bits()).exp2();
                let error = 3.0 * unit + 1e-6 * (total as f64).abs();
                assert!(bound.sqrt() <= best.sqrt() * 1.001 + error, "{best} {bound} {unit}");
            }
        }
    }
}

//! Drawing features: the same numbers and the same permutation as the reference path, without sorting any column.

use crate::tree::xorshift::XorShift32;

/// The order in which features were drawn so far; it lives from node to node.
///
/// Constants known on the way down come first. The reference path also moves them around in there, but restores them
/// after each node, and which of them is hit does not matter: so they stay.
#[derive(Debug)]
pub(super) struct FeatureOrder {
    features: Vec<u32>,
    numbers: Numbers,
    /// By number of draws before in the node: each leaves one choice fewer.
    divisors: Vec<Divisor>,
    /// Buffer: places drawn in a node, counted from the end of its known constants. In the end what was found there, the
    /// top bit set if it is constant.
    places: Vec<u32>,
}

/// Marks a feature that is constant in a node.
const CONSTANT: u32 = 1 << 31;

/// What was drawn in a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    /// Constants known after the node.
    pub(super) constants: usize,
    /// Features that are not constant.
    pub(super) n_candidates: usize,
    /// Those, and constants that were not known.
    n_found: usize,
}

impl FeatureOrder {
    pub(super) fn new(features: &[u32], generator: XorShift32) -> Self {
        let n_features = features.len();
        Self {
            features: features.to_vec(),
            numbers: Numbers::new(generator),
            divisors: (1..=n_features as u64).rev().map(Divisor::new).collect(),
            places: vec![0; n_features + 1],
        }
    }

    /// Draws as a search does that looks at `max_features` features and at one at least that is not constant.
    pub(super) fn draw(&mut self, known: usize, max_features: usize, constant: &[u8]) -> Drawn {
        let n = self.features.len();
        if max_features < n {
            return self.draw_some(known, max_features, constant);
        }
        // First the hits on known constants, which depend on the numbers alone, then the others.
        let n_live = n - known;
        let (mut unhit, mut n_places) = (known as u32, 0);
        let (numbers, places) = (self.numbers.peek(n), &mut self.places[..=n]);
        let mut visit = |number: u32, divisor: &Divisor| {
            let rest = divisor.remainder(number);
            let hit = rest < unhit;
            places[n_places] = rest.wrapping_sub(unhit);
            unhit -= u32::from(hit);
            n_places += usize::from(!hit);
            n_places
        };
        let (at_least, others) = numbers.split_at(n_live);
        let (divisors, other_divisors) = self.divisors.split_at(n_live);
        let mut n_found = 0;
        for (&number, divisor) in at_least.iter().zip(divisors) {
            n_found = visit(number, divisor);
        }
        let mut visited = n_live;
        for (&number, divisor) in others.iter().zip(other_divisors) {
            // To the end, where a known number of rounds is faster than stopping.
            visited += usize::from(n_found < n_live);
            n_found = visit(number, divisor);
        }
        self.numbers.skip(visited);

        // Each place depends on whether the features before it were constant: that is kept in the features, at hand.
        let live = &mut self.features[known..];
        for feature in &mut *live {
            *feature += u32::from(constant[*feature as usize]) * CONSTANT;
        }
        let (mut found, mut end) = (0, n_live);
        for drawn in &mut self.places[..n_live] {
            let place = *drawn as usize + found;
            let feature = live[place];
            *drawn = feature;
            let is_constant = (feature / CONSTANT) as usize;
            let target = if is_constant == 1 { found } else { end - 1 };
            live[place] = live[target];
            live[target] = feature;
            found += is_constant;
            end -= 1 - is_constant;
        }
        for feature in live {
            *feature &= !CONSTANT;
        }
        Drawn { constants: known + found, n_candidates: n_live - end, n_found: n_live }
    }

    fn draw_some(&mut self, known: usize, max_features: usize, constant: &[u8]) -> Drawn {
        let n = self.features.len();
        let numbers = self.numbers.peek(n);
        let (mut visited, mut hits, mut found, mut end) = (0, 0, 0, n);
        while end > known + found && (visited < max_features || visited <= found + hits) {
            let place = hits + self.divisors[visited].remainder(numbers[visited]) as usize;
            visited += 1;
            if place < known {
                hits += 1;
                continue;
            }
            let place = place + found;
            let feature = self.features[place];
            let is_constant = constant[feature as usize];
            self.places[found + n - end] = feature + u32::from(is_constant) * CONSTANT;
            if is_constant == 1 {
                self.features.swap(place, known + found);
                found += 1;
            } else {
                end -= 1;
                self.features.swap(place, end);
            }
        }
        self.numbers.skip(visited);
        Drawn { constants: known + found, n_candidates: n - end, n_found: found + n - end }
    }

    /// What was drawn last but for known constants, in that order, and whether each is a candidate.
    pub(super) fn found(&self, drawn: Drawn) -> impl Iterator<Item = (u32, bool)> + '_ {
        let found = &self.places[..drawn.n_found];
        found.iter().map(|&feature| (feature & !CONSTANT, feature < CONSTANT))
    }

    /// Features that are not constant, in the order they were drawn.
    pub(super) fn candidates(&self, drawn: Drawn) -> impl Iterator<Item = u32> + Clone + '_ {
        self.candidates_last_first(drawn).iter().rev().copied()
    }

    /// Features that are not constant, the last drawn first.
    pub(super) fn candidates_last_first(&self, drawn: Drawn) -> &[u32] {
        &self.features[self.features.len() - drawn.n_candidates..]
    }

    /// Features that were not known as constants.
    pub(super) fn live(&self, constants: usize) -> &[u32] {
        &self.features[constants..]
    }
}

/// The generator's numbers, drawn ahead.
#[derive(Debug)]
struct Numbers {
    ahead: Vec<u32>,
    used: usize,
    generator: XorShift32,
}

impl Numbers {
    fn new(generator: XorShift32) -> Self {
        Self { ahead: Vec::new(), used: 0, generator }
    }

    /// The next `n` numbers.
    fn peek(&mut self, n: usize) -> &[u32] {
        if self.ahead.len() - self.used < n {
            self.ahead.drain(..self.used);
            self.used = 0;
            while self.ahead.len() < n {
                self.generator.extend_with_next(&mut self.ahead);
            }
        }
        &self.ahead[self.used..self.used + n]
    }

    fn skip(&mut self, n: usize) {
        self.used += n;
    }
}

/// Remainders without division.
///
/// # References
///
/// Lemire, Kaser, Kurz (2019), *Faster remainder by direct computation*, Software: Practice and Experience 49(6).
#[derive(Debug, Clone, Copy)]
struct Divisor {
    divisor: u64,
    /// ⌈2⁶⁴ / divisor⌉, which wraps to 0 for 1.
    inverse: u64,
}

impl Divisor {
    fn new(divisor: u64) -> Self {
        let inverse = u64::MAX.checked_div(divisor).map_or(0, |share| share.wrapping_add(1));
        Self { divisor, inverse }
    }

    fn remainder(self, number: u32) -> u32 {
        let fraction = self.inverse.wrapping_mul(u64::from(number));
        ((u128::from(fraction) * u128::from(self.divisor)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_exact() {
        let mut generator = XorShift32::new(42);
        for divisor in (1..3000).chain([65_535, 65_536, 1_000_003, 0x7fff_ffff]) {
            let fast = Divisor::new(divisor);
            let edges = [0, 1, divisor as u32 - 1, divisor as u32, 0x7fff_ffff];
            let drawn: Vec<u32> = (0..40).map(|_| generator.next_u31()).collect();
            for number in edges.into_iter().chain(drawn) {
                assert_eq!(u64::from(fast.remainder(number)), u64::from(number) % divisor);
            }
        }
    }

    #[test]
    fn numbers_drawn_ahead_are_the_generators() {
        let mut generator = XorShift32::new(7);
        let mut numbers = Numbers::new(generator.clone());
        for n in [0, 1, 5, 1000, 40, 3000, 1, 1024, 1023, 2] {
            let expected: Vec<u32> = (0..n).map(|_| generator.next_u31()).collect();
            assert_eq!(numbers.peek(n), expected);
            numbers.skip(n);
        }
    }
}

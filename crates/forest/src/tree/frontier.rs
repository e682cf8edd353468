/// A priority queue by score: the greatest comes first.
///
/// Which of several equal scores comes first depends on how the heap is kept, and with it the numbering of nodes and the
/// tree. It is kept as libstdc++ keeps `std::push_heap` and `std::pop_heap`, which scikit-learn uses.
#[derive(Debug)]
pub(super) struct Frontier<T> {
    heap: Vec<(f64, T)>,
}

impl<T> Default for Frontier<T> {
    fn default() -> Self {
        Self { heap: Vec::new() }
    }
}

impl<T> Frontier<T> {
    /// The new entry rises past parents that are strictly smaller.
    pub(super) fn push(&mut self, score: f64, entry: T) {
        self.heap.push((score, entry));
        self.rise(self.heap.len() - 1);
    }

    /// The hole that the first entry leaves sinks to the bottom along the greater children, the right one if they are equal;
    /// the last entry fills it and rises.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.heap.len().checked_sub(1)?;
        let mut hole = 0;
        loop {
            let (left, right) = (2 * hole + 1, 2 * hole + 2);
            let child = if right < last {
                if self.heap[right].0 < self.heap[left].0 { left } else { right }
            } else if left < last {
                left
            } else {
                break;
            };
            self.heap.swap(hole, child);
            hole = child;
        }
        self.heap.swap(hole, last);
        let popped = self.heap.pop();
        if hole < last {
            self.rise(hole);
        }
        popped.map(|(_, entry)| entry)
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            // A score that is no number is never smaller.
            if self.heap[parent].0 < self.heap[place].0 {
                self.heap.swap(parent, place);
                place = parent;
            } else {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pops_the_greatest_first(scores in prop::collection::vec(0_u8..20, 0..60)) {
            let mut frontier = Frontier::default();
            for &score in &scores {
                frontier.push(f64::from(score), score);
            }
            let popped: Vec<u8> = std::iter::from_fn(|| frontier.pop()).collect();
            let mut expected = scores;
            expected.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(popped, expected);
        }
    }
}

/// Collects the distinct ones among many values, as long as they are few.
#[derive(Debug, Clone)]
pub(super) struct Distinct<T> {
    values: Vec<T>,
    limit: usize,
}

impl<T: Ord + Copy> Distinct<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { values: Vec::new(), limit }
    }

    /// Takes a value in; nothing if there are certainly more distinct ones than the limit.
    pub(super) fn insert(&mut self, value: T) -> Option<()> {
        // Duplicates are removed now and then, so that a large forest neither fills the memory nor is read to its end.
        if self.values.len() > 4 * self.limit {
            self.remove_duplicates()?;
        }
        self.values.push(value);
        Some(())
    }

    /// Returns the distinct values, ascending; nothing if they are more than the limit.
    pub(super) fn sorted(mut self) -> Option<Vec<T>> {
        self.remove_duplicates()?;
        self.values.shrink_to_fit();
        Some(self.values)
    }

    fn remove_duplicates(&mut self) -> Option<()> {
        self.values.sort_unstable();
        self.values.dedup();
        (self.values.len() <= self.limit).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_allowed_and_one_more_is_not() {
        for n in [3, 4] {
            let mut distinct = Distinct::new(3);
            let inserted = (0..1000).try_for_each(|i| distinct.insert(i % n));
            let sorted = inserted.and_then(|()| distinct.sorted());
            assert_eq!(sorted, (n == 3).then(|| vec![0, 1, 2]));
        }
    }
}

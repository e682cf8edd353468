use super::distinct::Distinct;

/// Turns the order keys of a feature's values into ranks that compare with its thresholds' ranks just as the values do.
pub(super) trait Ranks: Send + Sync {
    /// The rank of a key. `feature` counts the features that some split looks at.
    fn rank(&self, feature: usize, key: u32) -> u32;

    /// Bytes held on the heap.
    fn memory_bytes(&self) -> usize;
}

/// The keys themselves as ranks.
#[derive(Debug)]
pub(super) struct KeyRanks;

impl Ranks for KeyRanks {
    #[inline(always)]
    fn rank(&self, _feature: usize, key: u32) -> u32 {
        key
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}

/// How many thresholds of the feature are below: small numbers.
///
/// With the thresholds `t` ascending from `t[0]`, `x <= t[i]` says that at most the `i` thresholds before it are below `x`.
#[derive(Debug)]
pub(super) struct ThresholdRanks {
    /// Where each feature's thresholds end.
    ends: Vec<u32>,
    /// Keys of the thresholds, ascending for each feature.
    keys: Vec<u32>,
}

impl ThresholdRanks {
    /// Collects thresholds, given as feature and key; nothing if a feature has more than `max` different ones.
    pub(super) fn new(
        n_features: usize,
        thresholds: impl Iterator<Item = (usize, u32)>,
        max: usize,
    ) -> Option<Self> {
        let mut by_feature = vec![Distinct::new(max); n_features];
        for (feature, key) in thresholds {
            by_feature[feature].insert(key)?;
        }
        let mut ranks = Self { ends: Vec::new(), keys: Vec::new() };
        for keys in by_feature {
            ranks.keys.extend(keys.sorted()?);
            ranks.ends.push(ranks.keys.len() as u32);
        }
        Some(ranks)
    }
}

impl Ranks for ThresholdRanks {
    #[inline(always)]
    fn rank(&self, feature: usize, key: u32) -> u32 {
        let start = feature.checked_sub(1).map_or(0, |before| self.ends[before]);
        let keys = &self.keys[start as usize..self.ends[feature] as usize];
        keys.partition_point(|&threshold| threshold < key) as u32
    }

    fn memory_bytes(&self) -> usize {
        size_of_val(self.ends.as_slice()) + size_of_val(self.keys.as_slice())
    }
}

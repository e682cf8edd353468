//! The walk from roots to leaves, several at once: while one waits for memory, the others go on.

/// Trees that one row walks at once: fewer wait for memory, more do not fit into registers.
pub(super) const TREE_LANES: usize = 10;

/// Rows that walk one tree at once: they share the tree's place in memory, which leaves registers for more of them.
pub(super) const ROW_LANES: usize = 12;

/// A node in one word.
///
/// From the lowest bits up: the slot of the row that is looked at, the pair of children, and the rank of the threshold, or in
/// a leaf the number of its value. Slots 0 and 1 mark leaves, which are their own children.
pub(super) trait Word: Copy + Default + Send + Sync {
    /// Places that a tree may take.
    const MAX_PLACES: usize;

    /// Slots that a word can name.
    const MAX_SLOTS: usize;

    /// Words to be had behind the last tree.
    const PADDING: usize;

    /// How far a rank is shifted in an encoded row.
    const ROW_SHIFT: u32;

    /// Words within the reach of a tree.
    type Window: ?Sized;

    /// Packs the three parts, each in its range.
    fn pack(slot: u32, pair: u32, rank: u32) -> Self;

    /// The window of the tree that begins at `start`.
    fn window(words: &[Self], start: usize) -> &Self::Window;

    /// Moves to the child that a row goes to: right if its entry is above the threshold's rank.
    fn step<const SLOTS: usize>(self, window: &Self::Window, row: &[u32; SLOTS]) -> Self;

    /// Unites two words such that the result is a leaf if and only if both are.
    fn or(self, other: Self) -> Self;

    /// Whether the walk ends here.
    fn is_leaf(self) -> bool;

    /// Number of the leaf's value.
    fn value(self) -> usize;
}

/// `min`, at compile time: a call for each step, where nothing is inlined between crates, takes a third of a walk.
pub(super) const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// Takes `step` for each lane until all of them have come to a leaf.
///
/// No branch depends on a row, but for the end of the slowest lane: a lane that has arrived keeps stepping onto itself.
#[inline(always)]
pub(super) fn walk<W: Word, const LANES: usize>(
    mut words: [W; LANES],
    step: impl Fn(usize, W) -> W,
) -> [W; LANES] {
    loop {
        // Two steps between checks: paths are a dozen steps long, and a step is cheaper than a check.
        for _ in 0..2 {
            for (lane, word) in words.iter_mut().enumerate() {
                *word = step(lane, *word);
            }
        }
        if words.iter().copied().fold(W::default(), W::or).is_leaf() {
            return words;
        }
    }
}

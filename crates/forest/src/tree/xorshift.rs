/// scikit-learn's generator inside a tree: xorshift with 32 bits of state.
///
/// # References
///
/// Marsaglia (2003), *Xorshift RNGs*, Journal of Statistical Software 8(14); scikit-learn's `our_rand_r`.
#[derive(Debug, Clone)]
pub(crate) struct XorShift32 {
    state: u32,
}

impl XorShift32 {
    /// A state of zero would stay zero for ever, so it becomes one.
    pub(crate) fn new(state: u32) -> Self {
        Self { state: state.max(1) }
    }

    /// The next 31 random bits; the state keeps all 32.
    pub(crate) fn next_u31(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state & 0x7fff_ffff
    }

    /// A number from `low..high`, by remainder (so slightly uneven, as the original is).
    pub(crate) fn draw(&mut self, low: usize, high: usize) -> usize {
        low + self.next_u31() as usize % (high - low)
    }
}

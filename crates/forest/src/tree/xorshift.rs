use wide::u32x4;

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
        self.state = step(self.state);
        self.state & 0x7fff_ffff
    }

    /// Appends the next 1024 numbers.
    ///
    /// Each waits for the one before it, so parts of the sequence are computed side by side.
    pub(crate) fn extend_with_next(&mut self, numbers: &mut Vec<u32>) {
        let mut states = [self.state; LANES];
        for lane in 1..LANES {
            states[lane] = jump(states[lane - 1]);
        }
        let start = numbers.len();
        numbers.resize(start + LANES * JUMP, 0);
        let (fours, _) = numbers[start..].as_chunks_mut::<4>();
        // Four lanes fill as many fours as each of them makes numbers.
        for (part, &states) in fours.chunks_exact_mut(JUMP).zip(states.as_chunks().0) {
            let mut states = u32x4::new(states);
            for place in 0..JUMP / 4 {
                let rounds = [(); 4].map(|()| {
                    states = step_four(states);
                    states & u32x4::splat(0x7fff_ffff)
                });
                for (lane, of_lane) in u32x4::transpose(rounds).into_iter().enumerate() {
                    part[lane * JUMP / 4 + place] = of_lane.to_array();
                }
            }
            self.state = states.to_array()[3];
        }
    }

    /// A number from `low..high`, by remainder (so slightly uneven, as the original is).
    pub(crate) fn draw(&mut self, low: usize, high: usize) -> usize {
        low + self.next_u31() as usize % (high - low)
    }
}

const LANES: usize = 8;
const JUMP: usize = 128;

const fn step(mut state: u32) -> u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^ state << 5
}

fn step_four(mut states: u32x4) -> u32x4 {
    states ^= states << 13;
    states ^= states >> 17;
    states ^ (states << 5)
}

/// Where each single bit of a state is after [`JUMP`] steps. A step is linear over bits, so states are sums of these.
const JUMPED: [u32; 32] = {
    let mut jumped = [0; 32];
    let mut bit = 0;
    while bit < 32 {
        let mut state = 1 << bit;
        let mut n_steps = 0;
        while n_steps < JUMP {
            state = step(state);
            n_steps += 1;
        }
        jumped[bit] = state;
        bit += 1;
    }
    jumped
};

fn jump(state: u32) -> u32 {
    JUMPED.iter().enumerate().fold(0, |sum, (bit, jumped)| sum ^ (jumped * (state >> bit & 1)))
}

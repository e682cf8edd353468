/// Longest run that numpy sums with eight running lanes before it splits in two.
const BLOCK: usize = 128;

/// Sums `values` in the order of numpy's `np.sum` over one contiguous axis.
///
/// Up to seven terms are added one by one; up to 128 in eight interleaved lanes, combined as
/// `((0+1)+(2+3))+((4+5)+(6+7))` with the tail added last; longer runs are split near the middle, at a multiple of eight.
/// An empty slice sums to `0.0`. Compared with a running sum the rounding error grows with `log n` instead of `n`.
///
/// # Examples
///
/// ```
/// use spinney_numpy_random::pairwise_sum;
///
/// assert_eq!(pairwise_sum(&[0.1; 10]), 1.0); // a running sum gives 0.9999999999999999
/// assert_eq!(pairwise_sum(&[]), 0.0);
/// ```
///
/// # References
///
/// numpy, `pairwise_sum` in `numpy/_core/src/umath/loops_utils.h.src`.
#[must_use]
pub fn pairwise_sum(values: &[f64]) -> f64 {
    let n = values.len();
    if n < 8 {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    if n > BLOCK {
        let (head, tail) = values.split_at(n / 2 - (n / 2) % 8);
        return pairwise_sum(head) + pairwise_sum(tail);
    }
    let (lanes, tail) = values.as_chunks::<8>();
    let mut r = lanes[0];
    for chunk in &lanes[1..] {
        for (lane, value) in r.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    tail.iter().fold(sum, |sum, value| sum + value)
}

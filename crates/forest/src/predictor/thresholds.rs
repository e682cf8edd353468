//! Thresholds as `f32`, and `f32` as integers that order the same way.

/// Rounds a threshold down to the largest `f32` that is not above it.
///
/// No decision changes: a feature `x` is an `f32`, so `x <= threshold` says that `x` is one of the `f32`s not above the
/// threshold, and so not above the largest of them.
pub(super) fn round_down(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if f64::from(nearest) > threshold { nearest.next_down() } else { nearest }
}

/// Returns an integer for a number, such that `x <= y` if and only if `order_key(x) <= order_key(y)`.
///
/// The keys of all numbers lie strictly between 0 and `u32::MAX`. NaN has no key.
pub(super) fn order_key(x: f32) -> u32 {
    // Adding makes -0.0 to 0.0: they are equal, but their bits are not.
    let bits = (x + 0.0).to_bits();
    // Positive numbers go above all negative ones, and those are turned round, the largest magnitude first.
    bits ^ (((bits as i32) >> 31) as u32 | 1 << 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the smallest to the largest, each different from its neighbours.
    const ASCENDING: [f32; 11] = [
        f32::NEG_INFINITY,
        f32::MIN,
        -1.0,
        -f32::MIN_POSITIVE,
        -f32::from_bits(1),
        0.0,
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        1.0,
        f32::MAX,
        f32::INFINITY,
    ];

    #[test]
    fn keys_order_like_the_numbers() {
        for pair in ASCENDING.windows(2) {
            assert!(order_key(pair[0]) < order_key(pair[1]), "{pair:?}");
        }
        assert_eq!(order_key(-0.0), order_key(0.0));
        assert!(order_key(f32::NEG_INFINITY) > 0 && order_key(f32::INFINITY) < u32::MAX);
    }

    fn assert_rounds_down_to(threshold: f64, expected: f32) {
        assert_eq!(round_down(threshold).to_bits(), expected.to_bits(), "{threshold:e}");
    }

    #[test]
    fn thresholds_between_two_numbers_take_the_lower() {
        for x in ASCENDING.into_iter().filter(|x| x.is_finite()) {
            let exact = f64::from(x);
            assert_rounds_down_to(exact, x);
            assert_rounds_down_to(exact.next_up(), x);
            assert_rounds_down_to(exact.next_down(), x.next_down());
        }
    }

    #[test]
    fn thresholds_beyond_f32_keep_what_they_let_pass() {
        assert_rounds_down_to(f64::INFINITY, f32::INFINITY);
        assert_rounds_down_to(1e300, f32::MAX);
        assert_rounds_down_to(-1e300, f32::NEG_INFINITY);
        assert_rounds_down_to(f64::NEG_INFINITY, f32::NEG_INFINITY);
        assert_rounds_down_to(f64::MIN_POSITIVE, 0.0);
        assert_rounds_down_to(-f64::MIN_POSITIVE, -f32::from_bits(1));
    }
}

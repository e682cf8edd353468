//! What holds for any seed and range.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use proptest::prelude::*;
use spinney_numpy_random::{Error, RandomState, pairwise_sum};

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn a_generator_can_cross_threads() {
    assert_send_sync::<RandomState>();
    assert_send_sync::<Error>();
}

#[test]
fn an_empty_range_is_named() {
    let error = RandomState::new(0).randint(3, 3).unwrap_err();
    assert_eq!(error.to_string(), "empty range: low 3 must be below high 3");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn intervals_stay_in_range(seed: u32, max: u64) {
        let mut state = RandomState::new(seed);
        for _ in 0..20 {
            prop_assert!(state.interval(max) <= max);
        }
    }

    #[test]
    fn randint_stays_in_range(seed: u32, a: i64, b: i64) {
        let (low, high) = (a.min(b), a.max(b));
        match RandomState::new(seed).randint(low, high) {
            Ok(value) => prop_assert!((low..high).contains(&value)),
            Err(error) => prop_assert_eq!(error, Error::EmptyRange { low, high }),
        }
    }

    #[test]
    fn a_permutation_holds_each_number_once(seed: u32, n in 0_usize..2000) {
        let mut order = RandomState::new(seed).permutation(n);
        order.sort_unstable();
        prop_assert!(order.into_iter().eq(0..n));
    }

    #[test]
    fn samples_lie_below_one(seed: u32) {
        let mut state = RandomState::new(seed);
        for _ in 0..20 {
            prop_assert!((0.0..1.0).contains(&state.random_sample()));
        }
    }

    #[test]
    fn a_sum_of_whole_numbers_is_exact(values in prop::collection::vec(-1_000_000_i32..1_000_000, 0..1000)) {
        let floats: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
        let exact: i64 = values.iter().map(|&value| i64::from(value)).sum();
        prop_assert_eq!(pairwise_sum(&floats), exact as f64);
    }
}

//! A forest that was fitted in parts is the forest.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use std::{num::NonZeroUsize, ops::Range};

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use spinney_forest::{
    Criterion, Error, ExtraTrees, Fidelity, ForestShard, RandomForest, RandomForestParams,
};

fn houses() -> (Array2<f32>, Array1<f64>) {
    fixture::ames_train()
}

/// `n` parts of nearly the same size.
fn parts(n_estimators: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).map(move |k| k * n_estimators / n..(k + 1) * n_estimators / n)
}

fn sent(shard: &ForestShard) -> ForestShard {
    let again = ForestShard::from_bytes(&shard.to_bytes()).unwrap();
    assert_eq!(&again, shard);
    again
}

#[test]
fn any_number_of_shards_makes_the_forest_of_one_machine() {
    let (x, y) = houses();
    for y in [y.clone(), y.ln()] {
        let params = RandomForest::params().n_estimators(14).seed(42).oob_score(true);
        let whole = params.fit_arrays(x.view(), y.view()).unwrap();
        for n_shards in [1, 2, 4, 7, 14] {
            // Workers differ in their threads.
            let fit = |(k, trees): (usize, Range<usize>)| {
                let params = params.clone().n_threads(NonZeroUsize::new(1 + k % 3));
                sent(&params.fit_shard(trees, x.view(), y.view()).unwrap())
            };
            let mut shards: Vec<_> = parts(14, n_shards).enumerate().map(fit).collect();
            shards.reverse();
            let joined = RandomForest::from_shards(shards).unwrap();
            assert_eq!(joined.to_canonical_bytes(), whole.to_canonical_bytes(), "{n_shards}");
            assert_eq!(joined.out_of_bag(), whole.out_of_bag(), "{n_shards}");
            assert_eq!(joined.feature_importances(), whole.feature_importances(), "{n_shards}");
        }
    }
}

#[test]
fn every_option_is_kept() {
    let (x, y) = houses();
    let n_rows = y.len();
    let weight: Array1<f64> = (0..n_rows).map(|row| (row % 4) as f64).collect();
    let few = || RandomForest::params().n_estimators(5).seed(7);
    let of: [(&str, RandomForestParams); 6] = [
        ("poisson", few().criterion(Criterion::Poisson).max_depth(6)),
        ("pruned", few().ccp_alpha(1e5).max_features(0.3).oob_score(true)),
        ("best first", few().max_leaf_nodes(50).min_samples_leaf(3)),
        ("fast", few().fidelity(Fidelity::Fast).max_samples(0.5).oob_score(true)),
        ("no bootstrap", few().bootstrap(false).max_features(5)),
        ("extra trees", ExtraTrees::params().n_estimators(5)),
    ];
    for (name, params) in of {
        let whole = params.fit_weighted(x.view(), y.view(), weight.view()).unwrap();
        let fit = |trees| params.fit_shard_weighted(trees, x.view(), y.view(), weight.view());
        let shards = vec![sent(&fit(0..1).unwrap()), sent(&fit(1..5).unwrap())];
        assert_eq!(RandomForest::from_shards(shards).unwrap(), whole, "{name}");
    }
}

#[test]
fn shards_of_different_forests_are_not_joined() {
    let (x, y) = houses();
    let params = || RandomForest::params().n_estimators(4).max_depth(3);
    let one = params().fit_shard(0..2, x.view(), y.view()).unwrap();
    let mut other_x = x.clone();
    other_x[[17, 3]] += 1.0;
    let mut other_y = y.clone();
    other_y[17] += 1.0;
    let weight = Array1::ones(y.len());
    for other in [
        params().fit_shard(2..4, other_x.view(), y.view()),
        params().fit_shard(2..4, x.view(), other_y.view()),
        params().fit_shard_weighted(2..4, x.view(), y.view(), weight.view()),
        params().seed(1).fit_shard(2..4, x.view(), y.view()),
        params().max_depth(4).fit_shard(2..4, x.view(), y.view()),
        params().oob_score(true).fit_shard(2..4, x.view(), y.view()),
        params().n_estimators(5).fit_shard(2..4, x.view(), y.view()),
    ] {
        let error = RandomForest::from_shards(vec![one.clone(), other.unwrap()]).unwrap_err();
        assert_eq!(error, Error::ShardsDiffer { one: 0..2, other: 2..4 });
    }
    // What does not change the forest does not matter.
    let other = params().n_threads(NonZeroUsize::new(3)).fit_shard(2..4, x.view(), y.view());
    assert!(RandomForest::from_shards(vec![one, other.unwrap()]).is_ok());
}

#[test]
fn trees_are_there_once_each() {
    let (x, y) = (array![[1.0], [2.0], [3.0]], array![1.0, 2.0, 3.0]);
    let params = RandomForest::params().n_estimators(6);
    let join = |ranges: &[(usize, usize)]| {
        let fit =
            |(start, end): &(usize, usize)| params.fit_shard(*start..*end, x.view(), y.view());
        RandomForest::from_shards(ranges.iter().map(fit).collect::<Result<_, _>>().unwrap())
    };
    assert_eq!(join(&[]).unwrap_err(), Error::NoTrees);
    assert_eq!(join(&[(1, 6)]).unwrap_err(), Error::TreesMissing { trees: 0..1 });
    assert_eq!(join(&[(0, 2), (4, 6)]).unwrap_err(), Error::TreesMissing { trees: 2..4 });
    assert_eq!(join(&[(0, 2), (2, 5)]).unwrap_err(), Error::TreesMissing { trees: 5..6 });
    assert_eq!(join(&[(0, 4), (3, 6)]).unwrap_err(), Error::TreesRepeated { trees: 3..4 });
    assert_eq!(join(&[(0, 6), (0, 6)]).unwrap_err(), Error::TreesRepeated { trees: 0..6 });
    assert_eq!(join(&[(0, 6), (2, 3)]).unwrap_err(), Error::TreesRepeated { trees: 2..3 });
    let message = join(&[(0, 2), (4, 6)]).unwrap_err().to_string();
    assert_eq!(message, "no shard has trees 2..4");
    for (start, end) in [(0, 0), (3, 2), (0, 7), (6, 6)] {
        let trees = start..end;
        let error = params.fit_shard(trees.clone(), x.view(), y.view()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("trees is {trees:?}, allowed")), "{error}");
    }
}

fn small_shard() -> ForestShard {
    let (x, y) = (array![[1.0], [2.0], [3.0], [f64::NAN]], array![1.0, 2.0, 3.0, 4.0]);
    let params = RandomForest::params().n_estimators(3).oob_score(true);
    params.fit_shard(1..3, x.view(), y.view()).unwrap()
}

/// With the hash that belongs to it, so that what is behind it is looked at.
fn sealed(content: &[u8]) -> Vec<u8> {
    [content, &Sha256::digest(content)].concat()
}

#[test]
fn says_what_is_wrong_with_bytes() {
    let bytes = small_shard().to_bytes();
    let content = &bytes[..bytes.len() - 32];
    let with = |at: usize, byte: u8| {
        let mut content = content.to_vec();
        content[at] = byte;
        sealed(&content)
    };
    for (bytes, expected) in [
        (vec![], "it is too short"),
        (with(0, b'X'), "it does not begin as one"),
        (with(8, 9), "its format is of another version"),
        (bytes[..bytes.len() - 1].to_vec(), "it is damaged: its SHA-256 is another"),
        (with(12, 2), "its numbers contradict each other"),
        (with(24, 0), "its numbers contradict each other"),
        (with(28, 0), "its numbers contradict each other"),
        (with(32, 7), "neither has votes nor lacks them"),
        (sealed(&content[..20]), "it ends early"),
        (sealed(&content[..content.len() - 1]), "its votes are cut off, or are none"),
        (sealed(&content[..100]), "a tree is cut off, or has a node that is none"),
        (sealed(&[content, b"!"].concat()), "something follows it"),
    ] {
        let error = ForestShard::from_bytes(&bytes).unwrap_err().to_string();
        assert!(
            error.starts_with("no shard of a forest: ") && error.ends_with(expected),
            "{error}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_from_anywhere_are_refused_or_read(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let bytes = small_shard().to_bytes();
        let mut content = bytes[..bytes.len() - 32].to_vec();
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if is_cut {
            content.truncate(cut.index(content.len()));
        }
        if let Ok(shard) = ForestShard::from_bytes(&sealed(&content)) {
            prop_assert_eq!(shard.to_bytes(), sealed(&content));
            let is_whole = shard.trees() == (0..shard.n_estimators());
            let joined = RandomForest::from_shards(vec![shard]);
            prop_assert!(joined.is_ok() == is_whole);
        }
    }

    #[test]
    fn any_partition_is_the_forest(
        cuts in prop::collection::btree_set(1_usize..12, 0..6),
        seed in any::<u32>(),
        rows in prop::collection::vec((0_u8..6, 0_u8..6, -3_i8..4), 2..40),
    ) {
        let x = Array2::from_shape_fn((rows.len(), 2), |(row, column)| {
            let (a, b, _) = rows[row];
            let value = if column == 0 { a } else { b };
            if value == 5 { f64::NAN } else { f64::from(value) }
        });
        let y: Array1<f64> = rows.iter().map(|(.., y)| f64::from(*y) / 3.0).collect();
        let params = RandomForest::params().n_estimators(12).seed(seed).oob_score(true);
        let whole = params.fit_arrays(x.view(), y.view()).unwrap();
        let cuts: Vec<usize> = [0].into_iter().chain(cuts).chain([12]).collect();
        let fit = |cut: &[usize]| {
            sent(&params.fit_shard(cut[0]..cut[1], x.view(), y.view()).unwrap())
        };
        let joined = RandomForest::from_shards(cuts.windows(2).map(fit).collect()).unwrap();
        prop_assert_eq!(joined.to_canonical_bytes(), whole.to_canonical_bytes());
        let [joined, whole] = [&joined, &whole].map(|forest| forest.out_of_bag().unwrap());
        prop_assert_eq!(joined.prediction(), whole.prediction());
        prop_assert_eq!(joined.r2().to_bits(), whole.r2().to_bits());
        prop_assert_eq!(joined.rows_without_vote(), whole.rows_without_vote());
    }
}

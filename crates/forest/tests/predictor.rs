//! The compiled forest against the plain walk: the same bits, whatever the forest and the rows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use std::sync::OnceLock;

use fixture::{Matrix, hex_be};
use ndarray::{Array1, Array2, ArrayView1, Axis, ShapeBuilder, array, s};
use proptest::prelude::*;
use spinney_forest::{Error, Node, Predictor, RandomForest, Split, Tree};
use spinney_numpy_random::RandomState;

fn ames_forest() -> &'static RandomForest {
    static FOREST: OnceLock<RandomForest> = OnceLock::new();
    FOREST.get_or_init(|| {
        let (x, y) = fixture::ames_train();
        RandomForest::params().seed(42).fit_arrays(x.view(), y.view()).unwrap()
    })
}

/// The reference: each tree's plain walk, summed in tree order, one division.
fn plain_walk(forest: &RandomForest, row: &[f32]) -> f64 {
    let sum = forest.trees().iter().fold(0.0, |sum, tree| sum + tree.predict_row(row));
    sum / forest.trees().len() as f64
}

/// Checks all ways to predict against the plain walk, and that the forest took the expected form.
fn assert_same_as_plain_walk(forest: &RandomForest, x: &Matrix, form: &str) {
    let predictor = forest.compile();
    let printed = format!("{predictor:?}");
    assert!(printed.contains(form), "{printed} is not {form}");
    let batch = predictor.predict(x.view()).unwrap();
    let mut alone = Array1::zeros(x.nrows());
    predictor.predict_on_this_thread(x.view(), alone.view_mut()).unwrap();
    assert!(alone.iter().zip(&batch).all(|(one, more)| one.to_bits() == more.to_bits()), "{form}");
    for (number, (row, batch)) in x.rows().into_iter().zip(batch).enumerate() {
        let row = row.to_slice().unwrap();
        let expected = plain_walk(forest, row).to_bits();
        assert_eq!(batch.to_bits(), expected, "row {number} of a batch, {form}: {row:?}");
        let single = predictor.predict_row(row).unwrap().to_bits();
        assert_eq!(single, expected, "row {number} alone, {form}: {row:?}");
    }
}

fn leaf(value: f64) -> Node {
    Node { split: None, value, impurity: 0.0, n_node_samples: 1, weighted_n_node_samples: 1.0 }
}

fn split(feature: u32, threshold: f64, missing_go_to_left: bool, left: u32, right: u32) -> Node {
    let split = Split { feature, threshold, missing_go_to_left, left, right };
    Node { split: Some(split), ..leaf(0.0) }
}

struct Draw(RandomState);

impl Draw {
    fn new(seed: u32) -> Self {
        Self(RandomState::new(seed))
    }

    fn below(&mut self, n: usize) -> usize {
        self.0.interval(n as u64 - 1) as usize
    }

    /// A tree with `n_splits` splits, its nodes in a random order that only keeps children behind their parent.
    fn tree(
        &mut self,
        n_splits: usize,
        n_features: usize,
        mut threshold: impl FnMut(&mut Self) -> f64,
        mut value: impl FnMut(&mut Self) -> f64,
    ) -> Tree {
        let mut nodes = vec![leaf(value(self))];
        let mut open = vec![0_usize];
        for _ in 0..n_splits {
            let parent = open.swap_remove(self.below(open.len()));
            let [left, right] = [nodes.len() as u32, nodes.len() as u32 + 1];
            nodes.extend([leaf(value(self)), leaf(value(self))]);
            let feature = self.below(n_features) as u32;
            let missing_go_to_left = self.below(2) == 0;
            nodes[parent] = split(feature, threshold(self), missing_go_to_left, left, right);
            open.extend([left, right].map(|child| child as usize));
        }
        Tree::from_nodes(scattered(&nodes, self), n_features).unwrap()
    }

    fn trees(&mut self, n_trees: usize, n_splits: usize, n_features: usize) -> Vec<Tree> {
        let any = |draw: &mut Self| (draw.0.random_sample() - 0.5) * 100.0;
        (0..n_trees).map(|_| self.tree(n_splits, n_features, any, any)).collect()
    }

    fn rows(&mut self, n_rows: usize, n_features: usize) -> Matrix {
        Array2::from_shape_simple_fn((n_rows, n_features), || match self.below(10) {
            0 => f32::NAN,
            1 => self.below(100) as f32 - 50.0,
            _ => ((self.0.random_sample() - 0.5) * 100.0) as f32,
        })
    }
}

/// Numbers the nodes anew in a random order that only keeps children behind their parent: siblings are rarely adjacent.
fn scattered(nodes: &[Node], draw: &mut Draw) -> Vec<Node> {
    let mut order = Vec::new();
    let mut open = vec![0_usize];
    while !open.is_empty() {
        let id = open.swap_remove(draw.below(open.len()));
        order.push(id);
        open.extend(nodes[id].split.iter().flat_map(|s| [s.left as usize, s.right as usize]));
    }
    let mut new_number = vec![0_u32; nodes.len()];
    for (new, &old) in order.iter().enumerate() {
        new_number[old] = new as u32;
    }
    let renumber = |split: Split| Split {
        left: new_number[split.left as usize],
        right: new_number[split.right as usize],
        ..split
    };
    order.iter().map(|&old| Node { split: nodes[old].split.map(renumber), ..nodes[old] }).collect()
}

#[test]
fn ames_predictions_are_scikit_learns() {
    let (x, _) = fixture::ames_test();
    let recorded = hex_be(&fixture::json("forest/ames_rs42.json")["predictions_hex_be"]);
    let predictor = ames_forest().compile();
    let batch = predictor.predict(x.view()).unwrap();
    assert_eq!(batch.len(), recorded.len());
    for ((row, batch), expected) in x.rows().into_iter().zip(batch).zip(recorded) {
        assert_eq!(batch.to_bits(), expected.to_bits());
        let single = predictor.predict_row(row.to_slice().unwrap()).unwrap();
        assert_eq!(single.to_bits(), expected.to_bits());
    }
}

#[test]
fn ames_forest_is_small() {
    let predictor = ames_forest().compile();
    assert!(predictor.memory_bytes() < 1_300_000, "{predictor:?}");
}

/// Rows of the training set with cells that are missing, extreme, swapped with other rows', or at a threshold.
#[test]
fn perturbed_ames_rows_are_predicted_alike() {
    let (train, _) = fixture::ames_train();
    let forest = ames_forest();
    let splits = forest.trees().iter().flat_map(Tree::nodes).filter_map(|node| node.split);
    let splits: Vec<Split> = splits.collect();
    let mut draw = Draw::new(7);
    let mut x = Array2::zeros((20_480, 48));
    for mut row in x.rows_mut() {
        row.assign(&train.row(draw.below(train.nrows())));
        for _ in 0..draw.below(12) {
            let column = draw.below(48);
            row[column] = match draw.below(12) {
                0 | 1 => f32::NAN,
                2 => -0.0,
                3 => f32::from_bits(1 + draw.below(100) as u32),
                4 => -f32::from_bits(1 + draw.below(100) as u32),
                5 => f32::MAX,
                6 => f32::MIN,
                _ => train[[draw.below(train.nrows()), column]],
            };
        }
        for _ in 0..draw.below(12) {
            let split = splits[draw.below(splits.len())];
            let threshold = split.threshold as f32;
            row[split.feature as usize] = match draw.below(3) {
                0 => threshold.next_down(),
                1 => threshold,
                _ => threshold.next_up(),
            };
        }
        row.mapv_inplace(|x| if x.is_infinite() { 0.0 } else { x });
    }
    assert_same_as_plain_walk(forest, &x, "compact");
}

#[test]
fn any_number_of_rows_is_predicted() {
    let (x, _) = fixture::ames_train();
    let predictor = ames_forest().compile();
    let expected = predictor.predict(x.view()).unwrap();
    for n_rows in (0..150).chain([600, 1439, 1440, 1441]) {
        let found = predictor.predict(x.slice(s![..n_rows, ..])).unwrap();
        assert_eq!(found, expected.slice(s![..n_rows]), "{n_rows} rows");
    }
}

#[test]
fn memory_layout_and_element_type_do_not_matter() {
    let (x, _) = fixture::ames_test();
    let predictor = ames_forest().compile();
    let expected = predictor.predict(x.view()).unwrap();
    let mut by_column = Array2::zeros(x.raw_dim().f());
    by_column.assign(&x);
    assert_eq!(predictor.predict(by_column.view()).unwrap(), expected);
    assert_eq!(predictor.predict(x.mapv(f64::from).view()).unwrap(), expected);
    let mut backwards = Array1::zeros(2 * x.nrows());
    predictor.predict_into(x.view(), backwards.slice_mut(s![..;-2])).unwrap();
    assert_eq!(backwards.slice(s![..;-2]), expected);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (x, _) = fixture::ames_train();
    let mut draw = Draw::new(3);
    let large = RandomForest::from_trees(draw.trees(12, 60_000, 20), 20).unwrap();
    let rows = draw.rows(500, 20);
    for (forest, x) in [(ames_forest(), &x), (&large, &rows)] {
        let predictor = forest.compile();
        let expected = forest.try_predict(x.view()).unwrap();
        for n_threads in [1, 2, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            assert_eq!(pool.install(|| predictor.predict(x.view())).unwrap(), expected);
        }
    }
}

#[test]
fn predictors_cross_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<Predictor>();
}

#[test]
fn single_leaves_are_trees_too() {
    let trees = [3.0, -0.0, 4.0].map(|value| Tree::from_nodes(vec![leaf(value)], 2).unwrap());
    let forest = RandomForest::from_trees(trees.to_vec(), 2).unwrap();
    let x = array![[0.0, 1.0], [f32::NAN, f32::NAN]];
    assert_same_as_plain_walk(&forest, &x, "compact");
    let minus_zero = RandomForest::from_trees(trees[1..2].to_vec(), 2).unwrap();
    assert_same_as_plain_walk(&minus_zero, &x, "compact");
}

/// Trees over one column that ask `x <= 0`, `x <= 1` and so on, `n_steps` in all and `tree_steps` in each; the leaves between
/// have `n_values` different values, the last leaf of each tree has 0.
fn ladders(n_steps: u32, tree_steps: usize, n_values: u32) -> RandomForest {
    let steps: Vec<u32> = (0..n_steps).collect();
    let ladder = |steps: &[u32]| {
        let mut nodes = Vec::new();
        for (i, &step) in (0_u32..).zip(steps) {
            nodes.push(split(0, f64::from(step), i % 2 == 0, 2 * i + 1, 2 * i + 2));
            nodes.push(leaf(f64::from(step % n_values)));
        }
        nodes.push(leaf(0.0));
        Tree::from_nodes(nodes, 1).unwrap()
    };
    RandomForest::from_trees(steps.chunks(tree_steps).map(ladder).collect(), 1).unwrap()
}

/// One column with a number on and between all steps of [`ladders`], and beyond them.
fn steps(n_steps: u32) -> Matrix {
    let cells = (0..n_steps).flat_map(|step| [step as f32 - 0.5, step as f32]);
    Array1::from_iter(cells.chain([-7.0, 1e9, f32::NAN])).insert_axis(Axis(1))
}

#[test]
fn many_thresholds_or_values_take_the_wide_form() {
    for (n_thresholds, n_values, form) in
        [(8191, 5, "compact"), (8192, 5, "wide"), (8191, 8191, "compact")]
    {
        let forest = ladders(n_thresholds, 1000, n_values);
        assert_same_as_plain_walk(&forest, &steps(n_thresholds), form);
    }
    // A few thresholds, but more values than the compact form can number.
    let mut draw = Draw::new(2);
    let few = |draw: &mut Draw| draw.below(50) as f64;
    let trees = (0..10).map(|_| draw.tree(1000, 3, few, |draw| draw.0.random_sample()));
    let forest = RandomForest::from_trees(trees.collect(), 3).unwrap();
    assert_same_as_plain_walk(&forest, &draw.rows(100, 3), "wide");
}

#[test]
fn large_trees_take_the_wide_form() {
    // 4,093 nodes and the sibling that the root lacks fill 4,094 of 4,096 places.
    assert_same_as_plain_walk(&ladders(2046, 2046, 5), &steps(2046), "compact");
    assert_same_as_plain_walk(&ladders(2100, 2100, 5), &steps(2100), "wide");
}

#[test]
fn many_columns_take_the_wide_or_the_general_form() {
    let mut draw = Draw::new(11);
    for (n_features, form) in [
        (31, "compact"),
        (32, "compact"),
        (63, "compact"),
        (64, "compact"),
        (127, "compact"),
        (128, "wide"),
        (255, "wide"),
        (511, "wide"),
        (512, "wide"),
        (2047, "wide"),
        (2048, "general"),
    ] {
        let mut trees = draw.trees(2, 40, n_features);
        // A split for each feature, the last included.
        trees.extend((0..n_features as u32).map(|feature| {
            let root = split(feature, 0.5, feature % 2 == 0, 1, 2);
            let nodes = vec![root, leaf(1.0), leaf(f64::from(feature))];
            Tree::from_nodes(nodes, n_features).unwrap()
        }));
        let forest = RandomForest::from_trees(trees, n_features).unwrap();
        assert_same_as_plain_walk(&forest, &draw.rows(30, n_features), form);
    }
}

#[test]
fn columns_that_no_split_looks_at_cost_nothing() {
    let last = 3_000_000;
    let nodes = vec![split(last - 1, 0.5, true, 1, 2), leaf(1.0), leaf(2.0)];
    let tree = Tree::from_nodes(nodes, last as usize).unwrap();
    let forest = RandomForest::from_trees(vec![tree], last as usize).unwrap();
    let mut x = Array2::zeros((1, last as usize));
    x[[0, last as usize - 1]] = 1.0;
    assert_same_as_plain_walk(&forest, &x, "compact");
    assert!(forest.compile().memory_bytes() < 32 * 1024);
}

#[test]
fn a_tree_of_more_than_two_million_nodes_is_predicted() {
    let mut draw = Draw::new(5);
    for (n_splits, form) in [(1_000_000, "wide"), (1_050_000, "general")] {
        let forest = RandomForest::from_trees(draw.trees(1, n_splits, 6), 6).unwrap();
        assert_same_as_plain_walk(&forest, &draw.rows(3000, 6), form);
    }
}

#[test]
fn errors_are_those_of_the_forest() {
    let (mut x, _) = fixture::ames_test();
    let forest = ames_forest();
    let predictor = forest.compile();
    let narrow = x.slice(s![.., ..47]);
    let expected = Error::FeatureCount { expected: 48, found: 47 };
    assert_eq!(predictor.predict(narrow), Err(expected.clone()));
    assert_eq!(predictor.predict_row(&[0.0; 47]), Err(expected.clone()));
    // The number of columns is looked at before the output, and before there are no rows.
    let mut out = Array1::zeros(3);
    assert_eq!(predictor.predict_into(narrow, out.view_mut()), Err(expected.clone()));
    assert_eq!(predictor.predict(x.slice(s![..0, ..47])), Err(expected));
    let expected = Error::OutputLength { expected: 586, found: 3 };
    assert_eq!(predictor.predict_into(x.view(), out.view_mut()), Err(expected));
    assert_eq!(predictor.n_features(), 48);

    for (row, column) in [(500, 3), (407, 47), (407, 2), (64, 0)] {
        x[[row, column]] = if row == 64 { f32::NEG_INFINITY } else { f32::INFINITY };
        let expected = Error::InfiniteFeature { row, column };
        assert_eq!(forest.try_predict(x.view()), Err(expected.clone()));
        assert_eq!(predictor.predict(x.view()), Err(expected));
        let single = predictor.predict_row(x.row(row).to_slice().unwrap());
        assert_eq!(single, Err(Error::InfiniteFeature { row: 0, column }));
    }
    let too_large = Array2::from_elem((1, 48), 1e39_f64);
    let expected = Error::InfiniteFeature { row: 0, column: 0 };
    assert_eq!(predictor.predict(too_large.view()), Err(expected));
}

/// Thresholds of all kinds: small numbers with many ties, any bits, and those that `f32` cannot hold.
fn threshold() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-4_i32..5).prop_map(f64::from),
        4 => any::<f32>().prop_map(f64::from),
        4 => any::<f64>(),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(-0.0),
        1 => Just(1e300),
        1 => Just(-1e300),
        1 => Just(f64::from(f32::MAX)),
        1 => Just(f64::from(f32::MAX).next_up()),
        1 => (1_u64..100).prop_map(f64::from_bits),
        1 => (1_u32..100).prop_map(|bits| f64::from(f32::from_bits(bits)).next_down()),
        1 => (1_u32..100).prop_map(|bits| -f64::from(f32::from_bits(bits)).next_up()),
        2 => (-4.0_f32..5.0).prop_map(|x| f64::from(x).next_up()),
        2 => (-4.0_f32..5.0).prop_map(|x| f64::from(x).next_down()),
    ]
    .prop_map(|threshold| if threshold.is_nan() { 0.0 } else { threshold })
}

fn forest() -> impl Strategy<Value = RandomForest> {
    let shape = (
        1_usize..25,
        0_usize..60,
        prop_oneof![3 => 1_usize..6, 1 => 60_usize..70, 1 => 120_usize..140],
    );
    let values = prop_oneof![any::<u32>().prop_map(|n| f64::from(n % 7)), -1e9..1e9];
    let pools = (prop::collection::vec(threshold(), 1..40), prop::collection::vec(values, 1..20));
    (shape, pools, any::<u32>()).prop_map(|((n_trees, n_splits, n_features), pools, seed)| {
        let mut draw = Draw::new(seed);
        let trees = (0..n_trees).map(|_| {
            let n_splits = draw.below(n_splits + 1);
            let threshold = |draw: &mut Draw| pools.0[draw.below(pools.0.len())];
            let value = |draw: &mut Draw| pools.1[draw.below(pools.1.len())];
            draw.tree(n_splits, n_features, threshold, value)
        });
        RandomForest::from_trees(trees.collect(), n_features).unwrap()
    })
}

/// A cell near one of the forest's thresholds, or anything else that is finite or missing.
fn cell(draw: &mut Draw, thresholds: &[f64]) -> f32 {
    let near = thresholds.get(draw.below(thresholds.len() + 1)).map_or(0.0, |t| *t as f32);
    let cell = match draw.below(12) {
        0 | 1 => f32::NAN,
        2 => -0.0,
        3 => f32::MAX,
        4 => f32::MIN,
        5 => f32::from_bits(draw.0.next_u32()),
        6 => f32::from_bits(draw.below(100) as u32),
        7 | 8 => near.next_up(),
        9 | 10 => near.next_down(),
        _ => near,
    };
    if cell.is_infinite() { f32::MAX.copysign(cell) } else { cell }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_forest_predicts_alike(forest in forest(), seed: u32, n_rows in 1_usize..100) {
        let splits = forest.trees().iter().flat_map(Tree::nodes).filter_map(|node| node.split);
        let thresholds: Vec<f64> = splits.map(|split| split.threshold).collect();
        let mut draw = Draw::new(seed);
        let shape = (n_rows, forest.n_features());
        let x = Array2::from_shape_simple_fn(shape, || cell(&mut draw, &thresholds));
        let reference = forest.try_predict(x.view()).unwrap();
        let predictor = forest.compile();
        let batch = predictor.predict(x.view()).unwrap();
        prop_assert_eq!(bits(batch.view()), bits(reference.view()));
        for (row, expected) in x.rows().into_iter().zip(reference) {
            let row = row.to_slice().unwrap();
            prop_assert_eq!(plain_walk(&forest, row).to_bits(), expected.to_bits());
            prop_assert_eq!(predictor.predict_row(row).unwrap().to_bits(), expected.to_bits());
        }
    }
}

fn bits(values: ArrayView1<'_, f64>) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

use linfa::Float;
use ndarray::{Array2, ArrayView2};

use super::quadrature::QuadratureRules;
use crate::{RandomForest, Result, Tree};

/// What each feature contributed to each prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapValues {
    /// The prediction that the forest expects of any row: the start from which features contribute.
    pub expected_value: f64,
    /// The contribution of each feature to each row: `n_rows × n_features`. A row's sum and the expected value make its
    /// prediction, up to rounding.
    pub values: Array2<f64>,
}

/// Computes exact SHAP values of each row, over the paths that training rows took (no background data needed).
///
/// The contribution of a feature is its Shapley value in the game in which unknown features are averaged over the training
/// rows of a node. `O(leaves · depth²)` for each tree and row, exact up to rounding also in deep trees.
///
/// # Errors
///
/// As for [`try_predict`](RandomForest::try_predict).
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::{RandomForest, inspection::shap_values};
///
/// let x = array![[0.0, 5.0], [1.0, 6.0], [0.0, 7.0], [1.0, 8.0]];
/// let y = array![10.0, 20.0, 10.0, 20.0];
/// let forest = RandomForest::params().bootstrap(false).n_estimators(1).seed(3);
/// let forest = forest.fit_arrays(x.view(), y.view())?;
/// let shap = shap_values(&forest, x.view())?;
/// assert_eq!(shap.expected_value, 15.0);
/// assert_eq!(shap.values.row(1), array![5.0, 0.0]);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
///
/// # References
///
/// Lundberg et al. (2020), *From local explanations to global understanding with explainable AI for trees*, Nature Machine
/// Intelligence 2 (the values); Owen (1972), *Multilinear extensions of games*, Management Science 18 (how they are
/// computed).
pub fn shap_values<F: Float>(forest: &RandomForest, x: ArrayView2<'_, F>) -> Result<ShapValues> {
    let n_trees = forest.trees().len() as f64;
    let rows = forest.map_rows(x, |row| {
        let mut values = vec![0.0; forest.n_features()];
        let mut walk = Walk::default();
        for tree in forest.trees() {
            walk.add_contributions(tree, row, &mut values);
        }
        values
    })?;
    let mut values = Array2::zeros(x.dim());
    for (value, place) in rows.into_iter().flatten().zip(&mut values) {
        *place = value / n_trees;
    }
    let expected: f64 = forest.trees().iter().map(expected_value).sum();
    Ok(ShapValues { expected_value: expected / n_trees, values })
}

/// The mean of the leaves' values, by the weight of their training rows.
fn expected_value(tree: &Tree) -> f64 {
    let nodes = tree.nodes();
    let mut expected: Vec<f64> = nodes.iter().map(|node| node.value).collect();
    for (id, node) in nodes.iter().enumerate().rev() {
        let Some(split) = node.split else { continue };
        let share = |child: u32| {
            let weight = nodes[child as usize].weighted_n_node_samples;
            expected[child as usize] * (weight / node.weighted_n_node_samples)
        };
        expected[id] = share(split.left) + share(split.right);
    }
    expected[0]
}

/// A feature on the way from the root, all its splits taken together.
#[derive(Debug, Clone, Copy)]
struct Step {
    feature: u32,
    /// Share of training rows that go this way if the feature is unknown.
    unknown: f64,
    /// 1 if the row goes this way, 0 if not.
    known: f64,
}

/// Walks a tree and collects what each feature contributes.
///
/// A leaf is a product game: its share of the prediction is its value times, for each feature on its path, `known` or `unknown`.
/// The Shapley value of a feature in a product game is the integral over `t` from 0 to 1 of
/// `(known − unknown) · Π others (t·known + (1 − t)·unknown)` (Owen's multilinear extension). That is a polynomial of a degree
/// one less than the number of features, for which Gauss-Legendre quadrature is exact, and its factors all lie between 0 and 1:
/// unlike the recursion in the paper, which divides to take steps back, nothing cancels on long paths.
#[derive(Default)]
struct Walk {
    /// The path to the current node, for each depth: visits go depth first, so a parent's is still there.
    paths: Vec<Vec<Step>>,
    rules: QuadratureRules,
    /// For each step of a path, the integral over the product of the others.
    integrals: Vec<f64>,
}

/// A node to go to, and the step that leads there.
struct Visit {
    node: u32,
    depth: usize,
    step: Option<Step>,
}

impl Walk {
    fn add_contributions(&mut self, tree: &Tree, row: &[f32], values: &mut [f64]) {
        let mut visits = vec![Visit { node: 0, depth: 0, step: None }];
        while let Some(Visit { node: number, depth, step }) = visits.pop() {
            self.extend(depth, step);
            let node = &tree.nodes()[number as usize];
            let Some(split) = node.split else {
                self.add_leaf(depth, node.value, values);
                continue;
            };
            let left = tree.goes_left(row, split);
            for (child, taken) in [(split.right, !left), (split.left, left)] {
                let weight = tree.nodes()[child as usize].weighted_n_node_samples;
                let unknown = weight / node.weighted_n_node_samples;
                let known = if taken { 1.0 } else { 0.0 };
                let step = Some(Step { feature: split.feature, unknown, known });
                visits.push(Visit { node: child, depth: depth + 1, step });
            }
        }
    }

    /// Makes the path to a node from that to its parent.
    fn extend(&mut self, depth: usize, step: Option<Step>) {
        if self.paths.len() <= depth {
            self.paths.push(Vec::new());
        }
        let (above, here) = self.paths.split_at_mut(depth);
        let path = &mut here[0];
        path.clear();
        path.extend(above.last().into_iter().flatten());
        let Some(step) = step else { return };
        match path.iter_mut().find(|met| met.feature == step.feature) {
            Some(met) => {
                met.unknown *= step.unknown;
                met.known *= step.known;
            }
            None => path.push(step),
        }
    }

    fn add_leaf(&mut self, depth: usize, value: f64, values: &mut [f64]) {
        let path = &self.paths[depth];
        self.integrals.clear();
        self.integrals.resize(path.len(), 0.0);
        for &(t, weight) in self.rules.exact_for(path.len()) {
            let factor = |step: &Step| t * step.known + (1.0 - t) * step.unknown;
            let product: f64 = path.iter().map(factor).product();
            for (integral, step) in self.integrals.iter_mut().zip(path) {
                *integral += weight * product / factor(step);
            }
        }
        for (integral, step) in self.integrals.iter().zip(path) {
            values[step.feature as usize] += integral * (step.known - step.unknown) * value;
        }
    }
}

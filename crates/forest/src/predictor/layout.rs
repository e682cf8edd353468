use crate::Tree;

/// Where the nodes of a tree go in memory: siblings side by side, nodes that are visited together in one cache line.
///
/// A tree is cut into clusters of sibling pairs that fit into a cache line. A cluster grows from its topmost pair, always
/// below the node with most leaves under it, as most rows pass there.
#[derive(Debug)]
pub(super) struct Layout {
    /// Place of each node, by its number. The root is at 0, a left child at an even place, its sibling right behind.
    pub(super) places: Vec<u32>,
    /// Number of places, whole cache lines.
    pub(super) n_places: usize,
}

impl Layout {
    /// Lays a tree out in lines of `line_pairs` pairs.
    pub(super) fn new(tree: &Tree, line_pairs: usize) -> Self {
        let n_leaves = leaves_below(tree);
        let mut lines = Lines::new(line_pairs);
        let mut places = vec![0; tree.nodes().len()];
        // Inner nodes whose children start a cluster. The first line begins with the root, which has no sibling.
        let mut tops = Vec::new();
        let mut cluster = Cluster::default();
        cluster.grow_from(0, tree, &n_leaves, line_pairs - 1);
        let mut pair = lines.take(cluster.parents.len() + 1) + 1;
        loop {
            for &parent in &cluster.parents {
                if let Some(split) = tree.nodes()[parent as usize].split {
                    places[split.left as usize] = 2 * pair;
                    places[split.right as usize] = 2 * pair + 1;
                    pair += 1;
                }
            }
            tops.append(&mut cluster.open);
            let Some(top) = tops.pop() else { break };
            cluster.grow_from(top, tree, &n_leaves, line_pairs);
            pair = lines.take(cluster.parents.len());
        }
        Self { places, n_places: lines.n_lines * line_pairs * 2 }
    }
}

/// Counts the leaves under each node; 1 for a leaf.
fn leaves_below(tree: &Tree) -> Vec<u32> {
    let mut n_leaves = vec![1; tree.nodes().len()];
    // Children come after their parent.
    for (id, node) in tree.nodes().iter().enumerate().rev() {
        if let Some(split) = node.split {
            n_leaves[id] = n_leaves[split.left as usize] + n_leaves[split.right as usize];
        }
    }
    n_leaves
}

/// Pairs that belong together, each by its parent.
#[derive(Debug, Default)]
struct Cluster {
    parents: Vec<u32>,
    /// Inner nodes in the cluster whose children are not.
    open: Vec<u32>,
}

impl Cluster {
    /// Starts anew with the children of `top`, if it has any, and grows to at most `max_pairs`.
    fn grow_from(&mut self, top: u32, tree: &Tree, n_leaves: &[u32], max_pairs: usize) {
        self.parents.clear();
        self.open.clear();
        self.open.extend(tree.nodes()[top as usize].split.map(|_| top));
        while self.parents.len() < max_pairs {
            let most = (0..self.open.len()).max_by_key(|&i| n_leaves[self.open[i] as usize]);
            let Some(most) = most else { break };
            let parent = self.open.swap_remove(most);
            self.parents.push(parent);
            if let Some(split) = tree.nodes()[parent as usize].split {
                let children = [split.left, split.right].into_iter();
                let inner = |child: &u32| tree.nodes()[*child as usize].split.is_some();
                self.open.extend(children.filter(inner));
            }
        }
    }
}

/// Cache lines handed out pair by pair: small clusters fill what others left.
#[derive(Debug)]
struct Lines {
    line_pairs: usize,
    n_lines: usize,
    /// First free pairs of lines, by how many pairs they have left.
    free: Vec<Vec<u32>>,
}

impl Lines {
    fn new(line_pairs: usize) -> Self {
        Self { line_pairs, n_lines: 0, free: vec![Vec::new(); line_pairs + 1] }
    }

    /// Returns the first of `n_pairs` free pairs in a row, all in one line: the fullest line that has them.
    fn take(&mut self, n_pairs: usize) -> u32 {
        let fullest = (n_pairs..self.line_pairs).find(|&left| !self.free[left].is_empty());
        let (left, pair) = match fullest.and_then(|left| Some((left, self.free[left].pop()?))) {
            Some(found) => found,
            None => {
                self.n_lines += 1;
                (self.line_pairs, ((self.n_lines - 1) * self.line_pairs) as u32)
            }
        };
        let left = left - n_pairs;
        if left > 0 {
            self.free[left].push(pair + n_pairs as u32);
        }
        pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Node, Split};

    /// Split number `i` has a leaf to the left and the next split to the right, or the other way round.
    fn ladder(n_splits: u32) -> Tree {
        let node = |split| Node {
            split,
            value: 0.0,
            impurity: 0.0,
            n_node_samples: 1,
            weighted_n_node_samples: 1.0,
        };
        let mut nodes = Vec::new();
        for i in 0..n_splits {
            let (next, leaf) = (2 * i + 2, 2 * i + 1);
            let (left, right) = if i % 3 == 0 { (leaf, next) } else { (next, leaf) };
            let missing_go_to_left = false;
            let split = Split { feature: 0, threshold: 0.0, missing_go_to_left, left, right };
            nodes.extend([node(Some(split)), node(None)]);
        }
        nodes.push(node(None));
        Tree::from_nodes(nodes, 1).unwrap()
    }

    #[test]
    fn siblings_are_neighbours_and_nothing_overlaps() {
        for (n_splits, line_pairs) in [(0, 8), (1, 4), (7, 8), (8, 8), (500, 8), (500, 4)] {
            let tree = ladder(n_splits);
            let layout = Layout::new(&tree, line_pairs);
            assert_eq!(layout.places[0], 0);
            for split in tree.nodes().iter().filter_map(|node| node.split) {
                let [left, right] =
                    [split.left, split.right].map(|child| layout.places[child as usize]);
                assert_eq!((left % 2, right), (0, left + 1));
            }
            let mut places = layout.places.clone();
            places.sort_unstable();
            // Only the root has no sibling.
            assert!(!places.contains(&1));
            places.dedup();
            assert_eq!(places.len(), tree.nodes().len());
            assert!(places.iter().all(|&place| (place as usize) < layout.n_places));
            let lines = (n_splits as usize + 1).div_ceil(line_pairs);
            assert_eq!(layout.n_places, lines * line_pairs * 2, "{n_splits} splits");
        }
    }
}

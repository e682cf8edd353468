use super::{Node, Tree};

/// Bytes of one node in the canonical form.
const NODE_LEN: usize = 49;

impl Tree {
    /// Writes the tree in its canonical form: the bytes by which two forests are compared.
    ///
    /// Little-endian: `u32` node count, then for each node by number `i32` left child, `i32` right child, `i32` feature,
    /// `u32` rows, `u8` missing goes left, and as `f64` threshold, impurity, weight and value. In a leaf the children are
    /// -1, the feature is -2, the threshold -2.0 and the flag 0, as in scikit-learn's `tree_` arrays.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_forest::{Node, Tree};
    ///
    /// let leaf = Node {
    ///     split: None, value: 3.0, impurity: 0.0, n_node_samples: 2, weighted_n_node_samples: 2.0,
    /// };
    /// let bytes = Tree::from_nodes(vec![leaf], 1)?.to_canonical_bytes();
    /// assert_eq!(bytes.len(), 4 + 49);
    /// assert_eq!(bytes[4..8], (-1_i32).to_le_bytes());
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    #[must_use]
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + NODE_LEN * self.nodes.len());
        bytes.extend((self.nodes.len() as u32).to_le_bytes());
        for node in &self.nodes {
            extend_with_node(&mut bytes, node);
        }
        bytes
    }
}

fn extend_with_node(bytes: &mut Vec<u8>, node: &Node) {
    let (left, right, feature, missing_go_to_left, threshold) = match node.split {
        Some(split) => (
            split.left as i32,
            split.right as i32,
            split.feature as i32,
            split.missing_go_to_left,
            split.threshold,
        ),
        None => (-1, -1, -2, false, -2.0),
    };
    bytes.extend(left.to_le_bytes());
    bytes.extend(right.to_le_bytes());
    bytes.extend(feature.to_le_bytes());
    bytes.extend(node.n_node_samples.to_le_bytes());
    bytes.push(u8::from(missing_go_to_left));
    for value in [threshold, node.impurity, node.weighted_n_node_samples, node.value] {
        bytes.extend(value.to_le_bytes());
    }
}

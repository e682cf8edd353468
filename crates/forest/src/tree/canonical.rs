use super::{Node, Split, Tree};

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

/// Reads a node of the canonical form; nothing if it is none. What it says is not checked.
fn read_node(bytes: &[u8; NODE_LEN]) -> Option<Node> {
    let word = |at: usize| -> Option<[u8; 4]> { bytes.get(at..at + 4)?.try_into().ok() };
    let number = |at: usize| -> Option<f64> {
        Some(f64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
    };
    let [left, right, feature] = [0, 4, 8].map(|at| word(at).map(i32::from_le_bytes));
    let (left, right, feature) = (left?, right?, feature?);
    let missing_go_to_left = match bytes[16] {
        0 => false,
        1 => true,
        _ => return None,
    };
    let threshold = number(17)?;
    let split = if left < 0 {
        let is_leaf = (left, right, feature, missing_go_to_left) == (-1, -1, -2, false);
        if !is_leaf || threshold.to_bits() != (-2.0_f64).to_bits() {
            return None;
        }
        None
    } else {
        Some(Split {
            feature: feature.try_into().ok()?,
            threshold,
            missing_go_to_left,
            left: left.cast_unsigned(),
            right: right.try_into().ok()?,
        })
    };
    Some(Node {
        split,
        impurity: number(25)?,
        weighted_n_node_samples: number(33)?,
        value: number(41)?,
        n_node_samples: word(12).map(u32::from_le_bytes)?,
    })
}

impl Tree {
    /// Takes a tree in its canonical form from the beginning of some bytes. It is still to be [checked](Self::check).
    pub(crate) fn take_canonical(bytes: &mut &[u8]) -> Option<Self> {
        let (n_nodes, rest) = bytes.split_first_chunk()?;
        let length = (u32::from_le_bytes(*n_nodes) as usize).checked_mul(NODE_LEN)?;
        let (nodes, rest) = rest.split_at_checked(length)?;
        *bytes = rest;
        let nodes: Option<Vec<Node>> = nodes.as_chunks().0.iter().map(read_node).collect();
        nodes.map(Self::unchecked)
    }
}

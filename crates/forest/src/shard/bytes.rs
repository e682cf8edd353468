use sha2::{Digest, Sha256};

use super::{Ballot, ForestShard};
use crate::{Error, Result, out_of_bag::Votes, tree::Tree};

const MAGIC: &[u8; 8] = b"SPNSHARD";
const VERSION: u32 = 1;
const DIGEST: usize = 32;

impl ForestShard {
    /// Writes the shard for [`from_bytes`](Self::from_bytes) of the same version to read.
    ///
    /// Little-endian: `SPNSHARD`, then as `u32` the format's version 1, number of all trees, number of the first, trees here, features, rows,
    /// `u8` whether there are votes, the digest of what it was fitted to, and the trees in their
    /// [canonical form](Tree::to_canonical_bytes). With votes, `y` as `f64`, and for each tree a bit for each row that it did not see, lowest
    /// bit first, and its predictions of them as `f64`. At the end the SHA-256 of all that.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        let n_trees = self.trees.len();
        for number in [self.n_estimators, self.first, n_trees, self.n_features, self.n_rows] {
            bytes.extend((number as u32).to_le_bytes());
        }
        bytes.push(u8::from(self.ballot.is_some()));
        bytes.extend(self.training);
        for tree in &self.trees {
            bytes.extend(tree.to_canonical_bytes());
        }
        if let Some(ballot) = &self.ballot {
            bytes.extend(ballot.y.iter().flat_map(|value| value.to_le_bytes()));
            for votes in &ballot.votes {
                let mut unseen = vec![0_u8; self.n_rows.div_ceil(8)];
                for row in &votes.rows {
                    unseen[*row as usize / 8] |= 1 << (row % 8);
                }
                bytes.extend(unseen);
                bytes.extend(votes.values.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        bytes.extend(Sha256::digest(&bytes));
        bytes
    }

    /// Reads a shard. Bytes from anywhere are safe: everything is checked, and no more memory is taken than they are long.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidShard`] says what is wrong, [`Error::InvalidTree`] which node is.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = |problem| Error::InvalidShard { problem };
        let Some((content, digest)) = bytes.split_last_chunk::<DIGEST>() else {
            return Err(invalid("it is too short"));
        };
        let Some(mut rest) = content.strip_prefix(MAGIC) else {
            return Err(invalid("it does not begin as one"));
        };
        if take_u32(&mut rest) != Some(VERSION) {
            return Err(invalid("its format is of another version"));
        }
        if Sha256::digest(content)[..] != digest[..] {
            return Err(invalid("it is damaged: its SHA-256 is another"));
        }
        let short = || invalid("it ends early");
        let mut next = || take_u32(&mut rest).map(|number| number as usize);
        let [n_estimators, first, n_trees, n_features, n_rows] =
            [next(), next(), next(), next(), next()].map(|number| number.ok_or_else(short));
        let (n_estimators, first, n_trees) = (n_estimators?, first?, n_trees?);
        let (n_features, n_rows) = (n_features?, n_rows?);
        let is_range =
            n_trees > 0 && first.checked_add(n_trees).is_some_and(|end| end <= n_estimators);
        if !is_range || n_features == 0 || n_rows == 0 {
            return Err(invalid("its numbers contradict each other"));
        }
        let has_votes = match take::<1>(&mut rest).ok_or_else(short)? {
            [0] => false,
            [1] => true,
            _ => return Err(invalid("it neither has votes nor lacks them")),
        };
        let training = take(&mut rest).ok_or_else(short)?;
        // Not of the number that it says: it may be a lie.
        let mut trees = Vec::new();
        for number in 0..n_trees {
            let tree = Tree::take_canonical(&mut rest);
            let tree =
                tree.ok_or_else(|| invalid("a tree is cut off, or has a node that is none"))?;
            let checked = tree.check(n_features);
            checked.map_err(|(node, problem)| Error::InvalidTree {
                tree: first + number,
                node,
                problem,
            })?;
            trees.push(tree);
        }
        let ballot = has_votes.then(|| take_ballot(&mut rest, n_rows, n_trees)).transpose()?;
        if !rest.is_empty() {
            return Err(invalid("something follows it"));
        }
        Ok(Self { first, trees, n_estimators, n_features, n_rows, training, ballot })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

/// Takes finite numbers.
fn take_numbers(bytes: &mut &[u8], count: usize) -> Option<Vec<f64>> {
    let (taken, rest) = bytes.split_at_checked(count.checked_mul(8)?)?;
    *bytes = rest;
    let numbers: Vec<f64> =
        taken.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    numbers.iter().all(|number| number.is_finite()).then_some(numbers)
}

fn take_ballot(bytes: &mut &[u8], n_rows: usize, n_trees: usize) -> Result<Ballot> {
    let invalid = || Error::InvalidShard { problem: "its votes are cut off, or are none" };
    let y = take_numbers(bytes, n_rows).ok_or_else(invalid)?;
    let mut votes = Vec::new();
    for _ in 0..n_trees {
        let (unseen, rest) = bytes.split_at_checked(n_rows.div_ceil(8)).ok_or_else(invalid)?;
        *bytes = rest;
        let rows: Vec<u32> = (0..unseen.len() * 8)
            .filter(|row| unseen[row / 8] >> (row % 8) & 1 == 1)
            .map(|row| row as u32)
            .collect();
        if rows.last().is_some_and(|row| *row as usize >= n_rows) {
            return Err(invalid());
        }
        let values = take_numbers(bytes, rows.len()).ok_or_else(invalid)?;
        votes.push(Votes { rows, values });
    }
    Ok(Ballot { y, votes })
}

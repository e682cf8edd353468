//! One random threshold for each feature: extremely randomised trees.

use super::{
    bounds::Bounds,
    criterion::Criterion,
    grow::goes_left,
    search::{BestSplit, Candidate, Prepared, Search},
    sort::partition,
};

/// The greatest number that the generator draws.
const MOST_DRAWN: f64 = i32::MAX as f64;

impl<C: Criterion> Search<'_, C> {
    /// Draws a threshold between a feature's extremes, and a side for its missing values, and puts the rows on their sides.
    ///
    /// # References
    ///
    /// Geurts, Ernst and Wehenkel (2006), *Extremely randomized trees*, Machine Learning 63; scikit-learn's
    /// `node_split_random`.
    pub(super) fn try_one(
        &mut self,
        feature: usize,
        rows: &mut [u32],
        prepared: Prepared,
        bounds: Bounds,
        best: &mut Option<BestSplit>,
    ) {
        let Some((least, most)) = prepared.extremes else { return };
        let (least, most) = (f64::from(least), f64::from(most));
        let drawn = f64::from(self.draw.generator.next_u31());
        let mut threshold = (most - least) * drawn / MOST_DRAWN + least;
        let has_missing = prepared.n_missing > 0;
        let missing_left = has_missing && self.draw.generator.draw(0, 2) == 1;
        // Nothing may be left of nothing.
        if threshold >= most {
            threshold = least;
        }
        let column = self.x.column(feature);
        let position =
            partition(rows, |row| goes_left(column[row as usize], threshold, missing_left));
        let missing_go_to_left =
            if has_missing { missing_left } else { position > rows.len() - position };
        self.criterion.reset(rows);
        self.consider(
            Candidate { feature, position, threshold, missing_go_to_left },
            rows,
            bounds,
            best,
        );
    }
}

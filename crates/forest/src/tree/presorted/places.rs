//! Where the engine keeps each feature: those of two values, which take less work, behind the others.

use super::{close_values::has_close, columns::LANES};
use crate::feature_columns::FeatureColumns;

/// The engine's numbers for features. Both kinds begin at a multiple of [`LANES`]; places between have no feature.
#[derive(Debug)]
pub(super) struct Places {
    /// By feature.
    place_of: Vec<u32>,
    /// By place; of no meaning where there is no feature.
    feature_of: Vec<u32>,
    /// Features from this place on have two values, none missing, that a search tells apart.
    two_valued_from: usize,
}

impl Places {
    pub(super) fn new(x: &FeatureColumns) -> Self {
        let of_two = |&feature: &usize| has_two_values(x.column(feature));
        let (two_valued, others): (Vec<usize>, Vec<usize>) = (0..x.n_features()).partition(of_two);
        let two_valued_from = others.len().next_multiple_of(LANES);
        let n_places = two_valued_from + two_valued.len().next_multiple_of(LANES);
        let (mut place_of, mut feature_of) = (vec![0; x.n_features()], vec![0; n_places]);
        let places = (0..others.len()).chain(two_valued_from..);
        for (feature, place) in others.into_iter().chain(two_valued).zip(places) {
            place_of[feature] = place as u32;
            feature_of[place] = feature as u32;
        }
        Self { place_of, feature_of, two_valued_from }
    }

    /// Places of all features, in the order of the data.
    pub(super) fn in_order(&self) -> &[u32] {
        &self.place_of
    }

    /// Places, those without a feature included.
    pub(super) fn n_places(&self) -> usize {
        self.feature_of.len()
    }

    pub(super) fn two_valued_from(&self) -> usize {
        self.two_valued_from
    }

    pub(super) fn feature(&self, place: u32) -> u32 {
        self.feature_of[place as usize]
    }
}

/// The training matrix by place.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedColumns<'a> {
    pub(super) x: &'a FeatureColumns,
    pub(super) places: &'a Places,
}

impl<'a> PlacedColumns<'a> {
    pub(super) fn column(self, place: usize) -> &'a [f32] {
        self.x.column(self.places.feature_of[place] as usize)
    }
}

/// Most columns show a third value, or none but the first, within a few rows.
fn has_two_values(column: &[f32]) -> bool {
    let first = column[0];
    let Some(&second) = column.iter().find(|value| ![first].contains(value)) else { return false };
    let values = [first.min(second), first.max(second)];
    !has_close(&values) && column.iter().all(|value| values.contains(value))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn two_valued_features_come_last() {
        let close = 1.0 - f32::EPSILON / 2.0;
        let x = array![
            [0.0, 1.0, 7.0, -0.0, 1.0, f32::NAN],
            [5.0, 2.0, 7.0, 0.0, close, 1.0],
            [0.0, 3.0, 7.0, 1.0, 1.0, 2.0],
        ];
        let x = FeatureColumns::new(x.view()).unwrap();
        let places = Places::new(&x);
        assert_eq!(places.in_order(), [8, 0, 1, 9, 2, 3]);
        assert_eq!((places.two_valued_from(), places.n_places()), (8, 16));
        for (feature, &place) in (0..).zip(places.in_order()) {
            assert_eq!(places.feature(place), feature);
        }
    }
}

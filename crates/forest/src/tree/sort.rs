//! Row order inside a node.
//!
//! Sums over rows are rounded after every addition, so the order of the rows decides the last bits of impurities and, for
//! targets whose sums are not exact, which split wins. These are therefore scikit-learn's own movements, exchange by
//! exchange, and not just any sort.

/// Up to this many elements the insertion sort takes over.
pub(super) const INSERTION_LENGTH: usize = 15;

/// Moves rows with a missing value to the end, fills `values` for the others and returns how many are missing.
///
/// `rows` holds the node's rows, `column` the feature for all rows; afterwards `values[..rows.len() - missing]` belongs to
/// the rows in the same places. What `values` holds behind that is of no meaning.
pub(crate) fn gather(rows: &mut [u32], column: &[f32], values: &mut [f32]) -> usize {
    let (mut front, mut back) = (0, rows.len());
    while front < back {
        if column[rows[back - 1] as usize].is_nan() {
            back -= 1;
            continue;
        }
        if column[rows[front] as usize].is_nan() {
            rows.swap(front, back - 1);
            back -= 1;
        }
        values[front] = column[rows[front] as usize];
        front += 1;
    }
    rows.len() - back
}

/// Sorts `values` ascending and moves `rows` along with them: quicksort that falls back to heap sort, insertion sort for short runs.
///
/// Compares values only, so the order of equal values follows from the movements. No value may be NaN.
pub(crate) fn sort<V: Copy + PartialOrd, R>(values: &mut [V], rows: &mut [R]) {
    debug_assert_eq!(values.len(), rows.len());
    let budget = 2 * values.len().checked_ilog2().unwrap_or(0);
    quick_sort(values, rows, budget);
}

fn quick_sort<V: Copy + PartialOrd, R>(mut values: &mut [V], mut rows: &mut [R], mut budget: u32) {
    while values.len() > INSERTION_LENGTH {
        if budget == 0 {
            heap_sort(values, rows);
            return;
        }
        budget -= 1;
        let n = values.len();
        let pivot = median(values[0], values[n / 2], values[n - 1]);
        let (mut smaller, mut cursor, mut greater) = (0, 0, n);
        while cursor < greater {
            if values[cursor] < pivot {
                swap(values, rows, cursor, smaller);
                smaller += 1;
                cursor += 1;
            } else if values[cursor] > pivot {
                greater -= 1;
                swap(values, rows, cursor, greater);
            } else {
                cursor += 1;
            }
        }
        quick_sort(&mut values[..smaller], &mut rows[..smaller], budget);
        values = &mut values[greater..];
        rows = &mut rows[greater..];
    }
    insertion_sort(values, rows);
}

pub(super) fn median<V: Copy + PartialOrd>(a: V, b: V, c: V) -> V {
    let max = |a, b| if a < b { b } else { a };
    if a < b {
        if b < c { b } else { max(a, c) }
    } else if a < c {
        a
    } else {
        max(b, c)
    }
}

/// Stable: an element moves past strictly greater ones only.
fn insertion_sort<V: Copy + PartialOrd, R>(values: &mut [V], rows: &mut [R]) {
    for end in 1..values.len() {
        let mut place = end;
        while place > 0 && values[place - 1] > values[place] {
            swap(values, rows, place - 1, place);
            place -= 1;
        }
    }
}

pub(super) fn heap_sort<V: Copy + PartialOrd, R>(values: &mut [V], rows: &mut [R]) {
    let n = values.len();
    for root in (0..n / 2).rev() {
        sift_down(values, rows, root, n);
    }
    for end in (1..n).rev() {
        swap(values, rows, 0, end);
        sift_down(values, rows, 0, end);
    }
}

fn sift_down<V: Copy + PartialOrd, R>(
    values: &mut [V],
    rows: &mut [R],
    mut root: usize,
    end: usize,
) {
    loop {
        let (left, right) = (2 * root + 1, 2 * root + 2);
        let mut greatest = root;
        if left < end && values[left] > values[greatest] {
            greatest = left;
        }
        if right < end && values[right] > values[greatest] {
            greatest = right;
        }
        if greatest == root {
            return;
        }
        swap(values, rows, root, greatest);
        root = greatest;
    }
}

fn swap<V, R>(values: &mut [V], rows: &mut [R], a: usize, b: usize) {
    values.swap(a, b);
    rows.swap(a, b);
}

/// Moves rows that go left to the front, by exchange with the far end, and returns how many there are.
pub(crate) fn partition<R: Copy>(rows: &mut [R], goes_left: impl Fn(R) -> bool) -> usize {
    let (mut cursor, mut end) = (0, rows.len());
    while cursor < end {
        if goes_left(rows[cursor]) {
            cursor += 1;
        } else {
            end -= 1;
            rows.swap(cursor, end);
        }
    }
    cursor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        keys: Vec<f32>,
        perm: Vec<u32>,
    }

    #[derive(serde::Deserialize)]
    struct Cases {
        cases: Vec<Case>,
    }

    /// Vectors from scikit-learn's own sort, one of which exhausts the quicksort's budget.
    #[test]
    fn moves_equal_values_as_scikit_learn_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/expected/forest/sort.json");
        let text = std::fs::read_to_string(path).unwrap();
        let vectors: Cases = serde_json::from_str(&text).unwrap();
        assert!(vectors.cases.len() > 5);
        for Case { name, keys, perm } in vectors.cases {
            let mut values = keys.clone();
            let mut rows: Vec<u32> = (0..keys.len() as u32).collect();
            sort(&mut values, &mut rows);
            assert_eq!(rows, perm, "{name}");
        }
    }

    #[test]
    fn gathers_missing_rows_at_the_end_by_exchange() {
        let nan = f32::NAN;
        let column = [nan, 1.0, nan, 3.0, 4.0, nan];
        let mut rows = [0, 1, 2, 3, 4, 5];
        let mut values = [0.0; 6];
        assert_eq!(gather(&mut rows, &column, &mut values), 3);
        assert_eq!(rows, [4, 1, 3, 2, 0, 5]);
        assert_eq!(values[..3], [4.0, 1.0, 3.0]);
    }

    #[test]
    fn gathers_nothing_when_all_rows_are_missing() {
        let mut rows = [0, 1];
        assert_eq!(gather(&mut rows, &[f32::NAN; 2], &mut [0.0; 2]), 2);
        assert_eq!(rows, [0, 1]);
    }

    #[test]
    fn partitions_by_exchange_with_the_far_end() {
        let mut rows = [0, 1, 2, 3, 4, 5];
        assert_eq!(partition(&mut rows, |row| row % 2 == 0), 3);
        assert_eq!(rows, [0, 4, 2, 3, 5, 1]);
    }
}

/// An axis: from where to where, and where it is marked.
pub(super) struct Axis {
    pub(super) least: f64,
    pub(super) greatest: f64,
    step: f64,
}

/// Into how many parts an axis is divided at least.
const N_PARTS: f64 = 4.0;

impl Axis {
    /// An axis with round ends around all numbers, and more than one number.
    pub(super) fn around(numbers: impl Iterator<Item = f64>) -> Self {
        let (least, greatest) = numbers
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), number| {
                (least.min(number), greatest.max(number))
            });
        let (least, greatest) = match greatest - least {
            range if range > 0.0 && range.is_finite() => (least, greatest),
            _ if least.is_finite() => (least - 1.0, least + 1.0),
            _ => (0.0, 1.0),
        };
        let step = round_step((greatest - least) / N_PARTS);
        Self {
            least: (least / step).floor() * step,
            greatest: (greatest / step).ceil() * step,
            step,
        }
    }

    /// Where on the axis, from 0 to 1.
    pub(super) fn place(&self, number: f64) -> f64 {
        (number - self.least) / (self.greatest - self.least)
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let n = ((self.greatest - self.least) / self.step).round() as u32;
        (0..=n).map(|at| self.least + f64::from(at) * self.step)
    }
}

/// The greatest of 1, 2 and 5 times a power of ten that is not above.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [5.0, 2.0].into_iter().find(|factor| factor * power <= step).unwrap_or(1.0);
    factor * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_ticks_are_round() {
        let axis = Axis::around([12_789.0, 611_000.0].into_iter());
        let ticks: Vec<f64> = axis.ticks().collect();
        assert_eq!(ticks, [0.0, 1e5, 2e5, 3e5, 4e5, 5e5, 6e5, 7e5]);
        assert!((axis.place(350_000.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn one_number_or_none_has_an_axis() {
        for numbers in [vec![], vec![5.0], vec![5.0, 5.0]] {
            let axis = Axis::around(numbers.into_iter());
            assert!(axis.least < axis.greatest && axis.ticks().count() < 20);
        }
    }
}

use super::criterion::Sides;

/// The values that a node may predict, set by monotonic splits above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    lower: f64,
    upper: f64,
}

impl Bounds {
    pub(crate) const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    pub(crate) fn clip(self, value: f64) -> f64 {
        if value < self.lower {
            self.lower
        } else if value > self.upper {
            self.upper
        } else {
            value
        }
    }

    fn contain(self, value: f64) -> bool {
        value >= self.lower && value <= self.upper
    }
}

/// For each feature: 1 if predictions may only rise with it, -1 if they may only fall, 0 if they are free. Empty for no
/// constraints at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MonotonicConstraints<'a>(pub(crate) &'a [i8]);

impl MonotonicConstraints<'_> {
    pub(crate) fn is_none(self) -> bool {
        self.0.is_empty()
    }

    fn of(self, feature: usize) -> i8 {
        self.0.get(feature).copied().unwrap_or(0)
    }

    /// Whether a split may give its sides these values. They are asked for only if that matters.
    pub(crate) fn allow(
        self,
        feature: usize,
        bounds: Bounds,
        values: impl FnOnce() -> Sides<f64>,
    ) -> bool {
        let constraint = self.of(feature);
        if constraint == 0 {
            return true;
        }
        let value = values();
        bounds.contain(value.left)
            && bounds.contain(value.right)
            && (value.left - value.right) * f64::from(constraint) <= 0.0
    }

    /// What the sides of a split may predict: on a constrained feature, the middle keeps them apart.
    pub(crate) fn side_bounds(self, feature: usize, bounds: Bounds, middle: f64) -> Sides<Bounds> {
        let below = Bounds { upper: middle, ..bounds };
        let above = Bounds { lower: middle, ..bounds };
        match self.of(feature) {
            0 => Sides { left: bounds, right: bounds },
            1 => Sides { left: below, right: above },
            _ => Sides { left: above, right: below },
        }
    }
}

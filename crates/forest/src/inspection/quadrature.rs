use std::f64::consts::PI;

/// Gauss-Legendre rules on the interval from 0 to 1, computed when first asked for.
#[derive(Debug, Default)]
pub(super) struct QuadratureRules {
    /// By number of points: places and weights.
    rules: Vec<Vec<(f64, f64)>>,
}

impl QuadratureRules {
    /// The rule that integrates a product of `n_factors - 1` linear factors exactly.
    pub(super) fn exact_for(&mut self, n_factors: usize) -> &[(f64, f64)] {
        let n_points = n_factors.div_ceil(2);
        if self.rules.len() <= n_points {
            self.rules.resize(n_points + 1, Vec::new());
        }
        let rule = &mut self.rules[n_points];
        if rule.is_empty() {
            *rule = (1..=n_points).map(|i| point(n_points, i)).collect();
        }
        rule
    }
}

/// The `i`-th of `n` points: a root of the Legendre polynomial, by Newton's method from Chebyshev's guess.
fn point(n: usize, i: usize) -> (f64, f64) {
    let mut x = (PI * (i as f64 - 0.25) / (n as f64 + 0.5)).cos();
    let mut slope = 1.0;
    // Converges in three or four steps; one more costs nothing.
    for _ in 0..8 {
        let (value, derivative) = legendre(n, x);
        slope = derivative;
        x -= value / slope;
    }
    let weight = 2.0 / ((1.0 - x * x) * slope * slope);
    (f64::midpoint(x, 1.0), weight / 2.0)
}

/// The Legendre polynomial of degree `n` and its derivative, by Bonnet's recursion.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrates_powers_up_to_its_degree() {
        let mut rules = QuadratureRules::default();
        for n_factors in 1..80_i32 {
            for power in 0..n_factors {
                let rule = rules.exact_for(n_factors as usize);
                let sum: f64 = rule.iter().map(|(x, weight)| weight * x.powi(power)).sum();
                let exact = 1.0 / f64::from(power + 1);
                assert!((sum - exact).abs() < 1e-14, "x^{power} by {n_factors}: {sum}");
            }
        }
    }
}

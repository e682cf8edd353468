use std::fmt;

use crate::stage::with_commas;

/// Text as HTML and its attributes have it.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// Whole dollars.
pub(super) fn dollars(amount: f64) -> String {
    let sign = if amount.round_ties_even() < 0.0 { "−" } else { "" };
    format!("{sign}${}", number(amount.abs()))
}

/// A whole number that is not negative.
pub(super) fn number(value: f64) -> String {
    with_commas(value.round_ties_even() as u64)
}

use std::fmt;

use super::text::Escaped;

/// Bars from the left, one below the other.
pub(super) struct Bars {
    pub(super) title: &'static str,
    pub(super) bars: Vec<Bar>,
}

pub(super) struct Bar {
    pub(super) label: String,
    /// Not negative.
    pub(super) value: f64,
    /// The value as people write it.
    pub(super) said: String,
}

const WIDTH: f64 = 520.0;
const LABELS: f64 = 170.0;
const VALUES: f64 = 64.0;
const STEP: f64 = 22.0;
const THICKNESS: f64 = 14.0;

impl fmt::Display for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let height = self.bars.len() as f64 * STEP;
        let title = Escaped(self.title);
        writeln!(f, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">")?;
        let greatest = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        for (at, bar) in self.bars.iter().enumerate() {
            let share = if greatest > 0.0 { bar.value / greatest } else { 0.0 };
            let (width, y) = (share * (WIDTH - LABELS - VALUES), at as f64 * STEP);
            let (top, middle) = (y + (STEP - THICKNESS) / 2.0, y + STEP / 2.0);
            let (label, said) = (Escaped(&bar.label), Escaped(&bar.said));
            writeln!(
                f,
                "<text class=\"label\" x=\"{:.1}\" y=\"{middle:.1}\" dy=\".32em\" text-anchor=\"end\">{label}</text>\
                 <rect x=\"{LABELS:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{THICKNESS:.1}\" rx=\"2\"><title>{label}: {said}</title></rect>\
                 <text x=\"{:.1}\" y=\"{middle:.1}\" dy=\".32em\">{said}</text>",
                LABELS - 8.0,
                LABELS + width + 6.0,
            )?;
        }
        f.write_str("</svg>")
    }
}

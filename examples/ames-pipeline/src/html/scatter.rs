use std::fmt;

use super::{
    text::{Escaped, dollars},
    ticks::Axis,
};

/// Dots on two axes of dollars.
pub(super) struct Scatter {
    pub(super) x_title: &'static str,
    pub(super) y_title: &'static str,
    pub(super) points: Vec<Point>,
    pub(super) line: Line,
}

pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// What a pointer that rests on it shows.
    pub(super) said: String,
}

/// Where dots would be if the model were never wrong.
pub(super) enum Line {
    Diagonal,
    Zero,
}

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

impl fmt::Display for Scatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let xs = self.points.iter().map(|point| point.x);
        let ys = self.points.iter().map(|point| point.y);
        let (x_axis, y_axis) = match self.line {
            // The same on both, so that the line is one of 45 degrees.
            Line::Diagonal => {
                (Axis::around(xs.clone().chain(ys.clone())), Axis::around(xs.chain(ys)))
            }
            Line::Zero => (Axis::around(xs), Axis::around(ys.chain([0.0]))),
        };
        let x = |number| LEFT + x_axis.place(number) * (WIDTH - LEFT - RIGHT);
        let y = |number| HEIGHT - BOTTOM - y_axis.place(number) * (HEIGHT - TOP - BOTTOM);

        let (x_title, y_title) = (Escaped(self.x_title), Escaped(self.y_title));
        writeln!(
            f,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{y_title} by {x_title}\">"
        )?;
        let (left, right) = (x(x_axis.least), x(x_axis.greatest));
        let (bottom, top) = (y(y_axis.least), y(y_axis.greatest));
        for tick in x_axis.ticks() {
            let (at, below, said) = (x(tick), bottom + 16.0, thousands(tick));
            writeln!(
                f,
                "<path class=\"grid\" d=\"M{at:.1} {top:.1}V{bottom:.1}\"/>\
                 <text x=\"{at:.1}\" y=\"{below:.1}\" text-anchor=\"middle\">{said}</text>"
            )?;
        }
        for tick in y_axis.ticks() {
            let (at, before, said) = (y(tick), left - 6.0, thousands(tick));
            writeln!(
                f,
                "<path class=\"grid\" d=\"M{left:.1} {at:.1}H{right:.1}\"/>\
                 <text x=\"{before:.1}\" y=\"{at:.1}\" dy=\".32em\" text-anchor=\"end\">{said}</text>"
            )?;
        }
        for Point { x: at_x, y: at_y, said } in &self.points {
            writeln!(
                f,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}</title></circle>",
                x(*at_x),
                y(*at_y),
                Escaped(said)
            )?;
        }
        match self.line {
            Line::Diagonal => {
                writeln!(
                    f,
                    "<path class=\"line\" d=\"M{left:.1} {bottom:.1}L{right:.1} {top:.1}\"/>"
                )?;
            }
            Line::Zero => {
                writeln!(f, "<path class=\"line\" d=\"M{left:.1} {:.1}H{right:.1}\"/>", y(0.0))?;
            }
        }
        let (middle_x, middle_y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        writeln!(
            f,
            "<text x=\"{middle_x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x_title}</text>\
             <text transform=\"translate(14 {middle_y:.1}) rotate(-90)\" text-anchor=\"middle\">{y_title}</text>",
            HEIGHT - 8.0
        )?;
        f.write_str("</svg>")
    }
}

/// Dollars of an axis, in thousands where they are.
fn thousands(amount: f64) -> String {
    let whole = amount / 1000.0;
    if amount != 0.0 && whole.fract() == 0.0 {
        return format!("{}k", dollars(whole));
    }
    dollars(amount)
}

//! The page about a model: one file that needs no server, no script and no network.

mod bars;
mod groups;
mod scatter;
mod text;
mod ticks;

use std::{collections::BTreeMap, fmt};

use bars::{Bar, Bars};
use scatter::{Line, Point, Scatter};
use text::{Escaped, dollars, number};

/// What a page tells.
pub(crate) struct Page<'a> {
    pub(crate) model: String,
    pub(crate) fingerprint: String,
    pub(crate) n_training_rows: Option<u64>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) metrics: &'a BTreeMap<String, f64>,
    pub(crate) assessment: Assessment<'a>,
    /// The features with their shares, which sum up to 1.
    pub(crate) importances: Vec<(String, f64)>,
}

/// The test rows: their prices, what the model says, and which group each is of.
pub(crate) struct Assessment<'a> {
    pub(crate) actual: &'a [f64],
    pub(crate) predicted: &'a [f64],
    pub(crate) groups: Vec<String>,
}

/// How many features have a bar of their own.
const N_FEATURES: usize = 15;

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = Escaped(&self.model);
        write!(
            f,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{model}: evaluation</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n\
             <h1>{model}</h1>\n",
            include_str!("page.css"),
        )?;
        self.facts(f)?;
        self.tiles(f)?;
        f.write_str("<div class=\"plots\">\n")?;
        figure(
            f,
            "Predicted against actual price",
            "A dot is a house of the test rows. On the line, the prediction is the price.",
            &self.predicted_against_actual(),
        )?;
        figure(
            f,
            "Residuals",
            "By how much the price is above the prediction, by the prediction.",
            &self.residuals(),
        )?;
        figure(
            f,
            "Importance of features",
            "The share of each feature in what the trees' splits gain.",
            &self.importances(),
        )?;
        let groups = groups::by_error(&self.assessment);
        figure(
            f,
            "Error by neighborhood",
            "The mean absolute error of its test rows, how many these are in brackets.",
            &groups::bars(&groups),
        )?;
        f.write_str("</div>\n")?;
        groups::table(f, &groups)?;
        f.write_str("</main>\n</body>\n</html>\n")
    }
}

fn figure(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    caption: &str,
    plot: &impl fmt::Display,
) -> fmt::Result {
    let (title, caption) = (Escaped(title), Escaped(caption));
    writeln!(f, "<figure>\n<h2>{title}</h2>\n{plot}\n<figcaption>{caption}</figcaption>\n</figure>")
}

impl Page<'_> {
    fn facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = vec![format!("{} test rows", number(self.assessment.actual.len() as f64))];
        if let Some(rows) = self.n_training_rows {
            facts.push(format!("{} rows to train on", number(rows as f64)));
        }
        facts.extend(self.parameters.iter().map(|(name, value)| format!("{name} {value}")));
        let (facts, fingerprint) = (facts.join(" · "), Escaped(&self.fingerprint));
        writeln!(
            f,
            "<p class=\"facts\">{}<br><span class=\"code\">{fingerprint}</span></p>",
            Escaped(&facts)
        )
    }

    fn tiles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<dl class=\"tiles\">\n")?;
        for (name, value) in self.metrics {
            let (name, value) = match name.as_str() {
                "r2" => ("R²", format!("{value:.3}")),
                "mae" => ("Mean absolute error", dollars(*value)),
                "rmse" => ("Root mean squared error", dollars(*value)),
                name => (name, value.to_string()),
            };
            writeln!(f, "<div><dt>{}</dt><dd>{}</dd></div>", Escaped(name), Escaped(&value))?;
        }
        f.write_str("</dl>\n")
    }

    fn points(&self, place: impl Fn(f64, f64) -> (f64, f64)) -> Vec<Point> {
        let Assessment { actual, predicted, groups } = &self.assessment;
        let rows = actual.iter().zip(*predicted).zip(groups);
        rows.map(|((&actual, &predicted), group)| {
            let (x, y) = place(actual, predicted);
            let (actual, predicted) = (dollars(actual), dollars(predicted));
            Point { x, y, said: format!("{group}: {actual}, predicted {predicted}") }
        })
        .collect()
    }

    fn predicted_against_actual(&self) -> Scatter {
        Scatter {
            x_title: "actual",
            y_title: "predicted",
            points: self.points(|actual, predicted| (actual, predicted)),
            line: Line::Diagonal,
        }
    }

    fn residuals(&self) -> Scatter {
        Scatter {
            x_title: "predicted",
            y_title: "actual less predicted",
            points: self.points(|actual, predicted| (predicted, actual - predicted)),
            line: Line::Zero,
        }
    }

    fn importances(&self) -> Bars {
        let mut shares = self.importances.clone();
        shares.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let rest: Vec<(String, f64)> = shares.split_off(N_FEATURES.min(shares.len()));
        if !rest.is_empty() {
            let sum = rest.iter().map(|(_, share)| share).sum();
            shares.push((format!("the other {}", rest.len()), sum));
        }
        let bar = |(label, value): (String, f64)| Bar { label, value, said: percent(value) };
        Bars { title: "importance of features", bars: shares.into_iter().map(bar).collect() }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn page<'a>(metrics: &'a BTreeMap<String, f64>, prices: &'a [[f64; 2]; 2]) -> Page<'a> {
        Page {
            model: "a <model> & \"more\"".to_owned(),
            fingerprint: "00ff".to_owned(),
            n_training_rows: Some(2344),
            parameters: [("seed".to_owned(), "<42>".to_owned())].into(),
            metrics,
            assessment: Assessment {
                actual: &prices[0],
                predicted: &prices[1],
                groups: vec!["<b>".to_owned(), "NAmes".to_owned()],
            },
            importances: (0..20).map(|at| (format!("f{at}'"), f64::from(at) / 190.0)).collect(),
        }
    }

    #[test]
    fn a_page_is_whole_and_what_it_is_told_stays_text() {
        let metrics = [("r2".to_owned(), 0.843_21), ("mae".to_owned(), 18_123.4)].into();
        let prices = [[100_000.0, 250_000.0], [90_000.0, 270_000.5]];
        let html = page(&metrics, &prices).to_string();
        for expected in [
            "a &lt;model&gt; &amp; &quot;more&quot;",
            "seed &lt;42&gt;",
            "2,344 rows to train on",
            "<dd>0.843</dd>",
            "<dd>$18,123</dd>",
            "&lt;b&gt;: $100,000, predicted $90,000",
            "the other 5",
            "f19&#39;",
        ] {
            assert!(html.contains(expected), "{expected} is not in {html}");
        }
        // Nothing is fetched, nothing runs, and every number of the plots is one.
        for absent in ["<script", "http://", "https://", "<b>", "NaN", "inf\""] {
            assert!(!html.contains(absent), "{absent} is in {html}");
        }
        assert_eq!(html.matches("<svg").count(), 4);
        assert_eq!(html.matches("<circle").count(), 4);
    }

    #[test]
    fn a_single_row_has_a_page_too() {
        let metrics = BTreeMap::new();
        let price = [1.0];
        let page = Page {
            assessment: Assessment {
                actual: &price,
                predicted: &price,
                groups: vec!["x".to_owned()],
            },
            importances: vec![("x".to_owned(), 0.0)],
            ..page(&metrics, &[[0.0; 2]; 2])
        };
        let html = page.to_string();
        assert!(!html.contains("NaN") && !html.contains("inf\""), "{html}");
    }
}

//! How wrong the model is, group by group.

use std::{collections::BTreeMap, fmt};

use super::{
    Assessment,
    bars::{Bar, Bars},
    text::{Escaped, dollars},
};

pub(super) struct Group {
    name: String,
    n_rows: u32,
    mean_error: f64,
    mean_residual: f64,
    mean_price: f64,
}

/// The groups, that with the largest error first.
pub(super) fn by_error(assessment: &Assessment<'_>) -> Vec<Group> {
    let Assessment { actual, predicted, groups } = assessment;
    let mut rows: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for ((actual, predicted), group) in actual.iter().zip(*predicted).zip(groups) {
        rows.entry(group).or_default().push((*actual, *predicted));
    }
    let mut groups: Vec<Group> =
        rows.into_iter().map(|(name, rows)| Group::of(name, &rows)).collect();
    groups.sort_by(|one, other| other.mean_error.total_cmp(&one.mean_error));
    groups
}

impl Group {
    fn of(name: &str, rows: &[(f64, f64)]) -> Self {
        let n_rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mean =
            |of: fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>() / f64::from(n_rows);
        Self {
            name: name.to_owned(),
            n_rows,
            mean_error: mean(|(actual, predicted)| (actual - predicted).abs()),
            mean_residual: mean(|(actual, predicted)| actual - predicted),
            mean_price: mean(|(actual, _)| *actual),
        }
    }
}

pub(super) fn bars(groups: &[Group]) -> Bars {
    let bar = |group: &Group| Bar {
        label: format!("{} ({})", group.name, group.n_rows),
        value: group.mean_error,
        said: dollars(group.mean_error),
    };
    Bars { title: "error by neighborhood", bars: groups.iter().map(bar).collect() }
}

/// The same for those who would rather read numbers.
pub(super) fn table(f: &mut fmt::Formatter<'_>, groups: &[Group]) -> fmt::Result {
    f.write_str(
        "<details>\n<summary>Error by neighborhood as a table</summary>\n<table>\n<thead><tr><th>Neighborhood</th>\
         <th>Rows</th><th>Mean price</th><th>Mean absolute error</th><th>Mean residual</th></tr></thead>\n<tbody>\n",
    )?;
    for group in groups {
        writeln!(
            f,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Escaped(&group.name),
            group.n_rows,
            dollars(group.mean_price),
            dollars(group.mean_error),
            dollars(group.mean_residual)
        )?;
    }
    f.write_str("</tbody>\n</table>\n</details>\n")
}

//! A pipeline as a drawing: steps as boxes, from top to bottom, and lines that go around boxes.

use std::fmt::Write;

use super::{Html, html, value};

/// A step of a pipeline, to be drawn.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) status: String,
    /// The page of its run, if it has one.
    pub(super) address: Option<String>,
    /// The steps whose outputs it takes.
    pub(super) needs: Vec<String>,
}

const WIDTH: usize = 210;
const HEIGHT: usize = 48;
const GAP: usize = 36;
/// What a line takes that passes a row.
const LANE: usize = 16;
/// Letters of a name that fit into a box.
const FITS: usize = 22;

/// What stands in a row: a step, or a line between two that are further apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Step(usize),
    Line { from: usize, to: usize },
}

impl Spot {
    fn width(self) -> usize {
        match self {
            Self::Step(_) => WIDTH,
            Self::Line { .. } => LANE,
        }
    }

    /// Whether a line leads from this to what is in the row below.
    fn leads_to(self, below: Self, edges: &[(usize, usize)]) -> bool {
        match (self, below) {
            (Self::Step(from), Self::Step(to)) => edges.contains(&(from, to)),
            (Self::Step(step), Self::Line { from, .. }) => step == from,
            (Self::Line { to, .. }, Self::Step(step)) => step == to,
            (Self::Line { .. }, Self::Line { .. }) => self == below,
        }
    }
}

/// Where everything is.
struct Plan {
    /// From left to right, each with its middle.
    rows: Vec<Vec<(Spot, usize)>>,
    width: usize,
    /// From a step to one that needs it.
    edges: Vec<(usize, usize)>,
}

impl Plan {
    /// Puts each row's spots below what leads to them.
    fn new(nodes: &[Node]) -> Self {
        let mut edges = Vec::new();
        for (to, node) in nodes.iter().enumerate() {
            let places = node.needs.iter().map(|need| nodes.iter().position(|it| it.name == *need));
            edges.extend(places.flatten().map(|from| (from, to)));
        }
        let layers = layers(nodes);
        let depth = |step: usize| layers.iter().position(|layer| layer.contains(&step));
        let mut spots: Vec<Vec<Spot>> = layers
            .iter()
            .map(|layer| layer.iter().map(|step| Spot::Step(*step)).collect())
            .collect();
        for (from, to) in &edges {
            let (Some(top), Some(bottom)) = (depth(*from), depth(*to)) else { continue };
            for row in spots.iter_mut().take(bottom).skip(top + 1) {
                row.push(Spot::Line { from: *from, to: *to });
            }
        }
        let row_width = |row: &Vec<Spot>| {
            row.iter().map(|spot| spot.width()).sum::<usize>() + GAP * row.len().saturating_sub(1)
        };
        let width = spots.iter().map(row_width).max().unwrap_or(0);
        let mut rows: Vec<Vec<(Spot, usize)>> = Vec::new();
        for mut row in spots {
            if let Some(above) = rows.last() {
                row.sort_by_key(|spot| {
                    let leading = above.iter().filter(|(it, _)| it.leads_to(*spot, &edges));
                    let middles: Vec<usize> = leading.map(|(_, middle)| *middle).collect();
                    middles.iter().sum::<usize>().checked_div(middles.len()).unwrap_or(width / 2)
                });
            }
            let mut left = 1 + (width - row_width(&row)) / 2;
            let placed = row.iter().map(|spot| {
                let middle = left + spot.width() / 2;
                left += spot.width() + GAP;
                (*spot, middle)
            });
            rows.push(placed.collect());
        }
        Self { rows, width, edges }
    }

    /// The row and the middle of a spot.
    fn find(&self, spot: Spot) -> Option<(usize, usize)> {
        self.rows.iter().enumerate().find_map(|(row, spots)| {
            spots.iter().find(|(it, _)| *it == spot).map(|(_, middle)| (row, *middle))
        })
    }

    /// The line between two steps, in the words of SVG.
    fn line(&self, from: usize, to: usize) -> Option<String> {
        let ((top, mut x), (bottom, end)) =
            (self.find(Spot::Step(from))?, self.find(Spot::Step(to))?);
        let mut y = top_of(top) + HEIGHT;
        let mut line = format!("M{x} {y}");
        let passed = self.rows.iter().enumerate().take(bottom).skip(top + 1);
        let passed = passed.filter_map(|(row, spots)| {
            let own = spots.iter().find(|(it, _)| *it == Spot::Line { from, to });
            own.map(|(_, middle)| (row, *middle))
        });
        for (row, next) in passed.chain([(bottom, end)]) {
            let (below, middle) = (top_of(row), usize::midpoint(y, top_of(row)));
            // Writing to a text does not fail.
            let _ = write!(line, "C{x} {middle} {next} {middle} {next} {below}");
            if row < bottom {
                let _ = write!(line, "V{}", below + HEIGHT);
            }
            (x, y) = (next, below + HEIGHT);
        }
        Some(line)
    }
}

fn top_of(row: usize) -> usize {
    1 + row * (HEIGHT + GAP)
}

/// Draws steps from top to bottom, each below all that it needs.
pub(super) fn draw(nodes: &[Node]) -> Html {
    let plan = Plan::new(nodes);
    let (width, height) = (plan.width + 2, top_of(plan.rows.len()).saturating_sub(GAP) + 1);
    let mut out = Html::default();
    html!(
        out,
        "<div class=\"wide\"><svg class=\"dag\" role=\"img\" aria-label=\"The steps of the pipeline\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\">",
        width,
        height,
        width,
        height
    );
    for (from, to) in &plan.edges {
        if let Some(line) = plan.line(*from, *to) {
            html!(out, "<path d=\"{}\"/>", line);
        }
    }
    for (number, node) in nodes.iter().enumerate() {
        let Some((row, middle)) = plan.find(Spot::Step(number)) else { continue };
        draw_box(&mut out, node, middle - WIDTH / 2, top_of(row));
    }
    html!(out, "</svg></div>");
    out
}

fn draw_box(out: &mut Html, node: &Node, x: usize, y: usize) {
    if let Some(address) = &node.address {
        html!(out, "<a href=\"{}\">", address);
    }
    html!(
        out,
        "<g class=\"{}\"><title>{}: {}</title>",
        value::class(&node.status),
        node.name,
        node.status
    );
    html!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/>",
        x,
        y,
        WIDTH,
        HEIGHT
    );
    let short: String = node.name.chars().take(FITS).collect();
    let dots = if node.name.chars().count() > FITS { ".." } else { "" };
    html!(out, "<text x=\"{}\" y=\"{}\">{}{}</text>", x + 12, y + 20, short, dots);
    html!(
        out,
        "<text class=\"status\" x=\"{}\" y=\"{}\">{}</text></g>",
        x + 12,
        y + 38,
        node.status
    );
    if node.address.is_some() {
        html!(out, "</a>");
    }
}

/// The numbers of the steps, those in a layer needing only what is in layers before it. Steps that need each other, which no job has that
/// was accepted, come last.
fn layers(nodes: &[Node]) -> Vec<Vec<usize>> {
    let mut layers: Vec<Vec<usize>> = Vec::new();
    let mut left: Vec<usize> = (0..nodes.len()).collect();
    while !left.is_empty() {
        let is_free = |number: &usize| {
            nodes[*number]
                .needs
                .iter()
                .all(|need| left.iter().all(|other| nodes[*other].name != *need))
        };
        let (mut layer, rest): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(is_free);
        left = rest;
        if layer.is_empty() {
            layer = std::mem::take(&mut left);
        }
        layers.push(layer);
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, needs: &[&str]) -> Node {
        let needs = needs.iter().map(|need| (*need).to_owned()).collect();
        Node { name: name.to_owned(), status: "Running".to_owned(), address: None, needs }
    }

    #[test]
    fn each_step_is_below_what_it_needs_and_circles_end() {
        let nodes = [
            node("train", &["prep"]),
            node("split", &[]),
            node("prep", &["split"]),
            node("test", &["split", "train"]),
        ];
        assert_eq!(layers(&nodes), [vec![1], vec![2], vec![0], vec![3]]);
        let drawn = draw(&nodes).into_text();
        assert_eq!((drawn.matches("<path").count(), drawn.matches("<rect").count()), (4, 4));
        let circle = [node("a", &["b"]), node("b", &["a"]), node("c", &["gone"])];
        assert_eq!(layers(&circle), [vec![2], vec![0, 1]]);
        assert!(draw(&[]).into_text().contains("<svg"));
    }

    #[test]
    fn lines_go_around_the_steps_between() {
        let nodes = [
            node("split", &[]),
            node("prep", &["split"]),
            node("train", &["prep"]),
            node("test", &["split", "prep", "train"]),
        ];
        let plan = Plan::new(&nodes);
        for row in &plan.rows {
            for pair in row.windows(2) {
                let [(left, before), (right, behind)] = [pair[0], pair[1]];
                assert!(before + left.width() / 2 + GAP <= behind - right.width() / 2);
            }
        }
        let lines = |row: usize| plan.rows[row].len() - 1;
        assert_eq!([lines(0), lines(1), lines(2), lines(3)], [0, 1, 2, 0]);
        let line = plan.line(0, 3).unwrap();
        assert_eq!((line.matches('C').count(), line.matches('V').count()), (3, 2), "{line}");
    }
}

use std::collections::BTreeMap;

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
/// Letters of a name that fit into a box.
const FITS: usize = 24;

/// Draws steps from top to bottom, each below all that it needs.
pub(super) fn draw(nodes: &[Node]) -> Html {
    let layers = layers(nodes);
    let widest = layers.iter().map(Vec::len).max().unwrap_or(0);
    let row = |n: usize| n * WIDTH + n.saturating_sub(1) * GAP;
    let (width, height) =
        (row(widest) + 2, layers.len() * (HEIGHT + GAP) - GAP.min(layers.len() * GAP) + 2);
    let mut places: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (depth, layer) in layers.iter().enumerate() {
        let left = 1 + (row(widest) - row(layer.len())) / 2;
        for (place, node) in layer.iter().enumerate() {
            places.insert(*node, (left + place * (WIDTH + GAP), 1 + depth * (HEIGHT + GAP)));
        }
    }
    let mut out = Html::default();
    html!(
        out,
        "<div class=\"wide\"><svg class=\"dag\" role=\"img\" aria-label=\"The steps of the pipeline\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\">",
        width,
        height,
        width,
        height
    );
    for (number, node) in nodes.iter().enumerate() {
        for need in &node.needs {
            let from = nodes.iter().position(|other| other.name == *need);
            let ends = from.and_then(|from| Some((places.get(&from)?, places.get(&number)?)));
            let Some(((x1, y1), (x2, y2))) = ends else { continue };
            let (x1, y1, x2) = (x1 + WIDTH / 2, y1 + HEIGHT, x2 + WIDTH / 2);
            let middle = usize::midpoint(y1, *y2);
            html!(
                out,
                "<path d=\"M{} {} C{} {} {} {} {} {}\"/>",
                x1,
                y1,
                x1,
                middle,
                x2,
                middle,
                x2,
                y2
            );
        }
    }
    for (number, node) in nodes.iter().enumerate() {
        let Some((x, y)) = places.get(&number) else { continue };
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
    html!(out, "</svg></div>");
    out
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
}

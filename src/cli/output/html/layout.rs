//! Where the boxes of a graph stand, from top to bottom: each in the layer after the last one that it
//! needs, the longest way counting. Lines that pass a layer have a place in it, so that no line runs
//! through a box (the layered drawing of Sugiyama, Tagawa and Toda, 1981).

mod place;

use std::collections::{BTreeMap, BTreeSet};

/// Size of a box, in pixels of the drawing.
pub(super) const WIDTH: i32 = 220;
/// Height of a box.
pub(super) const HEIGHT: i32 = 60;
/// Room between two layers, for the lines.
pub(super) const BETWEEN: i32 = 30;
/// Room between two boxes of a layer, and around the drawing.
pub(super) const BESIDE: i32 = 20;
/// Room that a passing line takes.
const LINE: i32 = 2;

/// A drawing.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Whole width.
    pub width: i32,
    /// Whole height.
    pub height: i32,
    /// Upper left corners of the boxes, in the order of the input.
    pub boxes: Vec<(i32, i32)>,
    /// Lines between boxes; those that others imply are left out.
    pub lines: Vec<Line>,
}

/// A line from the lower edge of a box to the upper edge of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Box that is needed.
    pub from: usize,
    /// Box that needs it.
    pub to: usize,
    /// Where it passes each layer between them, from top to bottom: x, and y of the layer's upper edge.
    pub passes: Vec<(i32, i32)>,
}

/// Something in a layer: a box, or the line of a box on its way to others.
#[derive(Clone, Debug)]
struct Vertex {
    half: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Lays out boxes, each with those that it needs; only needs of boxes before it count.
pub(super) fn layout(needs: &[Vec<usize>]) -> Layout {
    let needs = reduced(needs);
    let mut layer_of: Vec<usize> = Vec::with_capacity(needs.len());
    for needed in &needs {
        layer_of.push(needed.iter().map(|one| layer_of[*one] + 1).max().unwrap_or(0));
    }
    let mut vertices: Vec<Vertex> = needs.iter().map(|_| vertex(WIDTH + BESIDE)).collect();
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); layer_of.iter().max().map_or(0, |last| last + 1)];
    for (index, layer) in layer_of.iter().enumerate() {
        layers[*layer].push(index);
    }
    // A box has one line through each layer, however many boxes below need it.
    let mut passing: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut ways: Vec<(usize, usize, Vec<usize>)> = Vec::new();
    for (to, needed) in needs.iter().enumerate() {
        for from in needed {
            let mut way = Vec::new();
            let mut last = *from;
            for (layer, members) in layers.iter_mut().enumerate().take(layer_of[to]).skip(layer_of[*from] + 1)
            {
                let next = *passing.entry((*from, layer)).or_insert_with(|| {
                    vertices.push(vertex(LINE + BESIDE));
                    members.push(vertices.len() - 1);
                    vertices.len() - 1
                });
                join(&mut vertices, last, next);
                way.push(next);
                last = next;
            }
            join(&mut vertices, last, to);
            ways.push((*from, to, way));
        }
    }
    place::order(&mut layers, &vertices);
    let centers = place::centers(&layers, &vertices);
    drawn(&layer_of, &vertices, &centers, &ways)
}

fn drawn(
    layer_of: &[usize],
    vertices: &[Vertex],
    centers: &[f64],
    ways: &[(usize, usize, Vec<usize>)],
) -> Layout {
    let edge =
        |sign: f64| vertices.iter().zip(centers).map(move |(vertex, center)| center + sign * vertex.half);
    let left = edge(-1.0).fold(f64::INFINITY, f64::min);
    let right = edge(1.0).fold(f64::NEG_INFINITY, f64::max);
    if vertices.is_empty() {
        return Layout::default();
    }
    let x = |vertex: usize| pixels(centers[vertex] - left) + BESIDE / 2;
    let y = |layer: usize| BESIDE + i32::try_from(layer).unwrap_or(0) * (HEIGHT + BETWEEN);
    let layers = layer_of.iter().max().map_or(0, |last| last + 1);
    let boxes = layer_of.iter().enumerate().map(|(index, layer)| (x(index) - WIDTH / 2, y(*layer)));
    let lines = ways.iter().map(|(from, to, way)| Line {
        from: *from,
        to: *to,
        passes: way.iter().zip(layer_of[*from] + 1..).map(|(vertex, layer)| (x(*vertex), y(layer))).collect(),
    });
    Layout {
        width: pixels(right - left) + BESIDE,
        height: y(layers) - BETWEEN + BESIDE,
        boxes: boxes.collect(),
        lines: lines.collect(),
    }
}

fn vertex(width: i32) -> Vertex {
    Vertex { half: f64::from(width) / 2.0, above: Vec::new(), below: Vec::new() }
}

fn join(vertices: &mut [Vertex], upper: usize, lower: usize) {
    if !vertices[upper].below.contains(&lower) {
        vertices[upper].below.push(lower);
        vertices[lower].above.push(upper);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a drawing is some thousands of pixels wide")]
fn pixels(length: f64) -> i32 {
    length.round() as i32
}

/// Needs without those that another need implies.
fn reduced(needs: &[Vec<usize>]) -> Vec<BTreeSet<usize>> {
    let mut before: Vec<BTreeSet<usize>> = Vec::with_capacity(needs.len());
    let mut reduced = Vec::with_capacity(needs.len());
    for (index, needed) in needs.iter().enumerate() {
        let needed: BTreeSet<usize> = needed.iter().copied().filter(|one| *one < index).collect();
        let implied: BTreeSet<usize> = needed.iter().flat_map(|one| before[*one].iter().copied()).collect();
        reduced.push(needed.difference(&implied).copied().collect::<BTreeSet<_>>());
        before.push(needed.union(&implied).copied().collect());
    }
    reduced
}

#[cfg(test)]
mod tests;

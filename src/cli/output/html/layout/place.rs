//! Order and places within the layers: whatever is joined stands close.

use super::Vertex;

/// Times that the layers are gone through, down and up; more change little.
const SWEEPS: usize = 8;
/// How much more a passing line wants to be straight than a box wants to be in the middle.
const STRAIGHT: f64 = 8.0;

/// Sorts each layer so that what is joined stands below one another, which keeps crossings few.
pub(super) fn order(layers: &mut [Vec<usize>], vertices: &[Vertex]) {
    let mut rank = vec![0.0; vertices.len()];
    let number = |rank: &mut Vec<f64>, layer: &[usize]| {
        let mut next = 0.0;
        for vertex in layer {
            rank[*vertex] = next;
            next += 1.0;
        }
    };
    for layer in layers.iter() {
        number(&mut rank, layer);
    }
    for sweep in 0..SWEEPS * 2 {
        let down = sweep % 2 == 0;
        for step in 0..layers.len() {
            let at = if down { step } else { layers.len() - 1 - step };
            let want =
                |vertex: &usize| mean(joined(&vertices[*vertex], down), &rank).unwrap_or(rank[*vertex]);
            layers[at].sort_by(|a, b| want(a).total_cmp(&want(b)));
            number(&mut rank, &layers[at]);
        }
    }
}

/// The middle of each vertex; within a layer none overlaps another.
pub(super) fn centers(layers: &[Vec<usize>], vertices: &[Vertex]) -> Vec<f64> {
    let mut centers = vec![0.0; vertices.len()];
    for layer in layers {
        apart(layer, vertices, &mut centers, true);
    }
    for sweep in 0..SWEEPS * 2 {
        let down = sweep % 2 == 0;
        for step in 0..layers.len() {
            let at = if down { step } else { layers.len() - 1 - step };
            apart(&layers[at], vertices, &mut centers, down);
        }
    }
    centers
}

/// Puts a layer as close to where its members want to be as their order and widths allow: least squares
/// under order, by pooling those that would overlap (Ayer and others, 1955).
fn apart(layer: &[usize], vertices: &[Vertex], centers: &mut [f64], down: bool) {
    // Without widths, not to overlap is to be in order.
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(layer.len());
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (index, at) in layer.iter().enumerate() {
        let vertex = &vertices[*at];
        if index > 0 {
            offset += vertices[layer[index - 1]].half + vertex.half;
        }
        offsets.push(offset);
        let want = mean(joined(vertex, down), centers).unwrap_or(centers[*at]) - offset;
        let line = vertex.above.len() == 1 && vertex.half * 2.0 < f64::from(super::WIDTH);
        let mut pool = (want, if line { STRAIGHT } else { 1.0 }, 1);
        while let Some(last) = pools.pop_if(|last| last.0 >= pool.0) {
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    let places = pools.iter().flat_map(|(place, _, members)| std::iter::repeat_n(*place, *members));
    for ((at, place), offset) in layer.iter().zip(places).zip(offsets) {
        centers[*at] = place + offset;
    }
}

fn joined(vertex: &Vertex, down: bool) -> &[usize] {
    if down { &vertex.above } else { &vertex.below }
}

fn mean(of: &[usize], values: &[f64]) -> Option<f64> {
    let count = f64::from(u32::try_from(of.len()).ok()?);
    (count > 0.0).then(|| of.iter().map(|one| values[*one]).sum::<f64>() / count)
}

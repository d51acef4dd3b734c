//! About how many parameters a network has that is made of a tree. It guides the search for small trees, nothing else.
//!
//! Nested boxes have labels of their own: a node needs a box only where its label is not that of the node above. The
//! labels of inner nodes that need the fewest parameters are found from the leaves up, for all labels that may come
//! from above at once (Sankoff, *Minimal mutation trees of sequences*, 1975; here a change costs what the box costs).

use super::plan::{Node, cuts};

/// What a subtree costs by the label that comes from above.
struct Costs {
    /// For each label that is not in `some`.
    other: u64,
    /// Labels for which it costs less, ascending.
    some: Vec<(u32, u64)>,
}

/// Parameters of the network: `threshold_cost` for each distinct threshold, and for each box as many as it has sides,
/// a bias and a weight.
pub(super) fn estimate(nodes: &[Node], columns: usize, threshold_cost: u64) -> u64 {
    let boxes = box_costs(nodes, columns);
    // From the last node to the first, so that the lower side of a split is on top and its upper side below.
    let mut stack: Vec<Costs> = Vec::new();
    let mut total = 0;
    for (node, &cost) in nodes.iter().zip(&boxes).rev() {
        let costs = if node.is_leaf() {
            Costs { other: u64::MAX / 4, some: vec![(node.class, 0)] }
        } else {
            let lower = stack.pop().expect("a split has a lower side");
            add(&lower, &stack.pop().expect("a split has an upper side"))
        };
        total = costs.some.iter().map(|&(_, cost)| cost).min().unwrap_or(costs.other).min(costs.other);
        stack.push(cap(costs, total + cost));
    }
    // The label of the root is the output's bias.
    let thresholds: usize = cuts(nodes).values().map(Vec::len).sum();
    total + threshold_cost * thresholds as u64
}

fn add(a: &Costs, b: &Costs) -> Costs {
    let (mut left, mut right) = (a.some.iter().copied().peekable(), b.some.iter().copied().peekable());
    let mut some = Vec::with_capacity(a.some.len() + b.some.len());
    loop {
        let label = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(&(label, _)), None) | (None, Some(&(label, _))) => label,
            (Some(&(one, _)), Some(&(other, _))) => one.min(other),
        };
        let mine = left.next_if(|&(one, _)| one == label).map_or(a.other, |(_, cost)| cost);
        let other = right.next_if(|&(one, _)| one == label).map_or(b.other, |(_, cost)| cost);
        some.push((label, mine + other));
    }
    Costs { other: a.other + b.other, some }
}

/// No label costs more than a box of its own.
fn cap(mut costs: Costs, most: u64) -> Costs {
    costs.other = costs.other.min(most);
    costs.some.retain(|&(_, cost)| cost < costs.other);
    costs
}

/// What a box for each node costs. Sides on the way from the root that are in one column and direction are one side.
fn box_costs(nodes: &[Node], columns: usize) -> Vec<u64> {
    let mut seen = vec![[0u32; 2]; columns];
    let (mut costs, mut path, mut sides) = (Vec::with_capacity(nodes.len()), Vec::<(u32, usize)>::new(), 0u64);
    for node in nodes {
        costs.push(sides + 2);
        if !node.is_leaf() {
            let count = &mut seen[node.column as usize][0];
            sides += u64::from(*count == 0);
            *count += 1;
            path.push((node.column, 0));
            continue;
        }
        while let Some((column, side)) = path.pop() {
            let counts = &mut seen[column as usize];
            counts[side] -= 1;
            sides -= u64::from(counts[side] == 0);
            if side == 0 {
                sides += u64::from(counts[1] == 0);
                counts[1] += 1;
                path.push((column, 1));
                break;
            }
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::plan::link;

    fn split(column: u32, low: u32) -> Node {
        Node { column, low, high: low + 1, ..Node::leaf(0, 0, 0) }
    }

    fn leaf(class: u32) -> Node {
        Node::leaf(class, 1, 0)
    }

    #[test]
    fn a_box_is_paid_where_a_label_changes() {
        assert_eq!(estimate(&[leaf(3)], 1, 2), 0);
        assert_eq!(estimate(&[split(0, 0), leaf(0), leaf(1)], 1, 2), 2 + 3);
        // Three of four leaves share a label, and the fourth is a corner of two sides.
        assert_eq!(estimate(&[split(0, 0), split(1, 0), leaf(1), leaf(0), leaf(0)], 2, 2), 4 + 4);
        // Two sides of one column and direction are one.
        assert_eq!(estimate(&[split(0, 4), split(0, 2), leaf(1), leaf(0), leaf(0)], 1, 2), 4 + 3);
    }

    /// All labellings of inner nodes, one after the other.
    fn least(nodes: &[Node], classes: u32) -> u64 {
        let mut nodes = nodes.to_vec();
        link(&mut nodes);
        let costs = box_costs(&nodes, 3);
        let inner: Vec<usize> = (0..nodes.len()).filter(|&index| !nodes[index].is_leaf()).collect();
        let labellings = u64::from(classes).pow(inner.len() as u32);
        let one = |mut number: u64| {
            for &index in &inner {
                nodes[index].class = (number % u64::from(classes)) as u32;
                number /= u64::from(classes);
            }
            let below =
                inner.iter().flat_map(|&index| [(index, index + 1), (index, index + nodes[index].skip as usize)]);
            below.filter(|&(a, b)| nodes[a].class != nodes[b].class).map(|(_, b)| costs[b]).sum()
        };
        (0..labellings).map(one).min().expect("one labelling")
    }

    #[test]
    fn no_labelling_of_inner_nodes_costs_less() {
        let mut state = 1u32;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        for _ in 0..300 {
            let (mut nodes, mut open, mut splits) = (Vec::new(), 1, 0);
            while open > 0 {
                if splits < 6 && draw(3) > 0 {
                    nodes.push(split(draw(3), draw(4)));
                    (open, splits) = (open + 1, splits + 1);
                } else {
                    nodes.push(leaf(draw(3)));
                    open -= 1;
                }
            }
            assert_eq!(estimate(&nodes, 3, 0), least(&nodes, 3), "{nodes:?}");
        }
    }
}

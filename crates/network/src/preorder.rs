//! Where the parts of a tree are whose nodes stand in preorder.

/// How many parts follow a node of a tree in preorder: the whole first one, then the whole second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// None: a leaf.
    None,
    /// One.
    One,
    /// Two.
    Two,
}

/// Where a path goes on behind a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To its first part.
    First,
    /// To its second part.
    Second,
    /// Nowhere: it is a leaf.
    End,
}

/// The links between nodes that stand in preorder, of one tree after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preorder {
    /// For each node: of two parts, where the second one begins; of a leaf, its number among the leaves.
    links: Vec<u32>,
    /// Where each tree begins.
    roots: Vec<usize>,
    /// Whether the last tree has all of its nodes.
    complete: bool,
}

impl Preorder {
    /// The links between nodes that have these parts; of the first 2^32 - 1 nodes, if there are more.
    pub fn of(parts: impl Iterator<Item = Parts>) -> Preorder {
        let mut found = Preorder { links: Vec::new(), roots: Vec::new(), complete: true };
        let (mut open, mut leaves) = (Vec::new(), 0);
        for (index, parts) in (0..u32::MAX).zip(parts) {
            if found.complete {
                found.roots.push(index as usize);
            }
            found.links.push(0);
            found.complete = false;
            match parts {
                Parts::Two => open.push(index as usize),
                Parts::One => {}
                Parts::None => {
                    found.links[index as usize] = leaves;
                    leaves += 1;
                    match open.pop() {
                        Some(node) => found.links[node] = index + 1,
                        None => found.complete = true,
                    }
                }
            }
        }
        found
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Where each tree begins.
    pub fn roots(&self) -> &[usize] {
        &self.roots
    }

    /// Whether there is a tree, and the last one has all of its nodes.
    pub fn is_complete(&self) -> bool {
        self.complete && !self.is_empty()
    }

    /// Where the second part of a node begins, if it has two; the number of a leaf among the leaves.
    pub fn link(&self, node: usize) -> usize {
        self.links[node] as usize
    }

    /// Where the two parts of a node begin that has two.
    pub fn sides(&self, node: usize) -> [usize; 2] {
        [node + 1, self.link(node)]
    }

    /// The nodes from `root` down to a leaf, turning as `turn` says.
    pub fn path(&self, root: usize, turn: impl Fn(usize) -> Turn) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(root), move |&node| match turn(node) {
            Turn::First => Some(node + 1),
            Turn::Second => Some(self.link(node)),
            Turn::End => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Preorder {
        Preorder::of(text.chars().map(|c| match c {
            '2' => Parts::Two,
            '1' => Parts::One,
            _ => Parts::None,
        }))
    }

    #[test]
    fn links_lead_to_second_parts_and_leaves_are_numbered() {
        let trees = of("2120000");
        assert!(trees.is_complete());
        assert_eq!(trees.roots(), [0, 6]);
        let upper = |node| if node == 2 { Turn::Second } else { Turn::First };
        let turn = |node| if [3, 4, 5].contains(&node) { Turn::End } else { upper(node) };
        assert_eq!(trees.path(0, turn).collect::<Vec<_>>(), [0, 1, 2, 4]);
        assert_eq!(trees.links, [5, 0, 4, 0, 1, 2, 3]);
    }

    #[test]
    fn trees_that_lack_a_node_are_incomplete() {
        for text in ["", "2", "20", "1", "2100", "02", "220000"] {
            assert_eq!(of(text).is_complete(), ["2100", "220000"].contains(&text), "{text}");
        }
    }
}

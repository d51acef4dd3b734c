//! Walks through the regions that the cuts of trees in preorder leave of all inputs.

use std::collections::BTreeMap;

use roundproof_format::Format;

use crate::key;

/// A side of a cut that a region is on: its column, and whether it is the lower one, which bounds the input from above.
pub(crate) type Place = (u32, bool);

/// What the cuts above a node leave of an input.
///
/// Bounds are keys beyond which nothing lies, mirrored for upper ones, as for a side that excludes the same: all `x'`
/// of the region have keys above the bound.
#[derive(Default)]
pub struct Bounds {
    pub(crate) tightest: BTreeMap<Place, i128>,
    undo: Vec<(Place, Option<i128>)>,
}

impl Bounds {
    /// One side of a cut: the points with `x[column] <= threshold`, or those above. To be undone once.
    fn cut(&mut self, column: u32, threshold: i128, above: bool) {
        // Below a cut, x <= threshold is -x >= -threshold.
        let bound = if above { threshold } else { -threshold - 1 };
        let place = (column, !above);
        let before = self.tightest.get(&place).copied();
        self.tightest.insert(place, before.map_or(bound, |before| bound.max(before)));
        self.undo.push((place, before));
    }

    /// Takes back the last cut.
    fn undo(&mut self) {
        match self.undo.pop() {
            Some((place, Some(bound))) => drop(self.tightest.insert(place, bound)),
            Some((place, None)) => drop(self.tightest.remove(&place)),
            None => {}
        }
    }

    /// What the cuts leave of a range of keys of a column, both ends included; none if that is nothing.
    pub fn within(&self, column: u32, (low, high): (i128, i128)) -> Option<(i128, i128)> {
        let [above, below] = [false, true].map(|upper| self.tightest.get(&(column, upper)));
        let range = (above.map_or(low, |bound| low.max(bound + 1)), below.map_or(high, |bound| high.min(-bound - 1)));
        (range.0 <= range.1).then_some(range)
    }

    /// On which side of a cut the whole region lies, if on one; true is above.
    pub fn side(&self, format: Format, column: u32, threshold: i128) -> Option<bool> {
        let end = format.largest(false).map(|largest| key(format, largest));
        if self.tightest.get(&(column, false)).is_some_and(|&bound| bound >= threshold) {
            Some(true)
        } else if self.tightest.get(&(column, true)).is_some_and(|&bound| bound >= -threshold - 1)
            || end.is_some_and(|end| threshold >= end)
        {
            Some(false)
        } else {
            None
        }
    }
}

/// A walk through the regions of a tree in preorder, with what the cuts leave at each place.
pub struct Walk<T> {
    /// What the cuts leave at the current place.
    pub bounds: Bounds,
    /// What is still to be done, the next thing last.
    steps: Vec<Step<T>>,
}

enum Step<T> {
    Visit(T),
    Leave(u32),
    Cut { column: u32, threshold: i128, above: bool },
    Undo,
}

/// What a walk comes by.
pub enum Event<T> {
    /// A place: its node, or nodes.
    Visit(T),
    /// The end of the region of a box.
    Leave(u32),
}

impl<T> Walk<T> {
    /// A walk that begins at the root of a tree.
    pub fn new(start: T) -> Walk<T> {
        Walk { bounds: Bounds::default(), steps: vec![Step::Visit(start)] }
    }

    /// Goes on within the same region.
    pub fn visit(&mut self, place: T) {
        self.steps.push(Step::Visit(place));
    }

    /// Goes on within the region of a box.
    pub fn enter(&mut self, neuron: u32, place: T) {
        self.steps.extend([Step::Leave(neuron), Step::Visit(place)]);
    }

    /// Goes on at both sides of a cut.
    pub fn split(&mut self, column: u32, threshold: i128, [below, above]: [T; 2]) {
        for (place, above) in [(above, true), (below, false)] {
            self.steps.extend([Step::Undo, Step::Visit(place), Step::Cut { column, threshold, above }]);
        }
    }
}

impl<T> Iterator for Walk<T> {
    type Item = Event<T>;

    fn next(&mut self) -> Option<Event<T>> {
        loop {
            match self.steps.pop()? {
                Step::Visit(place) => return Some(Event::Visit(place)),
                Step::Leave(neuron) => return Some(Event::Leave(neuron)),
                Step::Cut { column, threshold, above } => self.bounds.cut(column, threshold, above),
                Step::Undo => self.bounds.undo(),
            }
        }
    }
}

//! Data sets made up for tests and measurements: any size, any format, the same on every machine.
//!
//! Everything is drawn from ChaCha8 with the seed as its key, and computed on integers: positions among the values that
//! a kind chooses from. No two rows are equal, so no labels conflict.

mod draw;
mod levels;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use roundproof_format::{Encoding, Format};
use roundproof_softfloat::encode;
use rustc_hash::FxHashSet;
use thiserror::Error;

use draw::{below, fingerprint, shuffle};
use levels::Levels;

/// What the rows of a made-up data set are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Noise around one centre for each class, on a grid of the integers from 0 to 255, or as many of them as the
    /// format has without a gap.
    Clusters,
    /// Any finite values, and labels that have nothing to do with them. In `F(p)`, positive values with exponents
    /// within +-64.
    RandomLabels,
    /// Pairs of rows that differ in one input, by one unit in the last place, and have different labels.
    OneUlp,
    /// Subnormal values and zero.
    Subnormals,
    /// The largest and the smallest values, zero, and +-1.
    Extremes,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 5] = [Kind::Clusters, Kind::RandomLabels, Kind::OneUlp, Kind::Subnormals, Kind::Extremes];

    /// The spelling on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Clusters => "clusters",
            Kind::RandomLabels => "random-labels",
            Kind::OneUlp => "one-ulp",
            Kind::Subnormals => "subnormals",
            Kind::Extremes => "extremes",
        }
    }
}

/// A made-up data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// What its rows are like.
    pub kind: Kind,
    /// How many.
    pub rows: usize,
    /// Inputs of each.
    pub dimension: usize,
    /// Different labels: the integers from 0 on.
    pub classes: usize,
    /// For [`Kind::Clusters`], how many times further apart two centres are in an input, on average, than the noise
    /// reaches.
    pub separation: u32,
    /// Which of many.
    pub seed: u64,
    /// The format of inputs and labels.
    pub format: Format,
}

/// Why a data set cannot be made up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenerateError {
    /// Nothing is asked for.
    #[error("at least one row, one input and one class are needed, and a separation of at least 1")]
    Empty,
    /// Not so many rows differ.
    #[error("{rows} rows are asked for, and {fit} different ones fit; take more inputs, or fewer rows")]
    TooManyRows {
        /// Rows asked for.
        rows: usize,
        /// Rows that there can be.
        fit: u128,
    },
    /// Not so many labels are integers of the format.
    #[error(
        "{classes} classes are asked for, and {format} has the integers from 0 to {last} without a gap; take fewer"
    )]
    TooManyClasses {
        /// Classes asked for.
        classes: usize,
        /// The last label that there can be.
        last: usize,
        /// The format.
        format: Format,
    },
    /// Pairs with different labels need two.
    #[error("pairs of rows with different labels need two classes at least")]
    OneClass,
    /// There are no such values.
    #[error("{format} has no subnormal values; take another kind, or another format")]
    NoSubnormals {
        /// The format.
        format: Format,
    },
}

/// Up to this many times more rows than asked for, all are laid out and shuffled; beyond, rows are drawn until they
/// differ.
const LAID_OUT: u128 = 4;
/// A row that is drawn so often without being new is drawn from all rows of its kind.
const PATIENCE: usize = 64;

/// Gives the rows of a made-up data set, one after another.
pub struct Generator {
    recipe: Recipe,
    levels: Levels,
    labels: Vec<Encoding>,
    /// For clusters: the positions of the centres, and how far from them the noise reaches.
    centres: Vec<Vec<u128>>,
    reach: u128,
    random: ChaCha8Rng,
    /// Where there are few rows to choose from: those still to come, in reverse.
    laid_out: Option<Vec<u128>>,
    seen: FxHashSet<u128>,
    /// The other row of a pair.
    other: Option<(Vec<u128>, usize)>,
    row: Vec<u128>,
    produced: usize,
}

impl Generator {
    /// The rows of `recipe`.
    ///
    /// # Errors
    ///
    /// If there are no such rows, or not so many.
    pub fn new(recipe: Recipe) -> Result<Generator, GenerateError> {
        let Recipe { kind, rows, dimension, classes, separation, seed, format } = recipe;
        if rows == 0 || dimension == 0 || classes == 0 || separation == 0 {
            return Err(GenerateError::Empty);
        }
        let labels = integers(format, classes);
        if labels.len() < classes {
            return Err(GenerateError::TooManyClasses { classes, last: labels.len() - 1, format });
        }
        if kind == Kind::OneUlp && classes == 1 {
            return Err(GenerateError::OneClass);
        }
        let levels = Levels::of(kind, format).ok_or(GenerateError::NoSubnormals { format })?;
        let choices = choices(kind, levels.count(), dimension);
        let fit = choices.saturating_mul(if kind == Kind::OneUlp { 2 } else { 1 });
        if (rows as u128) > fit {
            return Err(GenerateError::TooManyRows { rows, fit });
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let few = choices / LAID_OUT <= rows as u128;
        let laid_out = few.then(|| {
            let mut all: Vec<u128> = (0..choices).collect();
            shuffle(&mut all, &mut random);
            all
        });
        let count = levels.count();
        let centre = |random: &mut ChaCha8Rng| (0..dimension).map(|_| below(count, random)).collect();
        let centres =
            if kind == Kind::Clusters { (0..classes).map(|_| centre(&mut random)).collect() } else { Vec::new() };
        // Two positions drawn from n are n/3 apart on average.
        let reach = (count / (3 * u128::from(separation))).max(1);
        let (seen, row) = (FxHashSet::default(), vec![0; dimension]);
        Ok(Generator { recipe, levels, labels, centres, reach, random, laid_out, seen, other: None, row, produced: 0 })
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The labels that there may be, in order.
    pub fn labels(&self) -> &[Encoding] {
        &self.labels
    }

    /// Whether every input is one of the integers from 0 to 255, and every label.
    pub fn is_bytes(&self) -> bool {
        self.recipe.kind == Kind::Clusters && self.recipe.classes <= 256
    }

    /// Puts the next row in place of `inputs`, and gives its label; none after the last.
    pub fn next_row(&mut self, inputs: &mut Vec<Encoding>) -> Option<Encoding> {
        if self.produced == self.recipe.rows {
            return None;
        }
        self.produced += 1;
        let class = match self.other.take() {
            Some((row, class)) => {
                self.row = row;
                class
            }
            None => self.choose(),
        };
        inputs.clear();
        inputs.extend(self.row.iter().map(|&position| self.levels.value(position)));
        Some(self.labels[class])
    }

    /// Fills `row`, and gives its class.
    fn choose(&mut self) -> usize {
        if let Some(laid_out) = &mut self.laid_out {
            let index = laid_out.pop().expect("there are at least as many as rows are asked for");
            return self.take_laid_out(index);
        }
        let classes = self.recipe.classes as u128;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let class = below(classes, &mut self.random) as usize;
            self.draw(class, attempts > PATIENCE);
            if self.recipe.kind == Kind::OneUlp {
                if self.pair(class) {
                    return class;
                }
            } else if self.seen.insert(fingerprint(&self.row)) {
                return class;
            }
        }
    }

    /// Draws a row of a class, or of all.
    fn draw(&mut self, class: usize, of_all: bool) {
        let count = self.levels.count();
        for (input, position) in self.row.iter_mut().enumerate() {
            *position = match self.centres.get(class).filter(|_| !of_all) {
                Some(centre) => {
                    let noisy = centre[input] + below(2 * self.reach + 1, &mut self.random);
                    noisy.saturating_sub(self.reach).min(count - 1)
                }
                None => below(count, &mut self.random),
            };
        }
    }

    /// Makes a pair of the row and its neighbour in one input, unless either is already there.
    fn pair(&mut self, class: usize) -> bool {
        let input = below(self.row.len() as u128, &mut self.random) as usize;
        if self.row[input] + 1 == self.levels.count() {
            return false;
        }
        let mut other = self.row.clone();
        other[input] += 1;
        let [first, second] = [fingerprint(&self.row), fingerprint(&other)];
        if self.seen.contains(&first) || self.seen.contains(&second) {
            return false;
        }
        self.seen.extend([first, second]);
        let other_class = self.another_class(class);
        self.other = Some((other, other_class));
        true
    }

    fn another_class(&mut self, class: usize) -> usize {
        let others = self.recipe.classes as u128 - 1;
        (class + 1 + below(others, &mut self.random) as usize) % self.recipe.classes
    }

    /// The row with this number among all, or the pair.
    fn take_laid_out(&mut self, mut index: u128) -> usize {
        let count = self.levels.count();
        let pairs = self.recipe.kind == Kind::OneUlp;
        for (input, position) in self.row.iter_mut().enumerate() {
            let positions = if pairs && input == 0 { count / 2 } else { count };
            *position = index % positions;
            index /= positions;
        }
        let class = match self.recipe.kind {
            Kind::Clusters => self.nearest_centre(),
            _ => below(self.recipe.classes as u128, &mut self.random) as usize,
        };
        if pairs {
            self.row[0] *= 2;
            let mut other = self.row.clone();
            other[0] += 1;
            let other_class = self.another_class(class);
            self.other = Some((other, other_class));
        }
        class
    }

    fn nearest_centre(&self) -> usize {
        let distance = |centre: &Vec<u128>| -> u128 { centre.iter().zip(&self.row).map(|(a, b)| a.abs_diff(*b)).sum() };
        (0..self.centres.len()).min_by_key(|&class| distance(&self.centres[class])).unwrap_or(0)
    }
}

/// How many rows there are to choose from, or pairs of rows that differ in the first input.
fn choices(kind: Kind, count: u128, dimension: usize) -> u128 {
    let first = if kind == Kind::OneUlp { count / 2 } else { count };
    let mut choices = first;
    for _ in 1..dimension {
        if count <= 1 || choices == u128::MAX {
            break;
        }
        choices = choices.saturating_mul(count);
    }
    choices
}

/// The integers from 0 on that a format has without a gap, but no more than `most`.
fn integers(format: Format, most: usize) -> Vec<Encoding> {
    (0..most).map_while(|integer| encode(format, false, integer as u128, 0)).collect()
}

#[cfg(test)]
mod tests;

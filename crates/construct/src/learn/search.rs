//! The search for a smaller tree.
//!
//! Some walkers change their trees, one subtree at a time, by simulated annealing on the estimated number of
//! parameters; every tree on the way gives every row its labels. What they do in a round is fixed by the seed, the
//! number of the round and the rounds before: the clock decides only after which round the search ends.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use roundproof_network::{Dataset, Forest};

use super::criterion::{Criterion, LOG_FRACTION, Weights, log2};
use super::moves::{Site, below, chance};
use super::plan::{self, Node, errors, link};
use super::{LearnOptions, Learner};
use crate::ConstructError;

/// Walkers, each with a temperature to begin with, in parameters.
const HEAT: [u64; 4] = [1, 3, 6, 12];
/// How much a walker does in a round, in cells of the table that are looked at, about, and the most moves.
const ROUND: (usize, usize) = (1 << 24, 250);
/// What a node costs, in cells, when the size of a tree is estimated.
const NODE: usize = 64;
/// Rounds of the first cycle of annealing; each is twice as long as the one before.
const FIRST_CYCLE: usize = 8;

/// What [`optimize`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optimized {
    /// The best forest.
    pub forest: Forest,
    /// Its score.
    pub score: usize,
    /// The attempt that found it. The first few, from 0, are trees that are grown from the root down, by one criterion
    /// each; the others are rounds of the search. It is found again by [`optimize_rounds`] with one attempt more.
    pub attempt: usize,
    /// How many attempts there were.
    pub attempts: usize,
}

/// Looks for a forest as [`learn`](super::learn) gives, with a low score, until the time is up.
///
/// `score` is what is to become small: the parameters of the network that is made of the forest, none if none can be
/// made. It must be a function of the forest alone. `progress` is told of the milliseconds that are gone, and of all.
/// With limits the trees have at most as many wrong rows as the one that is grown first.
/// One tree at least is grown, however long that takes.
///
/// # Errors
///
/// As [`learn`](super::learn), and if no forest has a score.
pub fn optimize(
    data: &Dataset,
    options: &LearnOptions,
    budget: Duration,
    score: &mut dyn FnMut(&Forest) -> Option<usize>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Optimized, ConstructError> {
    let start = Instant::now();
    let mut more = |_: usize| {
        let gone = start.elapsed();
        progress(gone.min(budget).as_millis() as usize, budget.as_millis() as usize);
        gone < budget
    };
    run(data, options, score, &mut more)
}

/// As [`optimize`], for a number of attempts (at least one) and not for a time: the same on every machine.
///
/// # Errors
///
/// As [`optimize`].
pub fn optimize_rounds(
    data: &Dataset,
    options: &LearnOptions,
    attempts: usize,
    score: &mut dyn FnMut(&Forest) -> Option<usize>,
) -> Result<Optimized, ConstructError> {
    run(data, options, score, &mut |done| done < attempts)
}

/// `more` is told how many attempts there were and says whether there is to be another.
fn run(
    data: &Dataset,
    options: &LearnOptions,
    score: &mut dyn FnMut(&Forest) -> Option<usize>,
    more: &mut dyn FnMut(usize) -> bool,
) -> Result<Optimized, ConstructError> {
    let learner = Learner::new(data, options)?;
    let mut best: Option<Optimized> = None;
    let mut offer = |nodes: &[Node], attempt: usize| {
        let forest = plan::forest(data, &learner.table, nodes);
        if let Some(score) = score(&forest).filter(|&score| best.as_ref().is_none_or(|best| score < best.score)) {
            best = Some(Optimized { forest, score, attempt, attempts: 0 });
        }
    };
    let mut grown: Vec<Vec<Node>> = Vec::new();
    let mut attempts = 0;
    while attempts == 0 || (attempts < Criterion::ALL.len() && more(attempts)) {
        grown.push(learner.plan(Criterion::ALL[attempts], None, &mut |_| ())?);
        if errors(&grown[attempts]) <= errors(&grown[0]) {
            offer(&grown[attempts], attempts);
        }
        attempts += 1;
    }
    if options.is_pure() {
        let mut search = Search::new(&learner, grown);
        while more(attempts) {
            if let Some(nodes) = search.round() {
                offer(nodes, attempts);
            }
            attempts += 1;
        }
    } else {
        let most = errors(&grown[0]);
        while more(attempts) {
            let nodes = restart(&learner, attempts)?;
            if errors(&nodes) <= most {
                offer(&nodes, attempts);
            }
            attempts += 1;
        }
    }
    let none = ConstructError::Unsuitable("no network was made of any of the trees; try the step activation");
    best.map(|best| Optimized { attempts, ..best }).ok_or(none)
}

/// A generator for one purpose.
fn generator(seed: u64, round: usize, walker: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(round as u64).to_le_bytes());
    key[16..24].copy_from_slice(&(walker as u64).to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// A whole tree by chance.
fn restart(learner: &Learner, attempt: usize) -> Result<Vec<Node>, ConstructError> {
    let mut random = generator(learner.options.seed, attempt, 0);
    let criterion = Criterion::ALL[below(&mut random, Criterion::ALL.len())];
    learner.plan(criterion, Some(chance(&mut random)), &mut |_| ())
}

#[derive(Clone)]
struct Walker {
    nodes: Vec<Node>,
    cost: u64,
    /// The smallest tree since the walker began.
    best: Vec<Node>,
    least: u64,
}

struct Search<'a> {
    learner: &'a Learner<'a>,
    weights: Vec<Weights>,
    walkers: Vec<Walker>,
    /// The smallest tree that was offered.
    least: u64,
    moves: usize,
    round: usize,
    /// Where in the cycle of annealing the next round is, and how long the cycle is.
    cycle: (usize, usize),
}

impl<'a> Search<'a> {
    fn new(learner: &'a Learner<'a>, grown: Vec<Vec<Node>>) -> Search<'a> {
        let start = |index: usize| {
            let nodes = grown[index % grown.len()].clone();
            let cost = learner.estimate(&nodes);
            Walker { best: nodes.clone(), nodes, cost, least: cost }
        };
        let walkers: Vec<Walker> = (0..HEAT.len()).map(start).collect();
        let least = walkers.iter().map(|walker| walker.least).min().expect("there are walkers");
        let weights = Criterion::ALL.map(|criterion| Weights::new(criterion, learner.table.rows())).into();
        let cells = learner.table.rows() * learner.table.columns();
        let moves = (ROUND.0 / (cells + NODE * grown[0].len())).clamp(1, ROUND.1);
        Search { learner, weights, walkers, least, moves, round: 0, cycle: (0, FIRST_CYCLE) }
    }

    /// One round of every walker. Returns a tree that is smaller than all before, if there is one.
    fn round(&mut self) -> Option<&[Node]> {
        let (place, length) = self.cycle;
        let (learner, weights, moves, round) = (self.learner, &self.weights[..], self.moves, self.round);
        let left = (length - 1 - place) as u64;
        self.walkers.par_iter_mut().with_max_len(1).enumerate().for_each(|(index, walker)| {
            let mut random = generator(learner.options.seed, round, index + 1);
            // In 1024ths of a parameter; falls to zero quadratically.
            let heat = HEAT[index] * 1024 * left * left / (length * length) as u64;
            for _ in 0..moves {
                walker.step(learner, weights, heat, &mut random);
            }
        });
        self.round += 1;
        self.cycle.0 += 1;
        let first = (0..HEAT.len()).min_by_key(|&index| (self.walkers[index].least, index)).expect("walkers");
        if self.cycle.0 == length {
            self.cycle = (0, 2 * length);
            let best = self.walkers[first].clone();
            for (index, walker) in self.walkers.iter_mut().enumerate() {
                // Every other walker goes on with its own tree.
                let from = if index % 2 == 0 { best.clone() } else { walker.clone() };
                *walker = Walker { nodes: from.best.clone(), cost: from.least, ..from };
            }
        }
        let found = self.walkers[first].least < self.least;
        self.least = self.walkers[first].least;
        found.then_some(&self.walkers[first].best[..])
    }
}

impl Walker {
    /// Changes one subtree, and undoes it if the tree became larger by more than the heat allows.
    fn step(&mut self, learner: &Learner, weights: &[Weights], heat: u64, random: &mut ChaCha8Rng) {
        let Some(site) = Site::choose(&self.nodes, learner, random) else { return };
        let subtree = site.change(&self.nodes, learner, weights, random);
        let mut nodes = Vec::with_capacity(self.nodes.len());
        nodes.extend_from_slice(&self.nodes[..site.start]);
        nodes.extend_from_slice(&subtree);
        nodes.extend_from_slice(&self.nodes[site.end..]);
        link(&mut nodes);
        let cost = learner.estimate(&nodes);
        // heat * -log2(u) for u uniform in (0, 1]
        let surprise = (32 << LOG_FRACTION) - log2(u64::from(random.next_u32()) + 1);
        let allowed = ((u128::from(heat) * u128::from(surprise)) >> (10 + LOG_FRACTION)) as u64;
        if cost <= self.cost + allowed {
            (self.nodes, self.cost) = (nodes, cost);
            if cost < self.least {
                (self.best, self.least) = (self.nodes.clone(), cost);
            }
        }
    }
}

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Encodings, Preorder, TreeNode};
use roundproof_softfloat::{from_order_key, order_key};

use super::*;

type Rows = Vec<(Vec<i128>, Vec<i128>)>;

/// Rows of inputs and labels, given by their keys.
fn dataset(format: Format, rows: &Rows) -> Dataset {
    let value = |&key: &i128| from_order_key(format, key).expect("a value");
    let inputs = Encodings::collect(format, rows.iter().flat_map(|(inputs, _)| inputs).map(value));
    let labels = Encodings::collect(format, rows.iter().flat_map(|(_, labels)| labels).map(value));
    Dataset::new(format, rows[0].0.len(), rows[0].1.len(), inputs, labels).expect("well formed")
}

fn key(format: Format, value: Encoding) -> i128 {
    order_key(format, value).expect("finite")
}

/// The leaf that a row comes to, found by comparing keys.
fn leaf_of(data: &Dataset, forest: &Forest, links: &Preorder, row: usize) -> usize {
    let (format, mut index) = (data.format(), 0);
    while let TreeNode::Split { column, threshold } = forest.trees()[0].nodes[index] {
        let is_lower = key(format, data.input(row, column as usize)) <= key(format, threshold);
        index = if is_lower { index + 1 } else { links.link(index) };
    }
    links.link(index)
}

/// The rows of each leaf.
fn leaves(data: &Dataset, forest: &Forest) -> Vec<Vec<usize>> {
    let links = forest.trees()[0].preorder();
    let mut leaves = vec![Vec::new(); forest.leaves()];
    for row in 0..data.rows() {
        leaves[leaf_of(data, forest, &links, row)].push(row);
    }
    leaves
}

fn label(data: &Dataset, row: usize) -> Vec<i128> {
    (0..data.outputs()).map(|output| key(data.format(), data.label(row, output))).collect()
}

fn value(data: &Dataset, forest: &Forest, leaf: usize) -> Vec<i128> {
    let values = &forest.trees()[0].values;
    (0..data.outputs()).map(|output| key(data.format(), values.get(leaf * data.outputs() + output))).collect()
}

/// Every row has its label, and every leaf a row.
fn is_exact(data: &Dataset, forest: &Forest) -> bool {
    let base_is_zero = forest.base().iter().all(|value| key(data.format(), value) == 0);
    base_is_zero
        && leaves(data, forest).iter().enumerate().all(|(leaf, rows)| {
            !rows.is_empty() && rows.iter().all(|&row| label(data, row) == value(data, forest, leaf))
        })
}

fn learned(data: &Dataset) -> Result<Forest, ConstructError> {
    learn(data, &LearnOptions::default(), &mut |done, rows| assert!(done <= rows))
}

fn parameters(forest: &Forest) -> Option<usize> {
    let thresholds: BTreeSet<(u32, u128)> = forest.trees()[0]
        .nodes
        .iter()
        .filter_map(|node| match node {
            TreeNode::Split { column, threshold } => Some((*column, threshold.bits())),
            TreeNode::Leaf => None,
        })
        .collect();
    Some(2 * thresholds.len() + 5 * forest.leaves())
}

fn formats() -> Vec<Format> {
    let parse = |name: &str| name.parse().expect("a format");
    [
        "float4_e2m1fn",
        "float6_e3m2fn",
        "float8_e5m2",
        "float8_e4m3b11fnuz",
        "bfloat16",
        "binary16",
        "binary32",
        "binary64",
        "binary128",
        "F(3)",
    ]
    .map(parse)
    .into()
}

/// Small tables whose values are neighbours, around zero (subnormals, both signs) or elsewhere, with equal rows now and then.
fn tables() -> impl Strategy<Value = (Format, Rows)> {
    let shape = (proptest::sample::select(formats()), 1..4usize, 1..3usize, 1..60usize);
    shape.prop_flat_map(|(format, d, k, n)| {
        let around = |spread: i128| {
            let largest = format.largest(false).map_or(i128::MAX, |value| key(format, value));
            // In F(p) the neighbours of zero are not values of a data set: there are only those of 1, and zero.
            let one = key(format, format.one(false));
            let bounded = vec![0, one, -one, largest / 2, -largest / 2, largest - spread];
            let centers = if format.is_bounded() { bounded } else { vec![one, -one] };
            (proptest::sample::select(centers), -spread..=spread, 0..8u32).prop_map(move |(center, offset, zero)| {
                if zero == 0 { 0 } else { (center + offset).clamp(-largest, largest) }
            })
        };
        let row = (proptest::collection::vec(around(3), d), proptest::collection::vec(around(1), k));
        (Just(format), proptest::collection::vec(row, n))
    })
}

/// The same with the labels of the first of equal rows.
fn consistent(rows: Rows) -> Rows {
    let mut labels = BTreeMap::new();
    rows.into_iter()
        .map(|(inputs, label)| {
            let label = labels.entry(inputs.clone()).or_insert(label).clone();
            (inputs, label)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn every_row_gets_its_labels((format, rows) in tables()) {
        let data = dataset(format, &consistent(rows));
        prop_assert!(is_exact(&data, &learned(&data).expect("no conflict")));
    }

    #[test]
    fn every_attempt_to_find_a_smaller_tree_gives_every_row_its_labels((format, rows) in tables(), seed: u64) {
        let data = dataset(format, &consistent(rows));
        let options = LearnOptions { seed, ..LearnOptions::default() };
        let mut all_exact = true;
        let mut worse = usize::MAX;
        // A score that rises: every offer is looked at and none is better than the one before.
        let mut score = |forest: &Forest| {
            all_exact &= is_exact(&data, forest);
            worse -= 1;
            Some(worse)
        };
        let found = optimize_rounds(&data, &options, 6, &mut score).expect("no conflict");
        prop_assert!(all_exact && is_exact(&data, &found.forest));
    }

    #[test]
    fn conflicts_are_those_that_point_boxes_have((format, rows) in tables()) {
        let data = dataset(format, &rows);
        let conflict = distinct_rows(&data).err();
        prop_assert_eq!(learned(&data).err(), conflict.clone());
        let limited = LearnOptions { max_leaves: Some(1000), ..LearnOptions::default() };
        prop_assert!(learn(&data, &limited, &mut |_, _| ()).is_ok());
        let by_search = optimize_rounds(&data, &LearnOptions::default(), 1, &mut parameters);
        prop_assert_eq!(by_search.err(), conflict);
    }

    #[test]
    fn limits_are_kept_and_leaves_have_the_labels_of_most_rows(
        (format, rows) in tables(), max_leaves in proptest::option::of(0..12usize), min_rows in 0..8usize,
    ) {
        let data = dataset(format, &rows);
        let options = LearnOptions { max_leaves: max_leaves.or(Some(usize::MAX)), min_rows, ..LearnOptions::default() };
        let forest = learn(&data, &options, &mut |_, _| ()).expect("no conflict with limits");
        prop_assert!(forest.leaves() <= max_leaves.unwrap_or(usize::MAX).max(1));
        let mut wrong = 0;
        for (leaf, rows) in leaves(&data, &forest).iter().enumerate() {
            prop_assert!(rows.len() >= min_rows.max(1).min(data.rows()));
            let mut counts = BTreeMap::new();
            for &row in rows {
                *counts.entry(label(&data, row)).or_insert(0usize) += 1;
            }
            let most = counts.values().copied().max();
            let first = counts.iter().find(|&(_, &count)| Some(count) == most).map(|(label, _)| label);
            prop_assert_eq!(first, Some(&value(&data, &forest, leaf)));
            wrong += rows.len() - most.unwrap_or(0);
        }
        let found = optimize_rounds(&data, &options, 8, &mut parameters).expect("no conflict with limits");
        prop_assert!(found.forest.leaves() <= max_leaves.unwrap_or(usize::MAX).max(1));
        let errors = |forest: &Forest| {
            let leaves = leaves(&data, forest);
            let rows = leaves.iter().enumerate().flat_map(|(leaf, rows)| rows.iter().map(move |&row| (leaf, row)));
            rows.filter(|&(leaf, row)| value(&data, forest, leaf) != label(&data, row)).count()
        };
        prop_assert_eq!(errors(&forest), wrong);
        prop_assert!(errors(&found.forest) <= wrong);
    }

    #[test]
    fn a_scan_finds_the_best_cut((format, rows) in tables(), min_rows in 1..4u32, which in 0..4usize) {
        let data = dataset(format, &rows);
        let table = Table::new(&data);
        let all: Vec<u32> = (0..table.rows() as u32).collect();
        let sheet = Sheet::<u32>::of_rows(&table, &all, &|_| true);
        let weights = Weights::new(Criterion::ALL[which], table.rows());
        let mut census = sheet::Census::default();
        sheet.count(0, 0..all.len(), &mut census);
        let impurity = |rows: &[u32]| {
            let mut counts = BTreeMap::new();
            rows.iter().for_each(|&row| *counts.entry(table.classes[row as usize]).or_insert(0) += 1);
            weights.at(rows.len() as u32) - counts.values().map(|&count| weights.at(count)).sum::<i64>()
        };
        for column in 0..table.columns() {
            let wish = sheet::Wish { weights: &weights, min_rows, balanced: false, used: None };
            let found = sheet.scan(column, 0..all.len(), &census, &wish, &mut Vec::new());
            let ranks = table.column(column);
            let cuts = (0..table.distinct[column] - 1).filter_map(|cut| {
                let (lower, upper): (Vec<u32>, Vec<u32>) = all.iter().partition(|&&row| ranks[row as usize] <= cut);
                let enough = lower.len().min(upper.len()) >= min_rows as usize;
                enough.then(|| (impurity(&lower) + impurity(&upper), lower.len().abs_diff(upper.len()), cut, lower.len()))
            });
            let best = cuts.min();
            let found = found.map(|cut| (cut.impurity, cut.imbalance as usize, cut.low, cut.lower as usize));
            prop_assert_eq!(found, best);
        }
    }

    #[test]
    fn cuts_lie_in_every_gap_and_are_as_few_as_disjoint_gaps(gaps in proptest::collection::vec((0..3u32, 0..20u32, 1..6u32), 1..12)) {
        let node = |&(column, low, width): &(u32, u32, u32)| Node { column, low, high: low + width, ..Node::leaf(0, 0, 0) };
        let nodes: Vec<Node> = gaps.iter().map(node).collect();
        let cuts = plan::cuts(&nodes);
        for node in &nodes {
            prop_assert!(cuts[&node.column].iter().any(|cut| (node.low..node.high).contains(cut)));
        }
        // The most gaps of which no two have a cut in common need as many cuts.
        let apart = |a: &Node, b: &Node| a.column != b.column || a.high <= b.low || b.high <= a.low;
        let sets = (0..1u32 << nodes.len()).filter(|set| {
            let chosen: Vec<&Node> = (0..nodes.len()).filter(|index| set >> index & 1 == 1).map(|index| &nodes[index]).collect();
            chosen.iter().enumerate().all(|(index, a)| chosen[..index].iter().all(|b| apart(a, b)))
        });
        let disjoint = sets.map(u32::count_ones).max().expect("the empty set");
        prop_assert_eq!(cuts.values().map(Vec::len).sum::<usize>(), disjoint as usize);
    }
}

/// Numbers that look random.
fn noise(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed | 1;
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % bound
    }
}

fn noisy(rows: usize, columns: usize, levels: u64, classes: u64) -> Dataset {
    let mut draw = noise(7);
    let rows: Rows = (0..rows)
        .map(|_| {
            let inputs = (0..columns).map(|_| i128::from(draw(levels))).collect();
            (inputs, vec![i128::from(draw(classes))])
        })
        .collect();
    dataset(Format::BINARY32, &consistent(rows))
}

#[test]
fn the_number_of_threads_changes_nothing() {
    // Large enough for tasks, and small enough for the search to find something.
    let (data, small) = (noisy(9000, 6, 50, 4), noisy(300, 4, 20, 3));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let options = LearnOptions::default();
        let searched = || optimize_rounds(&small, &options, 20, &mut parameters);
        pool.install(|| (learned(&data), optimize_rounds(&data, &options, 6, &mut parameters), searched()))
    };
    let one = on(1);
    assert!(is_exact(&data, one.0.as_ref().expect("no conflict")));
    assert_eq!(one, on(2));
    assert_eq!(one, on(5));
}

#[test]
fn narrow_and_wide_entries_grow_the_same_tree() {
    let data = noisy(5000, 5, 3000, 3);
    let table = Table::new(&data);
    let rows: Vec<u32> = (0..5000).collect();
    let weights = Weights::new(Criterion::Entropy, 5000);
    let style = Style { weights: &weights, min_rows: 1, total: 5000, used: None, chance: None };
    let mut done = 0;
    let narrow = grow(&mut Sheet::<u32>::of_rows(&table, &rows, &|_| true), 0, &style, &mut |rows| done += rows);
    let wide = grow(&mut Sheet::<u64>::of_rows(&table, &rows, &|_| true), 0, &style, &mut |_| ());
    assert_eq!(narrow, wide);
    assert_eq!((done, plan::errors(&narrow)), (5000, 0));
}

#[test]
fn a_winner_is_found_again_by_its_number() {
    let data = noisy(300, 4, 20, 3);
    let options = LearnOptions { seed: 5, ..LearnOptions::default() };
    let found = optimize_rounds(&data, &options, 30, &mut parameters).expect("no conflict");
    let again = optimize_rounds(&data, &options, found.attempt + 1, &mut parameters).expect("no conflict");
    assert_eq!((found.attempts, again.attempts), (30, found.attempt + 1));
    assert_eq!((&again.forest, again.score, again.attempt), (&found.forest, found.score, found.attempt));
    assert!(found.attempt >= Criterion::ALL.len(), "the search found something");
    assert!(found.score < parameters(&learned(&data).expect("no conflict")).expect("a score"));
    let mut gone = Vec::new();
    let budget = std::time::Duration::from_millis(30);
    let timed = optimize(&data, &options, budget, &mut parameters, &mut |done, all| gone.push((done, all)));
    assert!(is_exact(&data, &timed.expect("no conflict").forest));
    assert_eq!(gone.last(), Some(&(30, 30)));
    let none = optimize_rounds(&data, &options, 5, &mut |_| None);
    assert!(matches!(none, Err(ConstructError::Unsuitable(_))), "{none:?}");
}

#[test]
fn degenerate_data_have_degenerate_trees() {
    let f = Format::BFLOAT16;
    let empty = Dataset::new(f, 1, 1, Encodings::new(f), Encodings::new(f)).expect("no rows are rows");
    assert_eq!(learned(&empty), Err(ConstructError::Empty));
    let size = |rows: &Rows| {
        let data = dataset(f, rows);
        let forest = learned(&data).expect("no conflict");
        assert!(is_exact(&data, &forest));
        let found = optimize_rounds(&data, &LearnOptions::default(), 10, &mut parameters).expect("no conflict");
        assert!(is_exact(&data, &found.forest));
        forest.leaves()
    };
    let row = |inputs: &[i128], label: i128| (inputs.to_vec(), vec![label]);
    assert_eq!(size(&vec![row(&[3, 4], 5)]), 1);
    // One class, and the same row again and again.
    assert_eq!(size(&vec![row(&[3, 4], 5), row(&[0, 1], 5)]), 1);
    assert_eq!(size(&vec![row(&[3, 4], 5); 5000]), 1);
    // A constant column, then rows of which half are twice there.
    assert_eq!(size(&vec![row(&[9, 4], 5), row(&[9, 5], 6), row(&[9, 5], 6)]), 2);
    // No first split helps by itself.
    assert_eq!(size(&vec![row(&[0, 0], 0), row(&[0, 1], 1), row(&[1, 0], 1), row(&[1, 1], 0)]), 4);
    // -0 and +0 are one value, as an input and as a label.
    let column = |bits: &[u128]| Encodings::collect(f, bits.iter().map(|&bits| Encoding::from_bits(bits)));
    let zeros = Dataset::new(f, 1, 1, column(&[0, 0x8000, 1]), column(&[0x8000, 0, 0])).expect("well formed");
    assert_eq!(learned(&zeros).map(|forest| forest.leaves()), Ok(1));
}

/// The depth of the deepest leaf.
fn depth(forest: &Forest) -> usize {
    let tree = &forest.trees()[0];
    let links = tree.preorder();
    let mut depths = vec![0; links.len()];
    for (index, node) in tree.nodes.iter().enumerate() {
        if let TreeNode::Split { .. } = node {
            depths[index + 1] = depths[index] + 1;
            depths[links.link(index)] = depths[index] + 1;
        }
    }
    depths.into_iter().max().unwrap_or(0)
}

#[test]
fn alternating_labels_make_no_chain() {
    // At each step the split that takes one row off is the best, so that the tree would be as deep as there are rows.
    for rows in [20_000, 70_000] {
        let rows: Rows = (0..rows).map(|row| (vec![row], vec![row % 2])).collect();
        let data = dataset(Format::BINARY32, &rows);
        let start = std::time::Instant::now();
        let forest = learned(&data).expect("no conflict");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
        assert_eq!(forest.leaves(), rows.len());
        assert!(depth(&forest) <= 70, "{}", depth(&forest));
        assert!(is_exact(&data, &forest));
    }
}

#[test]
fn a_chain_that_the_data_force_is_no_matter() {
    // Row i differs from all others in column i alone: a split takes one row off.
    let unit = |row: usize| (0..400).map(|column| i128::from(column == row)).collect();
    let rows: Rows = (0..400).map(|row| (unit(row), vec![row as i128])).collect();
    let data = dataset(Format::FLOAT8_E5M2, &rows.into_iter().take(100).collect());
    let forest = learned(&data).expect("no conflict");
    assert!(is_exact(&data, &forest));
    assert_eq!((forest.leaves(), depth(&forest)), (100, 99));
}

#[test]
fn growth_is_best_first() {
    let data = noisy(400, 3, 30, 3);
    let limited = |max_leaves| LearnOptions { max_leaves: Some(max_leaves), ..LearnOptions::default() };
    let options = limited(1);
    let learner = Learner::new(&data, &options).expect("rows");
    let all = learner.options.clone();
    let full = Learner { options: &LearnOptions { max_leaves: Some(usize::MAX), ..all }, ..learner }
        .plan(Criterion::Entropy, None, &mut |_| ())
        .expect("limits");
    // Again and again the leaf with the greatest gain, found by looking at each.
    let mut open = vec![0usize];
    for leaves in 1..full.len().div_ceil(2) {
        assert_eq!(plan::best_first(&full, leaves).len(), 2 * leaves - 1);
        let next = open.iter().copied().filter(|&node| !full[node].is_leaf());
        let next = next.max_by_key(|&node| (full[node].gain, std::cmp::Reverse(node))).expect("a split");
        let (before, after) = (plan::best_first(&full, leaves), plan::best_first(&full, leaves + 1));
        let splits = |tree: &[Node]| tree.iter().filter(|node| !node.is_leaf()).copied().collect::<Vec<Node>>();
        let mut gains: Vec<i64> = splits(&after).iter().map(|node| node.gain).collect();
        splits(&before).iter().for_each(|node| {
            let place = gains.iter().position(|&gain| gain == node.gain).expect("a split stays");
            gains.remove(place);
        });
        assert_eq!(gains, [full[next].gain]);
        open.retain(|&node| node != next);
        open.extend([next + 1, next + full[next].skip as usize]);
    }
}

//! The map in small, and what it says of constructions and theories that are wrong.

use roundproof_construct::ConstructError;
use roundproof_construct::classical::halve_penalties;
use roundproof_network::{Dataset, PathModel};

use super::cell::{Made, make};
use super::condition::expected;
use super::*;

fn grid() -> Grid {
    Grid { precisions: 1..=5, exponent_bits: 2..=4, every_value: 8, ..Grid::default() }
}

fn lab(name: &str) -> Lab {
    Lab::new(construction(name).unwrap(), grid().every_value)
}

fn contradictions(lab: &Lab) -> Vec<String> {
    sweep_in(lab, &MODELS, &grid(), &|_, _| ()).unwrap().contradictions
}

#[test]
fn kernel_searches_and_theory_agree() {
    for construction in CONSTRUCTIONS.iter().filter(|construction| construction.inputs <= 16) {
        let map = sweep(construction, &MODELS, &grid(), &|_, _| ()).unwrap();
        assert_eq!(map.contradictions, Vec::<String>::new());
        for panel in &map.panels {
            assert_eq!(panel.counts().get(&Status::Unknown), None, "{} {panel:?}", construction.name);
        }
    }
}

#[test]
fn the_frontier_is_where_it_is_known_to_be() {
    let letters = |name: &str, model: &str, family: Family, bits: &str| {
        let map = sweep(construction(name).unwrap(), &MODELS, &grid(), &|_, _| ()).unwrap();
        let recorded = map.recorded();
        let found = recorded.panels.iter().find(|panel| panel.paths == model && panel.family == family.name());
        found.unwrap().cells[bits].clone()
    };
    assert_eq!(letters("point-relu", "all", Family::Ieee, "e4"), ".HHHh");
    // float8_e4m3b11fnuz has no parameters for ReLU, and needs none for Step.
    assert_eq!(letters("point-relu", "all", Family::Low, "e4"), "NNNNN");
    assert_eq!(letters("point-step", "all", Family::Low, "e4"), "HHHHh");
    assert_eq!(letters("point-step", "all,subnormals=flush", Family::Finite, "e3"), "HFFFF");
    assert_eq!(letters("tree-step", "all,overflow=nan", Family::Finite, "e3"), "-----");
    // 2d = 8 ones: exact from p = 3 on.
    assert_eq!(letters("counting-4", "all", Family::Ieee, "e4"), ".Fhhh");
    assert_eq!(letters("counting-4", "all", Family::Ieee, "e3"), ".Fhhh");
    // NaN only silences, and one of two bounds is silent anyway.
    assert_eq!(letters("counting-4", "all,overflow=nan", Family::Ieee, "e4"), ".Fhhh");
    assert_eq!(letters("counted-ramps", "all", Family::Ieee, "e3"), ".Pnnn");
    assert_eq!(letters("counted-ramps", "all,overflow=nan", Family::Ieee, "e3"), ".Fnnn");
    assert_eq!(letters("counted-ramps", "all", Family::Finite, "e3"), "PPPnn");
    assert_eq!(letters("counted-ramps", "all,subnormals=flush", Family::Finite, "e3"), "PFFnn");
    assert_eq!(letters("telescoping-sum", "paper", Family::Finite, "e2"), "FFFFF");
}

/// A construction whose penalties are one power of two too small is refuted where the theory says that it holds.
#[test]
fn a_penalty_that_is_too_small_contradicts_the_theory() {
    fn weak(construction: &Construction, data: &Dataset) -> Result<Made, ConstructError> {
        let made = make(construction, data)?;
        Ok(Made { network: halve_penalties(made.network)?, ..made })
    }
    let found = contradictions(&Lab { make: weak, ..lab("point-relu") });
    assert!(found.iter().any(|text| text.contains("under all: established: fails; the theory: holds")), "{found:?}");
}

#[test]
fn a_wrong_condition_contradicts_the_kernel() {
    fn sharper(construction: &Construction, format: Format, model: &PathModel) -> Option<Status> {
        let known = expected(construction, format, model)?;
        // As if w had to be at most p - 2.
        let narrow = condition::weakness(format) > i64::from(format.precision()) - 2;
        Some(if narrow && known == Status::Holds { Status::NoParameters } else { known })
    }
    let found = contradictions(&Lab { expect: sharper, ..lab("point-relu") });
    assert!(found.iter().any(|text| text.contains("established: holds; the theory: no parameters")), "{found:?}");
}

/// A construction that gives up too early is told by the search over powers of two.
#[test]
fn a_refusal_without_cause_is_told() {
    fn timid(construction: &Construction, data: &Dataset) -> Result<Made, ConstructError> {
        if data.format().precision() == 3 {
            return Err(ConstructError::Unsuitable("not today"));
        }
        make(construction, data)
    }
    fn nothing(_: &Construction, _: Format, _: &PathModel) -> Option<Status> {
        None
    }
    let found = contradictions(&Lab { make: timid, expect: nothing, ..lab("tree-relu") });
    assert!(found.iter().all(|text| text.contains("finds parameters: true; the construction: false")), "{found:?}");
    // Every format of the grid with p = 3 but float7_e4m2 of the family `low`, which has none.
    assert_eq!(found.len(), 8);
}

#[test]
fn records_read_back() {
    let recorded = sweep(construction("point-relu").unwrap(), &MODELS, &grid(), &|_, _| ()).unwrap().recorded();
    let text = serde_json::to_string(&recorded).unwrap();
    let read: Recorded = serde_json::from_str(&text).unwrap();
    assert_eq!(read, recorded);
    assert!(read.panels.iter().all(|panel| read.statuses(panel).is_some()));
    let short: Recorded = serde_json::from_str(&text.replace("\"HHHHh\"", "\"HHHH\"")).unwrap();
    assert!(short.panels.iter().any(|panel| short.statuses(panel).is_none()));
}

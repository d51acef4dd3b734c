//! The map in small, and what it says of constructions and theories that are wrong.

use super::*;

#[test]
fn placeholder() {
    let grid = Grid { precisions: 1..=6, exponent_bits: 2..=5, every_value: 11, ..Grid::default() };
    for construction in CONSTRUCTIONS {
        let since = std::time::Instant::now();
        let map = sweep(construction, &MODELS, &grid, &|_, _| ()).unwrap();
        for contradiction in &map.contradictions { println!("{contradiction}"); }
        for panel in &map.panels {
            println!("{} {} {} {:?}", construction.name, panel.model, panel.family, map.recorded_panel_cells(panel));
        }
        println!("{} {:?}", construction.name, since.elapsed());
    }
}

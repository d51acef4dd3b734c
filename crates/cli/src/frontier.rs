//! `roundproof frontier`.

mod draw;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use roundproof_checker::frontier::{CONSTRUCTIONS, Construction, Family, Grid, MODELS, Map, Recorded, Status, sweep};
use roundproof_files::{AtomicFile, write_atomically};

use crate::exit::{self, Exit};
use crate::output::{emit, emit_json, table, table_text};
use crate::parsers::Span;
use crate::progress::Progress;

const EXAMPLES: &str = "\
A format has as many bits as exponent bits and precision together. The families are ieee (e5m7 and the like), finite (no \
infinity, no NaN, as float4_e2m1fn) and low (most exponents below zero, as float8_e4m3b11fnuz). A path model may say \
accumulator=wider, which is IEEE's layout with a precision of 2p + 2 and two more exponent bits.

Each cell of a construction, family and path model is a letter, one row for each number of exponent bits, from the least \
precision to the largest:

  H  holds: the kernel accepted a network with a row for every finite value of the format, by its rule box-network
  h  the same, with rows at the edges of every binade, or a few rows if there are several inputs
  P  holds, by the kernel's rule paths; p with rows at the edges
  F  fails: the kernel replayed a path on which a label is missed
  N  no parameters: the construction refuses, and no other numbers make such a ReLU gadget; n: the construction refuses
  .  no such format; -  no such path model in it; ?  not established

Exit codes: 0 all agrees with the theory, 2 a wrong command line or a file that cannot be written, 3 a cell contradicts the \
theory or another cell.

Examples:
  roundproof frontier --precisions 1..6 --exponent-bits 2..4
  roundproof frontier --construction point-relu --paths all --paths all,subnormals=flush --json
  roundproof frontier --family ieee --svg frontier.svg
  roundproof frontier --every-value 16 --construction tree-relu";

/// Map where each construction holds, fails or has no parameters
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Frontier {
    /// Precisions, from 1 to 12
    #[arg(long, value_name = "P..P", default_value = "1..12")]
    precisions: Span,
    /// Exponent bits, from 2 to 8
    #[arg(long, value_name = "B..B", default_value = "2..8")]
    exponent_bits: Span,
    /// Only this construction; may be given several times
    #[arg(long = "construction", value_name = "NAME", value_parser = crate::parsers::construction())]
    constructions: Vec<&'static Construction>,
    /// Only these rounding paths; may be given several times
    #[arg(long = "paths", value_name = "MODEL")]
    models: Vec<String>,
    /// Only this layout of formats; may be given several times
    #[arg(long = "family", value_name = "FAMILY", value_parser = crate::parsers::family())]
    families: Vec<Family>,
    /// Formats of at most so many bits have a row for every finite value; at most 20
    #[arg(long, value_name = "BITS", default_value_t = 13, value_parser = clap::value_parser!(u32).range(..=20))]
    every_value: u32,
    /// Draw the map
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON, as on record under proofs/frontier/, instead of a table
    #[arg(long)]
    json: bool,
}

impl Frontier {
    /// Draws up the maps and prints them.
    pub fn execute(self) -> Result<Exit> {
        let grid = self.grid()?;
        let constructions = if self.constructions.is_empty() {
            CONSTRUCTIONS.iter().collect()
        } else {
            let wanted = |construction: &&Construction| self.constructions.contains(construction);
            CONSTRUCTIONS.iter().filter(wanted).collect::<Vec<_>>()
        };
        let models: Vec<&str> = match self.models.is_empty() {
            true => MODELS.to_vec(),
            false => self.models.iter().map(String::as_str).collect(),
        };
        // A file that cannot be written is told before the map is drawn up.
        self.svg.as_deref().map(AtomicFile::create).transpose()?;
        let progress = Progress::new();
        let maps = constructions
            .into_iter()
            .map(|construction| {
                sweep(construction, &models, &grid, &|done, of| progress.report(construction.name, done, of))
            })
            .collect::<Result<Vec<Map>, _>>()?;
        drop(progress);
        let recorded: Vec<Recorded> = maps.iter().map(Map::recorded).collect();
        if let Some(file) = &self.svg {
            let _writing = exit::writing();
            write_atomically(file, draw::svg(&recorded, &grid.families).as_bytes())?;
        }
        if self.json {
            emit_json(&recorded)?;
        } else {
            emit(&text(&maps, &recorded))?;
        }
        let contradictions: Vec<&String> = maps.iter().flat_map(|map| &map.contradictions).collect();
        for contradiction in &contradictions {
            crate::output::note(contradiction);
        }
        Ok(if contradictions.is_empty() { Exit::AsClaimed } else { Exit::NotEstablished })
    }

    fn grid(&self) -> Result<Grid> {
        let limits = [("--precisions", &self.precisions, 1..=12), ("--exponent-bits", &self.exponent_bits, 2..=8)];
        for (option, Span(span), limit) in limits {
            if !limit.contains(span.start()) || !limit.contains(span.end()) {
                bail!("{option}: {} to {} are looked at", limit.start(), limit.end());
            }
        }
        let mut families = if self.families.is_empty() { Family::ALL.to_vec() } else { self.families.clone() };
        families.sort();
        families.dedup();
        let Span(precisions) = self.precisions.clone();
        let Span(exponent_bits) = self.exponent_bits.clone();
        Ok(Grid { families, precisions, exponent_bits, every_value: self.every_value })
    }
}

fn text(maps: &[Map], recorded: &[Recorded]) -> String {
    let mut sheet =
        table(&["construction", "paths", "family", "least format", "holds", "fails", "no parameters", "unknown"]);
    for index in 4..8 {
        if let Some(column) = sheet.column_mut(index) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    let mut letters = String::new();
    for (map, recorded) in maps.iter().zip(recorded) {
        for (panel, on_record) in map.panels.iter().zip(&recorded.panels) {
            let counts = panel.counts();
            let count = |status| counts.get(&status).copied().unwrap_or_default().to_string();
            let mut cells = vec![
                map.construction.name.to_string(),
                panel.model.clone(),
                panel.family.to_string(),
                on_record.least.clone().unwrap_or("-".to_string()),
            ];
            cells.extend([Status::Holds, Status::Fails, Status::NoParameters, Status::Unknown].map(count));
            sheet.add_row(cells);
            let rows: Vec<String> = on_record.cells.iter().map(|(bits, row)| format!("{bits} {row}")).collect();
            letters +=
                &format!("{} | {} | {}: {}\n", map.construction.name, panel.model, panel.family, rows.join("  "));
        }
    }
    let totals: Vec<String> =
        maps.iter().map(|map| format!("{}: {}\n", map.construction.name, map.summary())).collect();
    format!("{}\n{letters}\n{}", table_text(&sheet), totals.concat())
}

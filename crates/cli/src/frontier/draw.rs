//! The map as a picture: a small grid of formats for each construction and path model.

use std::collections::{BTreeMap, BTreeSet};

use roundproof_checker::frontier::{Family, Recorded, Status};
use svg::Document;
use svg::node::element::{Group, Path, Rectangle, Text};

/// The side of a cell, and what is between the grids.
const CELL: usize = 6;
const GAP: usize = 12;
/// Room for names on the left, and above the first row of a family.
const LEFT: usize = 130;
const TOP: usize = 72;
const LEGEND: usize = 44;

/// Colours that are told apart in print and by most who see fewer colours (after Okabe and Ito, 2008); on a light card, so
/// that a page's theme does not matter.
const fn colour(status: Status) -> &'static str {
    match status {
        Status::Holds => "#0072b2",
        Status::Fails => "#d55e00",
        Status::NoParameters => "#f0e442",
        Status::NoFormat => "#ffffff",
        Status::NoModel => "#d0d7de",
        Status::Unknown => "#000000",
    }
}

/// The picture of some constructions, a block for each family. The same records give the same bytes.
pub fn svg(records: &[Recorded], families: &[Family]) -> String {
    let Some(first) = records.first() else { return Document::new().to_string() + "\n" };
    let models: Vec<&str> = {
        let mut models: Vec<&str> = Vec::new();
        for panel in &first.panels {
            if !models.contains(&panel.paths.as_str()) {
                models.push(&panel.paths);
            }
        }
        models
    };
    let (wide, high) = steps(first);
    let width = (LEFT + models.len() * wide + GAP).max(640);
    let block = TOP + records.len() * high;
    let height = families.len() * block + LEGEND;
    let mut met = BTreeSet::new();
    let mut document = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("font-family", "sans-serif")
        .set("font-size", 10)
        .add(rectangle(0, 0, width, height, "#f6f8fa"));
    for (index, family) in families.iter().enumerate() {
        let above = index * block;
        let (p, b) = (first.precisions, first.exponent_bits);
        let title = format!(
            "{family}: precision {} to {} from left to right, {} to {} exponent bits from top to bottom",
            p[0], p[1], b[0], b[1]
        );
        document = document.add(axes(first, &models, records.len(), above + TOP));
        document = document.add(text(8, above + 18, &title).set("font-weight", "bold"));
        for (column, model) in models.iter().enumerate() {
            for (line, part) in model.split([',', '=']).enumerate() {
                document = document.add(text(LEFT + column * wide, above + 32 + 11 * line, part));
            }
        }
        for (row, record) in records.iter().enumerate() {
            let y = above + TOP + row * high;
            document = document.add(text(8, y + (high - GAP) / 2 + 4, &record.construction));
            for (column, model) in models.iter().enumerate() {
                let panel = record.panels.iter().find(|panel| panel.paths == *model && panel.family == family.name());
                if let Some(cells) = panel.and_then(|panel| record.statuses(panel)) {
                    document = document.add(grid(&cells, LEFT + column * wide, y));
                    met.extend(cells.into_iter().flatten());
                }
            }
        }
    }
    document.add(legend(&met, families.len() * block + 12)).to_string() + "\n"
}

/// Precisions above each column of grids, exponent bits beside each row of them: the first, the last, and each fourth.
fn axes(record: &Recorded, models: &[&str], grids: usize, top: usize) -> Group {
    let ticks = |[least, most]: [u32; 2]| {
        let tick = move |number: &u32| [least, most].contains(number) || number.is_multiple_of(4);
        (least..=most).filter(tick).map(move |number| (number, (number - least) as usize))
    };
    let number = |x: usize, y: usize, number: u32| text(x, y, &number.to_string()).set("font-size", 7);
    let (wide, high) = steps(record);
    let mut group = Group::new();
    for column in 0..models.len() {
        for (precision, place) in ticks(record.precisions) {
            let x = LEFT + column * wide + place * CELL + CELL / 2;
            group = group.add(number(x, top - 3, precision).set("text-anchor", "middle"));
        }
    }
    for row in 0..grids {
        for (bits, place) in ticks(record.exponent_bits) {
            let y = top + row * high + place * CELL + CELL;
            group = group.add(number(LEFT - 3, y, bits).set("text-anchor", "end"));
        }
    }
    group
}

/// From one grid to the next, to the right and downwards.
fn steps(record: &Recorded) -> (usize, usize) {
    let cells = |[least, most]: [u32; 2]| (most - least + 1) as usize;
    ((cells(record.precisions) * CELL + GAP).max(96), cells(record.exponent_bits) * CELL + GAP)
}

/// The cells, one path for each status, its runs as rectangles.
fn grid(cells: &[Vec<Status>], left: usize, top: usize) -> Group {
    let mut paths = BTreeMap::<Status, String>::new();
    for (row, cells) in cells.iter().enumerate() {
        let mut start = 0;
        for run in cells.chunk_by(|a, b| a == b) {
            let (x, y, width) = (left + start * CELL, top + row * CELL, run.len() * CELL);
            let path = paths.entry(run[0]).or_default();
            *path += &format!("M{x} {y}h{width}v{CELL}h-{width}z");
            start += run.len();
        }
    }
    paths.into_iter().fold(Group::new(), |group, (status, path)| {
        group.add(
            Path::new().set("d", path).set("fill", colour(status)).set("stroke", "#f6f8fa").set("stroke-width", "0.5"),
        )
    })
}

/// The colours that the picture has.
fn legend(met: &BTreeSet<Status>, top: usize) -> Group {
    let mut group = Group::new();
    for (index, &status) in met.iter().enumerate() {
        let x = 8 + index * 104;
        let sample = rectangle(x, top, 12, 12, colour(status)).set("stroke", "#57606a").set("stroke-width", "0.5");
        group = group.add(sample).add(text(x + 18, top + 10, status.name()));
    }
    group
}

fn rectangle(x: usize, y: usize, width: usize, height: usize, fill: &str) -> Rectangle {
    Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height).set("fill", fill)
}

fn text(x: usize, y: usize, words: &str) -> Text {
    Text::new(words).set("x", x).set("y", y).set("fill", "#1f2328")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use roundproof_checker::frontier::CONSTRUCTIONS;
    use roundproof_corpus::RecordFile;

    use super::*;

    /// The pictures that are committed are those of the records that are.
    #[test]
    fn pictures_are_those_of_the_records() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proofs/frontier");
        let file = RecordFile::read(&folder).unwrap();
        let record = |name: &str| file.entries()[name].map(name).unwrap().unwrap();
        let records: Vec<Recorded> = CONSTRUCTIONS.iter().map(|construction| record(construction.name)).collect();
        for family in Family::ALL {
            let (path, drawn) = (folder.join(format!("{family}.svg")), svg(&records, &[family]));
            if std::env::var_os("ROUNDPROOF_BLESS").is_some() {
                std::fs::write(&path, &drawn).unwrap();
            }
            let committed = std::fs::read_to_string(path).unwrap();
            assert!(drawn == committed, "{family}.svg: draw it again with ROUNDPROOF_BLESS=1");
            assert!(drawn.len() < 200_000 && drawn.matches("<path").count() >= CONSTRUCTIONS.len(), "{}", drawn.len());
        }
    }
}

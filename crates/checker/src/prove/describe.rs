//! What a construction says of rows and columns, told in the places and names of the table that they came from.

use roundproof_construct::ConstructError;
use roundproof_exact::text::exact_decimal;
use roundproof_softfloat::compare;
use roundproof_sources::table::Table;

/// The error in words that point into the table's file, with a remedy. Names no file and no path: the same on every machine.
pub fn describe(error: &ConstructError, table: &Table) -> String {
    let place = |row: usize| table.places.of(row);
    let name = |names: &[String], column: usize| names.get(column).map_or("?", String::as_str).to_string();
    match *error {
        ConstructError::Conflict { first, second, output, format } => {
            let [one, other] = [first, second].map(|row| table.dataset.label(row, output));
            let [earlier, later] = [place(first), place(second)];
            let same = format!("{earlier} and {later} have the same inputs in {format}");
            if compare(format, one, other).is_some_and(|order| order.is_eq()) {
                return format!("{same}; this construction takes each input once: delete one of the rows");
            }
            let column = name(&table.columns.labels, output);
            let [one, other] = [one, other].map(|label| exact_decimal(format, label));
            format!(
                "{same} but different labels: `{column}` is {one} in {earlier} and {other} in {later}, and no network can \
                 give both. Take a format with more precision, or delete one of the rows"
            )
        }
        ConstructError::NoScale { row, column, value, side, format } => format!(
            "{}, column `{}`: {format} has no powers of two K and W that make the {side} side at {} safe (W * K * gap >= \
             1), and too few bits for copies of a weaker unit. Take the step activation, which needs none, or another \
             format: one with p <= min(2 emax, 2 emax + emin + 1) always has them",
            place(row),
            name(&table.columns.inputs, column),
            exact_decimal(format, value),
        ),
        ConstructError::NoSlope { row, column, value, side, format } => format!(
            "{}, column `{}`: {format} has no power of two K with K * gap >= 1 for the {side} bound at {}. Take the \
             strategy point, which has a second factor, or the step activation, which needs none",
            place(row),
            name(&table.columns.inputs, column),
            exact_decimal(format, value),
        ),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use roundproof_construct::{classical, point};
    use roundproof_format::Format;
    use roundproof_network::Activation;
    use roundproof_sources::csv::parse_csv;

    use super::*;

    fn csv(text: &str, format: Format) -> Table {
        parse_csv(Path::new("t.csv"), text.as_bytes(), &["y".to_string()], format).unwrap()
    }

    #[test]
    fn conflicting_rows_are_named_by_their_lines() {
        let csv = csv("x,y\n1,2\n\n1.001,3\n", Format::FLOAT8_E5M2);
        let error = point::memorize(&csv.dataset, Activation::Step).unwrap_err();
        let text = describe(&error, &csv);
        assert!(
            text.starts_with("line 2 and line 4 have the same inputs in float8_e5m2 but different labels"),
            "{text}"
        );
        assert!(text.contains("`y` is 2 in line 2 and 3 in line 4"), "{text}");
    }

    #[test]
    fn equal_rows_are_not_said_to_differ() {
        let csv = csv("x,y\n1,2\n1,2\n", Format::BFLOAT16);
        let text = describe(&classical::telescoping_sum(&csv.dataset).unwrap_err(), &csv);
        assert!(text.contains("takes each input once") && !text.contains("different"), "{text}");
    }

    #[test]
    fn a_side_without_a_scale_is_named_by_line_and_column() {
        let csv = csv("a,b,y\n1,1,0\n1,0x1p-13,1\n", Format::FLOAT8_E4M3B11FNUZ);
        let error = ConstructError::NoScale {
            row: 1,
            column: 1,
            value: csv.dataset.input(1, 1),
            side: "lower",
            format: Format::FLOAT8_E4M3B11FNUZ,
        };
        let text = describe(&error, &csv);
        assert!(text.starts_with("line 3, column `b`: float8_e4m3b11fnuz has no powers of two"), "{text}");
        assert!(text.contains("the lower side at 0.0001220703125 safe"), "{text}");
    }
}

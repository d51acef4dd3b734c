//! The text of a CSV file as a header and rows of cells, each row with its line.

use super::CsvProblem;

/// A file's cells, read row by row.
pub(super) struct Text<'a> {
    /// The names of the columns, trimmed.
    pub(super) header: Vec<String>,
    /// At least as many as there are ends of lines, and of cells.
    pub(super) line_ends: usize,
    pub(super) cell_ends: usize,
    /// What separates cells.
    pub(super) separator: char,
    reader: ::csv::Reader<&'a [u8]>,
    lines: Lines<'a>,
    record: ::csv::StringRecord,
}

impl<'a> Text<'a> {
    /// The table in `bytes`, its header read; without one, its columns are called `#1`, `#2` and so on.
    pub(super) fn open(bytes: &'a [u8], no_header: bool) -> Result<Text<'a>, CsvProblem> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| CsvProblem::NotUtf8 { line: Lines::new(bytes).at(error.valid_up_to()) })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let separator = separator(text);
        let (line_ends, cell_ends) = check_quotes(text, separator)?;
        let reader = || {
            let mut builder = ::csv::ReaderBuilder::new();
            builder.has_headers(false).flexible(true).delimiter(separator as u8).from_reader(text.as_bytes())
        };
        let mut table = Text {
            header: Vec::new(),
            line_ends,
            cell_ends,
            separator,
            reader: reader(),
            lines: Lines::new(text.as_bytes()),
            record: ::csv::StringRecord::new(),
        };
        let Some((_, header)) = table.next()? else {
            return Err(CsvProblem::Empty);
        };
        if no_header {
            table.header = (1..=header.len()).map(|column| format!("#{column}")).collect();
            (table.reader, table.lines) = (reader(), Lines::new(text.as_bytes()));
        } else {
            table.header = header.iter().map(|name| name.trim().to_string()).collect();
            check_header(&table.header)?;
        }
        Ok(table)
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row and its line; rows of nothing are passed over.
    pub(super) fn next(&mut self) -> Result<Option<(usize, &::csv::StringRecord)>, CsvProblem> {
        loop {
            match self.reader.read_record(&mut self.record) {
                Ok(false) => return Ok(None),
                Ok(true) => {}
                Err(error) => return Err(CsvProblem::Unreadable(error.into())),
            }
            let position = self.record.position().map_or(0, ::csv::Position::byte);
            let line = self.lines.at(self.lines.skip_ends(position as usize));
            let blank = self.record.len() == 1 && self.record.iter().all(|cell| cell.trim().is_empty());
            if !blank {
                return Ok(Some((line, &self.record)));
            }
        }
    }
}

/// What separates cells: commas, if the first line that is not blank has one outside of quotes, else the first of a
/// semicolon, a tab and a bar that it has.
fn separator(text: &str) -> char {
    let first = text.trim_start_matches(['\n', '\r', ' ']);
    let (mut quoted, mut found) = (false, [false; 4]);
    const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
    for c in first.chars() {
        match c {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            c if !quoted => {
                for (found, separator) in found.iter_mut().zip(SEPARATORS) {
                    *found |= c == separator;
                }
            }
            _ => {}
        }
    }
    SEPARATORS.into_iter().zip(found).find(|(_, found)| *found).map_or(',', |(separator, _)| separator)
}

fn check_header(header: &[String]) -> Result<(), CsvProblem> {
    let mut seen = std::collections::HashMap::new();
    for (index, name) in header.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let column = index + 1;
        if let Some(first) = seen.insert(name, column) {
            return Err(CsvProblem::DuplicateColumn {
                name: roundproof_files::json::shorten(name),
                first,
                second: column,
            });
        }
    }
    Ok(())
}

/// Counts lines on the way through a text. A line ends with LF, CR LF or CR.
struct Lines<'a> {
    bytes: &'a [u8],
    position: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Lines<'a> {
        Lines { bytes, position: 0, line: 1 }
    }

    /// The line of the byte at `position`, which is not before the last one asked for.
    fn at(&mut self, position: usize) -> usize {
        while self.position < position.min(self.bytes.len()) {
            let next = self.bytes.get(self.position + 1);
            let ends = match self.bytes[self.position] {
                b'\n' => true,
                b'\r' => next != Some(&b'\n'),
                _ => false,
            };
            self.line += usize::from(ends);
            self.position += 1;
        }
        self.line
    }

    /// The first byte from `position` on that ends no line.
    fn skip_ends(&self, position: usize) -> usize {
        let rest = self.bytes.get(position..).unwrap_or_default();
        position + rest.iter().take_while(|&&byte| byte == b'\n' || byte == b'\r').count()
    }
}

/// Refuses quotes that the reader would take in stride, as in `"4"2` (which it reads as 42) or a quote never closed.
/// Otherwise it counts what ends lines, and what ends cells; the end of the text may end both.
fn check_quotes(text: &str, separator: char) -> Result<(usize, usize), CsvProblem> {
    #[derive(PartialEq)]
    enum At {
        Start,
        Bare,
        Quoted,
        Closed,
    }
    let bytes = text.as_bytes();
    let (mut at, mut opened, mut line_ends, mut commas) = (At::Start, 0, 1, 0);
    let wrong = |position, what| Err(CsvProblem::Quote { line: Lines::new(bytes).at(position), what });
    for (position, &byte) in bytes.iter().enumerate() {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            // A doubled quote.
            (At::Closed, b'"') => At::Quoted,
            (_, byte) if byte == separator as u8 => {
                commas += 1;
                At::Start
            }
            (_, b'\n' | b'\r') => {
                line_ends += 1;
                At::Start
            }
            (At::Closed, _) => return wrong(position, "text after a closing quote"),
            (At::Start, b'"') => {
                opened = position;
                At::Quoted
            }
            (At::Bare, b'"') => return wrong(position, "a quote within a cell"),
            (At::Start | At::Bare, _) => At::Bare,
        };
    }
    if at == At::Quoted {
        return wrong(opened, "a quote that is never closed");
    }
    Ok((line_ends, line_ends + commas))
}

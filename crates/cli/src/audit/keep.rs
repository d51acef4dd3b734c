//! What is kept of an audit in a folder: what was judged so far, then the certificate and its files.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use roundproof_files::Digest;
use roundproof_files::audit::{AuditCertificate, UnderPaths, word};
use roundproof_files::certificate::{FileReference, RelativePath};
use roundproof_files::json::shorten;
use roundproof_files::safetensors::{AuditRows, audit_rows_bytes};

use super::report::Judged;
use crate::exit;
use crate::prove::place_files;

/// The certificate, which is put in its place last.
pub const CERTIFICATE: &str = "certificate.json";
const GRAPH: &str = "graph.safetensors";
const ROWS: &str = "rows.safetensors";
/// What was judged so far: a line of what is judged, then a line for each row.
const UNFINISHED: &str = "unfinished.jsonl";

/// The certificate without verdicts, and the files that it names.
pub struct Subject {
    pub certificate: AuditCertificate,
    pub graph: Vec<u8>,
    pub rows: Vec<u8>,
}

impl Subject {
    /// `certificate` with the files of a graph and of rows.
    pub fn new(mut certificate: AuditCertificate, graph: Vec<u8>, rows: &AuditRows) -> Result<Subject> {
        let bytes = audit_rows_bytes(rows);
        certificate.graph = reference(GRAPH, &graph)?;
        certificate.dataset = reference(ROWS, &bytes)?;
        certificate.rows = rows.numbers().len();
        Ok(Subject { certificate, graph, rows: bytes })
    }

    /// Puts the files into `out`, with these verdicts: all of them, or none if one cannot be written.
    pub fn place(mut self, out: &Path, verdicts: Vec<Vec<Box<str>>>) -> Result<()> {
        for (UnderPaths { model: _, invariant, verdicts }, words) in self.certificate.audits.iter_mut().zip(verdicts) {
            *invariant = words.iter().filter(|said| ***said != *word(None)).count();
            *verdicts = words;
        }
        let text = self.certificate.to_json();
        place_files(out, &[(GRAPH, &self.graph[..]), (ROWS, &self.rows), (CERTIFICATE, text.as_bytes())])
    }
}

/// A reference to a file with these bytes.
pub fn reference(name: &str, bytes: &[u8]) -> Result<FileReference> {
    Ok(FileReference { path: name.parse()?, sha256: Digest::of(bytes) })
}

/// A reference to a file of somebody, by its name alone, so that the certificate is the same wherever it was made.
pub fn origin(path: &Path, otherwise: &str, sha256: Digest) -> Result<FileReference> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<RelativePath>().ok());
    Ok(FileReference { path: name.map_or_else(|| otherwise.parse(), Ok)?, sha256 })
}

/// What was judged so far, in a file.
pub struct Unfinished {
    path: PathBuf,
    file: File,
    /// Rows that stand in the file already.
    pub rows: usize,
}

impl Unfinished {
    /// Begins in `out`, or goes on with what is there: `of` says what is judged, by name.
    pub fn open(out: &Path, resume: bool, of: &BTreeMap<String, String>) -> Result<Unfinished> {
        let path = out.join(UNFINISHED);
        let cannot = || format!("{}: cannot be written to", out.display());
        fs::create_dir_all(out).with_context(cannot)?;
        let (mut rows, mut length) = (0, 0);
        if path.exists() {
            if !resume {
                bail!(
                    "{}: an audit was interrupted here; --resume goes on with it, or remove this file to begin anew",
                    path.display()
                );
            }
            (rows, length) = resumed(&path, of)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path).with_context(cannot)?;
        // A line that was not finished goes.
        file.set_len(length).with_context(cannot)?;
        let mut unfinished = Unfinished { path, file, rows };
        if length == 0 {
            unfinished.line(&serde_json::to_string(of)?)?;
        }
        exit::kept(&unfinished.path);
        Ok(unfinished)
    }

    /// The rows that stand in the file, one after the other.
    pub fn read(&self) -> Result<impl Iterator<Item = Result<Vec<Judged>>>> {
        let place = self.path.display().to_string();
        let file = File::open(&self.path).with_context(|| format!("{place}: cannot be read"))?;
        let lines = BufReader::new(file).lines().skip(1).take(self.rows).enumerate();
        Ok(lines.map(move |(index, line)| {
            let said = || format!("{place}: line {}: is not of an audit; remove the file to begin anew", index + 2);
            serde_json::from_str(&line?).with_context(said)
        }))
    }

    /// Where the file is.
    pub fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Adds rows.
    pub fn add(&mut self, rows: &[Vec<Judged>]) -> Result<()> {
        let mut text = String::new();
        for row in rows {
            text += &serde_json::to_string(row)?;
            text.push('\n');
        }
        self.file.write_all(text.as_bytes()).with_context(|| format!("{}: cannot be written to", self.path.display()))
    }

    fn line(&mut self, text: &str) -> Result<()> {
        let line = format!("{text}\n");
        self.file.write_all(line.as_bytes()).with_context(|| format!("{}: cannot be written to", self.path.display()))
    }

    /// Removes the file: all is in its place.
    pub fn finish(self) -> Result<()> {
        fs::remove_file(&self.path).with_context(|| format!("{}: cannot be removed", self.path.display()))?;
        exit::kept_no_more();
        Ok(())
    }
}

/// How many rows an unfinished audit has, and how many bytes of whole lines, if it is the same audit.
fn resumed(path: &Path, of: &BTreeMap<String, String>) -> Result<(usize, u64)> {
    let place = path.display();
    let file = File::open(path).with_context(|| format!("{place}: cannot be read"))?;
    let mut reader = BufReader::new(file);
    let (mut rows, mut length, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).with_context(|| format!("{place}: cannot be read"))?;
        if !line.ends_with(b"\n") {
            return Ok((rows, length));
        }
        if length == 0 {
            let found: BTreeMap<String, String> = serde_json::from_slice(&line)
                .with_context(|| format!("{place}: is not of an audit; remove the file to begin anew"))?;
            let keys = of.keys().chain(found.keys());
            let said =
                |map: &BTreeMap<String, String>, key| map.get(key).map_or("nothing".to_string(), |text| shorten(text));
            if let Some(key) = keys.into_iter().find(|key| of.get(*key) != found.get(*key)) {
                bail!(
                    "{place}: is of another audit: {key} was {}, and is {}; audit that, or remove the file to begin anew",
                    said(&found, key),
                    said(of, key)
                );
            }
        } else {
            rows += 1;
        }
        length += read as u64;
    }
}

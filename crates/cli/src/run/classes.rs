//! The numbers that stand for names of classes, as the network's makers wrote them down.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use roundproof_exact::{Rational, real, round};
use roundproof_files::json::shorten;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_sources::table::Remark;

use crate::input::Data;
use crate::prove::CLASSES;

/// The most bytes of a file with names.
const MOST_BYTES: u64 = 1 << 26;

/// Gives each name in a label column the number that it has in the file of classes: `given`, or the one beside the network.
///
/// # Errors
///
/// If there is no such file, or a name is not in it: another numbering would compare classes with others.
pub fn renumber(data: &mut Data, file: &Path, format: Format, network: &Path, given: Option<&Path>) -> Result<()> {
    let columns = data.columns.as_ref().map(|columns| columns.labels.clone()).unwrap_or_default();
    let named = |remark: &Remark, label: &String| match remark {
        Remark::Classes { column, names } if column == label => Some(names.clone()),
        _ => None,
    };
    let mut known: Option<(PathBuf, BTreeMap<String, Vec<String>>)> = None;
    for (output, label) in columns.iter().enumerate() {
        let Some(found) = data.remarks.iter().find_map(|remark| named(remark, label)) else { continue };
        let (list, all) = match &known {
            Some(known) => known,
            None => known.insert(read(file, label, network, given)?),
        };
        let names = all.get(label).ok_or_else(|| {
            anyhow!("{}: has no classes of the column `{}`; number its labels", list.display(), shorten(label))
        })?;
        let mut numbers = Vec::with_capacity(found.len());
        for (index, name) in found.iter().enumerate() {
            let Some(number) = names.iter().position(|known| known == name) else {
                let at = Rational::from(index);
                let row = (0..data.rows()).find(|&row| real(format, data.labels(row)[output]).as_ref() == Some(&at));
                let place = row.and_then(|row| Some(data.places.as_ref()?.of(row).to_string())).unwrap_or_default();
                bail!(
                    "{}: {place}, column `{}`: `{}` is not a class of {}, which has {}",
                    file.display(),
                    shorten(label),
                    shorten(name),
                    list.display(),
                    names.iter().take(20).map(|name| format!("`{}`", shorten(name))).collect::<Vec<_>>().join(", ")
                );
            };
            numbers.push(encoded(format, number));
        }
        let names = names.clone();
        data.renumber(output, &numbers, format);
        for remark in &mut data.remarks {
            if named(remark, label).is_some() {
                *remark = Remark::Classes { column: label.clone(), names: names.clone() };
            }
        }
    }
    Ok(())
}

fn encoded(format: Format, number: usize) -> Encoding {
    round(&Rational::from(number), format, RoundingMode::TiesToEven, Overflow::Saturate).encoding
}

/// For each column the names of its classes, in the order of their numbers, and the file that has them.
fn read(
    data: &Path,
    label: &str,
    network: &Path,
    given: Option<&Path>,
) -> Result<(PathBuf, BTreeMap<String, Vec<String>>)> {
    let list = given.map_or_else(|| network.with_file_name(CLASSES), Path::to_path_buf);
    if given.is_none() && !list.exists() {
        bail!(
            "{}: the labels in `{}` are names, and no {CLASSES} beside {} says which number stands for which; name that file with \
             --classes, or number the labels",
            data.display(),
            shorten(label),
            network.display()
        );
    }
    let read = || -> Result<BTreeMap<String, Vec<String>>> {
        let mut bytes = Vec::new();
        std::fs::File::open(&list)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            bail!("has more than {MOST_BYTES} bytes");
        }
        Ok(serde_json::from_slice(&bytes)?)
    };
    let all = read().with_context(|| {
        format!("{}: is not a list of names for each label column, as `prove --out` writes it", list.display())
    })?;
    Ok((list, all))
}

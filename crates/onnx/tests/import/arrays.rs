//! Recordings beside models: arrays of NumPy in an archive.

use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of the models.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/onnx")
}

/// An array: its shape, and its elements.
#[derive(Debug)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Array {
    /// The rows along the first axis.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks(self.values.len() / self.shape[0])
    }
}

/// Binary16 as binary64.
fn half(bits: u16) -> f64 {
    let format = roundproof_format::Format::BINARY16;
    super::evaluate::number(format, roundproof_format::Encoding::from_bits(bits.into()))
}

fn parse(bytes: &[u8]) -> Array {
    let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = std::str::from_utf8(&bytes[10..10 + length]).expect("a header is text");
    let entry = |key: &str| header.split_once(&format!("'{key}':")).expect("the header has the key").1.trim();
    assert!(entry("fortran_order").starts_with("False"));
    let shape = entry("shape").trim_start_matches('(').split(')').next().expect("a tuple");
    let shape = shape.split(',').filter(|size| !size.trim().is_empty());
    let shape = shape.map(|size| size.trim().parse().expect("a size")).collect();
    let data = &bytes[10 + length..];
    macro_rules! elements {
        ($type:ty, $of:expr) => {
            data.as_chunks::<{ size_of::<$type>() }>().0.iter().map(|it| $of(<$type>::from_le_bytes(*it))).collect()
        };
    }
    let values = match &entry("descr")[1..4] {
        "<f2" => elements!(u16, half),
        "<f4" => elements!(f32, f64::from),
        "<f8" => elements!(f64, |x| x),
        "<i8" => elements!(i64, |x| x as f64),
        other => panic!("elements of {other}"),
    };
    Array { shape, values }
}

/// The array of this name beside a model, if there is one.
pub fn recorded(model: &str, array: &str) -> Option<Array> {
    let file = std::fs::File::open(folder().join(format!("{model}.npz"))).expect("the recordings are there");
    let mut archive = zip::ZipArchive::new(file).expect("an archive");
    let mut bytes = Vec::new();
    archive.by_name(&format!("{array}.npy")).ok()?.read_to_end(&mut bytes).expect("an array");
    Some(parse(&bytes))
}

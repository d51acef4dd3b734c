//! The container: a header that says which tensors there are, then their bytes.
//!
//! Written here and not taken from the `safetensors` crate, which keeps metadata in a hash map (so that the bytes
//! differ from run to run) and lets a key stand twice. That crate is a peer in the tests.

use std::collections::BTreeMap;

use crate::json::{Field, Json, shorten};

use super::TensorProblem;

/// The longest header that is read, and that the `safetensors` crate reads.
const MAX_HEADER: usize = 100_000_000;
/// The header's field for everything that is not a tensor.
const METADATA: &str = "__metadata__";

/// The element types of our files. Wider ones are laid out first, in the order of the `safetensors` crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dtype {
    U8,
    U16,
    I32,
    U32,
    U64,
}

impl Dtype {
    const ALL: &'static [Dtype] = &[Dtype::U8, Dtype::U16, Dtype::I32, Dtype::U32, Dtype::U64];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Dtype::U8 => "U8",
            Dtype::U16 => "U16",
            Dtype::I32 => "I32",
            Dtype::U32 => "U32",
            Dtype::U64 => "U64",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Dtype::U8 => 1,
            Dtype::U16 => 2,
            Dtype::I32 | Dtype::U32 => 4,
            Dtype::U64 => 8,
        }
    }
}

/// Bytes of a tensor of this type and shape.
fn size(dtype: Dtype, shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(dtype.bytes(), |size, &n| size.checked_mul(n))
}

/// A tensor in a file.
#[derive(Debug)]
pub(super) struct Tensor<'a> {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) data: &'a [u8],
}

/// A file, taken apart.
#[derive(Debug)]
pub(super) struct Container<'a> {
    pub(super) metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Tensor<'a>>,
}

/// What the header says of one tensor.
struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

impl<'a> Container<'a> {
    /// Takes `bytes` apart: headers are checked, the data are only cut.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Container<'a>, TensorProblem> {
        let truncated = |header| TensorProblem::Truncated { bytes: bytes.len(), header };
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| truncated(None))?;
        let announced = u64::from_le_bytes(*length);
        let length = usize::try_from(announced).ok().filter(|&length| length <= MAX_HEADER && length <= rest.len());
        let (header, data) = rest.split_at(length.ok_or_else(|| truncated(Some(announced)))?);

        let mut fields = Field::root(Json::parse(header).map_err(TensorProblem::Header)?).object()?;
        let mut metadata = BTreeMap::new();
        if let Some(field) = fields.take_optional(METADATA) {
            for (key, value) in field.object()?.take_all() {
                metadata.insert(key, value.text()?);
            }
        }
        let entries = fields.take_all().into_iter().map(|(name, field)| entry(name, field));
        let mut entries = entries.collect::<Result<Vec<Entry>, TensorProblem>>()?;
        entries.sort_by_key(|entry| (entry.start, entry.end));
        Ok(Container { metadata, tensors: cut(entries, data)? })
    }

    /// The tensor `name`, which must be of this type.
    pub(super) fn take(&mut self, name: &str, expected: Dtype) -> Result<Tensor<'a>, TensorProblem> {
        let missing = || TensorProblem::Missing { tensor: name.to_string() };
        let tensor = self.tensors.remove(name).ok_or_else(missing)?;
        if tensor.dtype == expected {
            Ok(tensor)
        } else {
            let (found, expected) = (tensor.dtype.name(), expected.name());
            Err(TensorProblem::Type { tensor: name.to_string(), found, expected })
        }
    }

    /// The metadata entry `key`.
    pub(super) fn take_metadata(&mut self, key: &'static str) -> Result<String, TensorProblem> {
        self.metadata.remove(key).ok_or(TensorProblem::MissingMetadata { key })
    }

    /// The metadata entry `key`, read.
    pub(super) fn read_metadata<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, TensorProblem> {
        let text = self.take_metadata(key)?;
        read(&text).map_err(|what| TensorProblem::Metadata { key: key.to_string(), what })
    }

    /// Refuses what was not taken.
    pub(super) fn finish(self) -> Result<(), TensorProblem> {
        if let Some(key) = self.metadata.into_keys().next() {
            let what = "has no place in this file".to_string();
            return Err(TensorProblem::Metadata { key: shorten(&key), what });
        }
        match self.tensors.into_keys().next() {
            Some(tensor) => Err(TensorProblem::Unknown { tensor: shorten(&tensor) }),
            None => Ok(()),
        }
    }
}

/// One tensor's field of the header.
fn entry(name: String, field: Field) -> Result<Entry, TensorProblem> {
    let mut fields = field.object()?;
    let dtype = fields.take("dtype")?.read(|text| {
        let known = || Dtype::ALL.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(", ");
        let found = Dtype::ALL.iter().copied().find(|dtype| dtype.name() == text);
        found.ok_or_else(|| format!("unknown or out of place; known: {}", known()))
    })?;
    let counts = |field: Field| field.array()?.into_iter().map(Field::count).collect::<Result<Vec<usize>, _>>();
    let shape = counts(fields.take("shape")?)?;
    let offsets = counts(fields.take("data_offsets")?)?;
    fields.finish()?;
    let [start, end] = offsets[..] else {
        let what = format!("data_offsets are {} numbers, not 2", offsets.len());
        return Err(TensorProblem::Layout { tensor: shorten(&name), what });
    };
    Ok(Entry { name, dtype, shape, start, end })
}

/// Gives every tensor its bytes: in the order of `entries` they must follow each other, from the first byte of `data`
/// to the last.
fn cut(entries: Vec<Entry>, data: &[u8]) -> Result<BTreeMap<String, Tensor<'_>>, TensorProblem> {
    let mut tensors = BTreeMap::new();
    let mut position = 0;
    for Entry { name, dtype, shape, start, end } in entries {
        let broken = |what: String| Err(TensorProblem::Layout { tensor: shorten(&name), what });
        if start != position {
            return broken(format!("starts at byte {start}, but the tensors before it end at byte {position}"));
        }
        let Some(size) = size(dtype, &shape).filter(|&size| start.checked_add(size) == Some(end)) else {
            return broken(format!("bytes {start} to {end} are not what a {} of shape {shape:?} takes", dtype.name()));
        };
        let Some(data) = data.get(start..end) else {
            return broken(format!("takes {size} bytes from byte {start}, but there are {} bytes of data", data.len()));
        };
        position = end;
        tensors.insert(name, Tensor { dtype, shape, data });
    }
    if position == data.len() {
        Ok(tensors)
    } else {
        Err(TensorProblem::Length { expected: position, found: data.len() })
    }
}

/// A tensor to be written.
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) fill: Fill<'a>,
}

/// Appends a tensor's bytes, as many as its type and shape say.
pub(super) type Fill<'a> = Box<dyn Fn(&mut Vec<u8>) + 'a>;

/// The bytes of a file with these metadata and tensors.
pub(super) fn bytes(metadata: &BTreeMap<&str, String>, mut parts: Vec<Part<'_>>) -> Vec<u8> {
    parts.sort_by(|a, b| b.dtype.cmp(&a.dtype).then_with(|| a.name.cmp(&b.name)));
    let entries = metadata.iter().map(|(key, value)| (key.to_string(), Json::text(value)));
    let mut fields = vec![(METADATA.to_string(), Json::Object(entries.collect()))];
    let mut position = 0;
    for part in &parts {
        let start = position;
        position += part.dtype.bytes() * part.shape.iter().product::<usize>();
        let shape = part.shape.iter().map(|&n| Json::count(n)).collect();
        let entry = Json::object([
            ("dtype", Json::text(part.dtype.name())),
            ("shape", Json::Array(shape)),
            ("data_offsets", Json::Array(vec![Json::count(start), Json::count(position)])),
        ]);
        fields.push((part.name.clone(), entry));
    }
    let mut header = Json::Object(fields).compact().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');

    let mut bytes = Vec::with_capacity(8 + header.len() + position);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for part in &parts {
        (part.fill)(&mut bytes);
    }
    bytes
}

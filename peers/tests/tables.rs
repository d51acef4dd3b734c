//! This project against tables of what ml_dtypes and fpy2 answered, made by `tables/generate.py`: every entry.

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_softfloat::{Arithmetic, Outcome};

type Operation = fn(&Arithmetic, RoundingMode, Encoding, Encoding) -> Outcome;

const OPERATIONS: [(&str, Operation); 2] = [
    ("add", |arithmetic, mode, a, b| arithmetic.add(mode, a, b)),
    ("multiply", |arithmetic, mode, a, b| arithmetic.multiply(mode, a, b)),
];

/// Of each operation in each direction: SAMPLE in `generate.py`.
const SAMPLE: usize = 1000;

/// The encodings in a table, each of so many bytes.
fn table(peer: &str, format: &str, bytes: usize) -> Vec<Encoding> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables").join(peer).join(format!("{format}.z"));
    let compressed = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut data = Vec::new();
    ZlibDecoder::new(&compressed[..]).read_to_end(&mut data).expect("a zlib stream");
    assert_eq!(data.len() % bytes, 0, "{}", file.display());
    let encoding = |chunk: &[u8]| {
        let mut whole = [0; 16];
        whole[..bytes].copy_from_slice(chunk);
        Encoding::from_bits(u128::from_le_bytes(whole))
    };
    data.chunks_exact(bytes).map(encoding).collect()
}

/// How both libraries overflow: to infinity or NaN where there is one.
fn arithmetic(name: &str) -> Arithmetic {
    let format: Format = name.parse().expect("a format");
    let overflow = [Overflow::Ieee, Overflow::Nan].into_iter().find(|&overflow| format.expresses(overflow));
    Arithmetic::new(format, overflow.unwrap_or(Overflow::Saturate)).expect("a policy of the format")
}

/// What is asked, in the order of a table: an operation, a direction and two operands.
type Questions<'a> =
    Box<dyn Iterator<Item = ((&'static str, Operation), RoundingMode, Encoding, Encoding, Encoding)> + 'a>;

/// A table of all pairs, beside what it answers.
fn all_pairs<'a>(format: Format, modes: &'a [RoundingMode], table: &'a [Encoding]) -> Questions<'a> {
    let count = 1u128 << format.width();
    assert_eq!(table.len() as u128, OPERATIONS.len() as u128 * modes.len() as u128 * count * count);
    let directions = OPERATIONS.into_iter().flat_map(move |operation| modes.iter().map(move |&mode| (operation, mode)));
    let pairs = (0..count).flat_map(move |a| (0..count).map(move |b| [a, b].map(Encoding::from_bits)));
    let questions = directions.flat_map(move |direction| pairs.clone().map(move |pair| (direction, pair)));
    Box::new(questions.zip(table).map(|(((operation, mode), [a, b]), &answer)| (operation, mode, a, b, answer)))
}

/// A table of samples.
fn samples(table: &[Encoding]) -> Questions<'_> {
    assert_eq!(table.len(), OPERATIONS.len() * RoundingMode::ALL.len() * SAMPLE * 3);
    let directions =
        OPERATIONS.into_iter().flat_map(|operation| RoundingMode::ALL.iter().map(move |&mode| (operation, mode)));
    let directions = directions.flat_map(|direction| std::iter::repeat_n(direction, SAMPLE));
    Box::new(
        directions
            .zip(table.chunks_exact(3))
            .map(|((operation, mode), entry)| (operation, mode, entry[0], entry[1], entry[2])),
    )
}

/// How many answers there are, and which differ from ours.
fn compare(arithmetic: &Arithmetic, questions: Questions) -> (usize, Vec<String>) {
    let (format, mut compared, mut differing) = (arithmetic.format(), 0, Vec::new());
    for ((name, operation), mode, a, b, theirs) in questions {
        let ours = operation(arithmetic, mode, a, b).encoding;
        compared += 1;
        // Their NaN is any, ours the canonical one.
        if ours != theirs && !(format.is_nan(ours) && format.is_nan(theirs)) {
            differing.push(format!("{name} in {format}, {mode}, of {a:?} {b:?}: {ours:?} here, {theirs:?} there"));
        }
    }
    (compared, differing)
}

fn agrees(arithmetic: &Arithmetic, questions: Questions) -> usize {
    let (compared, differing) = compare(arithmetic, questions);
    assert_eq!(differing, Vec::<String>::new());
    compared
}

#[test]
fn ml_dtypes() {
    let names = [
        "float4_e2m1fn",
        "float6_e2m3fn",
        "float6_e3m2fn",
        "float8_e3m4",
        "float8_e4m3",
        "float8_e4m3fn",
        "float8_e4m3fnuz",
        "float8_e4m3b11fnuz",
        "float8_e5m2",
        "float8_e5m2fnuz",
    ];
    let compared = names.iter().map(|name| {
        let (arithmetic, table) = (arithmetic(name), table("ml_dtypes", name, 1));
        agrees(&arithmetic, all_pairs(arithmetic.format(), &[RoundingMode::TiesToEven], &table))
    });
    assert_eq!(compared.sum::<usize>(), 934_400);
}

#[test]
fn fpy2_all_pairs() {
    let compared = ["float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn"].iter().map(|name| {
        let (arithmetic, table) = (arithmetic(name), table("fpy2", name, 1));
        agrees(&arithmetic, all_pairs(arithmetic.format(), RoundingMode::ALL, &table))
    });
    assert_eq!(compared.sum::<usize>(), 84_480);
}

#[test]
fn fpy2_samples() {
    let tables = [("bfloat16", 2), ("F(1)", 16), ("F(2)", 16), ("F(8)", 16), ("F(24)", 16), ("F(53)", 16)];
    let compared = tables.iter().map(|&(name, bytes)| agrees(&arithmetic(name), samples(&table("fpy2", name, bytes))));
    assert_eq!(compared.sum::<usize>(), 60_000);
}

/// One entry changed is one difference, wherever it is.
#[test]
fn a_changed_entry_is_found() {
    let flip = |encoding: &mut Encoding| *encoding = Encoding::from_bits(encoding.bits() ^ 1);
    let narrow = arithmetic("float6_e3m2fn");
    let whole = table("fpy2", "float6_e3m2fn", 1);
    let sampled = table("fpy2", "bfloat16", 2);
    for place in [0, 1, whole.len() / 2, whole.len() - 1] {
        let mut table = whole.clone();
        flip(&mut table[place]);
        assert_eq!(compare(&narrow, all_pairs(narrow.format(), RoundingMode::ALL, &table)).1.len(), 1, "{place}");
    }
    let finite = |&place: &usize| Format::BFLOAT16.is_finite(sampled[place]);
    for place in [2, sampled.len() / 2 + 2, sampled.len() - 1].iter().filter(|place| finite(place)) {
        let mut table = sampled.clone();
        flip(&mut table[*place]);
        assert_eq!(compare(&arithmetic("bfloat16"), samples(&table)).1.len(), 1, "{place}");
    }
}

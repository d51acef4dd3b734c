//! Path models of audits: their names, their fields, and which contains which.

use roundproof_audit::{Accumulator, Copies, Division, Folding, Functions, NAMED, Narrowing, Operands, PathModel};
use roundproof_format::Subnormals;
use roundproof_network::{Contraction, Order, Rounding};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// A path model of an audit: what it is called, and each field for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPaths {
    /// The shortest text that `--paths` reads as this model: a name, or a name and what differs from it.
    pub name: String,
    /// Each field with what it says, in the order in which [`PathModel`] displays them.
    pub fields: Vec<(String, String)>,
}

impl AuditPaths {
    /// The name and the fields of a model.
    pub fn new(model: &PathModel) -> AuditPaths {
        let fields = fields(model);
        let named = NAMED.iter().filter_map(|(name, _)| {
            let base = self::fields(&PathModel::parse(name).ok()?);
            let differs = fields.iter().zip(&base).filter(|(field, base)| field != base).map(|(field, _)| field);
            let differs: Vec<String> = differs.map(|(key, value)| format!(",{key}={value}")).collect();
            Some((differs.len(), format!("{name}{}", differs.concat())))
        });
        // Of several with as few changes, the first of the list.
        let name = named.min_by_key(|(changes, _)| *changes).map_or_else(|| model.to_string(), |(_, name)| name);
        AuditPaths { name, fields }
    }

    /// The name, and in brackets what each field says.
    pub fn in_full(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!("{} ({})", self.name, fields.join(", "))
    }
}

impl Serialize for AuditPaths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Map<'a>(&'a [(String, String)]);
        impl Serialize for Map<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                for (key, value) in self.0 {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
        let mut paths = serializer.serialize_struct("AuditPaths", 2)?;
        paths.serialize_field("name", &self.name)?;
        paths.serialize_field("fields", &Map(&self.fields))?;
        paths.end()
    }
}

/// The accumulator, whose format may have commas of its own, is the last of the fields.
const ACCUMULATOR: &str = ",accumulator=";

/// What each field says, as the model displays itself.
fn fields(model: &PathModel) -> Vec<(String, String)> {
    let text = model.to_string();
    let (others, accumulator) = text.split_once(ACCUMULATOR).unwrap_or((&text, ""));
    let others = others.split(',').filter_map(|field| field.split_once('='));
    others.chain([("accumulator", accumulator)]).map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// Whether every path of `other` is a path of `model`: what is claimed under `model` is then true under `other`.
pub fn contains(model: &PathModel, other: &PathModel) -> bool {
    let PathModel {
        rounding,
        order,
        contraction,
        accumulator,
        narrowing,
        partials,
        copies,
        subnormals,
        division,
        folding,
        operands,
        functions,
    } = model;
    let rounding = match (rounding, &other.rounding) {
        (Rounding::Any, Rounding::Any | Rounding::Mode(_)) => true,
        (Rounding::Mode(_), Rounding::Any) => false,
        (Rounding::Mode(mode), Rounding::Mode(other)) => mode == other,
    };
    let order = match (order, &other.order) {
        (Order::Any, Order::Any | Order::LeftToRight) | (Order::LeftToRight, Order::LeftToRight) => true,
        (Order::LeftToRight, Order::Any) => false,
    };
    let contraction = match (contraction, &other.contraction) {
        (Contraction::Any, Contraction::Any | Contraction::None) | (Contraction::None, Contraction::None) => true,
        (Contraction::None, Contraction::Any) => false,
    };
    let accumulator = match (accumulator, &other.accumulator) {
        (Accumulator::Same, Accumulator::Same) => true,
        (Accumulator::Wider(format), Accumulator::Wider(other)) => format == other,
        (Accumulator::Same, Accumulator::Wider(_)) | (Accumulator::Wider(_), Accumulator::Same) => false,
    };
    let narrowing = match (narrowing, &other.narrowing) {
        (Narrowing::Optional, Narrowing::Optional | Narrowing::Bias | Narrowing::Once)
        | (Narrowing::Bias, Narrowing::Bias | Narrowing::Once)
        | (Narrowing::Once, Narrowing::Once) => true,
        (Narrowing::Bias, Narrowing::Optional) | (Narrowing::Once, Narrowing::Bias | Narrowing::Optional) => false,
    };
    let copies = match (copies, &other.copies) {
        (Copies::PerReader, Copies::PerReader | Copies::One) | (Copies::One, Copies::One) => true,
        (Copies::One, Copies::PerReader) => false,
    };
    let subnormals = match (subnormals, &other.subnormals) {
        (Subnormals::Flush, Subnormals::Flush | Subnormals::Gradual) | (Subnormals::Gradual, Subnormals::Gradual) => {
            true
        }
        (Subnormals::Gradual, Subnormals::Flush) => false,
    };
    let division = match (division, &other.division) {
        (Division::Any, Division::Any | Division::Quotient) | (Division::Quotient, Division::Quotient) => true,
        (Division::Quotient, Division::Any) => false,
    };
    let folding = match (folding, &other.folding) {
        (Folding::Any, Folding::Any | Folding::None) | (Folding::None, Folding::None) => true,
        (Folding::None, Folding::Any) => false,
    };
    let operands = match (operands, &other.operands) {
        // Rounded ones may be left as they are.
        (Operands::Exact | Operands::Rounded(_), Operands::Exact) => true,
        (Operands::Rounded(format), Operands::Rounded(other)) => format == other,
        (Operands::Exact, Operands::Rounded(_)) => false,
    };
    // A claim under `none` is about a graph without such functions.
    let functions = match (functions, &other.functions) {
        (Functions::None, Functions::None | Functions::Measured | Functions::Given(_))
        | (Functions::Measured, Functions::Measured) => true,
        (Functions::Given(table), Functions::Given(other)) => table == other,
        (Functions::Measured, Functions::None | Functions::Given(_))
        | (Functions::Given(_), Functions::None | Functions::Measured) => false,
    };
    let partials = *partials >= other.partials;
    rounding
        && order
        && contraction
        && accumulator
        && narrowing
        && partials
        && copies
        && subnormals
        && division
        && folding
        && operands
        && functions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> PathModel {
        PathModel::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn names_are_short_and_read_back() {
        for name in [
            "portable",
            "once",
            "nearest",
            "all",
            "nearest,narrowing=bias",
            "portable,operands=tf32",
            "once,functions=measured",
            "all,subnormals=flush,accumulator=p=30,emin=-100,emax=127",
            "nearest,rounding=toward-zero,accumulator=same",
        ] {
            let paths = AuditPaths::new(&parse(name));
            assert_eq!(paths.name, name);
            assert_eq!(parse(&paths.name), parse(name));
            let fields: Vec<String> = paths.fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!(parse(&fields.join(",")), parse(name));
        }
        // The same by another way.
        assert_eq!(AuditPaths::new(&parse("portable,narrowing=once,partials=1")).name, "once");
        assert!(AuditPaths::new(&parse("all")).in_full().starts_with("all (rounding=any, order=any, "));
    }

    #[test]
    fn what_contains_what() {
        for (model, other) in [
            ("portable", "once"),
            ("once", "nearest"),
            ("portable", "nearest"),
            ("all", "nearest"),
            ("all", "all,rounding=toward-zero"),
            ("nearest,narrowing=bias", "nearest"),
            ("nearest", "nearest,functions=measured"),
            ("nearest,operands=tf32", "nearest"),
            ("nearest", "nearest,order=left-to-right,contraction=none"),
        ] {
            assert!(
                contains(&parse(model), &parse(other)) && !contains(&parse(other), &parse(model)),
                "{model}, {other}"
            );
        }
        for (model, other) in [
            ("portable", "all"),
            ("nearest", "nearest,accumulator=same"),
            ("nearest,operands=bfloat16", "nearest,operands=tf32"),
            ("nearest,functions=measured", "nearest,functions=binary32/Exp:0x1p-20:0x0p0::"),
            ("once", "nearest,division=quotient,rounding=toward-zero"),
        ] {
            assert!(
                !contains(&parse(model), &parse(other)) && !contains(&parse(other), &parse(model)),
                "{model}, {other}"
            );
        }
        assert!(NAMED.iter().all(|(name, _)| contains(&parse(name), &parse(name))));
    }
}

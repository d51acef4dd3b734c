//! What a source says about closed types that would go on holding, unasked, of a new variant or field: catch-all arms, `..`,
//! comparisons with a variant, `if let`. A rule that takes a type apart whole does not compile until it has answered.

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprBinary, ExprMatch, ExprMethodCall, ExprPath, ExprStruct, Item, Local, Macro, Pat, PatStruct, Path,
};

/// The types on whose choices the rules and the meaning of a claim turn.
pub const CLOSED: &[&str] = &[
    "Accumulator",
    "Activation",
    "At",
    "Bend",
    "Comparison",
    "Contraction",
    "Copies",
    "Datatype",
    "Decision",
    "Denied",
    "Division",
    "Domain",
    "Evidence",
    "Folding",
    "Function",
    "Hidden",
    "Lost",
    "NanFrom",
    "Narrowing",
    "Neuron",
    "Node",
    "Norm",
    "Op",
    "Operands",
    "Order",
    "Overflow",
    "PathModel",
    "Pool",
    "Property",
    "Reduction",
    "Rounding",
    "RoundingMode",
    "Specials",
    "Storage",
    "Subnormals",
    "SumPath",
    "Summation",
    "Ties",
    "TreeNode",
    "Trees",
    "Unary",
    "Weights",
    "Windows",
];

/// Methods that compare.
const COMPARING: &[&str] = &["cmp", "contains", "eq", "ge", "gt", "le", "lt", "ne", "partial_cmp"];

/// Each place where a closed type is not taken apart whole, tests left out.
pub fn open_places(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).unwrap();
    let mut places = Places::default();
    file.items.iter().filter(|item| !is_test(item)).for_each(|item| places.visit_item(item));
    places.0
}

fn is_test(item: &Item) -> bool {
    let Item::Mod(module) = item else { return false };
    module.attrs.iter().any(|attribute| attribute.to_token_stream().to_string().replace(' ', "") == "#[cfg(test)]")
}

#[derive(Default)]
struct Places(Vec<String>);

impl Places {
    fn report(&mut self, what: &str, at: &impl ToTokens) {
        let text: String = at.to_token_stream().to_string().chars().take(80).collect();
        self.0.push(format!("{what}: {text}"));
    }
}

/// Whether a path is a closed type, or a variant of one.
fn is_closed(path: &Path) -> bool {
    path.segments.iter().rev().take(2).any(|segment| CLOSED.contains(&segment.ident.to_string().as_str()))
}

/// Whether paths below a pattern or an expression name a closed type.
#[derive(Default)]
struct Names(bool);

impl<'ast> Visit<'ast> for Names {
    fn visit_path(&mut self, path: &'ast Path) {
        self.0 |= is_closed(path);
        visit::visit_path(self, path);
    }
}

fn names_pattern(pattern: &Pat) -> bool {
    let mut names = Names::default();
    names.visit_pat(pattern);
    names.0
}

/// Whether an expression is a variant, as it stands or within `Some`, `&` and the like.
fn is_variant(expression: &Expr) -> bool {
    match expression {
        Expr::Path(ExprPath { path, .. }) => path.segments.len() > 1 && is_closed(path),
        Expr::Call(call) => is_variant(&call.func) || call.args.iter().any(is_variant),
        Expr::Reference(inner) => is_variant(&inner.expr),
        Expr::Paren(inner) => is_variant(&inner.expr),
        Expr::Tuple(tuple) => tuple.elems.iter().any(is_variant),
        Expr::Array(array) => array.elems.iter().any(is_variant),
        Expr::Struct(made) => is_closed(&made.path),
        _ => false,
    }
}

/// Of patterns for one place, those that take what none of them names, if one of them names a closed type. What is within a
/// named variant is that variant's own.
fn catch_alls<'a>(patterns: impl Iterator<Item = &'a Pat>) -> Vec<&'a Pat> {
    let mut alternatives = Vec::new();
    patterns.for_each(|pattern| alternatives_of(pattern, &mut alternatives));
    if !alternatives.iter().any(|pattern| names_pattern(pattern)) {
        return Vec::new();
    }
    let mut found: Vec<&Pat> = alternatives.iter().copied().filter(|pattern| takes_all(pattern)).collect();
    // The elements of tuples, slices, and of each variant of other types, place by place.
    let mut places: BTreeMap<(String, usize), Vec<&Pat>> = BTreeMap::new();
    for pattern in &alternatives {
        let (of, elements) = match pattern {
            Pat::Tuple(tuple) => (String::new(), &tuple.elems),
            Pat::Slice(slice) => (String::new(), &slice.elems),
            Pat::TupleStruct(variant) if !is_closed(&variant.path) => {
                (variant.path.to_token_stream().to_string(), &variant.elems)
            }
            _ => continue,
        };
        for (place, element) in elements.iter().enumerate() {
            places.entry((of.clone(), place)).or_default().push(element);
        }
    }
    found.extend(places.into_values().flat_map(|elements| catch_alls(elements.into_iter())));
    found
}

fn alternatives_of<'a>(pattern: &'a Pat, found: &mut Vec<&'a Pat>) {
    match pattern {
        Pat::Or(or) => or.cases.iter().for_each(|case| alternatives_of(case, found)),
        Pat::Reference(inner) => alternatives_of(&inner.pat, found),
        Pat::Paren(inner) => alternatives_of(&inner.pat, found),
        Pat::Ident(name) => match &name.subpat {
            Some((_, inner)) => alternatives_of(inner, found),
            None => found.push(pattern),
        },
        _ => found.push(pattern),
    }
}

fn takes_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(name) => name.ident.to_string().starts_with(|c: char| c.is_lowercase() || c == '_'),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Places {
    fn visit_expr_match(&mut self, node: &'ast ExprMatch) {
        for pattern in catch_alls(node.arms.iter().map(|arm| &arm.pat)) {
            self.report("catch-all", pattern);
        }
        visit::visit_expr_match(self, node);
    }

    fn visit_expr(&mut self, node: &'ast Expr) {
        if let Expr::Let(condition) = node
            && names_pattern(&condition.pat)
        {
            self.report("if let", &condition.pat);
        }
        visit::visit_expr(self, node);
    }

    fn visit_local(&mut self, node: &'ast Local) {
        if node.init.as_ref().is_some_and(|init| init.diverge.is_some()) && names_pattern(&node.pat) {
            self.report("let else", &node.pat);
        }
        visit::visit_local(self, node);
    }

    fn visit_pat_struct(&mut self, node: &'ast PatStruct) {
        if node.rest.is_some() && is_closed(&node.path) {
            self.report("..", node);
        }
        visit::visit_pat_struct(self, node);
    }

    fn visit_pat_tuple_struct(&mut self, node: &'ast syn::PatTupleStruct) {
        if is_closed(&node.path) && node.elems.iter().any(|element| matches!(element, Pat::Rest(_))) {
            self.report("..", node);
        }
        visit::visit_pat_tuple_struct(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast ExprStruct) {
        if node.rest.is_some() && is_closed(&node.path) {
            self.report("..", node);
        }
        visit::visit_expr_struct(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast ExprBinary) {
        let compares =
            matches!(node.op, BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_));
        if compares && (is_variant(&node.left) || is_variant(&node.right)) {
            self.report("comparison", node);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast ExprMethodCall) {
        let compares = COMPARING.contains(&node.method.to_string().as_str());
        if compares && (is_variant(&node.receiver) || node.args.iter().any(is_variant)) {
            self.report("comparison", node);
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_macro(&mut self, node: &'ast Macro) {
        let words: Vec<String> = node.tokens.to_string().split_whitespace().map(str::to_string).collect();
        let names = words.windows(2).any(|pair| CLOSED.contains(&pair[0].as_str()) && pair[1] == "::");
        if node.path.is_ident("matches") && names {
            self.report("matches!", node);
        }
    }
}

#[test]
fn fabricated_open_places_are_found() {
    let found = |body: &str| {
        let places = open_places(&format!("fn f() {{ {body} }}"));
        let kinds: Vec<&str> = places.iter().filter_map(|place| place.split(':').next()).collect();
        kinds.join(", ")
    };
    for (body, kinds) in [
        ("match order { Order::Any => 1, _ => 2 }", "catch-all"),
        ("match order { Order::Any => 1, other => 2 }", "catch-all"),
        ("match (n, order) { (1, Order::Any) => 1, (_, Order::LeftToRight) => 2, (_, _) => 3 }", "catch-all"),
        ("match (n, order) { (Some(_), Order::Any) => 1, (_, Order::LeftToRight) => 2, (None, Order::Any) => 3 }", ""),
        (
            "match [a, b] { [Some(Order::Any), Some(Order::Any)] => 1, [None, _] => 2, [x, Some(_)] => 3 }",
            "catch-all, catch-all, catch-all",
        ),
        ("match specials { Some(Specials::Ieee) => 1, Some(_) => 2, None => 3 }", "catch-all"),
        ("match order { Order::Any => match n { 1 => 1, _ => 2 }, Order::LeftToRight => 2 }", ""),
        ("match rounding { Rounding::Any => 1, Rounding::Mode(mode) => 2 }", ""),
        ("match accumulator { Accumulator::Same => 1, Accumulator::Wider { .. } => 2 }", ".."),
        ("match accumulator { Accumulator::Same => 1, Accumulator::Wider { format: _, overflow } => 2 }", ""),
        ("if model.order == Order::LeftToRight {}", "comparison"),
        ("if Some(Specials::Ieee) != format.specials() {}", "comparison"),
        ("let x = [a, b].contains(&Overflow::Nan);", "comparison"),
        ("let x = matches!(model.rounding, Rounding::Any);", "matches!"),
        ("if let Accumulator::Wider { format, overflow } = accumulator {}", "if let"),
        ("while let TreeNode::Split { column, threshold } = node {}", "if let"),
        ("let At::Row(row) = at else { return };", "let else"),
        ("let PathModel { rounding, .. } = model;", ".."),
        ("let Summation::Trees(trees) = summation;", ""),
        ("let model = PathModel { rounding: Rounding::Any, ..other };", ".."),
        ("let order = Order::Any; g(Activation::Step);", ""),
    ] {
        assert_eq!(found(body), kinds, "{body}");
    }
    assert_eq!(open_places("#[cfg(test)]\nmod tests { fn f() { if a == Order::Any {} } }"), Vec::<String>::new());
}

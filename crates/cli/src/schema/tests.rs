use std::fs;
use std::path::Path;

use clap::ValueEnum;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, schema_for};

use super::Document;

/// The schema of what is printed: every field is there.
fn printed<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// The schema of a document, made from the types that it is written from.
fn made(document: Document) -> Schema {
    match document {
        Document::Certificate => schema_for!(super::certificate::Certificate),
        Document::Check => printed::<Vec<super::report::Report>>(),
        Document::Prove => printed::<crate::prove::Report>(),
        Document::Compile => printed::<crate::compile::Compiled>(),
        Document::Approximate => printed::<crate::approximate::Approximated>(),
        Document::Audit => printed::<crate::audit::Report>(),
        Document::VerifyAll => printed::<crate::verify_all::Report>(),
    }
}

/// With `ROUNDPROOF_BLESS` set, the files are made anew.
#[test]
fn what_is_published_is_what_the_types_say() {
    for &document in Document::value_variants() {
        let name = document.to_possible_value().expect("a name").get_name().to_string();
        let text = serde_json::to_string_pretty(&made(document)).expect("JSON") + "\n";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
        if std::env::var_os("ROUNDPROOF_BLESS").is_some() {
            fs::write(&file, &text).expect("the schema is written");
        }
        assert!(
            fs::read_to_string(&file).is_ok_and(|published| published == text),
            "{}: is not the schema of what is written; ROUNDPROOF_BLESS=1 makes it anew",
            file.display()
        );
    }
}

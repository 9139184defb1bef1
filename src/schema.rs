//! `pistream schema`: the inventory's JSON Schema on standard output, for editors that complete and check as one types.
//!
//! Made from the very definition that reads the inventory; adds nothing to it.

use std::io::Write;

use miette::IntoDiagnostic;

use crate::exit::Code;
use crate::inventory;

pub fn run() -> miette::Result<Code> {
    writeln!(std::io::stdout(), "{}", text()?).into_diagnostic()?;
    Ok(Code::Done)
}

/// The schema, indented.
fn text() -> miette::Result<String> {
    let mut schema = inventory::schema();
    schema.insert("title".to_owned(), "pistream inventory".into());
    serde_json::to_string_pretty(&schema).into_diagnostic()
}

//! A case is a file: `tests/inventory/NAME.yml` in, what a person is shown in `NAME.txt` out.
//! `PISTREAM_BLESS=1 cargo test cases` writes what is shown now; read the difference before you commit it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use super::*;

const DIRECTORY: &str = "tests/inventory";

fn shown(diagnostic: &dyn Diagnostic) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(120)
        .render_report(&mut text, diagnostic)
        .unwrap();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// All that `load` says of a file.
fn told(path: &Path) -> String {
    match load(path) {
        Err(faults) => shown(&faults),
        Ok((fleet, warnings)) => {
            let mut text = format!("{} servers, {} cameras\n", fleet.servers.len(), fleet.cameras.len());
            for warning in &warnings {
                write!(text, "\n{}", shown(warning)).unwrap();
            }
            text
        }
    }
}

fn names(extension: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(DIRECTORY).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = entries.filter(|path| path.extension().is_some_and(|e| e == extension));
    of_kind
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_case_is_told_as_recorded() {
    let bless = std::env::var_os("PISTREAM_BLESS").is_some();
    let mut wrong = String::new();
    for name in names("yml") {
        let told = told(Path::new(&format!("{DIRECTORY}/{name}.yml")));
        assert!(!told.contains("hunter2"), "{name} shows a secret:\n{told}");
        let record = format!("{DIRECTORY}/{name}.txt");
        if bless {
            std::fs::write(&record, &told).unwrap();
        } else if std::fs::read_to_string(&record).unwrap_or_default() != told {
            write!(wrong, "=== {name}, now:\n{told}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_record_has_its_case() {
    assert_eq!(names("txt"), names("yml"));
}

#[test]
fn ten_faults_are_ten() {
    let faults = load(Path::new("tests/inventory/ten-faults.yml")).unwrap_err();
    let lines: Vec<usize> = faults.iter().map(Fault::line).collect();
    assert_eq!(lines, [4, 5, 7, 11, 12, 14, 16, 20, 21, 22]);
}

//! Verdicts for people (a table), for programs (JSON) and for CI (JUnit).

use super::{Chain, Link, Verdict};
use crate::table::{Colour, table};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot encode the verdicts: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("cannot encode the JUnit report: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    #[error("cannot print the verdicts: {0}")]
    Print(std::io::Error),
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// Prints the verdicts: a row per camera, or per link with `verbose`.
///
/// # Errors
/// [`Error::Encode`], [`Error::Print`].
pub fn print(chains: &[Chain], json: bool, verbose: bool) -> Result<(), Error> {
    if json {
        let text = serde_json::to_string_pretty(&as_json(chains))?;
        return writeln!(std::io::stdout(), "{text}").map_err(Error::Print);
    }
    let table = if verbose {
        table(
            &["CAMERA", "LINK", "", "WHAT"],
            chains.iter().flat_map(rows_of_links).collect(),
        )
    } else {
        table(
            &["CAMERA", "PICTURE", "BITRATE", "RESULT"],
            chains.iter().map(row).collect(),
        )
    };
    let broken = chains.iter().filter(|c| !c.holds()).count();
    let cameras = if chains.len() == 1 { "camera" } else { "cameras" };
    let verdict = match broken {
        0 => "pictures flow".to_owned(),
        n => format!("{n} broken"),
    };
    // not `print!`: it panics when whoever reads has gone
    writeln!(std::io::stdout(), "{table}{} {cameras}: {verdict}", chains.len()).map_err(Error::Print)
}

fn as_json(chains: &[Chain]) -> serde_json::Value {
    let cameras: Vec<serde_json::Value> = chains
        .iter()
        .map(|chain| {
            let links: Vec<serde_json::Value> = chain
                .links
                .iter()
                .map(|(link, verdict)| {
                    let (word, _, detail) = words(verdict);
                    serde_json::json!({ "link": link, "verdict": word, "detail": detail })
                })
                .collect();
            serde_json::json!({
                "camera": chain.camera, "stream": chain.stream, "server": chain.server,
                "holds": chain.holds(), "first_broken": chain.first_broken().map(|(link, _)| link), "links": links,
                "remarks": chain.remarks,
            })
        })
        .collect();
    serde_json::json!({ "holds": chains.iter().all(Chain::holds), "cameras": cameras })
}

fn words(verdict: &Verdict) -> (&'static str, Colour, &str) {
    match verdict {
        Verdict::Holds(detail) => ("ok", Colour::Good, detail),
        Verdict::Broken(detail) => ("broken", Colour::Bad, detail),
        Verdict::Skipped(detail) => ("skipped", Colour::Plain, detail),
    }
}

fn row(chain: &Chain) -> Vec<(String, Colour)> {
    let detail = |wanted: Link| {
        let found = chain.links.iter().find(|(link, _)| *link == wanted);
        found
            .map(|(_, verdict)| words(verdict).2.to_owned())
            .unwrap_or_default()
    };
    let (result, colour) = match chain.first_broken() {
        None if chain.remarks.is_empty() => ("ok".to_owned(), Colour::Good),
        None => (format!("ok, but {}", chain.remarks.join("; ")), Colour::Notable),
        Some((link, why)) => (format!("{}: {why}", link.word()), Colour::Bad),
    };
    vec![
        (chain.camera.clone(), Colour::Plain),
        (detail(Link::Format), Colour::Plain),
        (detail(Link::Bitrate), Colour::Plain),
        (result, colour),
    ]
}

fn rows_of_links(chain: &Chain) -> Vec<Vec<(String, Colour)>> {
    let row = |(at, (link, verdict)): (usize, &(Link, Verdict))| {
        let (word, colour, detail) = words(verdict);
        let camera = if at == 0 { chain.camera.clone() } else { String::new() };
        vec![
            (camera, Colour::Plain),
            (link.word().to_owned(), Colour::Plain),
            (word.to_owned(), colour),
            (detail.to_owned(), Colour::Plain),
        ]
    };
    let remark = |text: &String| {
        let [camera, link] = [String::new(), String::new()];
        vec![
            (camera, Colour::Plain),
            (link, Colour::Plain),
            ("note".to_owned(), Colour::Notable),
            (text.clone(), Colour::Notable),
        ]
    };
    let links = chain.links.iter().enumerate().map(row);
    links.chain(chain.remarks.iter().map(remark)).collect()
}

/// Writes a JUnit report: a suite per camera, a case per link.
///
/// # Errors
/// [`Error::Junit`], [`Error::Write`].
pub fn write_junit(chains: &[Chain], path: &Path) -> Result<(), Error> {
    let mut report = Report::new("pistream verify");
    for chain in chains {
        let mut suite = TestSuite::new(chain.camera.clone());
        for (link, verdict) in &chain.links {
            let status = match verdict {
                Verdict::Holds(_) => TestCaseStatus::success(),
                Verdict::Skipped(why) => {
                    let mut skipped = TestCaseStatus::skipped();
                    skipped.set_message(why.clone());
                    skipped
                }
                Verdict::Broken(why) => {
                    let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    failure.set_message(why.clone());
                    failure
                }
            };
            let mut case = TestCase::new(link.word(), status);
            case.set_classname(chain.camera.clone());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string()?;
    std::fs::write(path, text).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

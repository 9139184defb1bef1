//! What is wrong with an inventory, each fault at its place, shown by miette.
//!
//! Judges nothing. Keeps secrets written in clear out of the lines it shows.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};

use super::reader::MOST;
use super::tree::Place;

/// Every fault of one inventory. Nothing was done yet when it is told.
#[derive(Debug)]
pub struct Faults {
    file: PathBuf,
    faults: Vec<Fault>,
}

/// One fault: where, what, what is accepted, what to do.
#[derive(Debug)]
pub struct Fault {
    finding: Finding,
    /// `None` where the file could not be read at all.
    source: Option<Arc<NamedSource<String>>>,
    severity: Severity,
}

/// Not wrong, but worth a person's eye. Shown like a fault.
pub type Warning = Fault;

/// A fault as found, before it is joined with the file's text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) place: Place,
    message: String,
    label: Option<String>,
    help: Option<String>,
}

impl Finding {
    /// `message` says what is wrong.
    pub(super) fn new(place: &Place, message: impl Into<String>) -> Finding {
        Finding {
            place: place.clone(),
            message: message.into(),
            label: None,
            help: None,
        }
    }

    /// Written below the offending text.
    pub(super) fn label(mut self, label: impl Into<String>) -> Finding {
        self.label = Some(label.into());
        self
    }

    /// What is accepted, and what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }
}

impl Faults {
    pub(super) fn new(file: &Path, findings: Vec<Finding>, source: Option<Arc<NamedSource<String>>>) -> Faults {
        let faults = findings
            .into_iter()
            .map(|f| Fault::new(f, source.clone(), Severity::Error))
            .collect();
        Faults {
            file: file.to_owned(),
            faults,
        }
    }

    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }
}

impl Fault {
    pub(super) fn new(finding: Finding, source: Option<Arc<NamedSource<String>>>, severity: Severity) -> Fault {
        Fault {
            finding,
            source,
            severity,
        }
    }

    /// From 1.
    #[cfg(test)]
    pub(super) fn line(&self) -> usize {
        self.finding.place.line
    }

    /// From 1, in characters.
    #[cfg(test)]
    pub(super) fn column(&self) -> usize {
        self.finding.place.column
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let faults = if count == 1 { "fault" } else { "faults" };
        let least = if count == MOST { "at least " } else { "" };
        write!(
            f,
            "{}: {least}{count} {faults}; nothing was touched",
            self.file.display()
        )
    }
}

impl std::error::Error for Faults {}

impl Diagnostic for Faults {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.faults.iter().map(|fault| fault as &dyn Diagnostic)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Fault {}

impl Diagnostic for Fault {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let source = self.source.as_deref()?.inner();
        let bytes = &self.finding.place.bytes;
        let start = bytes.start.min(source.len());
        // a value over several lines is marked on its first
        let text = source
            .get(start..bytes.end.clamp(start, source.len()))
            .unwrap_or_default();
        let length = text.lines().next().unwrap_or_default().trim_end().len();
        let label = LabeledSpan::new_primary_with_span(self.finding.label.clone(), (start, length));
        Some(Box::new(std::iter::once(label)))
    }
}

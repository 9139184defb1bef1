//! `pistream certs list`: every certificate and how it stands.

use crate::ca::{Authority, Issued, Kind, Standing, Subject, bearers};
use crate::model::Name;
use crate::table::{Colour, table};
use crate::{exit, inventory};
use miette::IntoDiagnostic;
use std::io::Write;
use std::path::Path;

pub(super) fn run(path: &Path, json: bool) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let wanted = bearers(&fleet);
    let (certificates, now) = match Authority::look(path).into_diagnostic()? {
        Some(authority) => authority.list().into_diagnostic()?,
        None => (Vec::new(), 0),
    };
    let rows = certificates.iter().map(|(name, newest)| {
        let subject = wanted.iter().find(|s| s.name == *name);
        Row {
            name,
            newest,
            days: newest.days_left(now),
            standing: standing(newest.standing(subject, now), subject),
        }
    });
    let mut out = std::io::stdout();
    let shown = match json {
        true => {
            let rows: Vec<serde_json::Value> = rows.map(|row| row.json()).collect();
            serde_json::to_string_pretty(&rows).into_diagnostic()? + "\n"
        }
        false => table(
            &["NAME", "SERIAL", "DAYS LEFT", "STANDING"],
            rows.map(Row::cells).collect(),
        ),
    };
    // whoever reads may have gone
    write!(out, "{shown}").into_diagnostic()?;
    Ok(exit::Code::Done)
}

struct Row<'a> {
    name: &'a Name,
    newest: &'a Issued,
    days: u64,
    standing: (&'static str, Colour),
}

impl Row<'_> {
    fn cells(self) -> Vec<(String, Colour)> {
        let (standing, colour) = self.standing;
        vec![
            (self.name.to_string(), Colour::Plain),
            (self.newest.serial.clone(), Colour::Plain),
            (self.days.to_string(), Colour::Plain),
            (standing.to_owned(), colour),
        ]
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name.as_str(), "serial": self.newest.serial, "not_after": self.newest.not_after,
            "days_left": self.days, "revoked": self.newest.revoked, "standing": self.standing.0,
        })
    }
}

fn standing(standing: Standing, subject: Option<&Subject>) -> (&'static str, Colour) {
    match (standing, subject) {
        (Standing::Revoked, _) => ("revoked", Colour::Bad),
        (Standing::Expired, _) => ("expired", Colour::Bad),
        (_, None) => ("no longer in the inventory", Colour::Plain),
        (Standing::Due, Some(subject)) if subject.kind == Kind::Viewer => ("due: `certs issue` another", Colour::Plain),
        (Standing::Due, _) => ("due: deploy renews it", Colour::Plain),
        (Standing::Good, _) => ("good", Colour::Good),
    }
}

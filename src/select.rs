//! `--limit`: which hosts of the fleet a command is about.

use crate::model::Fleet;
use crate::plan::Host;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("--limit {pattern}: not a pattern: {source}")]
    Pattern {
        pattern: String,
        source: glob::PatternError,
    },
    #[error("--limit {pattern}: no such host; the inventory has {known}{nearest}")]
    NoSuchHost {
        pattern: String,
        known: String,
        nearest: String,
    },
}

/// The hosts that match any of `limit` (a name, a glob, `cameras`, `servers`), or all when it is empty, in fleet order.
///
/// # Errors
/// A pattern that is none, or that matches no host: more likely a typo than a wish to do nothing.
pub fn select<'a>(fleet: &'a Fleet, limit: &[String]) -> Result<Vec<Host<'a>>, Error> {
    let hosts: Vec<Host<'a>> = Host::all(fleet).collect();
    if limit.is_empty() {
        return Ok(hosts);
    }
    let mut chosen = vec![false; hosts.len()];
    for text in limit {
        let source = |source| Error::Pattern {
            pattern: text.clone(),
            source,
        };
        let pattern = glob::Pattern::new(text).map_err(source)?;
        let mut any = false;
        for (host, chosen) in hosts.iter().zip(&mut chosen) {
            let group = if matches!(host, Host::Server(_)) {
                "servers"
            } else {
                "cameras"
            };
            if text == group || pattern.matches(host.name().as_str()) {
                *chosen = true;
                any = true;
            }
        }
        if !any {
            return Err(no_such_host(text, &hosts));
        }
    }
    Ok(hosts
        .into_iter()
        .zip(chosen)
        .filter_map(|(host, chosen)| chosen.then_some(host))
        .collect())
}

fn no_such_host(pattern: &str, hosts: &[Host<'_>]) -> Error {
    let names: Vec<&str> = hosts.iter().map(|h| h.name().as_str()).collect();
    let known = match names.len() {
        0..=8 => names.join(", "),
        n => format!("{}, … ({n} in all)", names[..8].join(", ")),
    };
    let near = names.iter().map(|n| (strsim::damerau_levenshtein(pattern, n), n)).min();
    let nearest = match near {
        Some((distance, name)) if distance <= 2 => format!("; did you mean {name}?"),
        _ => String::new(),
    };
    Error::NoSuchHost {
        pattern: pattern.to_owned(),
        known,
        nearest,
    }
}

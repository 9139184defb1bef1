//! What `ssh` writes when it fails, read as the errors of both ssh roads. Pure; the table is OpenSSH 7.4 to 10.

use super::super::Error;
use super::super::effective::Settings;
use std::path::PathBuf;

/// Turns ssh's words into an error. A jump host may be the one that failed: its name then stands in the text.
pub(super) fn understand(text: &str, settings: &Settings) -> Error {
    let host = || settings.alias.clone();
    // the first line that says something decides; later ones are consequences ("Connection closed by UNKNOWN port 65535")
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("ssh: ").unwrap_or(line);
        if let Some(name) = between(line, "Could not resolve hostname ", ":") {
            return Error::NameNotFound { host: name.to_owned() };
        }
        if let Some(rest) = line.strip_prefix("connect to host ") {
            return no_connection(rest, settings);
        }
        if let Some(name) = line
            .strip_prefix("Host key for ")
            .and_then(|r| r.strip_suffix(" has changed and you have requested strict checking."))
        {
            return changed(name, text, settings);
        }
        if let Some(name) = between(line, "host key is known for ", " and you have requested") {
            let alias = settings
                .host_key_alias
                .clone()
                .filter(|alias| alias.eq_ignore_ascii_case(name));
            let (host, port) = match alias {
                Some(_) => (settings.host.clone(), settings.port),
                None => split_port(name),
            };
            return Error::HostKeyUnknown {
                host,
                port,
                alias,
                fingerprint: None,
                known_hosts: settings.own_known_hosts(),
            };
        }
        if line.ends_with("is marked as revoked.") {
            return Error::HostKeyRevoked { host: host() };
        }
        if let Some((login, _)) = line.split_once(": Permission denied") {
            let (user, at) = login.rsplit_once('@').unwrap_or((&settings.user, login));
            return Error::KeyRefused {
                host: named(at, settings),
                user: user.to_owned(),
                tried: keys(settings),
            };
        }
        if line.contains("Too many authentication failures") {
            return Error::KeyRefused {
                host: host(),
                user: settings.user.clone(),
                tried: keys(settings),
            };
        }
        if line.contains("timed out") || line.contains("Timeout, server") {
            return Error::TimedOut {
                host: host(),
                port: settings.port,
            };
        }
        if line.starts_with("Unable to negotiate with") || line.contains("no matching") {
            return Error::Protocol {
                host: host(),
                cause: line.to_owned(),
            };
        }
        if line.contains("Bad configuration option") || line.contains("bad configuration option") {
            return Error::SshConfiguration {
                host: host(),
                cause: line.to_owned(),
            };
        }
    }
    let told = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    let cause = if told.is_empty() {
        "ssh gave no reason".to_owned()
    } else {
        told
    };
    Error::Unreachable { host: host(), cause }
}

/// Whether the connection died on its way through a jump host: of the jump host's own ssh nothing is heard.
pub(super) fn beyond_jump(text: &str) -> bool {
    text.contains("UNKNOWN port 65535")
}

/// `HOST port PORT: WHY`
fn no_connection(rest: &str, settings: &Settings) -> Error {
    let (place, why) = rest.split_once(": ").unwrap_or((rest, ""));
    let (host, port) = place.rsplit_once(" port ").unwrap_or((place, ""));
    let host = named(host, settings);
    let port = port.parse().unwrap_or(settings.port);
    match why {
        "Connection refused" => Error::Refused { host, port },
        why if why.contains("timed out") => Error::TimedOut { host, port },
        why => Error::Unreachable {
            host,
            cause: why.to_owned(),
        },
    }
}

fn changed(name: &str, text: &str, settings: &Settings) -> Error {
    let (name, _) = split_port(name);
    let fingerprint = text
        .lines()
        .map(|l| l.trim().trim_end_matches('.'))
        .find(|l| l.starts_with("SHA256:"))
        .map(str::to_owned);
    let (file, line) = offending(text).unwrap_or_default();
    Error::HostKeyChanged {
        host: named(&name, settings),
        fingerprint,
        file,
        line,
    }
}

/// `Offending ED25519 key in FILE:LINE`
fn offending(text: &str) -> Option<(PathBuf, usize)> {
    let line = text.lines().map(str::trim).find(|l| l.starts_with("Offending "))?;
    let (file, number) = line.split_once(" in ")?.1.rsplit_once(':')?;
    Some((PathBuf::from(file), number.parse().ok()?))
}

/// The name the user knows: ssh speaks of the address behind an alias.
fn named(host: &str, settings: &Settings) -> String {
    if host == settings.host || settings.host_key_alias.as_deref() == Some(host) {
        settings.alias.clone()
    } else {
        host.to_owned()
    }
}

/// `[HOST]:PORT` or `HOST`.
fn split_port(name: &str) -> (String, u16) {
    match name.strip_prefix('[').and_then(|n| n.split_once("]:")) {
        Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(22)),
        None => (name.to_owned(), 22),
    }
}

/// ssh does not list what it offered: the key files that exist.
fn keys(settings: &Settings) -> Vec<String> {
    settings
        .identities
        .iter()
        .filter(|f| f.exists())
        .map(|f| f.display().to_string())
        .collect()
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.split_once(before)?.1.split_once(after).map(|(middle, _)| middle)
}

#[cfg(test)]
mod tests;

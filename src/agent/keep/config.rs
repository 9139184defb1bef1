//! `recordings.toml` as a [`KeepConfig`], or one line that says where it is wrong.

use crate::toml;
use pistream_agent::{Amount, KeepConfig};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigError {
    #[error("{path}: cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}:{line}: {message}")]
    Wrong {
        path: PathBuf,
        line: usize,
        message: String,
    },
}

/// Reads and judges the file; and its text.
///
/// # Errors
/// Always one line, with the line it is about.
pub(super) fn read(path: &Path) -> Result<(KeepConfig, String), ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    match parse(&text) {
        Ok(config) => Ok((config, text)),
        Err((line, message)) => Err(ConfigError::Wrong {
            path: path.to_owned(),
            line,
            message,
        }),
    }
}

/// The configuration, or the line at which it is wrong and what is wrong there.
pub(super) fn parse(text: &str) -> Result<KeepConfig, (usize, String)> {
    let config: KeepConfig = toml::read(text).map_err(|((line, _), message)| (line, message))?;
    match fault(&config) {
        Some((key, message)) => {
            let (line, _) = toml::place(text, None, key).unwrap_or((1, 1));
            Err((line, message))
        }
        None => Ok(config),
    }
}

/// What the types cannot say: the key, and what is wrong with its value.
fn fault(config: &KeepConfig) -> Option<(&'static str, String)> {
    let paths = [
        ("path", &config.path),
        ("index", &config.index),
        ("ffmpeg", &config.ffmpeg),
        ("ffprobe", &config.ffprobe),
        ("control", &config.control),
    ];
    for (key, value) in paths {
        if !value.starts_with('/') || value.contains('\0') {
            return Some((key, format!("`{key}` must be an absolute path, not {value:?}")));
        }
    }
    // an age of zero would delete what was just recorded
    let ages = config.streams.iter().filter_map(|s| s.keep).chain([config.keep]);
    if ages.min() == Some(0) {
        return Some(("keep", "`keep` must be at least one second".to_owned()));
    }
    let over = |amount: &Amount| matches!(amount, Amount::Percent(101..));
    let shares = config.streams.iter().filter_map(|s| s.at_most);
    if shares.chain([config.at_most]).any(|share| over(&share)) {
        return Some(("at_most", "`at_most` must not be more than 100 percent".to_owned()));
    }
    over(&config.keep_free).then(|| ("keep_free", "`keep_free` must not be more than 100 percent".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    pub(in crate::keep) const GOOD: &str = r#"path = "/srv/video"
index = "/run/index"
ffmpeg = "/usr/bin/ffmpeg"
ffprobe = "/usr/bin/ffprobe"
control = "/run/control.sock"
format = "mp4"
keep = 2592000
at_most = { percent = 80 }
keep_free = { bytes = 1000000000 }
keep_at_least = 86400

[[stream]]
name = "porch"
keep = 86400

[[stream]]
name = "garden"
"#;

    #[test]
    fn a_good_one() {
        let config = parse(GOOD).unwrap();
        assert_eq!(config.streams[0].keep, Some(86_400));
        assert_eq!(config.streams[1].at_most, None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (from, to, line, words) in [
            ("\"/srv/video\"", "\"video\"", 1, "absolute path"),
            ("format = \"mp4\"", "format = \"mkv\"", 6, "mkv"),
            ("keep = 2592000", "keep = 0", 7, "one second"),
            ("percent = 80", "percent = 101", 8, "100 percent"),
            ("bytes = 1000000000", "share = 1", 9, "share"),
            ("\nkeep = 86400", "\nkepe = 86400", 14, "kepe"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let (at, message) = parse(&text).unwrap_err();
            assert!(message.contains(words) && !message.contains('\n'), "{message}");
            assert_eq!(at, line, "{message}");
        }
    }
}

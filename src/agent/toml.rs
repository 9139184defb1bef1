//! A configuration's TOML as a value, or where it is wrong. Knows no configuration.
//!
//! By `basic-toml`: the crate `toml` costs the agent fifty kilobytes more.

use serde::de::DeserializeOwned;

/// # Errors
/// Line and column (both from 1), and one line that says what is wrong there.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ((usize, usize), String)> {
    basic_toml::from_str(text).map_err(|error| {
        let (line, column) = error.line_col().unwrap_or((0, 0));
        let words = error.to_string();
        // the place stands at its end once more
        let words = words.rsplit_once(" at line ").map_or(&*words, |(words, _)| words);
        let (line, column) = key(words)
            .and_then(|key| set(text, key, line))
            .filter(|&(at, _)| at != line)
            .unwrap_or((line, column));
        ((line + 1, column + 1), words.lines().collect::<Vec<_>>().join("; "))
    })
}

/// The key that a message is about.
fn key(words: &str) -> Option<&str> {
    let quoted = |after: &str| words.split_once(after)?.1.split('`').next();
    let path = quoted("unknown field `").or_else(|| quoted(" for key `"))?;
    path.rsplit('.').next()
}

/// The line nearest to `line` that sets the key, one before it if there is any, and the column where that begins, all from 0:
/// of what is wrong within a table `basic-toml` knows only where the table begins or ends.
pub(crate) fn set(text: &str, key: &str, line: usize) -> Option<(usize, usize)> {
    let column = |line: &str| {
        let rest = line.trim_start();
        let sets = rest.strip_prefix(key)?.trim_start().starts_with('=');
        sets.then(|| line.len() - rest.len())
    };
    let (before, after): (Vec<_>, Vec<_>) = text
        .lines()
        .enumerate()
        .filter_map(|(at, words)| Some((at, column(words)?)))
        .partition(|&(at, _)| at <= line);
    before.last().or(after.first()).copied()
}

//! A configuration's TOML as a value, or where it is wrong. Knows no configuration.
//!
//! By `basic-toml`, since the crate `toml` costs the agent fifty kilobytes more, and through JSON, which the agent reads its
//! types from anyway: a second way into each of them would be sixty.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Line and column, both from 1, the column in characters.
pub(crate) type Place = (usize, usize);

/// A table of an array of tables: the array's name, and how many stand before it.
pub(crate) type Element<'a> = (&'a str, usize);

/// # Errors
/// The place, and one line that says what is wrong there.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, (Place, String)> {
    let value: Value = basic_toml::from_str(text).map_err(|error| {
        let (line, column) = error.line_col().unwrap_or((0, 0));
        ((line + 1, column + 1), without_place(&error.to_string()))
    })?;
    let json = value.to_string();
    serde_json::from_slice(json.as_bytes()).map_err(|error| {
        let (path, index) = path(&json, error.column());
        let element = path.first().map(|&list| (list, index));
        let named = |element| path.iter().rev().find_map(|key| place(text, element, key));
        let mut words = without_place(&error.to_string());
        if let Some(key) = path.last().filter(|key| !words.contains(&format!("`{key}`"))) {
            words.push_str(&format!(" for key `{key}`"));
        }
        (named(element).or_else(|| named(None)).unwrap_or((1, 1)), words)
    })
}

/// Where a key is set, or the table of its name begins: in that element alone, if one is given.
pub(crate) fn place(text: &str, element: Option<Element<'_>>, key: &str) -> Option<Place> {
    let mut within = None;
    for (before, line) in text.lines().enumerate() {
        let words = line.trim_start();
        let name = match words.strip_prefix('[') {
            None => words.split(['=', '.']).next()?,
            Some(header) => {
                let table = header.trim_start_matches('[').split(']').next()?;
                if words.starts_with("[[") && !table.contains('.') {
                    within = match within {
                        Some((list, index)) if list == table => Some((list, index + 1)),
                        _ => Some((table, 0)),
                    };
                }
                table.rsplit('.').next()?
            }
        };
        if name.trim().trim_matches('"') == key && (element.is_none() || within == element) {
            let indent = line.chars().take_while(|c| c.is_whitespace()).count();
            return Some((before + 1, indent + 1));
        }
    }
    None
}

/// Both parsers tell at the end of their words where they were.
fn without_place(words: &str) -> String {
    let words = words.rsplit_once(" at line ").map_or(words, |(words, _)| words);
    words.lines().collect::<Vec<_>>().join("; ")
}

/// The keys that lead to a byte of JSON, outermost first, and how many elements of what the first one names stand before it.
fn path(json: &str, byte: usize) -> (Vec<&str>, usize) {
    let mut keys: Vec<(usize, &str)> = Vec::new();
    let (mut depth, mut index, mut at) = (0, 0, 0);
    while let Some(found) = json
        .get(at..byte)
        .and_then(|rest| rest.find(['"', '{', '[', ']', '}', ',']))
    {
        let here = at + found;
        at = here + 1;
        match json.as_bytes()[here] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                keys.retain(|&(of, _)| of <= depth);
            }
            b',' => index += usize::from(depth == 2),
            _ => {
                let string = string(&json[at..]);
                at += string.len() + 1;
                if json[at..].starts_with(':') {
                    keys.retain(|&(of, _)| of < depth);
                    keys.push((depth, string));
                    index *= usize::from(depth > 1);
                }
            }
        }
    }
    (keys.into_iter().map(|(_, key)| key).collect(), index)
}

/// What stands before the quote that ends a JSON string.
fn string(rest: &str) -> &str {
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n\n[[b]]\nc = \"x\\\"y\"\n[[b.d]]\ne = { f = 1 }\n\n[[b]]\n  c = 2\n[b.g]\n\"h\" = 3\n";

    #[test]
    fn a_key_is_found_in_its_element() {
        assert_eq!(place(TEXT, None, "c"), Some((4, 1)));
        assert_eq!(place(TEXT, Some(("b", 1)), "c"), Some((9, 3)));
        assert_eq!(place(TEXT, Some(("b", 1)), "h"), Some((11, 1)));
        assert_eq!(place(TEXT, Some(("b", 1)), "g"), Some((10, 1)));
        assert_eq!(place(TEXT, Some(("b", 1)), "b"), Some((8, 1)));
        assert_eq!(place(TEXT, Some(("b", 0)), "g"), None);
        assert_eq!(place(TEXT, None, "f"), None);
    }

    #[test]
    fn a_byte_of_json_is_led_to() {
        let json = basic_toml::from_str::<Value>(TEXT).unwrap().to_string();
        let to = |words: &str| path(&json, json.find(words).unwrap() + words.len());
        assert_eq!(to("\"a\":1"), (vec!["a"], 0));
        assert_eq!(to("{\"f\":1"), (vec!["b", "d", "e", "f"], 0));
        assert_eq!(to("\"c\":2"), (vec!["b", "c"], 1));
        assert_eq!(to("\"h\":3"), (vec!["b", "g", "h"], 1));
        assert_eq!(to("\"h\":3}"), (vec!["b", "g"], 1));
        assert_eq!(to("\"h\":3}}"), (vec!["b"], 1));
    }
}

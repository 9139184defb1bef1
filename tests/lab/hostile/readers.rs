//! What rendered files consist of, read as the programs read them that they are for.

/// One directive of an nginx configuration.
#[derive(Debug)]
pub struct Directive {
    /// Its own name after those of the blocks around it: `http/server/listen`.
    pub path: String,
    /// Its name and arguments, quotes and escapes undone.
    pub words: Vec<String>,
}

/// All directives of a configuration, as `ngx_conf_read_token` splits it.
pub fn directives(text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut blocks: Vec<String> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut rest = text.chars().peekable();
    let close = |words: &mut Vec<String>, blocks: &[String], found: &mut Vec<Directive>| {
        let words = std::mem::take(words);
        assert!(!words.is_empty(), "a directive without a name");
        let path = blocks.iter().chain([&words[0]]).cloned().collect::<Vec<_>>().join("/");
        found.push(Directive { path, words });
    };
    while let Some(c) = rest.next() {
        match c {
            c if c.is_ascii_whitespace() => {}
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            ';' => close(&mut words, &blocks, &mut found),
            '{' => {
                let name = words.first().cloned().unwrap_or_default();
                close(&mut words, &blocks, &mut found);
                blocks.push(name);
            }
            '}' => {
                assert!(
                    words.is_empty() && blocks.pop().is_some(),
                    "an unexpected }} after {words:?}"
                );
            }
            '"' | '\'' => {
                let mut word = String::new();
                loop {
                    match rest.next().expect("a quote is closed") {
                        end if end == c => break,
                        '\\' => word.push_str(&escaped(rest.next())),
                        other => word.push(other),
                    }
                }
                let after = rest.peek().copied();
                assert!(
                    matches!(after, Some(' ' | '\n' | '\t' | ';' | '{' | ')')),
                    "{after:?} after {word:?}"
                );
                words.push(word);
            }
            first => {
                let mut word = String::new();
                let mut next = Some(first);
                while let Some(c) = next {
                    match c {
                        '\\' => word.push_str(&escaped(rest.next())),
                        other => word.push(other),
                    }
                    // of a `${` the brace belongs to the word
                    let variable = c == '$';
                    next = rest.next_if(|c| !c.is_ascii_whitespace() && *c != ';' && (*c != '{' || variable));
                }
                words.push(word);
            }
        }
    }
    assert!(
        words.is_empty() && blocks.is_empty(),
        "the configuration ends within {blocks:?} {words:?}"
    );
    found
}

/// What a backslash and this character stand for in nginx.
fn escaped(c: Option<char>) -> String {
    match c {
        Some('t') => "\t".into(),
        Some('r') => "\r".into(),
        Some('n') => "\n".into(),
        Some(c @ ('"' | '\'' | '\\')) => c.into(),
        Some(c) => format!("\\{c}"),
        None => "\\".into(),
    }
}

/// All settings of a unit as (`Section.Key`, value), by systemd.syntax(7).
pub fn settings(text: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    let text = text.replace("\\\n", " ");
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.strip_suffix(']').expect("a section's name is closed").to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').expect("a setting has a value");
        found.push((format!("{section}.{}", key.trim()), value.trim().to_owned()));
    }
    found
}

/// All keys of a TOML file with their paths.
pub fn toml_keys(text: &str) -> Vec<String> {
    fn walk(path: &str, value: &toml::Value, keys: &mut Vec<String>) {
        keys.push(path.to_owned());
        match value {
            toml::Value::Table(table) => table.iter().for_each(|(k, v)| walk(&format!("{path}.{k}"), v, keys)),
            toml::Value::Array(items) => items.iter().for_each(|v| walk(&format!("{path}[]"), v, keys)),
            _ => {}
        }
    }
    let mut keys = Vec::new();
    walk("", &toml::Value::Table(text.parse().expect("TOML")), &mut keys);
    keys
}

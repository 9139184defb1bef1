//! templates/ and values -> text.
//!
//! The only module that knows minijinja. A template prints a string only when a filter has made it fit for the file's
//! language, or when the string needs no such care (letters, digits and `._:/-`): a forgotten filter fails the
//! rendering instead of opening a hole. Template errors never show the values of variables, which may be secret.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The templates that pistream carries, by file name.
const EMBEDDED: [(&str, &str); 21] = [
    ("nginx.conf.j2", include_str!("../templates/nginx.conf.j2")),
    ("door.conf.j2", include_str!("../templates/door.conf.j2")),
    ("front.conf.j2", include_str!("../templates/front.conf.j2")),
    ("may-connect.conf.j2", include_str!("../templates/may-connect.conf.j2")),
    ("restream.conf.j2", include_str!("../templates/restream.conf.j2")),
    ("sessions.conf.j2", include_str!("../templates/sessions.conf.j2")),
    ("targets.conf.j2", include_str!("../templates/targets.conf.j2")),
    ("resolver.sh.j2", include_str!("../templates/resolver.sh.j2")),
    (
        "pistream-certificate.service.j2",
        include_str!("../templates/pistream-certificate.service.j2"),
    ),
    ("nginx.service.j2", include_str!("../templates/nginx.service.j2")),
    ("certificate.sh.j2", include_str!("../templates/certificate.sh.j2")),
    ("recordings.toml.j2", include_str!("../templates/recordings.toml.j2")),
    (
        "pistream-recordings.service.j2",
        include_str!("../templates/pistream-recordings.service.j2"),
    ),
    ("expel.sh.j2", include_str!("../templates/expel.sh.j2")),
    ("reload-nginx.sh.j2", include_str!("../templates/reload-nginx.sh.j2")),
    (
        "pistream-recover.path.j2",
        include_str!("../templates/pistream-recover.path.j2"),
    ),
    (
        "pistream-recover.service.j2",
        include_str!("../templates/pistream-recover.service.j2"),
    ),
    ("camera.toml.j2", include_str!("../templates/camera.toml.j2")),
    ("journald.conf.j2", include_str!("../templates/journald.conf.j2")),
    ("tmp.mount.j2", include_str!("../templates/tmp.mount.j2")),
    (
        "pistream-camera.service.j2",
        include_str!("../templates/pistream-camera.service.j2"),
    ),
];

/// No template needs more steps; one that does loops for ever.
const FUEL: u64 = 5_000_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read templates in {directory}: {source}")]
    ReadDirectory { directory: PathBuf, source: std::io::Error },
    #[error("{directory}/{name}: no such template; a template can replace one of: {known}")]
    UnknownTemplate {
        directory: PathBuf,
        name: String,
        known: String,
    },
    #[error("{file}:{line}: {what}\n  | {excerpt}")]
    Render {
        file: String,
        line: usize,
        what: String,
        excerpt: String,
    },
}

/// All templates, compiled.
pub struct Templates {
    environment: Environment<'static>,
    /// Where single templates were replaced from, for error messages.
    overrides: Option<PathBuf>,
}

impl Templates {
    /// The embedded templates; a file of the same name in `overrides` takes the place of an embedded one.
    ///
    /// # Errors
    /// An unreadable directory, a file there that replaces nothing (a typo would be silently ignored), a template that
    /// does not parse.
    pub fn load(overrides: Option<&Path>) -> Result<Templates, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                .unwrap_or_default(),
        );
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(refuse_unfiltered);
        environment.add_filter("nginx", nginx);
        environment.add_filter("nginx_verbatim", nginx_verbatim);
        environment.add_filter("systemd", systemd);
        environment.add_filter("mounts", mounts);
        environment.add_filter("toml", toml);
        environment.add_filter("comment", comment);
        let mut templates = Templates {
            environment,
            overrides: overrides.map(Path::to_owned),
        };
        let mut replaced = match overrides {
            Some(directory) => read_overrides(directory)?,
            None => Vec::new(),
        };
        for (name, embedded) in EMBEDDED {
            let text = match replaced.iter().position(|(n, _)| n == name) {
                Some(at) => replaced.swap_remove(at).1,
                None => embedded.to_owned(),
            };
            if let Err(error) = templates.environment.add_template_owned(name, text.clone()) {
                return Err(templates.describe(name, Some(&text), &error));
            }
        }
        match (replaced.pop(), overrides) {
            (Some((name, _)), Some(directory)) => Err(Error::UnknownTemplate {
                directory: directory.to_owned(),
                name,
                known: EMBEDDED.map(|(n, _)| n).join(", "),
            }),
            _ => Ok(templates),
        }
    }

    /// Renders one template.
    ///
    /// # Errors
    /// [`Error::Render`] with the template's line; values never appear in it.
    pub fn render(&self, name: &str, context: &impl Serialize) -> Result<String, Error> {
        let rendered = self
            .environment
            .get_template(name)
            .and_then(|t| t.render(minijinja::value::Serde(context)));
        rendered.map_err(|error| self.describe(name, None, &error))
    }

    fn describe(&self, name: &str, text: Option<&str>, error: &minijinja::Error) -> Error {
        let template = self.environment.get_template(name).ok();
        let source = text.or(template.as_ref().map(|t| t.source())).unwrap_or_default();
        let line = error.line().unwrap_or(1);
        let file = match &self.overrides {
            Some(directory) if directory.join(name).is_file() => directory.join(name).display().to_string(),
            _ => format!("templates/{name}"),
        };
        let what = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        let excerpt = source
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .trim()
            .to_owned();
        Error::Render {
            file,
            line,
            what,
            excerpt,
        }
    }
}

fn read_overrides(directory: &Path) -> Result<Vec<(String, String)>, Error> {
    let failed = |source| Error::ReadDirectory {
        directory: directory.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".j2") {
            found.push((name, std::fs::read_to_string(entry.path()).map_err(failed)?));
        }
    }
    Ok(found)
}

/// Prints numbers, marked strings and harmless strings; refuses the rest.
fn refuse_unfiltered(
    out: &mut minijinja::Output,
    state: &mut minijinja::State,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let harmless = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._:/-".contains(c));
    match value.kind() {
        ValueKind::String if !value.is_safe() && !harmless(value.as_str().unwrap_or_default()) => Err(refuse(
            "a value with special characters is printed without a filter (nginx, systemd, toml or comment)",
        )),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn refuse(why: &'static str) -> minijinja::Error {
    minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, why)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One argument of an nginx directive. Where a directive takes variables there is no escape for `$`: it is refused.
fn nginx(value: Value) -> Result<Value, minijinja::Error> {
    if text_of(&value).contains('$') {
        return Err(refuse("nginx has no way to write a `$` here"));
    }
    nginx_verbatim(value)
}

/// One argument of a directive that knows no variables, as all of nginx-rtmp's. Control characters are refused.
fn nginx_verbatim(value: Value) -> Result<Value, minijinja::Error> {
    let text = text_of(&value);
    if text.chars().any(char::is_control) {
        return Err(refuse("nginx has no way to write a control character"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-?=&%+@~,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(Value::from_safe_string(text));
    }
    Ok(Value::from_safe_string(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    )))
}

/// One word of a systemd command line or path setting (systemd.service(5), "Command lines"; specifiers are doubled).
fn systemd(value: Value) -> Result<Value, minijinja::Error> {
    let text = text_of(&value);
    if text.chars().any(char::is_control) {
        return Err(refuse("a systemd setting cannot hold a control character"));
    }
    let doubled = text.replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-=%$@,+".contains(c);
    if !text.is_empty() && doubled.chars().all(plain) {
        return Ok(Value::from_safe_string(doubled));
    }
    Ok(Value::from_safe_string(format!(
        "\"{}\"",
        doubled.replace('\\', "\\\\").replace('"', "\\\"")
    )))
}

/// The units of what may be mounted at a path or above it, by systemd's names (systemd.unit(5), "String escaping"), the root's
/// left out: it is there.
fn mounts(value: Value) -> Result<Value, minijinja::Error> {
    let text = text_of(&value);
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    if !text.starts_with('/') || parts.is_empty() || parts.iter().any(|part| [".", ".."].contains(part)) {
        return Err(refuse("not a path below the root"));
    }
    let mut name = String::new();
    let mut units = Vec::new();
    for part in parts {
        if !name.is_empty() {
            name.push('-');
        }
        for byte in part.bytes() {
            match byte {
                b'.' if name.is_empty() => name += "\\x2e",
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'.' => name.push(byte.into()),
                _ => name += &format!("\\x{byte:02x}"),
            }
        }
        units.push(format!("{name}.mount"));
    }
    Ok(Value::from_safe_string(units.join(" ")))
}

/// A TOML basic string, quotes included, or an array of them. JSON's escapes are a subset of TOML's; DEL is the one
/// character that JSON leaves alone and TOML does not.
fn toml(value: Value) -> Result<Value, minijinja::Error> {
    let quote = |item: &Value| match serde_json::to_string(&text_of(item)) {
        Ok(text) => Ok(text.replace('\u{7f}', "\\u007F")),
        Err(_) => Err(refuse("not a string")),
    };
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(Value::from_safe_string(quote(&value)?));
    }
    let items = value
        .try_iter()?
        .map(|item| quote(&item))
        .collect::<Result<Vec<String>, _>>()?;
    Ok(Value::from_safe_string(format!("[{}]", items.join(", "))))
}

/// Text inside a `#` comment: one line.
fn comment(value: Value) -> Value {
    Value::from_safe_string(
        text_of(&value)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect(),
    )
}

#[cfg(test)]
mod tests;

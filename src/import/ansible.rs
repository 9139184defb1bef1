//! What an Ansible inventory says of its hosts: groups walked, variables inherited.
//!
//! Knows Ansible's layout, not pistream's keys.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

/// What a host is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Camera,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) variables: BTreeMap<String, Variable>,
}

/// A variable's value, as far as it can be used.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Variable {
    Text(String),
    /// `!vault`: encrypted.
    Vault,
    /// `{{ … }}`: known to Ansible only.
    Jinja,
    /// A list, a map, nothing.
    Other,
}

type Variables = BTreeMap<String, Variable>;

/// A host as found so far; `kind` is `None` outside of the original's groups.
struct Found {
    name: String,
    kind: Option<Kind>,
    variables: Variables,
}

/// All hosts in the groups `servers` and `cameras`, wherever these are nested, in the order of the file.
pub(super) fn hosts(tree: &Value, notes: &mut Vec<String>) -> Vec<Host> {
    let mut found = Vec::new();
    if let Some(groups) = tree.as_mapping() {
        visit_groups(groups, None, &Variables::new(), &mut found, notes);
    }
    let known = |host: Found| match host.kind {
        Some(kind) => Some(Host {
            name: host.name,
            kind,
            variables: host.variables,
        }),
        None => {
            notes.push(format!(
                "{} is in neither `servers` nor `cameras`: not carried over",
                shown(&host.name)
            ));
            None
        }
    };
    found.into_iter().filter_map(known).collect()
}

fn visit_groups(
    groups: &Mapping,
    kind: Option<Kind>,
    inherited: &Variables,
    found: &mut Vec<Found>,
    notes: &mut Vec<String>,
) {
    for (name, group) in groups {
        let Some(group) = group.as_mapping() else { continue };
        let kind = match name.as_str() {
            Some("servers" | "server") => Some(Kind::Server),
            Some("cameras" | "camera") => Some(Kind::Camera),
            _ => kind,
        };
        let mut variables = inherited.clone();
        variables.extend(group.get("vars").map(read_variables).unwrap_or_default());
        if let Some(hosts) = group.get("hosts").and_then(Value::as_mapping) {
            for (name, own) in hosts {
                visit_host(&text(name), kind, &variables, read_variables(own), found, notes);
            }
        }
        if let Some(children) = group.get("children").and_then(Value::as_mapping) {
            visit_groups(children, kind, &variables, found, notes);
        }
    }
}

/// A host may be named in several groups; its own variables count most, whichever group they stand in.
fn visit_host(
    name: &str,
    kind: Option<Kind>,
    inherited: &Variables,
    own: Variables,
    found: &mut Vec<Found>,
    notes: &mut Vec<String>,
) {
    if name.contains('[') {
        notes.push(format!("{} is a range of hosts: write them one by one", shown(name)));
        return;
    }
    match found.iter_mut().find(|host| host.name == name) {
        None => {
            let mut variables = inherited.clone();
            variables.extend(own);
            found.push(Found {
                name: name.to_owned(),
                kind,
                variables,
            });
        }
        Some(host) => {
            if let (Some(first), Some(second)) = (host.kind, kind)
                && first != second
            {
                notes.push(format!(
                    "{} is in `servers` and in `cameras`: taken as the first of the two",
                    shown(name)
                ));
            }
            host.kind = host.kind.or(kind);
            for (key, value) in inherited {
                host.variables.entry(key.clone()).or_insert_with(|| value.clone());
            }
            host.variables.extend(own);
        }
    }
}

fn read_variables(value: &Value) -> Variables {
    let map = value.as_mapping();
    map.into_iter()
        .flatten()
        .map(|(key, value)| (text(key), variable(value)))
        .collect()
}

fn variable(value: &Value) -> Variable {
    match value {
        Value::Tagged(tagged) if tagged.tag == "vault" => Variable::Vault,
        Value::Tagged(tagged) => variable(&tagged.value),
        Value::String(text) if text.contains("{{") || text.contains("{%") => Variable::Jinja,
        Value::String(text) => Variable::Text(text.clone()),
        Value::Number(number) => Variable::Text(number.to_string()),
        Value::Bool(yes) => Variable::Text(yes.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => Variable::Other,
    }
}

/// A key that may be written as a number.
fn text(key: &Value) -> String {
    match variable(key) {
        Variable::Text(text) => text,
        Variable::Vault | Variable::Jinja | Variable::Other => "?".to_owned(),
    }
}

/// The user's text in a note, which may end in a comment: one line, not for ever.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

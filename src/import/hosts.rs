//! Hosts as Ansible knew them, written as a hosts.yml.
//!
//! Writes text, since comments are half of its worth; every value goes through a YAML writer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::ansible::{Host, Kind, Variable, shown};
use crate::inventory::legal_name;
use crate::model::Name;

/// A key of `ssh:`, and the variables that mean it, the one that counts most first.
struct SshKey {
    key: &'static str,
    variables: &'static [&'static str],
    /// The end of the environment variable's name, for a secret.
    secret: Option<&'static str>,
}

const SSH_KEYS: [SshKey; 5] = [
    SshKey {
        key: "user",
        variables: &["ansible_user", "ansible_ssh_user"],
        secret: None,
    },
    SshKey {
        key: "port",
        variables: &["ansible_port", "ansible_ssh_port"],
        secret: None,
    },
    SshKey {
        key: "identity",
        variables: &["ansible_ssh_private_key_file", "ansible_private_key_file"],
        secret: None,
    },
    SshKey {
        key: "password",
        variables: &["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"],
        secret: Some("PASSWORD"),
    },
    SshKey {
        key: "sudo_password",
        variables: &["ansible_become_pass", "ansible_become_password", "ansible_sudo_pass"],
        secret: Some("SUDO_PASSWORD"),
    },
];

const HOST: [&str; 2] = ["ansible_host", "ansible_ssh_host"];

/// What pistream does by itself, so that nothing is lost.
const NEEDLESS: [(&str, &[&str]); 4] = [
    ("ansible_become", &["true", "yes"]),
    ("ansible_become_user", &["root"]),
    ("ansible_become_method", &["sudo"]),
    ("ansible_connection", &["ssh", "smart", "paramiko", "local"]),
];

/// The body of a hosts.yml.
pub(super) fn write(hosts: Vec<Host>, notes: &mut Vec<String>) -> String {
    let hosts = named(hosts, notes);
    let shared: Vec<Option<&Variable>> = SSH_KEYS.iter().map(|key| shared(&hosts, key)).collect();
    let mut lost = BTreeMap::new();
    let mut yaml = String::new();
    let servers: Vec<_> = hosts.iter().filter(|(_, host)| host.kind == Kind::Server).collect();
    let default_server = if servers.len() > 1 { servers.first() } else { None };
    let defaults = defaults(&shared, notes);
    if !defaults.is_empty() || default_server.is_some() {
        yaml.push_str("# What holds for every host unless it says otherwise.\ndefaults:\n");
        if !defaults.is_empty() {
            yaml.push_str("  ssh:\n");
            for line in defaults {
                yaml.push_str(&format!("    {line}\n"));
            }
        }
        if let Some((name, _)) = default_server {
            yaml.push_str(&format!("  camera:\n    server: {name}\n"));
            notes.push(format!(
                "there are {} servers: every camera streams to {name} until you give it another `server:`",
                servers.len()
            ));
        }
        yaml.push('\n');
    }
    for (kind, heading) in [(Kind::Server, "servers"), (Kind::Camera, "cameras")] {
        if hosts.iter().any(|(_, host)| host.kind == kind) {
            yaml.push_str(&format!("{heading}:\n"));
            for (name, host) in hosts.iter().filter(|(_, host)| host.kind == kind) {
                yaml.push_str(&format!("  {name}:\n"));
                for line in lines(name, host, &shared, notes) {
                    yaml.push_str(&format!("    {line}\n"));
                }
                for key in host
                    .variables
                    .iter()
                    .filter(|(key, value)| !carried(key, value))
                    .map(|(key, _)| key)
                {
                    lost.entry(key).or_insert_with(Vec::new).push(name.as_str());
                }
            }
        }
    }
    for (key, hosts) in lost {
        notes.push(format!("`{}` is not carried over ({})", shown(key), hosts.join(", ")));
    }
    yaml
}

/// Every host with a legal name of its own.
fn named(hosts: Vec<Host>, notes: &mut Vec<String>) -> Vec<(Name, Host)> {
    let mut named: Vec<(Name, Host)> = Vec::new();
    for host in hosts {
        let mut name = legal_name(&host.name);
        for number in 2.. {
            match &name {
                Some(taken) if !named.iter().any(|(name, _)| name == taken) => break,
                _ => name = legal_name(&format!("{}-{number}", host.name.chars().take(50).collect::<String>())),
            }
        }
        let Some(name) = name else { continue };
        if name.as_str() != host.name {
            notes.push(format!(
                "{} is called {name} now: a name is of a-z, 0-9 and `-`",
                shown(&host.name)
            ));
        }
        named.push((name, host));
    }
    named
}

fn variable<'a>(host: &'a Host, variables: &[&str]) -> Option<&'a Variable> {
    variables.iter().find_map(|variable| host.variables.get(*variable))
}

/// What all hosts have in common belongs under `defaults:`.
fn shared<'a>(hosts: &'a [(Name, Host)], key: &SshKey) -> Option<&'a Variable> {
    let (_, first) = hosts.first()?;
    let value = variable(first, key.variables)?;
    let same = hosts
        .iter()
        .all(|(_, host)| variable(host, key.variables) == Some(value));
    // two encrypted values look the same and need not be
    (hosts.len() > 1 && same && *value != Variable::Vault).then_some(value)
}

fn defaults(shared: &[Option<&Variable>], notes: &mut Vec<String>) -> Vec<String> {
    let pairs = SSH_KEYS.iter().zip(shared);
    pairs
        .filter_map(|(key, value)| ssh_line(key, (*value)?, None, notes))
        .collect()
}

/// `None` for a value that cannot be carried over (told).
fn ssh_line(key: &SshKey, value: &Variable, host: Option<&Name>, notes: &mut Vec<String>) -> Option<String> {
    let whose = host.map_or("all hosts".to_owned(), Name::to_string);
    if let Some(end) = key.secret {
        let variable = match host {
            None => format!("PISTREAM_{end}"),
            Some(host) => format!("PISTREAM_{}_{end}", host.as_str().to_uppercase().replace('-', "_")),
        };
        let from = match value {
            Variable::Vault => "it was encrypted by Ansible Vault",
            Variable::Jinja => "Ansible took it from elsewhere",
            Variable::Text(_) | Variable::Other => "it stood in clear in the old file",
        };
        notes.push(format!(
            "the {} of {whose} is no longer written: export {variable} ({from})",
            key.key
        ));
        return Some(format!("{}: {{env: {variable}}}", key.key));
    }
    match value {
        Variable::Text(text) => {
            if key.key == "identity" && !text.starts_with(['/', '~']) {
                notes.push(format!(
                    "the identity of {whose} is relative: it counts from hosts.yml's directory now"
                ));
            }
            // a YAML writer would quote what YAML takes for a number
            let number = text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty();
            Some(format!(
                "{}: {}",
                key.key,
                if number { text.clone() } else { scalar(text) }
            ))
        }
        Variable::Vault | Variable::Jinja | Variable::Other => {
            notes.push(format!(
                "the {} of {whose} is not carried over: it is not a plain value",
                key.key
            ));
            None
        }
    }
}

/// The lines of one host.
fn lines(name: &Name, host: &Host, shared: &[Option<&Variable>], notes: &mut Vec<String>) -> Vec<String> {
    let target = match variable(host, &HOST) {
        Some(Variable::Text(text)) => text.clone(),
        Some(_) => {
            notes.push(format!(
                "{name}: `ansible_host` is not a plain value, its name is taken instead"
            ));
            host.name.clone()
        }
        None => host.name.clone(),
    };
    let mut ssh = Vec::new();
    for (key, shared) in SSH_KEYS.iter().zip(shared) {
        if let (None, Some(value)) = (shared, variable(host, key.variables)) {
            ssh.extend(ssh_line(key, value, Some(name), notes));
        }
    }
    let local = matches!(host.variables.get("ansible_connection"), Some(Variable::Text(text)) if text == "local");
    let mut lines = Vec::new();
    if local {
        ssh.push("transport: local".to_owned());
    }
    if ssh.is_empty() {
        lines.push(format!("ssh: {}", scalar(&target)));
    } else {
        lines.push("ssh:".to_owned());
        lines.push(format!("  host: {}", scalar(&target)));
        lines.extend(ssh.into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(address(name, host, &target, notes));
    lines
}

/// Where it is reached, or comes from, if the ssh host does not say.
fn address(name: &Name, host: &Host, target: &str, notes: &mut Vec<String>) -> Option<String> {
    let known = target.parse::<IpAddr>().is_ok();
    match (host.variables.get("public_ip"), host.kind) {
        (Some(Variable::Text(text)), _) if text == target => None,
        (Some(Variable::Text(text)), _) => Some(format!("address: {}", scalar(text))),
        (Some(_), _) => {
            notes.push(format!(
                "{name}: `public_ip` is not carried over: it is not a plain value"
            ));
            None
        }
        (None, Kind::Server) if known || target.contains('.') => None,
        (None, Kind::Server) => {
            Some("# address: where cameras and viewers reach it, an IP address or a DNS name".to_owned())
        }
        // its certificate tells who it is
        (None, Kind::Camera) => None,
    }
}

/// Whether nothing is lost without this variable: it was written, or told of, or is needless.
fn carried(key: &str, value: &Variable) -> bool {
    let ssh = SSH_KEYS.iter().any(|ssh| ssh.variables.contains(&key));
    let needless = NEEDLESS.iter().any(|(needless, values)| {
        *needless == key && matches!(value, Variable::Text(text) if values.contains(&text.to_lowercase().as_str()))
    });
    ssh || needless || HOST.contains(&key) || key == "public_ip"
}

/// A value in YAML, quoted where it must be.
fn scalar(text: &str) -> String {
    match serde_yaml::to_string(text) {
        Ok(yaml) if !yaml.trim_end().contains('\n') => yaml.trim_end().to_owned(),
        // several lines, or not writable: JSON's strings are YAML's
        _ => serde_json::Value::from(text).to_string(),
    }
}

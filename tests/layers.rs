//! Who may know whom: each foreign crate enters by one door, and data flows one way through the deployer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Crate (as it is written in code), and the only modules that may name it. A module stands for its folder too.
const DOORS: &[(&str, &[&str])] = &[
    ("serde_saphyr", &["src/inventory"]),
    ("serde_yaml", &["src/import", "src/inventory/tests"]),
    ("minijinja", &["src/templates"]),
    ("rcgen", &["src/ca"]),
    ("pkcs8", &["src/ca/key"]),
    ("tokio_rustls", &["src/watch/tunnel"]),
    ("rpassword", &["src/terminal"]),
    ("sha_crypt", &["src/logins"]),
    ("p256", &["src/agent/identity"]),
    ("pem_rfc7468", &["src/agent/identity"]),
    ("lzma_rust2", &["src/assets"]),
    ("flate2", &["src/assets"]),
    ("clap", &["src/cli", "src/main"]),
    ("openssh", &["src/transport/openssh"]),
    ("russh", &["src/transport/russh"]),
    ("indicatif", &["src/report", "src/terminal"]),
    ("comfy_table", &["src/table"]),
    ("quick_junit", &["src/verify/show"]),
    ("v4l", &["src/agent/camera"]),
    ("ffmpeg_sidecar", &["src/agent/supervise", "src/agent/inspect"]),
    ("minreq", &["src/agent/inspect"]),
    ("roxmltree", &["src/agent/inspect"]),
    ("sd_notify", &["src/agent/supervise"]),
    (
        "base64ct",
        &[
            "src/agent/recordings",
            "src/recordings",
            "src/agent/builds",
            "src/tarballs",
            "src/verify/front",
        ],
    ),
    (
        "sha2",
        &["src/agent/builds", "src/tarballs", "src/plan/parts", "src/logins"],
    ),
];

/// Module of the deployer, and the modules of the deployer it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/model",
        &[
            "inventory",
            "plan",
            "templates",
            "transport",
            "remote",
            "report",
            "cli",
            "deploy",
            "verify",
        ],
    ),
    (
        "src/ca",
        &[
            "inventory",
            "plan",
            "templates",
            "transport",
            "remote",
            "report",
            "cli",
            "deploy",
            "verify",
        ],
    ),
    (
        "src/inventory",
        &[
            "plan",
            "templates",
            "transport",
            "remote",
            "report",
            "cli",
            "deploy",
            "verify",
            "render",
        ],
    ),
    (
        "src/plan",
        &[
            "inventory",
            "transport",
            "remote",
            "report",
            "cli",
            "deploy",
            "verify",
            "render",
        ],
    ),
    (
        "src/templates",
        &[
            "model",
            "inventory",
            "plan",
            "transport",
            "remote",
            "report",
            "cli",
            "deploy",
            "verify",
        ],
    ),
    (
        "src/transport",
        &[
            "inventory",
            "plan",
            "templates",
            "remote",
            "report",
            "cli",
            "deploy",
            "verify",
        ],
    ),
    (
        "src/remote",
        &["inventory", "plan", "templates", "report", "cli", "deploy", "verify"],
    ),
    (
        "src/ask",
        &["inventory", "plan", "templates", "cli", "deploy", "verify", "facts"],
    ),
    ("src/facts/show", &["transport", "remote", "report", "cli", "inventory"]),
    (
        "src/verify/judge",
        &["transport", "remote", "report", "cli", "inventory"],
    ),
    ("src/render", &["transport", "remote", "deploy", "verify"]),
    // a viewer has neither an inventory nor a host
    (
        "src/watch",
        &[
            "inventory",
            "model",
            "ca",
            "plan",
            "templates",
            "secrets",
            "transport",
            "remote",
            "report",
            "deploy",
            "verify",
        ],
    ),
    (
        "src/cli",
        &[
            "model",
            "inventory",
            "plan",
            "templates",
            "transport",
            "remote",
            "report",
            "deploy",
            "verify",
        ],
    ),
];

#[test]
fn each_foreign_crate_enters_by_its_own_door() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (name, doors) in DOORS {
            let allowed = doors.iter().any(|door| belongs(&file.path, door));
            if !allowed && names_crate(&file.code, name) {
                wrong.push(format!(
                    "{} names {name}, which belongs to {doors:?}",
                    file.path.display()
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_door_is_used() {
    let files = sources();
    for (name, doors) in DOORS {
        let used = files
            .iter()
            .any(|f| doors.iter().any(|door| belongs(&f.path, door)) && names_crate(&f.code, name));
        assert!(
            used,
            "nobody uses {name}: its door {doors:?} is gone or it is no longer needed"
        );
    }
}

#[test]
fn modules_know_only_what_stands_before_them() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (module, forbidden) in FORBIDDEN {
            for other in forbidden.iter().filter(|_| belongs(&file.path, module)) {
                let own = file.path.to_string_lossy().contains(&format!("/{other}"));
                if !own && names_module(&file.code, other) {
                    wrong.push(format!("{} names crate::{other}", file.path.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|f| !f.documented)
        .map(|f| f.path)
        .collect();
    assert_eq!(silent, Vec::<PathBuf>::new(), "these do not open with //!");
}

#[test]
fn the_agent_has_no_runtime_and_the_deployer_no_v4l2() {
    let manifest = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let agent = manifest("src/agent/Cargo.toml");
    for absent in ["tokio", "minijinja", "russh", "openssh", "clap"] {
        assert!(
            !agent.contains(&format!("\n{absent} =")),
            "the agent depends on {absent}"
        );
    }
    let deployer = manifest("Cargo.toml");
    assert!(!deployer.contains("\nv4l ="), "the deployer depends on v4l");
    assert!(deployer.contains("pistream-agent = { path = \"src/agent\", default-features = false }"));
}

struct Source {
    /// Relative to the repository.
    path: PathBuf,
    /// Without comments.
    code: String,
    documented: bool,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut directories = vec![root().join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // generated bindings, not ours
                if !path.ends_with("v4l2-sys") {
                    directories.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text
                    .lines()
                    .filter(|l| !l.trim_start().starts_with("//"))
                    .collect::<Vec<_>>()
                    .join("\n");
                let tests = path.file_name().is_some_and(|n| n == "tests.rs") || within_tests(&path);
                let documented = tests || text.starts_with("//!");
                found.push(Source {
                    path: path.strip_prefix(root()).unwrap().to_owned(),
                    code,
                    documented,
                });
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn within_tests(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests")
}

/// Whether `path` is the module `door` or within its folder.
fn belongs(path: &Path, door: &str) -> bool {
    path == Path::new(&format!("{door}.rs")) || path.starts_with(door)
}

/// `name::` as the first part of a path: `use name::`, `::name::`, `name::thing`, but not `crate::transport::name::`.
fn names_crate(code: &str, name: &str) -> bool {
    let pattern = format!("{name}::");
    code.match_indices(&pattern).any(|(at, _)| {
        let before = &code[..at];
        let word = before
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        let inner = before.ends_with("::") && before.trim_end_matches("::").chars().next_back().is_some_and(is_word);
        !word && !inner && !own_submodule(code, name)
    })
}

/// A module that declares a submodule of the same name, or imports a sibling of that name, means that one.
fn own_submodule(code: &str, name: &str) -> bool {
    let sibling = |line: &str| {
        line.trim_start().starts_with("use super::") && line.split(|c| !is_word(c)).any(|word| word == name)
    };
    code.contains(&format!("mod {name};")) || code.lines().any(sibling)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `crate::module`, alone or within `use crate::{…}`.
fn names_module(code: &str, module: &str) -> bool {
    let direct = format!("crate::{module}");
    let alone = code
        .match_indices(&direct)
        .any(|(at, m)| !code[at + m.len()..].chars().next().is_some_and(is_word));
    let grouped: BTreeSet<&str> = code
        .match_indices("use crate::{")
        .flat_map(|(at, m)| {
            let list = &code[at + m.len()..];
            let end = list.find("};").unwrap_or(0);
            list[..end]
                .split([',', '{', '}'])
                .map(|item| item.trim().split("::").next().unwrap_or_default())
        })
        .collect();
    alone || grouped.contains(module)
}

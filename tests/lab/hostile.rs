//! Nothing an inventory can contain makes a rendered file mean more than it should.
//!
//! Inventories full of hostile values go through the real binary; what it does not refuse is read by those who will read
//! it on a host: nginx, systemd, a TOML parser. Needs nginx and systemd's tools, no host.

mod readers;
mod shape;

use crate::authority::{Authority, SERVER};
use crate::hosts::{all, run};
use proptest::prelude::*;
use readers::{directives, settings, toml_keys};
use shape::{KEYS, SECRETS, Shape};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a language or a terminal may take for more than a character.
const FRAGMENTS: [&str; 44] = [
    ";",
    "{",
    "}",
    "};",
    "; evil on;",
    " ",
    "\t",
    "\n",
    "\r",
    "\n[Service]\nExecStartPre=/bin/false\n",
    "\nevil = 1\n",
    "\0",
    "$",
    "${",
    "$host",
    "$(id)",
    "`id`",
    "%",
    "%h",
    "%n",
    "%%",
    "#",
    " # ",
    "\\",
    "\\\\",
    "\\n",
    "\"",
    "\"\"\"",
    "'",
    "'''",
    "|",
    "&",
    "&&",
    "<",
    ">",
    "*",
    "?",
    "=",
    ",",
    "../",
    "\u{1b}[31m",
    "\u{85}",
    "\u{202e}",
    "é",
];

fn hostile() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(FRAGMENTS.to_vec());
    prop_oneof![
        6 => fragment.clone().prop_map(str::to_owned),
        3 => prop::collection::vec(fragment, 1..5).prop_map(|parts| parts.concat()),
        2 => any::<String>().prop_filter("might be legal", |text| {
            text.contains(|c: char| !c.is_ascii_alphanumeric() && !"._:/@+-".contains(c))
        }),
        1 => ("[{};$\"\\\\ ]", 1_usize..6000).prop_map(|(c, times)| c.repeat(times)),
    ]
}

/// A legal value with something hostile in it: legal but for that, so that only the right check can find it.
fn spoil(legal: &str, hostile: &str, at: usize) -> String {
    // of a URL only the end: nginx looks hosts up
    let fixed = legal.rfind('/').map_or(0, |slash| slash + 1);
    let at = fixed + at % (legal.len() - fixed + 1);
    format!("{}{hostile}{}", &legal[..at], &legal[at..])
}

/// What to spoil, and with what.
#[derive(Debug, Clone)]
struct Case {
    slots: Vec<Option<(String, usize)>>,
    keys: Vec<String>,
}

fn case() -> impl Strategy<Value = Case> {
    let slot = prop::option::weighted(0.4, (hostile(), any::<usize>()));
    let slots = prop::collection::vec(slot, Shape::new().slots.len());
    // a file's last end of line is no part of the secret in it
    let key = prop_oneof![hostile(), "[a-z0-9]{8,40}"].prop_map(|key| key.trim_end_matches(['\r', '\n']).to_owned());
    let keys = prop::collection::vec(key, KEYS);
    (slots, keys).prop_map(|(slots, keys)| Case { slots, keys })
}

/// An inventory's directory, gone with its value.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn render(&self, inventory: &str, flags: &[&str]) -> Output {
        fs::write(self.0.path().join("hosts.yml"), inventory).unwrap();
        Command::new(env!("CARGO_BIN_EXE_pistream"))
            .args(["render", "-i", "hosts.yml", "-o", "out"])
            .args(flags)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Every file that was rendered, by its path below the output.
    fn files(&self) -> BTreeMap<String, String> {
        fn collect(root: &Path, directory: &Path, found: &mut BTreeMap<String, String>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => collect(root, &path, found),
                    false => {
                        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                        found.insert(name, fs::read_to_string(&path).unwrap());
                    }
                }
            }
        }
        let mut found = BTreeMap::new();
        collect(&self.out(), &self.out(), &mut found);
        found
    }
}

/// Lines of hosts.yml that faults point at.
fn faulty_lines(told: &str) -> Vec<usize> {
    told.split("hosts.yml:")
        .skip(1)
        .filter_map(|rest| rest.split_once(':')?.0.parse().ok())
        .collect()
}

fn is_fit_for_a_terminal(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(text).expect("messages are UTF-8");
        let odd = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(odd, None, "a control character in\n{text:?}");
    }
}

/// Takes out what is refused until the rest is rendered. Whatever is refused has a place, and is not half done.
fn render_what_is_accepted(case: &Case, place: &Place) -> (Shape, Vec<String>) {
    let mut shape = Shape::new();
    for (slot, spoiled) in shape.slots.iter_mut().zip(&case.slots) {
        if let Some((hostile, at)) = spoiled {
            slot.value = spoil(slot.legal, hostile, *at);
        }
    }
    let mut keys = case.keys.clone();
    for _ in 0..10 {
        shape.write_keys(place.0.path(), &keys);
        let output = place.render(&shape.text(), &["--with-secrets"]);
        is_fit_for_a_terminal(&output);
        // the same hostile text may by chance stand in the inventory too, whose lines are shown; and one character many
        // times, a row of spaces, stands anywhere
        let written = |key: &str| shape.slots.iter().any(|slot| slot.value.contains(key));
        let telling = |key: &str| key.chars().collect::<std::collections::BTreeSet<char>>().len() > 6;
        for key in keys
            .iter()
            .filter(|key| key.len() > 12 && telling(key) && !written(key))
        {
            assert!(
                !all(&output).contains(key.as_str()),
                "the secret {key:?} shows in\n{}",
                all(&output)
            );
        }
        if output.status.success() {
            return (shape, keys);
        }
        assert_eq!(output.status.code(), Some(2), "{}", all(&output));
        assert!(
            !place.out().exists(),
            "refused, and written all the same: {}",
            all(&output)
        );
        let told = String::from_utf8_lossy(&output.stderr);
        let mut refused = shape.calm(|slot| faulty_lines(&told).contains(&slot.line));
        // secrets are told by their place in the inventory
        for (secret, place) in SECRETS {
            if told.contains(place) {
                refused += shape.calm(|slot| slot.legal == secret);
                if let Some(key) = secret
                    .strip_prefix("key")
                    .and_then(|at| keys.get_mut(at.parse::<usize>().unwrap()))
                {
                    refused += usize::from(!key.starts_with("calm"));
                    *key = "calm".into();
                }
            }
        }
        assert!(
            refused > 0,
            "refused without a place:\n{}\n{}",
            all(&output),
            shape.text()
        );
    }
    panic!("never accepted:\n{}", shape.text());
}

/// nginx's own word on a rendered configuration, as the plan's check asks for it. What deploy makes of keys and certificates
/// is put beside it.
pub fn ask_nginx(directory: &Path) {
    let authority = Authority::unknown();
    for (name, text) in [
        ("ca.pem", authority.pem()),
        ("crl.pem", &authority.list()),
        ("identity.pem", &authority.identity("hub", &["hub"], SERVER)),
    ] {
        fs::write(directory.join(name), text).unwrap();
    }
    let scratch = tempfile::tempdir().unwrap();
    for conf in ["nginx.conf", "front.conf", "door.conf"] {
        let output = Command::new("nginx")
            .args(["-t", "-q", "-e", "stderr", "-p"])
            .arg(format!("{}/", directory.display()))
            .args(["-c", conf])
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{conf}: {}", all(&output));
    }
}

/// systemd's own word on rendered units. The agent, which is not on this machine, has a stand-in.
fn ask_systemd(files: &BTreeMap<String, String>) {
    let scratch = tempfile::tempdir().unwrap();
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no"]);
    for (at, (_, text)) in files.iter().filter(|(name, _)| name.ends_with(".service")).enumerate() {
        let path = scratch.path().join(format!("unit{at}.service"));
        let program = text
            .lines()
            .find_map(|l| l.strip_prefix("ExecStart=/usr/local/")?.split(' ').next());
        let text = match program {
            Some(agent) => text.replace(&format!("ExecStart=/usr/local/{agent}"), "ExecStart=/bin/true"),
            None => text.clone(),
        };
        fs::write(&path, text).unwrap();
        verify.arg(path);
    }
    run(&mut verify);
}

/// What each file consists of, values left out.
fn skeleton(files: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let parts = |name: &str, text: &str| match name.rsplit('.').next() {
        Some("conf") => directives(text).into_iter().map(|d| d.path).collect(),
        Some("service") => settings(text).into_iter().map(|s| s.0).collect(),
        Some("toml") => toml_keys(text),
        Some("json") => vec![json_shape(&serde_json::from_str(text).unwrap())],
        _ => vec![text.to_owned()],
    };
    files
        .iter()
        .map(|(name, text)| {
            let mut parts: Vec<String> = parts(name, text);
            parts.sort();
            (name.clone(), parts)
        })
        .collect()
}

fn json_shape(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(items) => format!("[{}]", items.iter().map(json_shape).collect::<String>()),
        serde_json::Value::Object(map) => map.iter().map(|(k, v)| format!("{k}:{};", json_shape(v))).collect(),
        _ => ".".to_owned(),
    }
}

/// Values arrive as they were written.
fn values_are_whole(shape: &Shape, keys: &[String], files: &BTreeMap<String, String>) {
    let pushed: Vec<String> = directives(&files["hub/etc/pistream/restream.conf"])
        .into_iter()
        .map(|push| push.words.last().unwrap().clone())
        .collect();
    let mut wanted: Vec<String> = keys.iter().map(|key| format!("playPath={key}")).collect();
    // the last target is a server of the inventory, and needs no key
    wanted.push("playPath=porch".into());
    assert_eq!(pushed, wanted);
    let recordings = shape.value_of("path");
    let unit = settings(&files["hub/etc/systemd/system/pistream-server.service"]);
    assert!(
        unit.contains(&("Service.ReadWritePaths".to_owned(), recordings.to_owned())),
        "{unit:?}"
    );
    let conf = directives(&files["hub/etc/pistream/nginx.conf"]);
    assert!(conf.iter().any(|d| d.words == ["record_path", recordings]));
    let pipeline = |camera: &str| {
        let toml: toml::Table = files[&format!("{camera}/etc/pistream/camera.toml")].parse().unwrap();
        toml["pipeline"][0].clone()
    };
    let input = |pipeline: &toml::Value| {
        let arguments = pipeline["arguments"].as_array().unwrap();
        let input = arguments.iter().position(|a| a.as_str() == Some("-i")).unwrap();
        arguments[input + 1].as_str().unwrap().to_owned()
    };
    assert_eq!(input(&pipeline("attic")), shape.value_of("file"));
    // the agent puts the device that met the requirement in its place
    let porch = pipeline("porch");
    assert_eq!(input(&porch), pistream_agent::DEVICE);
    let device = porch["requires"][0]["v4l2"]["device"].as_str();
    assert_eq!(device, Some(shape.value_of("v4l2")));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_value_of_an_inventory_becomes_a_directive(case in case()) {
        let calm = Place::new();
        Shape::new().write_keys(calm.0.path(), &vec!["calm".to_owned(); KEYS]);
        let output = calm.render(&Shape::new().text(), &["--with-secrets"]);
        prop_assert!(output.status.success(), "{}", all(&output));

        let place = Place::new();
        let (shape, keys) = render_what_is_accepted(&case, &place);
        let files = place.files();
        ask_nginx(&place.out().join("hub/etc/pistream"));
        // asking left what nginx makes at its prefix
        ask_systemd(&files);
        let mut wanted = skeleton(&calm.files());
        for (name, parts) in skeleton(&files) {
            prop_assert_eq!((&name, Some(parts)), (&name, wanted.remove(&name)));
        }
        prop_assert!(wanted.is_empty(), "not rendered: {wanted:?}");
        values_are_whole(&shape, &keys, &files);
    }
}

#[test]
fn a_commands_secret_is_fetched_only_when_secrets_are_asked_for() {
    let place = Place::new();
    let inventory = "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, restream: \
        [{url: 'rtmp://127.0.0.1/app', key: {command: 'touch ran; printf \"a; deny all\"'}}]}}\n";
    assert!(place.render(inventory, &[]).status.success());
    assert!(!place.0.path().join("ran").exists());
    assert!(place.render(inventory, &["--with-secrets"]).status.success());
    assert!(place.0.path().join("ran").exists());
    let push = &directives(&place.files()["hub/etc/pistream/restream.conf"])[0];
    assert_eq!(push.words.last().unwrap(), "playPath=a; deny all");
}

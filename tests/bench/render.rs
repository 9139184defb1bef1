//! How long `pistream render` takes for 300 cameras on one server: the program as users run it, from reading hosts.yml to
//! the last of its 900 files. Goal: under 100 ms. Run by `cargo bench --bench render`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const CAMERAS: usize = 300;

fn main() {
    divan::main();
}

#[divan::bench]
fn render_300_cameras(bencher: divan::Bencher<'_, '_>) {
    let directory = tempfile::tempdir().unwrap();
    let inventory = directory.path().join("hosts.yml");
    std::fs::write(&inventory, hosts_yml()).unwrap();
    let output = directory.path().join("out");
    render(&inventory, &output);
    assert_eq!(
        std::fs::read_dir(&output).unwrap().count(),
        CAMERAS + 1,
        "a directory per host"
    );
    bencher.bench(|| render(&inventory, &output));
}

fn render(inventory: &Path, output: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_pistream"))
        .args(["render", "-i"])
        .arg(inventory)
        .arg("-o")
        .arg(output)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

fn hosts_yml() -> String {
    let mut text = String::from("servers:\n  hub: {ssh: admin@203.0.113.7}\ncameras:\n");
    for at in 0..CAMERAS {
        writeln!(text, "  cam{at}: {{ssh: pi@10.1.{}.{}}}", at / 200, at % 200 + 1).unwrap();
    }
    text
}

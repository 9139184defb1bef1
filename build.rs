//! Builds `pistream-agent`, static, for every architecture whose Rust standard library is at hand, and hands the
//! compressed programs to `src/assets.rs`.
//!
//! `PISTREAM_AGENT_TARGETS`: the Rust targets to build for, separated by spaces; one whose standard library rustup does
//! not have is built by `src/agent/cross.sh`, which says what it fetches.
//!
//! Without it a debug build makes the agent of this machine alone, a release build every target that rustup has.
//! An architecture that cannot be had is left out; the program then says at run time which one is missing and how to
//! get it. Never a stub: a stub would be uploaded and fail on somebody's Pi.

use lzma_rust2::filter::bcj::BcjWriter;
use lzma_rust2::{XzOptions, XzWriter};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// What `uname -m` answers on the hosts that run a target's programs.
const TARGETS: [(&str, &[&str]); 4] = [
    ("x86_64-unknown-linux-musl", &["x86_64"]),
    ("aarch64-unknown-linux-musl", &["aarch64"]),
    // ARMv6 with floating point: every 32-bit Pi, the Zero and the 1 included
    ("arm-unknown-linux-musleabihf", &["armv6l", "armv7l", "armv8l"]),
    ("x86_64-unknown-linux-gnu", &["x86_64"]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for path in ["src/agent", "Cargo.toml", "Cargo.lock", "build.rs"] {
        println!("cargo:rerun-if-changed={path}");
    }
    println!("cargo:rerun-if-env-changed=PISTREAM_AGENT_TARGETS");

    let release = env::var("PROFILE")? == "release";
    let build_id = build_id(&root, release)?;
    let libraries = libraries()?;
    let mut agents = Vec::new();
    let mut together = Vec::new();
    let mut first: Option<PathBuf> = None;
    for target in targets(release, &libraries)? {
        let agent = match libraries.join(&target).join("lib").is_dir() {
            true => build(&root, &out, &target, release, &build_id)?,
            false => cross_build(&root, &out, &target, release, &build_id)?,
        };
        let machines = TARGETS
            .iter()
            .find(|(t, _)| *t == target)
            .map(|(_, m)| *m)
            .unwrap_or_default();
        let program = fs::read(&agent).map_err(|e| format!("{}: {e}", agent.display()))?;
        let start = together.len();
        together.extend(with_equal_calls(&program, &target)?);
        let place = start..together.len();
        agents.push(format!("Agent::new({target:?}, &{machines:?}, {place:?})"));
        if machines.contains(&env::consts::ARCH) {
            first = Some(agent);
        }
    }
    let packed = out.join("agents.xz");
    fs::write(&packed, pack(&together, release)?)?;
    let table = format!(
        "static PACKED: &[u8] = include_bytes!({packed:?});\nstatic AGENTS: [Agent; {}] = [{}];",
        agents.len(),
        agents.join(", ")
    );
    fs::write(out.join("agents.rs"), table)?;
    println!("cargo:rustc-env=PISTREAM_BUILD_ID={build_id}");
    // the tests run the very file that is embedded
    let path = first.map(|p| p.display().to_string()).unwrap_or_default();
    println!("cargo:rustc-env=PISTREAM_AGENT_PATH={path}");
    Ok(())
}

/// The targets to embed, each of a different architecture.
fn targets(release: bool, libraries: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    if let Ok(wanted) = env::var("PISTREAM_AGENT_TARGETS") {
        let wanted: Vec<String> = wanted.split_whitespace().map(str::to_owned).collect();
        if let Some(unknown) = wanted.iter().find(|w| !TARGETS.iter().any(|(t, _)| t == w)) {
            return Err(format!(
                "PISTREAM_AGENT_TARGETS: {unknown} is none of {:?}",
                TARGETS.map(|(t, _)| t)
            )
            .into());
        }
        return Ok(wanted);
    }
    let mut found: Vec<String> = Vec::new();
    let mut machines: Vec<&str> = Vec::new();
    for (target, of) in TARGETS {
        let here = of.contains(&env::consts::ARCH);
        if libraries.join(target).join("lib").is_dir() && (release || here) && !machines.contains(&of[0]) {
            machines.push(of[0]);
            found.push(target.to_owned());
        }
    }
    Ok(found)
}

/// Where rustc keeps the standard libraries, a directory per target.
fn libraries() -> Result<PathBuf, Box<dyn Error>> {
    let sysroot = Command::new(env::var("RUSTC")?)
        .args(["--print", "sysroot"])
        .output()?
        .stdout;
    Ok(Path::new(String::from_utf8(sysroot)?.trim()).join("lib/rustlib"))
}

/// A program in which the same call looks the same from everywhere, for the sake of [`pack`]; src/assets.rs undoes it.
fn with_equal_calls(program: &[u8], target: &str) -> std::io::Result<Vec<u8>> {
    let mut writer = match target.split('-').next() {
        Some("x86_64") => BcjWriter::new_x86(Vec::new(), 0),
        Some("aarch64") => BcjWriter::new_arm64(Vec::new(), 0),
        _ => BcjWriter::new_arm(Vec::new(), 0),
    };
    writer.write_all(program)?;
    writer.finish()
}

/// All agents as one xz, in seven tenths of what gzip needs: they say the same words, thrice.
fn pack(together: &[u8], release: bool) -> std::io::Result<Vec<u8>> {
    // the agents of a debug build are four times as large, and nobody carries them anywhere
    let mut options = XzOptions::with_preset(if release { 9 } else { 0 });
    // instructions of ARM have four bytes: where in them a byte stands says more than the byte before it
    (options.lzma_options.lc, options.lzma_options.lp) = (2, 2);
    let mut writer = XzWriter::new(Vec::new(), options)?;
    writer.write_all(together)?;
    writer.finish()
}

/// Builds the agent for a target that this Rust has no standard library for.
fn cross_build(root: &Path, out: &Path, target: &str, release: bool, id: &str) -> Result<PathBuf, Box<dyn Error>> {
    let mut script = Command::new(root.join("src/agent/cross.sh"));
    script
        .args(["--profile", profile(release), "--out"])
        .arg(out)
        .arg(target)
        .env("PISTREAM_BUILD_ID", id);
    // what it prints on standard output names the file; cargo takes a build script's own output for instructions
    let result = script.stderr(Stdio::inherit()).output()?;
    if !result.status.success() {
        return Err(format!("src/agent/cross.sh failed for {target}").into());
    }
    Ok(out.join(target).join("pistream-agent"))
}

fn profile(release: bool) -> &'static str {
    if release { "agent" } else { "agent-dev" }
}

/// Builds the agent for one target and returns where it is.
fn build(root: &Path, out: &Path, target: &str, release: bool, id: &str) -> Result<PathBuf, Box<dyn Error>> {
    let profile = profile(release);
    // its own directory: cargo holds a lock on the outer one while build scripts run (rust-lang/cargo#6412).
    // Beside the profile directories, so that debug, test and clippy builds share it.
    let shared = out.ancestors().nth(4).unwrap_or(out).join("agent");
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--package",
            "pistream-agent",
            "--bin",
            "pistream-agent",
        ])
        .args(["--profile", profile, "--target", target, "--target-dir"])
        .arg(&shared)
        .env("PISTREAM_BUILD_ID", id)
        // set for this build by the outer cargo, wrong for the inner one
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if target.ends_with("-gnu") {
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    } else {
        // rustup's musl std brings its own C library, rustc its own linker: no C compiler is needed
        let name = target.to_uppercase().replace('-', "_");
        cargo.env(format!("CARGO_TARGET_{name}_LINKER"), "rust-lld");
    }
    if !cargo.status()?.success() {
        return Err(format!("building the agent for {target} failed").into());
    }
    Ok(shared.join(target).join(profile).join("pistream-agent"))
}

/// Names a build of the agent by what it is made of, so that the same sources never upload twice.
fn build_id(root: &Path, release: bool) -> Result<String, Box<dyn Error>> {
    let mut files = vec![root.join("Cargo.lock"), root.join("Cargo.toml")];
    let mut directories = vec![root.join("src/agent")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => directories.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    hash.update([u8::from(release)]);
    for file in files {
        hash.update(file.strip_prefix(root)?.to_string_lossy().as_bytes());
        hash.update(fs::read(&file)?);
    }
    let digest = hash.finalize();
    Ok(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

//! Programs built on this host from sources. Tarballs come by https or from the deployer, and each is compared with its
//! digest before anybody looks into it. It is unpacked and built by a user that exists no longer than that and sees neither a
//! network nor a file of pistream's; all that comes back is one program, on a pipe. Root opens nothing that this user wrote.

use crate::{command, events, files, posix, request};
use base64ct::{Base64, Encoding};
use pistream_agent::{Answer, Build, Event, Fault, Tarball};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// The transient unit that builds.
const UNIT: &str = "pistream-build.service";
/// A Pi 3 needs a quarter of an hour for nginx.
const BUILD_DEADLINE: Duration = Duration::from_secs(2 * 3600);
/// For 1.3 MB; a line that needs longer carries no stream either.
const TRANSFER_DEADLINE: Duration = Duration::from_secs(900);
/// No tarball of nginx or its modules has a tenth of it. Bytes.
const LARGEST_TARBALL: u64 = 32 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("load {url}")]
    Load { url: String, source: command::Error },
    #[error("load {url}")]
    Keep { url: String, source: io::Error },
    #[error("take in {name}")]
    Digest { name: String, is: String, wanted: String },
    #[error("build {name}")]
    Build { name: String, source: command::Error },
    #[error("build {name}")]
    Pipe { name: String, source: io::Error },
    #[error("build {name}")]
    Nothing { name: String },
    #[error("{}", .0.attempted)]
    Answer(Fault),
    #[error(transparent)]
    Install(#[from] files::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let attempted = error.to_string();
        let (cause, advice) = match error {
            Error::Answer(fault) => return fault,
            Error::Install(error) => return error.into(),
            Error::Load { source, .. } => (
                source.cause(),
                "does the host reach that address? A file on your machine is sent to it instead: name its path",
            ),
            Error::Digest { is, wanted, .. } => (
                format!("its sha256 is {is}, the inventory says {wanted}"),
                "it is another file than was pinned: compare both with what its authors say",
            ),
            Error::Build { source, .. } => (
                source.cause(),
                "the server goes on with what it had; do the two sources go together?",
            ),
            Error::Nothing { .. } => (
                "no program came out".to_owned(),
                "this is a fault of pistream: please report it",
            ),
            Error::Keep { source, .. } | Error::Pipe { source, .. } => {
                (source.to_string(), "look at the host's memory")
            }
        };
        Fault {
            attempted,
            cause,
            advice: Some(advice.to_owned()),
        }
    }
}

/// Whether it was built already. A program comes into place whole, and only root can put one there.
pub(crate) fn is_there(build: &Build) -> bool {
    let found = files::look(Path::new(&build.program)).ok().flatten();
    found.is_some_and(|m| m.is_file() && files::owner(&m).0 == 0)
}

/// Builds it and puts it in place.
pub(crate) fn run(build: &Build) -> Result<(), Error> {
    let pipe = |source| Error::Pipe {
        name: build.name.clone(),
        source,
    };
    // an agent that was killed in the middle of it left this behind
    let _ = command::run("systemctl", &["stop", "--quiet", UNIT], Duration::from_secs(60));
    let mut input = posix::anonymous_file().map_err(pipe)?;
    let mut sizes = Vec::new();
    for tarball in &build.tarballs {
        let bytes = obtain(tarball)?;
        let is = hex(&Sha256::digest(&bytes));
        if is != tarball.sha256 {
            return Err(Error::Digest {
                name: tarball.name.clone(),
                is,
                wanted: tarball.sha256.clone(),
            });
        }
        input.write_all(&bytes).map_err(pipe)?;
        sizes.push(bytes.len().to_string());
    }
    input.rewind().map_err(pipe)?;
    events::emit(&Event::Working {
        what: format!("building {}, which takes minutes", build.name),
    });
    let mut words = vec!["/bin/sh", "-euc", &build.script, "pistream-build"];
    words.extend(sizes.iter().map(String::as_str));
    let mut output = posix::anonymous_file().map_err(pipe)?;
    let offline = ["-pPrivateNetwork=yes", "-pNice=10"];
    confined(&offline, &words, Some(input), &output, BUILD_DEADLINE).map_err(|source| Error::Build {
        name: build.name.clone(),
        source,
    })?;
    let program = read_back(&mut output).map_err(pipe)?;
    if program.is_empty() {
        return Err(Error::Nothing {
            name: build.name.clone(),
        });
    }
    install(Path::new(&build.program), &program)
}

fn install(path: &Path, program: &[u8]) -> Result<(), Error> {
    if let Some(directory) = path.parent() {
        files::own_directory(directory)?;
    }
    files::write_new(&files::staged(path), program, 0o755, Some((0, 0)))?;
    files::commit(path)?;
    Ok(files::sync_parent(path)?)
}

fn obtain(tarball: &Tarball) -> Result<Vec<u8>, Error> {
    let Some(url) = &tarball.url else {
        return ask(tarball);
    };
    let keep = |source| Error::Keep {
        url: url.clone(),
        source,
    };
    events::emit(&Event::Working {
        what: format!("loading {url}"),
    });
    let mut output = posix::anonymous_file().map_err(keep)?;
    let limit = format!("-pLimitFSIZE={LARGEST_TARBALL}");
    let words = [
        "curl",
        "--fail",
        "--silent",
        "--show-error",
        "--location",
        "--proto",
        "=https",
        "--globoff",
        "--connect-timeout",
        "30",
        "--",
        url,
    ];
    confined(&[&limit], &words, None, &output, TRANSFER_DEADLINE).map_err(|source| Error::Load {
        url: url.clone(),
        source,
    })?;
    read_back(&mut output).map_err(keep)
}

/// From the deployer.
fn ask(tarball: &Tarball) -> Result<Vec<u8>, Error> {
    let attempted = format!("get {} from the deployer", tarball.name);
    events::emit(&Event::Tarball {
        sha256: tarball.sha256.clone(),
    });
    // base64 takes four letters for three bytes
    let answer = request::answer(&attempted, LARGEST_TARBALL / 3 * 4 + 100, TRANSFER_DEADLINE);
    match answer.map_err(Error::Answer)? {
        Answer::Tarball { base64 } => Base64::decode_vec(&base64).ok(),
        _ => None,
    }
    .ok_or_else(|| Error::Answer(request::unfit(&attempted)))
}

/// Runs a command as a user of its own, who may write nowhere but in places that go with it and starts in one.
fn confined(
    settings: &[&str],
    words: &[&str],
    input: Option<File>,
    output: &File,
    deadline: Duration,
) -> Result<(), command::Error> {
    let unit = format!("--unit={UNIT}");
    let mut arguments = vec![
        "--quiet",
        "--collect",
        "--wait",
        "--pipe",
        &unit,
        // ProtectSystem=strict, PrivateTmp and NoNewPrivileges come with it
        "-pDynamicUser=yes",
        "-pProtectHome=yes",
        "-pPrivateDevices=yes",
        "-pInaccessiblePaths=-/etc/pistream",
        "-pInaccessiblePaths=-/var/lib/pistream",
        "-pCapabilityBoundingSet=",
        "-pWorkingDirectory=/var/tmp",
    ];
    arguments.extend(settings.iter().chain(&["--"]).chain(words));
    let run = command::run_piped("systemd-run", &arguments, input, output, deadline);
    if matches!(run, Err(command::Error::TimedOut { .. })) {
        let _ = command::run("systemctl", &["stop", "--quiet", UNIT], Duration::from_secs(60));
    }
    run.map(drop)
}

fn read_back(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

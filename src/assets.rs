//! What the binary carries: the agents, compressed, one per architecture.
//!
//! Knows no host. An architecture that was not at hand when pistream was built is an error here, never a stub.

use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::XzReader;
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::sync::OnceLock;

/// Names the agent of this build: a digest of its sources.
pub const BUILD_ID: &str = env!("PISTREAM_BUILD_ID");

struct Agent {
    /// The Rust target it was built for.
    target: &'static str,
    /// What `uname -m` answers where it runs.
    machines: &'static [&'static str],
    xz: &'static [u8],
    /// What goes over the wire, once any host has needed it.
    gzip: OnceLock<Result<Vec<u8>, Error>>,
}

impl Agent {
    const fn new(target: &'static str, machines: &'static [&'static str], xz: &'static [u8]) -> Agent {
        Agent {
            target,
            machines,
            xz,
            gzip: OnceLock::new(),
        }
    }

    fn unpack(&self) -> io::Result<Vec<u8>> {
        let mut program = Vec::new();
        XzReader::new(self.xz, false).read_to_end(&mut program)?;
        Ok(program)
    }

    fn repack(&self) -> io::Result<Vec<u8>> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&self.unpack()?)?;
        gzip.finish()
    }

    fn damaged(&self, why: &io::Error) -> Error {
        Error::Damaged {
            target: self.target,
            why: why.to_string(),
        }
    }
}

// `static AGENTS: [Agent; …]`
include!(concat!(env!("OUT_DIR"), "/agents.rs"));

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "this pistream carries no agent for {machine} machines (it has: {have}); build it with `rustup target add \
         {target}` or `src/agent/cross.sh`, see README, \"Building for a Pi\""
    )]
    MissingArchitecture {
        machine: String,
        target: &'static str,
        have: String,
    },
    #[error("{machine} machines are not supported: pistream runs on x86_64, aarch64 and 32-bit ARM from ARMv6 on")]
    UnknownArchitecture { machine: String },
    #[error("this pistream is damaged: the agent for {target} cannot be unpacked ({why}); install pistream again")]
    Damaged { target: &'static str, why: String },
}

/// The agent for a machine that calls itself `machine` (`uname -m`), compressed by gzip, which is what hosts are promised to
/// be able to undo. Made from what is carried when it is first asked for, which takes about a fifth of a second.
///
/// # Errors
/// [`Error`] when no agent for it was built in, or none exists.
pub fn gzipped_agent(machine: &str) -> Result<Cow<'static, [u8]>, Error> {
    let agent = find(machine)?;
    let gzip = agent
        .gzip
        .get_or_init(|| agent.repack().map_err(|why| agent.damaged(&why)));
    match gzip {
        Ok(gzip) => Ok(Cow::Borrowed(gzip)),
        Err(damaged) => Err(damaged.clone()),
    }
}

/// The agent for a machine that calls itself `machine`, as a program.
///
/// # Errors
/// As [`gzipped_agent`].
pub fn agent(machine: &str) -> Result<Vec<u8>, Error> {
    let agent = find(machine)?;
    agent.unpack().map_err(|why| agent.damaged(&why))
}

fn find(machine: &str) -> Result<&'static Agent, Error> {
    if let Some(agent) = AGENTS.iter().find(|a| a.machines.contains(&machine)) {
        return Ok(agent);
    }
    let target = match machine {
        "x86_64" => "x86_64-unknown-linux-musl",
        "aarch64" => "aarch64-unknown-linux-musl",
        "armv6l" | "armv7l" | "armv8l" => "arm-unknown-linux-musleabihf",
        _ => {
            return Err(Error::UnknownArchitecture {
                machine: machine.to_owned(),
            });
        }
    };
    let have: Vec<&str> = AGENTS.iter().map(|a| a.target).collect();
    Err(Error::MissingArchitecture {
        machine: machine.to_owned(),
        target,
        have: have.join(", "),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn an_unsupported_machine_is_named() {
        assert_eq!(
            agent("riscv64"),
            Err(Error::UnknownArchitecture {
                machine: "riscv64".into()
            })
        );
    }

    #[test]
    fn this_machine_has_its_agent() {
        let machine = std::env::consts::ARCH;
        let program = agent(machine).expect("built in");
        assert!(
            program == std::fs::read(env!("PISTREAM_AGENT_PATH")).unwrap(),
            "the agent built is the agent carried"
        );
        let mut sent = Vec::new();
        flate2::read::GzDecoder::new(&*gzipped_agent(machine).unwrap())
            .read_to_end(&mut sent)
            .unwrap();
        assert!(sent == program, "the agent carried is the agent sent");
    }

    #[test]
    fn a_damaged_agent_is_no_agent() {
        let whole = find(std::env::consts::ARCH).unwrap().xz;
        let mut changed = whole.to_vec();
        changed[whole.len() / 2] ^= 1;
        for xz in [&whole[..whole.len() / 2], changed.leak()] {
            assert!(Agent::new("a target", &[], xz).unpack().is_err());
        }
    }
}

//! What the binary carries: the agents, one per architecture, compressed together.
//!
//! Knows no host. An architecture that was not at hand when pistream was built is an error here, never a stub.

use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::XzReader;
use lzma_rust2::filter::bcj::BcjReader;
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::OnceLock;

/// Names the agent of this build: a digest of its sources.
pub const BUILD_ID: &str = env!("PISTREAM_BUILD_ID");

struct Agent {
    /// The Rust target it was built for.
    target: &'static str,
    /// What `uname -m` answers where it runs.
    machines: &'static [&'static str],
    /// Where it is in what is unpacked.
    place: Range<usize>,
    /// What goes over the wire, once any host has needed it.
    gzip: OnceLock<Result<Vec<u8>, Error>>,
}

impl Agent {
    const fn new(target: &'static str, machines: &'static [&'static str], place: Range<usize>) -> Agent {
        Agent {
            target,
            machines,
            place,
            gzip: OnceLock::new(),
        }
    }

    /// Undoes what build.rs did.
    fn unpack(&self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut together = Vec::new();
        XzReader::new(packed, false).read_to_end(&mut together)?;
        let own = together.get(self.place.clone()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut reader = match self.target.split('-').next() {
            Some("x86_64") => BcjReader::new_x86(own, 0),
            Some("aarch64") => BcjReader::new_arm64(own, 0),
            _ => BcjReader::new_arm(own, 0),
        };
        let mut program = Vec::new();
        reader.read_to_end(&mut program)?;
        Ok(program)
    }

    fn repack(&self) -> io::Result<Vec<u8>> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&self.unpack(PACKED)?)?;
        gzip.finish()
    }

    fn damaged(&self, why: &io::Error) -> Error {
        Error::Damaged {
            target: self.target,
            why: why.to_string(),
        }
    }
}

// `static PACKED: &[u8]`, the agents one behind another; `static AGENTS: [Agent; …]`
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
    agent.unpack(PACKED).map_err(|why| agent.damaged(&why))
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
        let agent = find(std::env::consts::ARCH).unwrap();
        let mut changed = PACKED.to_vec();
        changed[PACKED.len() / 2] ^= 1;
        for damaged in [&PACKED[..PACKED.len() / 2], &changed] {
            assert!(agent.unpack(damaged).is_err());
        }
    }
}

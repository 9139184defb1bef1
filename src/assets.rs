//! What the binary carries: the agents, compressed, one per architecture.
//!
//! Knows no host. An architecture that was not at hand when pistream was built is an error here, never a stub.

use std::borrow::Cow;

/// Names the agent of this build: a digest of its sources.
pub const BUILD_ID: &str = env!("PISTREAM_BUILD_ID");

struct Agent {
    /// The Rust target it was built for.
    target: &'static str,
    /// What `uname -m` answers where it runs.
    machines: &'static [&'static str],
    gzip: &'static [u8],
}

static AGENTS: &[Agent] = include!(concat!(env!("OUT_DIR"), "/agents.rs"));

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
}

/// The gzip-compressed agent for a machine that calls itself `machine` (`uname -m`).
///
/// # Errors
/// [`Error`] when no agent for it was built in, or none exists.
pub fn agent(machine: &str) -> Result<Cow<'static, [u8]>, Error> {
    if let Some(agent) = AGENTS.iter().find(|a| a.machines.contains(&machine)) {
        return Ok(Cow::Borrowed(agent.gzip));
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
        let gzip = agent(std::env::consts::ARCH).expect("built in");
        assert_eq!(&gzip[..2], &[0x1f, 0x8b], "gzip's magic number");
    }
}

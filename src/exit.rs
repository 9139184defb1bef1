//! The program's exit codes: what a script may rely on.

use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// 0: done, or nothing to do.
    Done,
    /// 4: `--check` found changes pending.
    Pending,
    /// 3: deployed, but the stream does not verify.
    Unverified,
    /// 1: a host failed or was unreachable.
    HostFailed,
    /// 2: the command line or the inventory is wrong; nothing was touched.
    Usage,
    /// 130 or 143: ended by this signal (SIGINT or SIGTERM), as a shell says it.
    Ended(u8),
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(match code {
            Code::Done => 0,
            Code::HostFailed => 1,
            Code::Usage => 2,
            Code::Unverified => 3,
            Code::Pending => 4,
            Code::Ended(signal) => 128 + signal,
        })
    }
}

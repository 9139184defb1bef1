//! A child process in a group of its own: it cannot outlive the agent, is ended for certain and reaped once.
//!
//! Knows no program: what a child says and what its end means is for others.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::thread;

/// The longest line that is kept whole. Bytes.
const LONGEST_LINE: usize = 2048;

/// A running child. Dropping it kills its group and reaps it.
pub(super) struct Process {
    child: Child,
    pid: libc::pid_t,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts the command, whose streams are the caller's business.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn start(command: &mut Command) -> io::Result<Process> {
        for ours in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            command.env_remove(ours);
        }
        command.process_group(0);
        // SAFETY: getpid cannot fail.
        let agent = unsafe { libc::getpid() };
        // prctl takes unsigned longs; an int would leave half a register to chance
        let signal: libc::c_ulong = libc::SIGKILL.unsigned_abs().into();
        // SAFETY: between fork and exec only async-signal-safe calls are made and nothing is allocated.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, signal) != 0 {
                    return Err(io::Error::last_os_error());
                }
                // the agent may have died between fork and prctl: then no signal will come
                if libc::getppid() != agent {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
                Ok(())
            });
        }
        let child = command.spawn()?;
        let pid = child.id().cast_signed();
        Ok(Process {
            child,
            pid,
            ended: None,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.cast_unsigned()
    }

    pub(super) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(super) fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Sends a signal to the child and whatever it started, unless it has been reaped.
    pub(super) fn signal(&self, signal: libc::c_int) {
        if self.ended.is_none() {
            // SAFETY: kill has no memory effects; the group cannot be another's, since its leader is not yet reaped.
            unsafe { libc::kill(-self.pid, signal) };
        }
    }

    /// The exit status, once the child has ended; what it started is killed before it is reaped.
    ///
    /// # Errors
    /// What waitpid says; it cannot fail for a child of ours that nobody else waits for.
    pub(super) fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() && self.is_zombie()? {
            self.signal(libc::SIGKILL);
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Ended but not yet reaped: its process id, and so its group's, is still its own.
    fn is_zombie(&self) -> io::Result<bool> {
        // SAFETY: siginfo_t is plain data, valid when zeroed, and outlives the call.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            if libc::waitid(libc::P_PID, self.pid.cast_unsigned(), &raw mut info, options) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(info.si_pid() == self.pid)
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.signal(libc::SIGKILL);
            // after SIGKILL this waits for the kernel alone
            let _ = self.child.wait();
        }
    }
}

/// Calls `hear` for each line of `stderr` that is not empty, and with `None` at its end, on a thread of its own.
///
/// # Errors
/// What the operating system says when there can be no thread.
pub(super) fn listen(
    name: &str,
    stderr: impl Read + Send + 'static,
    hear: impl FnMut(Option<&str>) + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(128 << 10)
        .spawn(move || read_lines(stderr, hear))
        .map(drop)
}

/// Reads to the end, whatever comes: a pipe that is not drained would stop the child.
pub(super) fn read_lines(mut stderr: impl Read, mut hear: impl FnMut(Option<&str>)) {
    let mut tell = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if !line.is_empty() {
            hear(Some(line));
        }
    };
    let mut chunk = [0; 4096];
    let mut line = Vec::with_capacity(256);
    loop {
        match stderr.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => {
                for &byte in &chunk[..length] {
                    // statistics end with a carriage return, everything else with a newline
                    if matches!(byte, b'\r' | b'\n') {
                        tell(&line);
                        line.clear();
                    } else if line.len() < LONGEST_LINE {
                        line.push(byte);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    tell(&line);
    hear(None);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_and_has_no_end_is_bounded() {
        let mut heard = Vec::new();
        read_lines(&vec![0xff; 1 << 20][..], |line| heard.push(line.map(str::len)));
        let [Some(length), None] = heard[..] else {
            panic!("{heard:?}")
        };
        assert!(length <= 3 * LONGEST_LINE);
    }

    #[test]
    fn lines_end_with_either_return_and_empty_ones_are_left_out() {
        let mut heard = Vec::new();
        read_lines(&b"one\rtwo\r\n\n  three"[..], |line| {
            heard.push(line.map(str::to_owned))
        });
        let heard: Vec<_> = heard.iter().map(Option::as_deref).collect();
        assert_eq!(heard, [Some("one"), Some("two"), Some("three"), None]);
    }
}

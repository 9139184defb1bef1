//! One ffmpeg process: started so that it cannot outlive the agent, read line by line, ended for certain.
//!
//! Decides nothing: what a line or an exit means is for others. ffmpeg-sidecar builds the command and parses the
//! statistics; its iterator is not used, since it can hang for good after a `Stream #…` line that follows statistics.

use ffmpeg_sidecar::child::FfmpegChild;
use ffmpeg_sidecar::command::FfmpegCommand;
use ffmpeg_sidecar::log_parser::try_parse_progress;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::ExitStatus;
use std::thread;

/// The longest line that is kept whole. Bytes.
const LONGEST_LINE: usize = 2048;

/// What ffmpeg says on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Statistics: frames and bytes that left the muxer since the start.
    Progress { frames: u64, bytes: u64 },
    /// A warning, an error, or a line without a level. Information is left out.
    Line(String),
    /// Nobody holds stderr any more.
    End,
}

/// A running ffmpeg, in a process group of its own. Dropping it kills the group and reaps the process.
pub(super) struct Ffmpeg {
    child: FfmpegChild,
    pid: libc::pid_t,
    ended: Option<ExitStatus>,
}

impl Ffmpeg {
    /// Starts `program` with these arguments; `hear` is called for everything it says, on a thread of its own that ends
    /// with [`Said::End`].
    ///
    /// # Errors
    /// What the operating system says when the program or the thread cannot be started.
    pub(super) fn start(
        program: &str,
        arguments: &[String],
        hear: impl FnMut(Said) + Send + 'static,
    ) -> io::Result<Ffmpeg> {
        let mut command = FfmpegCommand::new_with_path(program);
        // the statistics are the pulse: ask for them, whatever ffmpeg's default is where stderr is no terminal
        command.args(["-hide_banner", "-nostdin", "-stats"]).args(arguments);
        let inner = command.as_inner_mut();
        for ours in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            inner.env_remove(ours);
        }
        inner.process_group(0);
        // SAFETY: getpid cannot fail.
        let agent = unsafe { libc::getpid() };
        // prctl takes unsigned longs; an int would leave half a register to chance
        let signal: libc::c_ulong = libc::SIGKILL.unsigned_abs().into();
        // SAFETY: between fork and exec only async-signal-safe calls are made and nothing is allocated.
        unsafe {
            inner.pre_exec(move || {
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
        let mut child = command.spawn()?;
        // the crate insists on pipes; ffmpeg gets an empty stdin, and nobody listens to its stdout
        drop(child.take_stdin());
        drop(child.take_stdout());
        let stderr = child.take_stderr();
        let pid = child.as_inner().id().cast_signed();
        let ffmpeg = Ffmpeg {
            child,
            pid,
            ended: None,
        };
        if let Some(stderr) = stderr {
            thread::Builder::new()
                .name("ffmpeg-stderr".to_owned())
                .stack_size(128 << 10)
                .spawn(move || {
                    read_lines(stderr, hear);
                })?;
        }
        Ok(ffmpeg)
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.cast_unsigned()
    }

    /// Sends a signal to ffmpeg and whatever it started, unless it has been reaped.
    pub(super) fn signal(&self, signal: libc::c_int) {
        if self.ended.is_none() {
            // SAFETY: kill has no memory effects; the group cannot be another's, since its leader is not yet reaped.
            unsafe { libc::kill(-self.pid, signal) };
        }
    }

    /// The exit status, once ffmpeg has ended; what it started is killed before it is reaped.
    ///
    /// # Errors
    /// What waitpid says; it cannot fail for a child of ours that nobody else waits for.
    pub(super) fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() && self.is_zombie()? {
            self.signal(libc::SIGKILL);
            self.ended = self.child.as_inner_mut().try_wait()?;
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

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.signal(libc::SIGKILL);
            // after SIGKILL this waits for the kernel alone
            let _ = self.child.as_inner_mut().wait();
        }
    }
}

/// Reads to the end, whatever comes: a pipe that is not drained would stop ffmpeg.
fn read_lines(mut stderr: impl Read, mut hear: impl FnMut(Said)) {
    let mut chunk = [0; 4096];
    let mut line = Vec::with_capacity(256);
    loop {
        match stderr.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => {
                for &byte in &chunk[..length] {
                    // statistics end with a carriage return, everything else with a newline
                    if matches!(byte, b'\r' | b'\n') {
                        tell(&line, &mut hear);
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
    tell(&line, &mut hear);
    hear(Said::End);
}

fn tell(line: &[u8], hear: &mut impl FnMut(Said)) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    if line.is_empty() {
        return;
    }
    // other lines may hold "size=" as well; only statistics have a frame count
    if line.contains("frame=")
        && let Some(progress) = try_parse_progress(line)
    {
        hear(Said::Progress {
            frames: progress.frame.into(),
            bytes: u64::from(progress.size_kb) * 1024,
        });
    } else if !line.starts_with("[info]") && !line.contains("] [info]") {
        hear(Said::Line(line.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &[u8]) -> Vec<Said> {
        let mut heard = Vec::new();
        read_lines(text, |said| heard.push(said));
        heard
    }

    #[test]
    fn statistics_lines_and_information_are_told_apart() {
        let text = b"[info] Input #0, lavfi, from 'testsrc2':\n\
            [info] frame=   15 fps=0.0 q=30.0 size=      36kB time=00:00:00.93 bitrate= 316.1kbits/s speed=1.84x    \r\
            [libx264 @ 0x55d3a55d77c0] [info] kb/s:289.66\n\
            [flv @ 0x56188f043980] [warning] Failed to update header with correct duration.\n\
            [info] frame=   43 fps= 15 q=30.0 Lsize=     100KiB time=00:00:02.80 bitrate= 293.8kbits/s speed=0.997x\n\
            x264 [error]: invalid profile: bogus";
        assert_eq!(
            heard(text),
            [
                Said::Progress {
                    frames: 15,
                    bytes: 36 * 1024
                },
                Said::Line(
                    "[flv @ 0x56188f043980] [warning] Failed to update header with correct duration.".to_owned()
                ),
                Said::Progress {
                    frames: 43,
                    bytes: 100 * 1024
                },
                Said::Line("x264 [error]: invalid profile: bogus".to_owned()),
                Said::End,
            ]
        );
    }

    #[test]
    fn statistics_without_a_size_still_count_frames() {
        let line = b"[info] frame=    5 fps=0.0 q=-0.0 Lsize=N/A time=00:00:00.20 bitrate=N/A speed=11.3x\r";
        assert_eq!(heard(line), [Said::Progress { frames: 5, bytes: 0 }, Said::End]);
    }

    #[test]
    fn what_is_not_text_and_has_no_end_is_bounded() {
        let heard = heard(&vec![0xff; 1 << 20]);
        assert!(matches!(&heard[..], [Said::Line(line), Said::End] if line.len() <= 3 * LONGEST_LINE));
    }
}

//! The demo's child processes: started with a log file each, ended with their owner.

use miette::{IntoDiagnostic, WrapErr, miette};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends them all when dropped. Should this process be killed, the kernel ends them (`setpriv --pdeathsig`).
#[derive(Default)]
pub(super) struct Children(Vec<(String, Child, PathBuf)>);

impl Children {
    pub(super) fn start(
        &mut self,
        program: &str,
        arguments: &[&str],
        directory: &Path,
        log: &Path,
    ) -> miette::Result<()> {
        let output = File::create(log).into_diagnostic()?;
        // from util-linux, on every Debian; parent death signals need unsafe code, which the deployer forbids itself
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", program])
            .args(arguments)
            .current_dir(directory)
            // out of reach of the terminal's Ctrl-C: their owner ends them in good order
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone().into_diagnostic()?)
            .stderr(output)
            .spawn()
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot start {program}"))?;
        self.0.push((program.to_owned(), child, log.to_owned()));
        Ok(())
    }

    /// Fails when one has ended, with the end of its log.
    pub(super) fn check(&mut self) -> miette::Result<()> {
        for (program, child, log) in &mut self.0 {
            if let Some(status) = child.try_wait().into_diagnostic()? {
                let text = std::fs::read_to_string(&*log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let tail = lines[lines.len().saturating_sub(10)..].join("\n");
                return Err(miette!("{program} ended ({status}):\n{tail}"));
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for (_, child, _) in &self.0 {
            // TERM, which std cannot send: agents stop their ffmpeg on it, nginx its worker
            let _ = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        for (_, child, _) in &mut self.0 {
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

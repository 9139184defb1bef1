//! Debian packages: what is installed is read from dpkg's own file, what is missing is installed by apt in one call.
//! Nothing is ever removed or upgraded.

use crate::{command, events, posix};
use pistream_agent::{Event, Fault};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const STATUS: &str = "/var/lib/dpkg/status";
/// dpkg's notes of what it was doing; something lies here only while it works, or after it was cut off.
const UPDATES: &str = "/var/lib/dpkg/updates";
/// Whoever works with packages holds at least one of these.
const LOCKS: [&str; 4] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
];
/// How long another program's hold on apt is waited for (a freshly booted host upgrades itself).
const LOCK_DEADLINE: Duration = Duration::from_secs(300);
/// A Pi Zero with a slow card needs minutes for ffmpeg.
const INSTALL_DEADLINE: Duration = Duration::from_secs(3600);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {STATUS}")]
    Status { source: io::Error },
    #[error("wait for apt's lock")]
    Locked { holder: String },
    #[error("finish the package installation that was cut off")]
    Configure { source: command::Error },
    #[error("install packages {names}")]
    Install { names: String, source: command::Error },
    #[error("install packages {names}")]
    StillMissing { names: String },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let attempted = error.to_string();
        let (cause, advice) = match error {
            Error::Status { source } => (source.to_string(), Some("pistream needs Debian or a relative of it")),
            Error::Locked { holder } => (
                format!("{holder} has held it for {} s", LOCK_DEADLINE.as_secs()),
                Some("wait until it is done and deploy again"),
            ),
            Error::Configure { source } => (source.cause(), Some("run `sudo dpkg --configure -a` on the host")),
            Error::Install { source, .. } => (source.cause(), advice(source.output())),
            Error::StillMissing { .. } => (
                "apt ended well, yet they are not installed".to_owned(),
                Some("look at `apt-get check` on the host"),
            ),
        };
        Fault {
            attempted,
            cause,
            advice: advice.map(str::to_owned),
        }
    }
}

fn advice(output: &str) -> Option<&'static str> {
    let tells = |words: &[&str]| words.iter().any(|w| output.contains(w));
    if tells(&["No space left", "enough free space"]) {
        Some("free disk space on the host")
    } else if tells(&["Unable to locate package", "no installation candidate"]) {
        Some("the host's apt sources do not offer it: see /etc/apt/sources.list")
    } else if tells(&[
        "Temporary failure resolving",
        "Could not connect",
        "Failed to fetch",
        "Could not resolve",
    ]) {
        Some("the host does not reach its apt sources: see its network and /etc/apt/sources.list")
    } else {
        None
    }
}

/// What dpkg knows.
pub(crate) struct Database {
    installed: BTreeSet<String>,
    /// An installation was cut off (power, kill): dpkg refuses work until that is finished.
    interrupted: bool,
}

impl Database {
    /// Reads dpkg's status file in-process: a host that has all packages costs no fork.
    pub(crate) fn read() -> Result<Database, Error> {
        let text = std::fs::read(STATUS).map_err(|source| Error::Status { source })?;
        let mut database = Database::parse(&String::from_utf8_lossy(&text));
        let digits = |name: &std::ffi::OsStr| name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let noted = |path: &Path| std::fs::read_dir(path).is_ok_and(|d| d.flatten().any(|e| digits(&e.file_name())));
        database.interrupted |= noted(Path::new(UPDATES));
        Ok(database)
    }

    fn parse(status: &str) -> Database {
        let mut database = Database {
            installed: BTreeSet::new(),
            interrupted: false,
        };
        let mut name = "";
        for line in status.lines() {
            if let Some(package) = line.strip_prefix("Package: ") {
                name = package.trim();
            } else if let Some(state) = line.strip_prefix("Status: ") {
                match state.split_whitespace().nth(2) {
                    // waiting triggers concern other packages' caches; this one works
                    Some("installed" | "triggers-pending" | "triggers-awaited") => {
                        database.installed.insert(name.to_owned());
                    }
                    Some("half-installed" | "unpacked" | "half-configured") => database.interrupted = true,
                    _ => {}
                }
            }
        }
        database
    }

    pub(crate) fn has(&self, package: &str) -> bool {
        self.installed.contains(package)
    }

    fn missing<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        names.iter().copied().filter(|n| !self.has(n)).collect()
    }
}

/// Installs those of `names` that are missing once nobody else works with packages, after finishing what was cut off.
pub(crate) fn install(names: &[&str]) -> Result<(), Error> {
    let deadline = Instant::now() + LOCK_DEADLINE;
    wait_for_locks(deadline)?;
    // whoever was waited for may have installed some, the orphaned apt of a killed apply for one
    let before = Database::read()?;
    let missing = before.missing(names);
    if missing.is_empty() {
        return Ok(());
    }
    let listed = missing.join(", ");
    if before.interrupted {
        events::note("an earlier package installation was cut off; finishing it first");
        let cured = command::run("dpkg", &["--configure", "-a", "--force-confold"], INSTALL_DEADLINE);
        let cure: Vec<&str> = INSTALL.iter().chain(&["-f"]).copied().collect();
        let cured = cured.or_else(|_| apt(&cure));
        cured.map_err(|source| Error::Configure { source })?;
    }
    let what = format!("installing {listed}");
    events::emit(&Event::Working { what });
    let arguments: Vec<&str> = INSTALL.iter().chain(&missing).copied().collect();
    let mut updated = false;
    while let Err(source) = apt(&arguments) {
        let said = |words: &[&str]| words.iter().any(|w| source.output().contains(w));
        if said(&["Could not get lock", "Unable to acquire"]) && Instant::now() < deadline {
            // Somebody came between our look at the locks and apt's.
            wait_for_locks(deadline)?;
        } else if !updated && said(&STALE) {
            updated = true;
            let what = "updating the package lists".to_owned();
            events::emit(&Event::Working { what });
            // Where some source cannot be reached the others may still have what is wanted.
            let _ = apt(&["update"]);
        } else {
            return Err(Error::Install { names: listed, source });
        }
    }
    let names = Database::read()?.missing(&missing).join(", ");
    if names.is_empty() {
        Ok(())
    } else {
        Err(Error::StillMissing { names })
    }
}

const INSTALL: [&str; 4] = ["install", "-y", "--no-install-recommends", "--no-remove"];

/// What apt says when its lists are absent or older than its sources.
const STALE: [&str; 5] = [
    "Unable to locate package",
    "no installation candidate",
    "404 ",
    "Failed to fetch",
    "Hash Sum mismatch",
];

fn apt(arguments: &[&str]) -> Result<String, command::Error> {
    let options = [
        "-q",
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        "Dpkg::Options::=--force-confold",
    ];
    let all: Vec<&str> = options.iter().chain(arguments).copied().collect();
    command::run("apt-get", &all, INSTALL_DEADLINE)
}

/// Waits until nobody works with packages and says for whom it waits.
fn wait_for_locks(deadline: Instant) -> Result<(), Error> {
    let start = Instant::now();
    let mut told: Option<Instant> = None;
    while let Some(holder) = LOCKS.iter().find_map(|path| held_by(Path::new(path))) {
        if Instant::now() > deadline {
            return Err(Error::Locked { holder });
        }
        if told.is_none_or(|t| t.elapsed() >= Duration::from_secs(5)) {
            told = Some(Instant::now());
            let seconds = start.elapsed().as_secs();
            events::emit(&Event::Waiting {
                what: format!("apt's lock, held by {holder}"),
                seconds,
            });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn held_by(lock: &Path) -> Option<String> {
    let pid = posix::lock_holder(&std::fs::File::open(lock).ok()?).ok()??;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(if name.is_empty() {
        format!("process {pid}")
    } else {
        format!("{} (process {pid})", name.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dpkg_finished_counts_as_installed() {
        let database = Database::parse(
            "Package: nginx\nStatus: install ok installed\nVersion: 1\n\nPackage: held\nStatus: hold ok installed\n\n\
             Package: gone\nStatus: deinstall ok config-files\n",
        );
        assert!(database.has("nginx") && database.has("held"));
        assert!(!database.has("gone") && !database.has("ngin") && !database.interrupted);

        let cut_off = Database::parse("Package: ffmpeg\nStatus: install ok half-configured\n");
        assert!(!cut_off.has("ffmpeg") && cut_off.interrupted);
    }
}

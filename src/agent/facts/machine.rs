//! The machine: board, system, memory, power, clock, root filesystem.

use crate::{board, command, posix};
use pistream_agent::{HostFacts, RootFacts};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// These programs answer at once or not at all.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn facts() -> HostFacts {
    let (kernel, kernel_architecture) = posix::kernel().unzip();
    HostFacts {
        model: board::model(),
        system: read("/etc/os-release").and_then(|text| pretty_name(&text)),
        kernel,
        kernel_architecture,
        userland_architecture: answer("dpkg", &["--print-architecture"]),
        memory: read("/proc/meminfo").and_then(|text| total_memory(&text)),
        gpu_memory: board::gpu_memory(),
        throttled: board::firmware(&["get_throttled"], "throttled").and_then(|text| flags(&text)),
        clock_synchronised: posix::clock_synchronised().ok(),
        root: root(),
        ..HostFacts::default()
    }
}

fn read(path: &str) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What the program printed, if this host has it and it succeeded.
fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    command::find(program)?;
    let printed = command::run(program, arguments, DEADLINE).ok()?;
    Some(printed.trim().to_owned())
}

/// `PRETTY_NAME` of os-release(5).
fn pretty_name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

/// `MemTotal` of /proc/meminfo, which counts in units of 1024 bytes.
fn total_memory(text: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn flags(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn root() -> RootFacts {
    let space = posix::space(Path::new("/")).ok();
    RootFacts {
        kind: read("/proc/self/mountinfo").and_then(|text| kind_of_root(&text)),
        read_only: space.as_ref().map(|space| space.read_only),
        free: space.map(|space| space.free),
    }
}

/// The filesystem of what is mounted last at `/`: fields 5 and, after a lone `-`, the first (proc_pid_mountinfo(5)).
fn kind_of_root(mounts: &str) -> Option<String> {
    let at_root = |line: &&str| line.split(' ').nth(4) == Some("/");
    let line = mounts.lines().rfind(at_root)?;
    let (_, after) = line.split_once(" - ")?;
    after.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_and_programs_of_a_pi_say() {
        let os = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n";
        assert_eq!(pretty_name(os).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        let memory = "MemTotal:         947732 kB\nMemFree:          123 kB\n";
        assert_eq!(total_memory(memory), Some(947_732 * 1024));
        assert_eq!(flags("0x50005"), Some(0x50005));
        assert_eq!(flags("50005"), None);
    }

    #[test]
    fn the_root_is_what_was_mounted_there_last() {
        let mounts = "21 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw\n\
                      22 21 0:21 / /proc rw - proc proc rw\n\
                      40 21 0:35 / / rw,relatime - overlay overlayroot rw,lowerdir=/x\n";
        assert_eq!(kind_of_root(mounts).as_deref(), Some("overlay"));
        assert_eq!(kind_of_root(""), None);
    }
}

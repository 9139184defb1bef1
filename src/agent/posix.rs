//! The few system calls that std does not wrap. Each is one thin function; no policy lives here.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A closing terminal, a dying ssh connection or Ctrl-C at the deployer must not cut a transaction in two. The children
/// inherit this. (Rust ignores SIGPIPE by itself: a failed write is an error value.)
pub(crate) fn ignore_hangups() {
    for signal in [libc::SIGHUP, libc::SIGINT] {
        // SAFETY: SIG_IGN installs no handler, so no code of ours runs in a signal context.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// This thread and all that it starts from here on, threads and programs, run when others do not need the processor.
pub(crate) fn yield_to_others() {
    // SAFETY: takes a number. Being less polite is no error.
    unsafe { libc::nice(5) };
}

pub(crate) fn effective_uid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() }
}

/// Does some work as another user: on a thread of its own, since to the kernel every thread is somebody. Programs that it
/// starts are that user's too. Needs root.
///
/// # Errors
/// What the operating system says of becoming that user; the work is not begun then.
pub(crate) fn as_user<T: Send>(user: u32, groups: &[u32], work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let Some(primary) = groups.first() else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    let done = std::thread::scope(|scope| {
        let become_and_work = move || {
            become_user(user, *primary, groups)?;
            Ok(work())
        };
        scope.spawn(become_and_work).join()
    });
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// This thread alone: the C library's functions of these names would change all threads.
fn become_user(user: u32, group: u32, groups: &[u32]) -> io::Result<()> {
    // 32-bit ARM's first calls of these names took 16-bit ids
    #[cfg(target_arch = "arm")]
    const CALLS: [libc::c_long; 3] = [libc::SYS_setgroups32, libc::SYS_setresgid32, libc::SYS_setresuid32];
    #[cfg(not(target_arch = "arm"))]
    const CALLS: [libc::c_long; 3] = [libc::SYS_setgroups, libc::SYS_setresgid, libc::SYS_setresuid];
    let [set_groups, set_group, set_user] = CALLS;
    let told = |result: libc::c_long| match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    // SAFETY: `groups` lives for the call, and its length is told; the others take numbers alone.
    unsafe {
        told(libc::syscall(set_groups, groups.len(), groups.as_ptr()))?;
        told(libc::syscall(set_group, group, group, group))?;
        told(libc::syscall(set_user, user, user, user))
    }
}

/// The kernel's release and architecture, as `uname -r` and `uname -m` tell them.
pub(crate) fn kernel() -> Option<(String, String)> {
    // SAFETY: utsname is plain arrays of characters, for which all zeroes is a value.
    let mut names: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives for the call.
    if unsafe { libc::uname(&mut names) } != 0 {
        return None;
    }
    // SAFETY: the kernel ends each of its names with a NUL.
    let text = |name: &[libc::c_char]| unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
    Some((text(&names.release), text(&names.machine)))
}

/// Whether something keeps this machine's clock right. By systemd's measure: the kernel believes the clock to be wrong by
/// less than 16 s.
///
/// # Errors
/// What the operating system says; containers may not ask.
pub(crate) fn clock_synchronised() -> io::Result<bool> {
    // SAFETY: timex is a plain struct of integers, for which all zeroes is a value, and means a question.
    let mut clock: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives for the call.
    if unsafe { libc::adjtimex(&mut clock) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(clock.maxerror < 16_000_000)
}

/// How far the wall clock is ahead of the time since the boot, in milliseconds. It moves when the clock is set: what slows or
/// hastens the one (NTP) does so to both, and both go on while this machine sleeps.
pub(crate) fn wall_clock_ahead() -> i64 {
    let [wall, boot] = [libc::CLOCK_REALTIME, libc::CLOCK_BOOTTIME].map(|clock| {
        // SAFETY: timespec is a plain struct of integers, for which all zeroes is a value.
        let mut time: libc::timespec = unsafe { std::mem::zeroed() };
        // SAFETY: the structure lives for the call, and the kernel has both clocks.
        unsafe { libc::clock_gettime(clock, &mut time) };
        #[allow(clippy::unnecessary_cast)] // the fields' widths differ between the targets
        let milliseconds = time.tv_sec as i64 * 1000 + time.tv_nsec as i64 / 1_000_000;
        milliseconds
    });
    wall - boot
}

/// What a filesystem has left, and whether it takes writes at all.
pub(crate) struct Space {
    /// Bytes in all.
    pub(crate) total: u64,
    /// Bytes that root may still use.
    pub(crate) free: u64,
    /// Bytes that everybody may still use.
    pub(crate) available: u64,
    pub(crate) read_only: bool,
}

/// Of the filesystem that holds `path`, which must exist.
#[allow(clippy::unnecessary_cast)] // the fields' widths differ between the targets
pub(crate) fn space(path: &Path) -> io::Result<Space> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: statvfs is a plain struct of integers, for which all zeroes is a value.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers live for the call; `path` ends with a NUL.
    if unsafe { libc::statvfs(path.as_ptr(), &mut found) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Space {
        total: (found.f_blocks as u64).saturating_mul(found.f_frsize as u64),
        free: (found.f_bfree as u64).saturating_mul(found.f_frsize as u64),
        available: (found.f_bavail as u64).saturating_mul(found.f_frsize as u64),
        read_only: found.f_flag as u64 & libc::ST_RDONLY as u64 != 0,
    })
}

/// The process that holds a POSIX record lock on `file`, as apt and dpkg take them.
pub(crate) fn lock_holder(file: &File) -> io::Result<Option<u32>> {
    // SAFETY: flock is a plain struct of integers, for which all zeroes is a value (the whole file).
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as _;
    lock.l_whence = libc::SEEK_SET as _;
    // SAFETY: the descriptor is open and `lock` lives for the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &mut lock) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((i32::from(lock.l_type) != libc::F_UNLCK).then(|| u32::try_from(lock.l_pid).unwrap_or(0)))
}

/// A socket through which the kernel tells of sockets (sock_diag(7)); it never waits.
///
/// # Errors
/// What the operating system says: the service's address families may not include netlink's.
pub(crate) fn sock_diag() -> io::Result<UnixDatagram> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes plain numbers.
    let descriptor = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_SOCK_DIAG) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // netlink's datagrams are received like any others, and std has no type for sockets in general
    // SAFETY: the descriptor was just made and nobody else owns it.
    Ok(unsafe { UnixDatagram::from_raw_fd(descriptor) })
}

/// Sends one datagram. Not by write(2), as std would: the kernel counts those, and what an agent writes is watched.
///
/// # Errors
/// What the operating system says.
pub(crate) fn send(socket: &UnixDatagram, datagram: &[u8]) -> io::Result<()> {
    let flags = libc::MSG_NOSIGNAL;
    // SAFETY: the pointer and the length are those of a slice that lives for the call.
    match unsafe { libc::send(socket.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), flags) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A file in memory without a name: it lives as long as somebody has it open.
pub(crate) fn anonymous_file() -> io::Result<File> {
    // SAFETY: the name is a NUL-terminated literal.
    let descriptor = unsafe { libc::memfd_create(c"output".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and nobody else owns it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// Whether some process has the file open for writing, as the kernel counts it. A read lease is what tells: it is
/// granted only while nobody has, and is given back at once.
///
/// # Errors
/// The file is gone, not ours, or lies on a filesystem that knows no leases.
pub(crate) fn is_written(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    let ask = |kind: libc::c_int| {
        // SAFETY: the descriptor is open; the third argument is a plain number.
        match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    match ask(libc::c_int::from(libc::F_RDLCK as i16)) {
        Ok(()) => ask(libc::c_int::from(libc::F_UNLCK as i16)).map(|()| false),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    }
}

/// Somebody who opens a file for writing while [`is_written`] holds its lease has the kernel send SIGIO, which would end
/// this process.
pub(crate) fn ignore_lease_breaks() {
    // SAFETY: SIG_IGN installs no handler, so no code of ours runs in a signal context.
    unsafe { libc::signal(libc::SIGIO, libc::SIG_IGN) };
}

/// The command's process is killed when this one ends, however it ends.
pub(crate) fn die_with_parent(command: &mut Command) {
    // SAFETY: between fork and exec only prctl is called, which is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

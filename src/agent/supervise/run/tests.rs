//! A run whose process the kernel does not let go.
#![allow(clippy::unwrap_used, unsafe_code)]

use super::*;
use std::process::Stdio;

/// Which is played by one whose end is kept from its parent: it is traced, and its tracer does not look.
#[test]
fn a_process_that_outlives_its_kill_is_given_up_once_and_begun_anew_when_it_ends_after_all() {
    let program = std::env::temp_dir().join(format!("pistream-stuck-{}", std::process::id()));
    std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ffmpeg = Ffmpeg::start(program.to_str().unwrap(), &[], Stdio::null(), |_| ()).unwrap();
    let pid = ffmpeg.pid().cast_signed();
    // SAFETY: takes numbers.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0) }, 0);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut run = Run::new(1, ffmpeg, None, Duration::from_secs(9), start);
    for (seconds, overdue, given_up) in [(19, false, false), (20, false, false), (24, true, false), (26, true, true), (60, true, false)] {
        assert!(run.step(at(seconds)).unwrap().is_none());
        assert_eq!(run.is_overdue(at(seconds)), overdue, "{seconds}");
        assert_eq!(run.gives_up(at(seconds)), given_up, "{seconds}");
    }
    assert!(run.is_stuck() && !run.is_overdue(at(60)));
    // SAFETY: the tracer may take its end without keeping the status.
    assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
    let ended = run.step(at(61)).unwrap();
    let ended = ended.or_else(|| run.step(at(62)).unwrap()).unwrap();
    assert!(matches!(ended.next, Next::Again(Duration::ZERO)), "{ended:?}");
    std::fs::remove_file(program).unwrap();
}

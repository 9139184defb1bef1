//! A run whose process the kernel does not let go.
#![allow(clippy::unwrap_used, unsafe_code)]

use super::*;
use crate::testing::executable;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::{fs, ptr};

/// Keeps a process's end from its parent: traces it, and looks after it no sooner than it is told to.
struct Tracer {
    pid: libc::pid_t,
    told: UnixStream,
}

impl Tracer {
    /// `None` where tracing is not allowed.
    fn of(traced: libc::pid_t) -> Option<Tracer> {
        let (mut told, its) = UnixStream::pair().unwrap();
        let its = its.as_raw_fd();
        // SAFETY: the child makes system calls alone, with numbers and its own byte, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            unsafe {
                let mut byte = u8::from(libc::ptrace(libc::PTRACE_SEIZE, traced, 0, 0) == 0);
                libc::write(its, ptr::from_ref(&byte).cast(), 1);
                libc::read(its, ptr::from_mut(&mut byte).cast(), 1);
                libc::waitpid(traced, ptr::null_mut(), 0);
                libc::_exit(0);
            }
        }
        let mut traces = [0];
        told.read_exact(&mut traces).unwrap();
        let tracer = Tracer { pid, told };
        if traces == [0] {
            tracer.lets_go();
            return None;
        }
        Some(tracer)
    }

    fn lets_go(mut self) {
        self.told.write_all(&[0]).unwrap();
        // SAFETY: nobody wants the status.
        unsafe { libc::waitpid(self.pid, ptr::null_mut(), 0) };
    }
}

#[test]
fn a_process_that_outlives_its_kill_is_given_up_once_and_begun_anew_should_it_end_after_all() {
    let program = std::env::temp_dir().join(format!("pistream-stuck-{}", std::process::id()));
    executable(&program, "#!/bin/sh\nexec sleep 600\n");
    let ffmpeg = Ffmpeg::start(program.to_str().unwrap(), &[], Stdio::null(), |_| ()).unwrap();
    let Some(tracer) = Tracer::of(ffmpeg.pid().cast_signed()) else {
        return eprintln!("not run: ptrace is not allowed here");
    };
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut run = Run::new(1, ffmpeg, None, Duration::from_secs(9), start);
    // found to stand still after 19 s, killed after 20
    for (seconds, overdue, given_up) in [
        (19, false, false),
        (20, false, false),
        (24, true, false),
        (26, true, true),
    ] {
        assert!(run.step(at(seconds)).unwrap().is_none());
        assert_eq!(run.is_overdue(at(seconds)), overdue, "{seconds}");
        assert_eq!(run.gives_up(at(seconds)), given_up, "{seconds}");
    }
    assert!(run.step(at(600)).unwrap().is_none());
    assert!(run.is_stuck() && !run.is_overdue(at(600)) && !run.gives_up(at(600)));

    tracer.lets_go();
    assert!(run.step(at(601)).unwrap().is_none(), "its last words are waited for");
    let ended = run.step(at(602)).unwrap().unwrap();
    assert!(matches!(ended.next, Next::Again(Duration::ZERO)), "{ended:?}");
    fs::remove_file(program).unwrap();
}

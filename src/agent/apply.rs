//! `pistream-agent apply`: one plan in, one transaction, events out.
//!
//! ```text
//! request ─► refuse ─► lock ─► identity ─► compare ─► (check mode ends here)
//!                                             └─► packages, builds, users, directories ─► stage ─► check ─► commit ─► units ─► confirm
//!                                                                        any failure ─► roll back
//! ```
//!
//! Everything it decides comes from the plan, its own memory and a look at the host; it asks back for one thing alone, the
//! certificate for a key that it made. Killed at any point, the next apply takes over from the journal.

mod changes;
mod check;
mod compare;
mod diff;
mod housekeeping;
mod mask;
mod refuse;
mod roll_back;
mod state;
mod transaction;

use crate::accounts::Accounts;
use crate::events::{self, emit};
use crate::files;
use crate::host::Host;
use crate::identity;
use crate::posix;
use crate::request;
use mask::Mask;
use pistream_agent::{ApplyRequest, Event, Fault, Mode, Outcome, Plan};
use state::Memory;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use transaction::Transaction;

/// A plan for one host is some ten kilobytes; what is larger than this is not a plan.
const LONGEST_REQUEST: u64 = 64 << 20;
const LOCK_DEADLINE: Duration = Duration::from_secs(60);

/// Exit codes: 0 the host is (or, in check mode, was compared) as asked, 1 it is not, 2 the request makes no sense.
///
/// `root`: a directory that plays the host. Units, packages and users are refused there.
pub(crate) fn run(root: Option<&Path>) -> ExitCode {
    posix::ignore_hangups();
    events::hello();
    let request: ApplyRequest = match request::read(LONGEST_REQUEST) {
        Ok(request) => request,
        Err(error) => {
            emit(&Event::Failed { fault: error.fault() });
            return error.exit_code();
        }
    };
    let outcome = Mask::of(&request.plan).outcome(apply(&Host::new(root), &request));
    let code = match outcome {
        Outcome::Unchanged | Outcome::Changed { .. } | Outcome::Pending { .. } => ExitCode::SUCCESS,
        Outcome::RolledBack { .. } | Outcome::HalfDone { .. } | Outcome::Refused { .. } => ExitCode::FAILURE,
    };
    emit(&Event::Finished { outcome });
    code
}

fn apply(host: &Host, request: &ApplyRequest) -> Outcome {
    match prepare_and_apply(host, request) {
        Ok(outcome) => outcome,
        Err(fault) => Outcome::Refused { fault },
    }
}

/// Errors are those from before anything was touched.
fn prepare_and_apply(host: &Host, request: &ApplyRequest) -> Result<Outcome, Fault> {
    refuse::request(host, &request.plan)?;
    let _lock = lock(host, request.mode)?;
    let memory = Memory::load(host)?;
    if request.mode == Mode::Apply {
        transaction::recover(host, &memory)?;
    }
    let plan = identity::complete(host, request.plan.clone(), request.mode)?;
    let mask = Mask::of(&plan);
    match compare_and_apply(host, request, &plan, &memory) {
        Ok(outcome) => Ok(mask.outcome(outcome)),
        Err(fault) => Err(mask.fault(fault)),
    }
}

fn compare_and_apply(host: &Host, request: &ApplyRequest, plan: &Plan, memory: &Memory) -> Result<Outcome, Fault> {
    let accounts = Accounts::read(host)?;
    let mut found = compare::compare(host, plan, memory, &accounts, request.diff)?;
    refuse::differences(host, plan, memory, &accounts, &found)?;
    if host.root().is_none() {
        found
            .dropped_units
            .extend(refuse::camera::others(plan, request.stop_others)?);
    }
    let changes = found.changes();
    let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    if request.mode == Mode::Check {
        if memory.unfinished.is_some() {
            events::note("an earlier apply was cut off; the next one takes its work over");
        }
        changes.iter().for_each(emit);
        return Ok(if count == 0 {
            Outcome::Unchanged
        } else {
            Outcome::Pending { changes: count }
        });
    }
    if count > 0 || memory.unfinished.is_some() || memory.is_stale(host, plan) {
        let mut transaction = Transaction::begin(host, plan, memory, &found)?;
        if let Err(fault) = transaction.run().and_then(|()| transaction.confirm()) {
            return Ok(undo(transaction, fault));
        }
        note_failure(transaction.tidy());
    }
    note_failure(housekeeping::remove_older_agents(host));
    Ok(if count == 0 {
        Outcome::Unchanged
    } else {
        Outcome::Changed { changes: count }
    })
}

/// Tidying up that fails leaves the host as the plan wants it.
fn note_failure(tidied: Result<(), Fault>) {
    if let Err(fault) = tidied {
        events::note(format!("could not {}: {}", fault.attempted, fault.cause));
    }
}

fn undo(mut transaction: Transaction<'_>, fault: Fault) -> Outcome {
    emit(&Event::Working {
        what: format!("rolling back: could not {}", fault.attempted),
    });
    let faults = transaction.roll_back();
    if faults.is_empty() {
        return Outcome::RolledBack { fault };
    }
    let also: Vec<String> = faults
        .iter()
        .map(|f| format!("could not {}: {}", f.attempted, f.cause))
        .collect();
    let cause = format!("{}\nand rolling back failed, too:\n{}", fault.cause, also.join("\n"));
    let advice = Some("look at the host; the next deploy takes up from here".to_owned());
    Outcome::HalfDone {
        fault: Fault { cause, advice, ..fault },
    }
}

/// One apply at a time. Check mode takes the lock only if there is one: where no apply ever ran, it makes nothing.
fn lock(host: &Host, mode: Mode) -> Result<Option<File>, Fault> {
    let path = host.state("lock");
    let fault = |cause: String, advice: &str| Fault {
        attempted: format!("lock {}", path.display()),
        cause,
        advice: Some(advice.to_owned()),
    };
    let broken = |e: std::io::Error| fault(e.to_string(), "look at the host's disk");
    let file = match mode {
        Mode::Check => match File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened,
        },
        Mode::Apply => {
            files::own_directory(&host.state(""))?;
            OpenOptions::new().write(true).create(true).truncate(false).open(&path)
        }
    }
    .map_err(broken)?;
    let start = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let cause = match file.try_lock() {
            // what another build's agent has removed would remove that one in turn
            Ok(()) if mode == Mode::Apply && housekeeping::own_program().is_none() => {
                Some("another deploy has replaced this agent meanwhile".to_owned())
            }
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(e)) => return Err(broken(e)),
            Err(TryLockError::WouldBlock) if start.elapsed() > LOCK_DEADLINE => {
                let seconds = LOCK_DEADLINE.as_secs();
                Some(format!("another apply has run on this host for {seconds} s"))
            }
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(cause) = cause {
            return Err(fault(cause, "wait until it is done and deploy again"));
        }
        if told.is_none_or(|t| t.elapsed() >= Duration::from_secs(5)) {
            told = Some(Instant::now());
            emit(&Event::Waiting {
                what: "another apply on this host".to_owned(),
                seconds: start.elapsed().as_secs(),
            });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

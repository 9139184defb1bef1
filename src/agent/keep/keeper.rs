//! The main loop: what is there, what goes, what is filed next, and whether nginx may go on recording.

use super::index::Index;
use super::job::{Done, Job, JobError, file_as_it_is};
use super::recorder::Recorder;
use super::retention::{Disk, Held, doomed};
use crate::archive::{self, Chunk};
use crate::supervise::journal::{Sieve, log};
use crate::supervise::systemd::Systemd;
use crate::{files, posix};
use pistream_agent::{Format, KeepConfig};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two looks at what is there.
const LOOK: Duration = Duration::from_secs(2);
/// Between two steps of a job.
const STEP: Duration = Duration::from_millis(100);
/// Between two looks at everything that is filed: somebody else may have taken or brought something.
const RESCAN: Duration = Duration::from_secs(300);
/// Where the kernel cannot say who writes a file (NFS and the like): so long unchanged, it is finished. nginx drops a
/// publisher that sends nothing for 10 s, and that ends his recording.
const QUIET: Duration = Duration::from_secs(60);
/// A chunk of which no film could be made so often is filed as it is.
const ATTEMPTS: u32 = 3;
const RETRY: Duration = Duration::from_secs(30);

/// A chunk in its place.
pub(super) struct Filed {
    pub(super) chunk: Chunk,
    /// Seconds since 1970.
    pub(super) end: u64,
}

/// How a chunk that nginx wrote stands.
struct Known {
    path: PathBuf,
    /// Its size, and since when it has not changed.
    size: Option<(u64, Instant)>,
    attempts: u32,
    not_before: Option<Instant>,
}

pub(super) struct Keeper {
    config: KeepConfig,
    root: PathBuf,
    recorder: Recorder,
    index: Index,
    systemd: Systemd,
    sieve: Sieve,
    filed: Vec<Filed>,
    scanned: Option<Instant>,
    known: Vec<Known>,
    job: Option<Job>,
}

impl Keeper {
    pub(super) fn new(config: KeepConfig) -> Keeper {
        Keeper {
            root: PathBuf::from(&config.path),
            recorder: Recorder::new(&config.control, config.streams.iter().map(|s| s.name.clone())),
            index: Index::new(&config.index),
            systemd: Systemd::new(Instant::now()),
            sieve: Sieve::default(),
            filed: Vec::new(),
            scanned: None,
            known: Vec::new(),
            job: None,
            config,
        }
    }

    /// Runs until `stop`.
    pub(super) fn run(&mut self, stop: &AtomicBool) {
        self.tidy();
        self.systemd.ready();
        let mut looked: Option<Instant> = None;
        while !stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            self.systemd.beat(now);
            let worked = self.work(now);
            // a film that is filed makes room for the next one at once
            if worked || looked.is_none_or(|at| now.duration_since(at) >= LOOK) {
                self.look(now);
                looked = Some(now);
            }
            std::thread::sleep(STEP);
        }
        self.systemd.stopping();
        self.job = None;
    }

    /// What a keeper that was killed has left.
    fn tidy(&mut self) {
        match archive::leftovers(&self.root) {
            Ok(paths) => {
                for path in paths {
                    self.remove(&path);
                }
            }
            Err(error) => self.cannot("read", &error),
        }
    }

    fn look(&mut self, now: Instant) {
        let incoming = match archive::incoming(&self.root) {
            Ok(incoming) => incoming,
            Err(error) => {
                self.systemd
                    .tell(now, "the recordings cannot be read", &error.to_string());
                return self.cannot("read", &error);
            }
        };
        self.rescan(now);
        self.known.retain(|known| incoming.iter().any(|c| c.path == known.path));
        let (growing, mut finished): (Vec<Chunk>, Vec<Chunk>) =
            incoming.into_iter().partition(|chunk| self.grows(chunk, now));
        let growing: Vec<&Chunk> = growing.iter().collect();
        match self.disk() {
            Ok(disk) => {
                self.make_room(disk, &growing, &mut finished);
                if let Ok(disk) = self.disk() {
                    self.recorder.look(now, disk, &growing);
                }
            }
            Err(error) => self.cannot("look at the disk of", &error),
        }
        self.begin(now, finished);
        if let Err(error) = self.index.write(&self.root, &self.filed, &growing) {
            self.say(&error.line());
        }
        self.tell(now, growing.len());
    }

    /// Reads again what is filed, now and then.
    fn rescan(&mut self, now: Instant) {
        if self.scanned.is_some_and(|at| now.duration_since(at) < RESCAN) {
            return;
        }
        let before = std::mem::take(&mut self.filed);
        match archive::filed(&self.root) {
            Ok(chunks) => {
                self.scanned = Some(now);
                for chunk in chunks {
                    // each film is opened once; a slow disk takes its time for thousands
                    self.systemd.beat(Instant::now());
                    let known = before.binary_search_by(|filed| filed.chunk.cmp(&chunk));
                    let end = known.map_or_else(|_| chunk.end(), |at| before[at].end);
                    self.filed.push(Filed { chunk, end });
                }
            }
            Err(error) => self.cannot("read", &error),
        }
    }

    fn known(&mut self, path: &Path) -> &mut Known {
        let at = self.known.iter().position(|known| known.path == path);
        let at = at.unwrap_or_else(|| {
            self.known.push(Known {
                path: path.to_owned(),
                size: None,
                attempts: 0,
                not_before: None,
            });
            self.known.len() - 1
        });
        &mut self.known[at]
    }

    /// Whether somebody still writes it.
    fn grows(&mut self, chunk: &Chunk, now: Instant) -> bool {
        if let Ok(written) = posix::is_written(&chunk.path) {
            return written;
        }
        let known = self.known(&chunk.path);
        let (size, since) = *known.size.get_or_insert((chunk.bytes, now));
        if size != chunk.bytes {
            known.size = Some((chunk.bytes, now));
            return true;
        }
        now.duration_since(since) < QUIET
    }

    fn disk(&self) -> std::io::Result<Disk> {
        posix::space(&self.root).map(|space| Disk {
            total: space.total,
            free: space.available,
        })
    }

    /// Deletes what has to go, oldest first.
    fn make_room(&mut self, disk: Disk, growing: &[&Chunk], finished: &mut Vec<Chunk>) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let at_work = self.job.as_ref().map(|job| job.chunk.path.clone());
        let free_to_go = |chunk| Held { chunk, busy: false };
        let mut held: Vec<Held<'_>> = self.filed.iter().map(|f| free_to_go(&f.chunk)).collect();
        held.extend(finished.iter().map(|chunk| Held {
            busy: at_work.as_ref() == Some(&chunk.path),
            chunk,
        }));
        held.extend(growing.iter().map(|&chunk| Held { chunk, busy: true }));
        held.sort_unstable_by(|a, b| a.chunk.cmp(b.chunk));
        let gone: Vec<(PathBuf, String)> = doomed(&held, &self.config, disk, now)
            .into_iter()
            .map(|(at, why)| (held[at].chunk.path.clone(), why.to_string()))
            .collect();
        for (path, why) in gone {
            if self.remove(&path) {
                log(format_args!("deleted {}: {why}", path.display()));
                self.filed.retain(|f| f.chunk.path != path);
                finished.retain(|chunk| chunk.path != path);
                self.leave(&path);
            }
        }
    }

    /// Takes away the day's and the stream's directory, if nothing is left in them.
    fn leave(&mut self, path: &Path) {
        let directories = path.ancestors().skip(1).take(2);
        for directory in directories.filter(|d| *d != self.root && d.starts_with(&self.root)) {
            if files::remove_empty_directory(directory).is_ok_and(|removed| !removed) {
                return;
            }
        }
    }

    /// Takes the oldest finished chunk up, if nothing is under way.
    fn begin(&mut self, now: Instant, finished: Vec<Chunk>) {
        for chunk in finished {
            if self.job.is_some() {
                return;
            }
            let known = self.known(&chunk.path);
            if known.not_before.is_some_and(|moment| now < moment) {
                continue;
            }
            let hopeless = known.attempts >= ATTEMPTS;
            if hopeless || self.config.format == Format::Flv {
                let done = file_as_it_is(&self.config, &chunk);
                self.conclude(&chunk, done.map(Some), now);
                continue;
            }
            // the film is as large as the chunk; without room for it the chunk waits
            if self
                .disk()
                .is_ok_and(|disk| disk.free < chunk.bytes + archive::reserve(disk.total))
            {
                continue;
            }
            match Job::start(&self.config, chunk.clone()) {
                Ok(job) => self.job = Some(job),
                Err(error) => self.conclude(&chunk, Err(error), now),
            }
        }
    }

    /// A step of the job under way. True when it has ended.
    fn work(&mut self, now: Instant) -> bool {
        let Some(mut job) = self.job.take() else { return false };
        let outcome = job.step();
        if matches!(outcome, Ok(None)) {
            self.job = Some(job);
            return false;
        }
        let chunk = job.chunk.clone();
        drop(job);
        self.conclude(&chunk, outcome, now);
        true
    }

    fn conclude(&mut self, chunk: &Chunk, outcome: Result<Option<Done>, JobError>, now: Instant) {
        match outcome {
            Ok(Some(Done::Filed(path))) => {
                let bytes = std::fs::metadata(&path).map_or(chunk.bytes, |m| m.len());
                let filed = Chunk {
                    path,
                    bytes,
                    ..chunk.clone()
                };
                let at = self.filed.partition_point(|f| f.chunk < filed);
                self.filed.insert(
                    at,
                    Filed {
                        end: filed.end(),
                        chunk: filed,
                    },
                );
            }
            Ok(_) => {}
            Err(error) => {
                let known = self.known(&chunk.path);
                known.attempts += 1;
                known.not_before = Some(now + RETRY);
                let then = match known.attempts {
                    ATTEMPTS.. => "it is filed as it is",
                    _ => "it is tried again",
                };
                log(format_args!("no film of {}: {error}; {then}", chunk.path.display()));
            }
        }
    }

    /// False, and told why, if it could not be.
    fn remove(&mut self, path: &Path) -> bool {
        files::remove(path).map_err(|error| self.say(&error.line())).is_ok()
    }

    fn cannot(&mut self, attempt: &str, error: &std::io::Error) {
        let message = format!("{attempt} {}: {error}", self.config.path);
        self.say(&message);
    }

    /// Says what failed, but not again and again.
    fn say(&mut self, message: &str) {
        if let Some(line) = self.sieve.pass(message, Instant::now()) {
            log(line);
        }
    }

    fn tell(&mut self, now: Instant, growing: usize) {
        let bytes: u64 = self.filed.iter().map(|f| f.chunk.bytes).sum();
        let state = match (self.recorder.paused(), growing) {
            (true, _) => "recording is stopped: the disk is full".to_owned(),
            (false, streams) => format!("{streams} streams are recorded"),
        };
        let detail = format!("{} chunks, {} MB", self.filed.len(), bytes / 1_000_000);
        self.systemd.tell(now, &state, &detail);
    }
}

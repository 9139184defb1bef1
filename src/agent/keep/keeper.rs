//! The main loop: what is there, what goes, what is filed next, and whether nginx may go on recording.

use super::index::Index;
use super::job::{Done, Job, JobError, file_as_it_is};
use super::recorder::Recorder;
use super::retention::{Disk, Held, ages_count, doomed};
use super::shelf::Shelf;
use super::waiting::Waiting;
use crate::archive::{self, Chunk};
use crate::supervise::journal::{Sieve, log};
use crate::supervise::systemd::Systemd;
use crate::{files, posix};
use pistream_agent::{Format, KeepConfig, RECORDING_STOPPED, RECORDINGS_UNREADABLE};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two looks at what is there.
const LOOK: Duration = Duration::from_secs(2);
/// Between two steps of a job, and two looks at how much of the disk is free.
const STEP: Duration = Duration::from_millis(100);

pub(super) struct Keeper {
    config: KeepConfig,
    root: PathBuf,
    recorder: Recorder,
    index: Index,
    systemd: Systemd,
    sieve: Sieve,
    shelf: Shelf,
    waiting: Waiting,
    job: Option<Job>,
    /// Since when this runs, and when the last recording before was written: seconds since 1970.
    begun: Option<(Instant, u64)>,
}

impl Keeper {
    pub(super) fn new(config: KeepConfig) -> Keeper {
        let root = PathBuf::from(&config.path);
        Keeper {
            recorder: Recorder::new(&config.control, config.streams.iter().map(|s| s.name.clone())),
            index: Index::new(&config.index),
            systemd: Systemd::new(Instant::now()),
            sieve: Sieve::default(),
            shelf: Shelf::new(&root),
            waiting: Waiting::default(),
            job: None,
            begun: None,
            root,
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
            // a film that is filed makes room for the next one at once; a disk that fills does not wait
            if worked || looked.is_none_or(|at| now.duration_since(at) >= LOOK) || self.fills() {
                self.look(now);
                looked = Some(now);
            }
            std::thread::sleep(STEP);
        }
        self.systemd.stopping();
        self.job = None;
    }

    /// Whether the last of the disk is being used up while nginx still records.
    fn fills(&self) -> bool {
        !self.recorder.paused() && self.disk().is_ok_and(|disk| disk.free < archive::reserve(disk.total))
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
                self.systemd.tell(now, RECORDINGS_UNREADABLE, &error.to_string());
                return self.cannot("read", &error);
            }
        };
        let systemd = &mut self.systemd;
        if let Err(error) = self.shelf.rescan(now, || systemd.beat(Instant::now())) {
            self.cannot("read", &error);
        }
        self.waiting.retain(&incoming);
        let (growing, mut finished): (Vec<Chunk>, Vec<Chunk>) =
            incoming.into_iter().partition(|chunk| self.waiting.grows(chunk, now));
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
        self.begin(now, &finished);
        let index = &mut self.index;
        if let Err(error) = index.write(&self.root, self.shelf.all(), &finished, &growing) {
            self.say(&error.line());
        }
        self.tell(now, growing.len());
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
        let mut held: Vec<Held<'_>> = self.shelf.all().iter().map(|f| free_to_go(&f.chunk)).collect();
        held.extend(finished.iter().map(|chunk| Held {
            busy: at_work.as_ref() == Some(&chunk.path),
            chunk,
        }));
        held.extend(growing.iter().map(|&chunk| Held { chunk, busy: true }));
        held.sort_unstable_by(|a, b| a.chunk.cmp(b.chunk));
        let written = || held.iter().filter(|h| !h.busy).map(|h| h.chunk.modified).max();
        let (since, newest) = *self
            .begun
            .get_or_insert_with(|| (Instant::now(), written().unwrap_or(0)));
        let by_age = ages_count(newest, now, since.elapsed());
        let gone: Vec<(PathBuf, String)> = doomed(&held, &self.config, disk, now, by_age)
            .into_iter()
            .map(|(at, why)| (held[at].chunk.path.clone(), why.to_string()))
            .collect();
        for (path, why) in gone {
            if self.remove(&path) {
                log(format_args!("deleted {}: {why}", path.display()));
                finished.retain(|chunk| chunk.path != path);
                self.shelf.forget(&path);
            }
        }
    }

    /// Takes the oldest finished chunk up, if nothing is under way.
    fn begin(&mut self, now: Instant, finished: &[Chunk]) {
        for chunk in finished {
            if self.job.is_some() {
                return;
            }
            if self.waiting.rests(chunk, now) {
                continue;
            }
            if self.waiting.is_hopeless(chunk) || self.config.format == Format::Flv {
                let done = file_as_it_is(&self.config, chunk);
                self.conclude(chunk, done.map(Some), now);
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
                Err(error) => self.conclude(chunk, Err(error), now),
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
                if let Some(filed) = Chunk::at(path) {
                    self.shelf.add(filed);
                }
            }
            Ok(_) => {}
            Err(error) => {
                self.waiting.failed(chunk, now);
                let then = match self.waiting.is_hopeless(chunk) {
                    true => "it is filed as it is",
                    false => "it is tried again",
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
        let state = match (self.recorder.paused(), growing) {
            (true, _) => RECORDING_STOPPED.to_owned(),
            (false, 1) => "1 stream is recorded".to_owned(),
            (false, streams) => format!("{streams} streams are recorded"),
        };
        let detail = format!(
            "{} chunks, {} MB",
            self.shelf.all().len(),
            self.shelf.bytes() / 1_000_000
        );
        self.systemd.tell(now, &state, &detail);
    }
}

//! `pistream deploy`: the whole flow on one screen.
//!
//! Everything that can be wrong with the input is found before the first host is touched. After that failures are
//! reported per host, never thrown: one dead Pi is a row, not the end.

use crate::ca::{self, Authority, Identities, Subject};
use crate::model::{Fleet, Secret};
use crate::plan::{self, Host, Paths};
use crate::remote::{self, Keep, Verb};
use crate::report::{HostResult, Message, Report, Style, with_help};
use crate::secrets::Secrets;
use crate::tarballs::Tarballs;
use crate::templates::Templates;
use crate::transport::{self, Credentials};
use crate::{cli, exit, inventory, passphrase, select};
use miette::IntoDiagnostic;
use pistream_agent::{Answer, ApplyRequest, Event, Mode, Plan};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// Runs the command.
///
/// # Errors
/// A wrong command line, inventory, template or secret; no host was touched then.
pub async fn run(options: cli::Deploy) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(&options.inventory.inventory)?;
    let hosts = select::select(&fleet, &options.limit).into_diagnostic()?;
    let templates = Templates::load(options.templates.as_deref()).into_diagnostic()?;
    let secrets = Secrets::resolve(&fleet).into_diagnostic()?;
    let subjects = ca::subjects(&fleet);
    let servers = hosts.iter().filter_map(|host| match host {
        Host::Server(server) => Some(*server),
        Host::Camera(_) => None,
    });
    let tarballs = Arc::new(Tarballs::read(servers).into_diagnostic()?);
    let authority = match subjects.is_empty() && fleet.viewers.is_empty() {
        true => None,
        // a comparison makes nothing
        false if options.check => Authority::look(&options.inventory.inventory).into_diagnostic()?,
        false => Some(passphrase::take(&options.inventory.inventory, fleet.passphrase.as_ref()).into_diagnostic()?),
    };
    if let Some(authority) = authority.as_ref().filter(|_| !options.check) {
        part(authority, &fleet)?;
    }
    let identities = match &authority {
        Some(authority) => authority.identities(&subjects).into_diagnostic()?,
        None => Identities::placeholders(),
    };
    let paths = Paths::host();
    let plans: Vec<Plan> = hosts
        .iter()
        .map(|&host| plan::for_host(&fleet, host, &paths, &templates, &secrets, &identities))
        .collect::<Result<_, _>>()
        .into_diagnostic()?;
    if let Some(authority) = &authority {
        passphrase::warn_if_clear(authority, fleet.passphrase.as_ref());
        let lacks = |plan: &Plan| plan.identity.as_ref().is_some_and(|i| i.certificate.is_none());
        if !options.check && plans.iter().any(lacks) {
            passphrase::open(authority, fleet.passphrase.as_ref()).into_diagnostic()?;
        }
    }
    let authority = authority.map(Arc::new);

    let names = hosts.iter().map(|h| h.name().to_string()).collect();
    let mode = if options.check { Mode::Check } else { Mode::Apply };
    let mut report = Report::new(names, Style::choose(options.json), options.verbose);
    let (messages, mut inbox) = mpsc::unbounded_channel();
    let jobs: Vec<Job> = hosts
        .iter()
        .zip(plans)
        .enumerate()
        .map(|(index, (&host, plan))| Job {
            index,
            server: matches!(host, Host::Server(_)),
            ssh: host.ssh().clone(),
            credentials: Credentials::of(host.ssh(), &secrets),
            authority: authority.clone(),
            passphrase: fleet.passphrase.clone(),
            tarballs: Arc::clone(&tarballs),
            subject: subjects.iter().find(|s| s.name == *host.name()).cloned(),
            request: ApplyRequest {
                mode,
                diff: options.diff,
                stop_others: options.stop_others,
                plan,
            },
            messages: messages.clone(),
        })
        .collect();
    drop(messages);
    let work = tokio::spawn(servers_then_cameras(jobs, usize::from(options.jobs)));
    while let Some(message) = inbox.recv().await {
        report.take(message);
    }
    work.await.into_diagnostic()?;
    Ok(report.recap())
}

/// Ends what somebody of another kind has who had a name of this fleet before, and before any server knows whose it is now.
fn part(authority: &Authority, fleet: &Fleet) -> miette::Result<()> {
    for subject in ca::bearers(fleet) {
        if !authority.is_mistaken(&subject).into_diagnostic()? {
            continue;
        }
        passphrase::open(authority, fleet.passphrase.as_ref()).into_diagnostic()?;
        authority.part(&subject).into_diagnostic()?;
        let name = &subject.name;
        eprintln!("{name}: what another had who was called so, a camera, viewer or server, is revoked");
    }
    Ok(())
}

/// One host's part of the work, owning all it needs.
struct Job {
    index: usize,
    server: bool,
    ssh: crate::model::Ssh,
    credentials: Credentials,
    authority: Option<Arc<Authority>>,
    /// Where that of the authority's key comes from.
    passphrase: Option<Secret>,
    tarballs: Arc<Tarballs>,
    /// What its certificate is to say, if it needs one.
    subject: Option<Subject>,
    request: ApplyRequest,
    messages: mpsc::UnboundedSender<Message>,
}

/// Servers first, so that cameras find someone to publish to; each group in parallel. Cameras are connected to while the
/// servers are worked on: only their part of the conversation waits.
async fn servers_then_cameras(jobs: Vec<Job>, at_a_time: usize) {
    let (servers, cameras): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.server);
    let (gate, servers_done) = watch::channel(false);
    let mut first = start(servers, at_a_time, None);
    let mut then = start(cameras, at_a_time, Some(servers_done));
    while first.join_next().await.is_some() {}
    gate.send_replace(true);
    while then.join_next().await.is_some() {}
}

fn start(jobs: Vec<Job>, at_a_time: usize, gate: Option<watch::Receiver<bool>>) -> JoinSet<()> {
    let places = Arc::new(Semaphore::new(at_a_time));
    let mut running = JoinSet::new();
    for job in jobs {
        let (places, gate) = (Arc::clone(&places), gate.clone());
        running.spawn(async move {
            let _place = places.acquire().await;
            let unreachable = |error: Error| HostResult::Unreachable(with_help(&error, error.help()));
            let result = job.deploy(gate).await.unwrap_or_else(unreachable);
            // the receiver outlives all senders
            let _ = job.messages.send(Message::Finished {
                host: job.index,
                result,
            });
        });
    }
    running
}

/// Why a host has no outcome of its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Connect(#[from] transport::Error),
    #[error(transparent)]
    Converse(#[from] remote::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Error::Connect(error) => error.help(),
            Error::Converse(error) => error.help(),
        }
    }
}

impl Job {
    /// Connects, and waits for the gate to open before anything is said.
    async fn deploy(&self, gate: Option<watch::Receiver<bool>>) -> Result<HostResult, Error> {
        let _ = self.messages.send(Message::Started { host: self.index });
        let connection = transport::connect(&self.ssh, &self.credentials).await?;
        let _ = self.messages.send(Message::Road {
            host: self.index,
            road: connection.road().to_string(),
        });
        if let Some(mut gate) = gate {
            // it fails only when nobody is left to open it
            let _ = gate.wait_for(|open| *open).await;
        }
        let keep = match self.request.mode {
            Mode::Apply => Keep::Installed,
            Mode::Check => Keep::Temporary,
        };
        let mut asked = false;
        let mut tell = |event: Event| {
            let answer = self.answer(&event, &mut asked);
            let _ = self.messages.send(Message::Event {
                host: self.index,
                event,
            });
            answer
        };
        let sudo = self.credentials.sudo_password.as_ref();
        let last = remote::converse(&connection, Verb::Apply, keep, Some(&self.request), sudo, &mut tell).await;
        Ok(HostResult::from(last?))
    }

    /// What a host asks for, or why it does not get it: a tarball it builds from, or its certificate. Who the host is, is
    /// known by the road to it; whatever it says, it gets a certificate for itself, and one in a conversation.
    fn answer(&self, event: &Event, asked: &mut bool) -> Option<Answer> {
        let request = match event {
            Event::Certify { request } => request,
            Event::Tarball { sha256 } => return Some(self.tarballs.answer(sha256)),
            _ => return None,
        };
        let refused = |why: String| Answer::Refused { why };
        let again = std::mem::replace(asked, true);
        Some(match (&self.authority, &self.subject, self.request.mode) {
            (Some(authority), Some(subject), Mode::Apply) if !again => match self.issue(authority, subject, request) {
                Ok(pem) => Answer::Certificate { pem },
                Err(why) => refused(why),
            },
            _ => refused("this host needs no certificate".to_owned()),
        })
    }

    /// A host that has lost what it had asks for a certificate that nobody expected to sign: the key may still be sealed
    /// then, and with everybody at work nobody is asked for its passphrase.
    fn issue(&self, authority: &Authority, subject: &Subject, request: &str) -> Result<String, String> {
        if let Some(source) = &self.passphrase {
            // a command may take its time
            tokio::task::block_in_place(|| passphrase::open_by(authority, source)).map_err(|e| e.to_string())?;
        }
        authority.issue(subject, request).map_err(|error| match error {
            ca::Error::Sealed(_) => {
                let name = &subject.name;
                format!("{error}; `pistream certs renew {name}`, then deploy again on a terminal")
            }
            error => error.to_string(),
        })
    }
}

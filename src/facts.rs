//! `pistream facts`: what each host is and what its camera could do. Asks only; changes nothing on any host.

mod show;

use crate::ask::{ask, unexpected};
use crate::model::Ssh;
use crate::remote::Verb;
use crate::secrets::Secrets;
use crate::transport::Credentials;
use crate::{cli, exit, inventory, select};
use miette::IntoDiagnostic;
use pistream_agent::{Event, HostFacts};
use tokio::task::JoinSet;

/// What one host answered, or why it did not.
struct Answer {
    host: String,
    facts: Result<HostFacts, String>,
}

/// Runs the command.
///
/// # Errors
/// A wrong command line, inventory or secret.
pub async fn run(options: cli::Facts) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(&options.inventory.inventory)?;
    let hosts = select::select(&fleet, &options.hosts).into_diagnostic()?;
    let secrets = Secrets::resolve(&fleet).into_diagnostic()?;
    let mut asked = JoinSet::new();
    for (index, host) in hosts.into_iter().enumerate() {
        let name = host.name().to_string();
        let (ssh, credentials) = (host.ssh().clone(), Credentials::of(host.ssh(), &secrets));
        asked.spawn(async move {
            let facts = facts(&ssh, &credentials).await;
            (index, Answer { host: name, facts })
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    let answers: Vec<Answer> = answers.into_iter().map(|(_, answer)| answer).collect();
    show::print(&answers, options.json).into_diagnostic()?;
    Ok(match answers.iter().all(|answer| answer.facts.is_ok()) {
        true => exit::Code::Done,
        false => exit::Code::HostFailed,
    })
}

async fn facts(ssh: &Ssh, credentials: &Credentials) -> Result<HostFacts, String> {
    match ask::<()>(ssh, credentials, Verb::Facts, None).await? {
        Event::HostFacts { facts } => Ok(*facts),
        other => Err(unexpected(other)),
    }
}

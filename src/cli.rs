//! The command line: clap types, nothing else.

use crate::ask::HOSTS_AT_A_TIME;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Private video from a fleet of Raspberry Pi cameras: one inventory, one deploy, pictures proven end to end.
#[derive(Debug, Parser)]
#[command(name = "pistream", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done · 1 a host failed or was unreachable, or `status` found one that is not well · 2 the command line or the inventory is \
    wrong, nothing was touched · 3 deployed, but the stream does not verify · 4 --check found changes pending · 130, 143 `recordings export` \
    was ended by Ctrl-C or SIGTERM"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make every host what the inventory says; a second run changes nothing
    Deploy(Deploy),
    /// Tell how every camera and server fares now; probes nothing, changes nothing
    Status(Status),
    /// Prove that pictures flow from every camera to the server, its recordings and its viewers
    Verify(Verify),
    /// Tell what each host is, and what its camera could do
    Facts(Facts),
    /// Tell what is recorded and what is missing, or fetch a film of a time range
    Recordings(Recordings),
    /// Show what a camera's V4L2 driver can be told: every control, what it takes, what it is set to
    Controls(Controls),
    /// Write every file of every host into a directory; touches no host
    Render(Render),
    /// The fleet's certificates: who has which, who shall get another or none; and how its authority is kept
    #[command(subcommand)]
    Certs(Certs),
    /// Watch a camera of a server that speaks TLS, in any player; needs a viewer's directory, no inventory
    Watch(Watch),
    /// Turn the original playbook's Ansible inventory into a hosts.yml
    Import(Import),
    /// Print the inventory's JSON Schema, for editors
    Schema,
    /// Run a private fleet on this machine: a server, two cameras, no ssh, no root
    Demo(Demo),
}

#[derive(Debug, Args)]
pub struct Inventory {
    /// The inventory
    #[arg(short, long, value_name = "FILE", default_value = "hosts.yml")]
    pub inventory: PathBuf,
}

#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    pub inventory: Inventory,
    /// Compare only: say what would change, change nothing, exit 4 if anything would
    #[arg(long, alias = "dry-run")]
    pub check: bool,
    /// Show how files differ (secrets never)
    #[arg(long)]
    pub diff: bool,
    /// Stop and disable other services that have a host's camera (motion, mediamtx, the Ansible playbook's ffmpeg …)
    #[arg(long)]
    pub stop_others: bool,
    /// Only these hosts: a name, a pattern like `cam-*`, `cameras` or `servers`; repeatable
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub limit: Vec<String>,
    /// Hosts worked on at a time
    #[arg(long, value_name = "N", default_value_t = HOSTS_AT_A_TIME, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Take templates of the same name from here instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
    /// Say everything as JSON lines
    #[arg(long)]
    pub json: bool,
    /// Say more: the road taken to each host, every step
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub inventory: Inventory,
    /// Only these hosts: a name, a pattern like `cam-*`, `cameras` or `servers`
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
    /// Look again every five seconds, until Ctrl-C
    #[arg(short, long)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    pub inventory: Inventory,
    /// Only these cameras: a name or a pattern; repeatable
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub limit: Vec<String>,
    /// Give up on a link of the chain after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=600))]
    pub timeout: u64,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Write the result as a JUnit report
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Show every link of every camera, not only the first broken one
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub struct Facts {
    #[command(flatten)]
    pub inventory: Inventory,
    /// Only these hosts: a name, a pattern like `cam-*`, `cameras` or `servers`
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Print the facts as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Recordings {
    #[command(subcommand)]
    pub command: RecordingsCommand,
}

#[derive(Debug, Subcommand)]
pub enum RecordingsCommand {
    /// What is recorded, by camera and day
    Ls(RecordingsList),
    /// When pictures are missing, and why as far as the server can tell
    Gaps(RecordingsList),
    /// Fetch one MP4 of a camera and a time range, over chunk borders
    Export(RecordingsExport),
}

#[derive(Debug, Args)]
pub struct RecordingsList {
    #[command(flatten)]
    pub inventory: Inventory,
    /// Only these cameras: names or patterns
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// From this time on (UTC): 2026-01-31, 2026-01-31T14:30, or how long ago: 90m, 2h, 3d
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until this time (default: now)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Print every chunk and gap as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RecordingsExport {
    #[command(flatten)]
    pub inventory: Inventory,
    /// The camera
    #[arg(value_name = "NAME")]
    pub name: String,
    /// From this time on (UTC): 2026-01-31, 2026-01-31T14:30, or how long ago: 90m, 2h, 3d (default: the beginning)
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until this time (default: now)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// The file to write, never over an existing one (default: NAME.mp4)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Controls {
    /// The camera, by its name in the inventory
    #[arg(value_name = "CAMERA")]
    pub host: String,
    #[command(flatten)]
    pub inventory: Inventory,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[group(id = "where", required = true, multiple = false, args = ["output", "check"])]
pub struct Render {
    #[command(flatten)]
    pub inventory: Inventory,
    /// Write the files here, a directory per host
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Compare with what an earlier render wrote here; exit 4 if anything differs
    #[arg(long, value_name = "DIR")]
    pub check: Option<PathBuf>,
    /// Fetch the secrets and write them too (default: placeholders)
    #[arg(long)]
    pub with_secrets: bool,
    /// Take templates of the same name from here instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Certs {
    /// Every host's certificate and how long it is good
    List {
        #[command(flatten)]
        inventory: Inventory,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a viewer's key and certificate, to be handed to him: for RTMPS players, and for `pistream watch`
    Issue {
        #[command(flatten)]
        inventory: Inventory,
        /// The viewer, by the name in the inventory
        #[arg(long, value_name = "NAME")]
        viewer: String,
        /// The directory to write (default: the viewer's name)
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
    /// Have the next deploy make a new key and certificate
    Renew {
        #[command(flatten)]
        inventory: Inventory,
        /// The host or viewer
        name: String,
    },
    /// Shut a camera or viewer out now, and until `renew`; deploys the servers concerned
    Revoke {
        #[command(flatten)]
        inventory: Inventory,
        /// The camera or viewer
        name: String,
    },
    /// Seal the authority's key by a passphrase, or by another one: the inventory's `ca: {passphrase: …}`, else asked for
    Seal {
        #[command(flatten)]
        inventory: Inventory,
    },
    /// Put the authority's key on disk in clear again
    Unseal {
        #[command(flatten)]
        inventory: Inventory,
    },
}

#[derive(Debug, Args)]
pub struct Watch {
    /// The camera
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What `pistream certs issue` wrote for the viewer
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub viewer: PathBuf,
    /// The player to start (default: the first of these that is installed); none: print an address for any other
    #[arg(long, value_name = "PLAYER")]
    pub player: Option<Player>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Player {
    Mpv,
    Vlc,
    Ffplay,
    None,
}

#[derive(Debug, Args)]
pub struct Import {
    /// ansible/inventory/hosts.yml of the original playbook
    pub file: PathBuf,
    /// Write the hosts.yml here instead of to standard output (never over an existing file)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Do not install missing packages, stop and name them
    #[arg(long)]
    pub no_install: bool,
    /// Stop after verify, with its exit code
    #[arg(long)]
    pub exit_after_verify: bool,
}

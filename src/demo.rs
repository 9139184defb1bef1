//! `pistream demo`: a private fleet on this machine, from the very templates, plan and agent that deploy uses.
//!
//! No ssh, no systemd, no root (but for installing packages): child processes in a directory of their own, on free
//! ports, reachable from this machine alone. When it ends, by whatever way, nothing is left behind.

mod children;
mod hosts;
mod packages;
mod place;

use crate::ca::Identities;
use crate::model::{Camera, Fleet, Server};
use crate::plan::{self, Host, Paths};
use crate::secrets::Secrets;
use crate::templates::Templates;
use crate::verify::{self, Chain, Evidence};
use crate::{ask, assets, cli, exit, inventory, remote};
use children::Children;
use miette::{IntoDiagnostic, WrapErr, miette};
use pistream_agent::{Event, Facts, InspectRequest, Status, StreamState};
use place::Place;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How long the first pictures may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nginx may take to open its ports.
const START_UP: Duration = Duration::from_secs(10);

/// Runs the command.
///
/// # Errors
/// Missing packages, a machine without an agent, a program that does not start.
pub async fn run(options: cli::Demo) -> miette::Result<exit::Code> {
    packages::ensure(!options.no_install).await?;
    let place = Place::new()?;
    let mut interrupt = signal(SignalKind::interrupt()).into_diagnostic()?;
    let mut terminate = signal(SignalKind::terminate()).into_diagnostic()?;
    let mut hang_up = signal(SignalKind::hangup()).into_diagnostic()?;
    tokio::select! {
        code = start_and_show(place.path(), options.exit_after_verify) => code,
        _ = interrupt.recv() => Ok(exit::Code::Done),
        _ = terminate.recv() => Ok(exit::Code::Done),
        _ = hang_up.recv() => Ok(exit::Code::Done),
    }
    // here the children are gone (their owner was dropped) and `place` removes itself
}

async fn start_and_show(directory: &Path, exit_after_verify: bool) -> miette::Result<exit::Code> {
    let agent = unpack_agent(directory)?;
    let mut demo = start(directory, &agent).await?;
    let shown = demo.show(exit_after_verify).await;
    shown.or_else(|error| {
        // it did run: no fault of the command line
        eprintln!("{error:?}");
        Ok(exit::Code::HostFailed)
    })
}

/// Starts the fleet; anew with other ports when somebody was quicker to take one.
async fn start(directory: &Path, agent: &Path) -> miette::Result<Demo> {
    for _ in 0..4 {
        let mut demo = Demo::start(directory, agent)?;
        if demo.ports_are_ours().await? {
            return Ok(demo);
        }
    }
    Err(miette!("free ports were taken by others, again and again; try again"))
}

struct Demo {
    fleet: Fleet,
    agent: PathBuf,
    server_paths: Paths,
    sockets: BTreeMap<String, String>,
    /// Dropped last to first: everything above may still be asked while these live.
    children: Children,
}

impl Demo {
    async fn show(&mut self, exit_after_verify: bool) -> miette::Result<exit::Code> {
        self.wait_for_pictures().await?;
        let chains = self.verify().await;
        verify::print(&chains, false, false).into_diagnostic()?;
        let holds = chains.iter().all(Chain::holds);
        self.print_addresses().into_diagnostic()?;
        if exit_after_verify || !holds {
            return Ok(if holds {
                exit::Code::Done
            } else {
                exit::Code::Unverified
            });
        }
        self.show_status().await
    }

    fn start(directory: &Path, agent: &Path) -> miette::Result<Demo> {
        let file = directory.join("hosts.yml");
        let text = hosts::yml(directory)?;
        std::fs::write(&file, &text).into_diagnostic()?;
        let (fleet, _) = inventory::read_as(inventory::Hosts::Processes, &text, &file)?;
        let templates = Templates::load(None).into_diagnostic()?;
        let secrets = Secrets::placeholders();
        let server = fleet
            .servers
            .first()
            .ok_or_else(|| miette!("the demo's inventory has no server"))?;

        let mut children = Children::default();
        let server_paths = Paths::below(&directory.join("hub"), agent, is_root());
        write_files(&fleet, Host::Server(server), &server_paths, &templates, &secrets)?;
        for (run, conf) in every_nginx(&server_paths) {
            std::fs::create_dir_all(run).into_diagnostic()?;
            let prefix = format!("{run}/");
            children.start(
                &server_paths.nginx,
                &["-e", "stderr", "-p", &prefix, "-c", conf],
                Path::new(run),
                &nginx_log(run),
            )?;
        }

        let keep = ["keep", "--config", &server_paths.recordings_toml];
        children.start(&server_paths.agent, &keep, directory, &directory.join("recordings.log"))?;

        let mut sockets = BTreeMap::new();
        for camera in &fleet.cameras {
            let paths = Paths::below(&directory.join(camera.name.as_str()), agent, is_root());
            write_files(&fleet, Host::Camera(camera), &paths, &templates, &secrets)?;
            let log = directory.join(format!("{}.log", camera.name));
            children.start(
                &paths.agent,
                &["supervise", "--config", &paths.camera_toml],
                directory,
                &log,
            )?;
            sockets.insert(camera.name.to_string(), paths.status_socket);
        }
        Ok(Demo {
            fleet,
            agent: agent.to_owned(),
            server_paths,
            sockets,
            children,
        })
    }

    /// Waits until nginx has opened its ports. `false`: one was taken in the meantime.
    async fn ports_are_ours(&mut self) -> miette::Result<bool> {
        let deadline = Instant::now() + START_UP;
        for (run, _) in every_nginx(&self.server_paths) {
            // written when they are open
            let pid = Path::new(run).join("nginx.pid");
            while !pid.exists() && Instant::now() < deadline {
                let log = std::fs::read_to_string(nginx_log(run)).unwrap_or_default();
                if log.contains("Address already in use") {
                    return Ok(false);
                }
                self.children.check()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(true)
    }

    fn server(&self) -> Option<&Server> {
        self.fleet.servers.first()
    }

    async fn wait_for_pictures(&mut self) -> miette::Result<()> {
        let started = Instant::now();
        loop {
            self.children.check()?;
            let mut streaming = 0;
            for camera in &self.fleet.cameras {
                streaming += usize::from(
                    self.status(camera)
                        .await
                        .is_ok_and(|s| s.state == StreamState::Streaming),
                );
            }
            // over the deadline verify says what is wrong, in its own words
            if streaming == self.fleet.cameras.len() || started.elapsed() > PATIENCE {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn status(&self, camera: &Camera) -> Result<Status, String> {
        let socket = self.sockets.get(camera.name.as_str()).map_or("", String::as_str);
        match remote::ask_program::<()>(&self.agent, &["status", "--socket", socket], None).await {
            Ok(Event::Status { status }) => Ok(*status),
            Ok(other) => Err(ask::unexpected(other)),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn facts(&self, request: &InspectRequest) -> Result<Facts, String> {
        match remote::ask_program(&self.agent, &["inspect"], Some(request)).await {
            Ok(Event::Facts { facts }) => Ok(*facts),
            Ok(other) => Err(ask::unexpected(other)),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn verify(&self) -> Vec<Chain> {
        let cameras: Vec<&Camera> = self.fleet.cameras.iter().collect();
        let mut evidence = Evidence::default();
        for &camera in &cameras {
            evidence.statuses.insert(camera.name.clone(), self.status(camera).await);
        }
        if let Some(server) = self.server() {
            let facts = match verify::inspect_request(
                &self.fleet,
                server,
                &cameras,
                &self.server_paths,
                &Secrets::placeholders(),
                PATIENCE.as_secs(),
            ) {
                Ok(request) => self.facts(&request).await,
                Err(error) => Err(error.to_string()),
            };
            evidence.facts.insert(server.name.clone(), facts);
        }
        cameras
            .iter()
            .map(|camera| verify::judge(&self.fleet, camera, &evidence))
            .collect()
    }

    fn print_addresses(&self) -> std::io::Result<()> {
        let Some(server) = self.server() else { return Ok(()) };
        let (rtmp, http) = (server.rtmp_port, server.http_port);
        let mut out = std::io::stdout().lock();
        writeln!(out, "\npage  http://127.0.0.1:{http}/")?;
        for camera in &self.fleet.cameras {
            let stream = &camera.stream;
            writeln!(out, "{stream}")?;
            writeln!(out, "  RTMP  rtmp://127.0.0.1:{rtmp}/live/{stream}")?;
            writeln!(out, "  HLS   http://127.0.0.1:{http}/hls/{stream}/index.m3u8")?;
            writeln!(out, "  DASH  http://127.0.0.1:{http}/dash/{stream}/index.mpd")?;
        }
        Ok(())
    }

    /// A status line, renewed until the demo is interrupted.
    async fn show_status(&mut self) -> miette::Result<exit::Code> {
        writeln!(
            std::io::stdout(),
            "\nCtrl-C ends the demo and removes everything it made."
        )
        .into_diagnostic()?;
        let line = crate::report::StatusLine::new(std::io::stderr().is_terminal());
        loop {
            self.children.check()?;
            let mut parts = Vec::new();
            for camera in &self.fleet.cameras {
                parts.push(match self.status(camera).await {
                    Ok(s) => format!("{} {:.1} fps {} kbit/s", camera.name, s.fps, s.bitrate_measured / 1000),
                    Err(why) => format!("{}: {why}", camera.name),
                });
            }
            line.show(&parts.join(" · "));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Whose user id this process has: the owner of /proc/self.
fn user() -> Option<u32> {
    std::fs::metadata("/proc/self").map(|m| m.uid()).ok()
}

fn is_root() -> bool {
    user() == Some(0)
}

/// The directories and configurations of the server's core, front and door.
fn every_nginx(paths: &Paths) -> [(&str, &str); 3] {
    [
        (&paths.run, &paths.nginx_conf),
        (&paths.front_run, &paths.front_conf),
        (&paths.door_run, &paths.door_conf),
    ]
}

fn nginx_log(run: &str) -> PathBuf {
    Path::new(run).join("nginx.log")
}

fn unpack_agent(directory: &Path) -> miette::Result<PathBuf> {
    let agent = assets::agent(std::env::consts::ARCH).into_diagnostic()?;
    let path = directory.join("pistream-agent");
    let write = || -> std::io::Result<()> {
        std::fs::write(&path, agent)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
    };
    write()
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn write_files(
    fleet: &Fleet,
    host: Host<'_>,
    paths: &Paths,
    templates: &Templates,
    secrets: &Secrets,
) -> miette::Result<()> {
    let plan = plan::for_host(fleet, host, paths, templates, secrets, &Identities::placeholders()).into_diagnostic()?;
    for file in plan.files {
        if let Some(parent) = Path::new(&file.path).parent() {
            std::fs::create_dir_all(parent).into_diagnostic()?;
        }
        std::fs::write(&file.path, file.content)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", file.path))?;
    }
    Ok(())
}

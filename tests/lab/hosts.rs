//! A lab of hosts that lives as long as its value, and the deployer run against it in a home of its own.
//!
//! Knows the scripts beside it and nothing of pistream's insides.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab");
const RUN: &str = "/run/pistream-lab";

/// What is on a host's disk before pistream comes.
#[derive(Clone, Copy)]
pub enum Image {
    /// sshd, sudo, systemd; packages come by apt.
    Bare,
    /// The same with nginx and ffmpeg installed.
    Fat,
}

/// How `Host` entries of an inventory are reached.
pub const BOTH_ROADS: [&str; 2] = ["openssh", "russh"];

/// Hosts on a network of their own. Dropping it takes everything away; so does the end of this process.
pub struct Lab {
    id: String,
    image: Image,
}

impl Lab {
    /// Boots these hosts, all at once, and returns when each lets a user in.
    pub fn up(image: Image, names: &[&str]) -> Lab {
        let owner = std::process::id().to_string();
        let id = text(&run(script("containers/up").args(["-i", "new", "-o", &owner])));
        let lab = Lab { id, image };
        lab.boot(names);
        lab.furnish();
        lab
    }

    fn boot(&self, names: &[&str]) {
        let image = match self.image {
            Image::Bare => "bare",
            Image::Fat => "fat",
        };
        run(script("containers/up").args(["-i", &self.id, "-m", image]).args(names));
    }

    /// Boots more hosts with the same on their disks, on the same network: ten at once, since many at once keep each other from
    /// getting up in time.
    pub fn up_more(&self, names: &[&str]) {
        for some in names.chunks(10) {
            self.boot(some);
        }
        self.furnish();
    }

    /// Boots more hosts, bare ones of this Debian release ("trixie", "bullseye"), on the same network.
    pub fn up_release(&self, release: &str, names: &[&str]) {
        run(script("containers/up")
            .args(["-i", &self.id, "-r", release])
            .args(names));
        self.furnish();
    }

    /// Boots the virtual Pi as one more host, on the same network.
    pub fn up_pi(&self, name: &str) {
        let arch = std::env::var("PISTREAM_LAB_PI").unwrap_or_else(|_| "amd64".into());
        run(script("pi/boot").args(["-i", &self.id, "-a", &arch, name]));
        self.furnish();
    }

    /// Settings for `ssh -F` that reach every host by its address.
    pub fn ssh_config(&self) -> PathBuf {
        self.path("ssh_config")
    }

    /// CPU seconds all hosts have used so far.
    pub fn cpu(&self) -> f64 {
        let group = format!("pistream-lab-{}", self.id);
        // cgroup v1 counts nanoseconds, v2 microseconds
        if let Ok(text) = fs::read_to_string(format!("/sys/fs/cgroup/cpuacct/{group}/cpuacct.usage")) {
            return text.trim().parse::<f64>().unwrap() / 1e9;
        }
        let text = fs::read_to_string(format!("/sys/fs/cgroup/{group}/cpu.stat")).unwrap_or_default();
        let usage = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        usage.map_or(0.0, |micros| micros.parse::<f64>().unwrap() / 1e6)
    }

    /// The processes of a container, as this machine numbers them: id, name, and state as the kernel writes it.
    pub fn processes(&self, name: &str) -> Vec<(u32, String, char)> {
        let group = format!("pistream-lab-{}/{name}", self.id);
        let own = ["cpuacct/", ""].map(|hierarchy| Path::new("/sys/fs/cgroup").join(hierarchy).join(&group));
        own.iter()
            .find(|group| group.exists())
            .map(|group| below(group))
            .unwrap_or_default()
    }

    /// Gives a container as much of the processor as so many others have together, where they want it at the same time.
    pub fn weigh(&self, name: &str, others: usize) {
        let group = format!("pistream-lab-{}/{name}", self.id);
        // by version 1 of cgroups, and by version 2
        let files = [("cpu", "cpu.shares", 1024), ("", "cpu.weight", 100)];
        let written = files.iter().any(|(hierarchy, file, one)| {
            let file = Path::new("/sys/fs/cgroup").join(hierarchy).join(&group).join(file);
            fs::write(file, (one * others).min(10_000 * one / 100).to_string()).is_ok()
        });
        assert!(written, "no share of the processor for {name}");
    }

    /// A network namespace on the lab's network for a program of this machine's, which else would notice what other labs
    /// plug in and out. Its name.
    pub fn own_network(&self, name: &str) -> String {
        run(script("containers/up").args(["-i", &self.id, "-c", name]));
        self.space(name)
    }

    fn space(&self, name: &str) -> String {
        format!("plab{}-{name}", self.id)
    }

    /// Runs a command in the network of a container, whether it runs or not.
    pub fn in_network(&self, name: &str, command: &[&str]) -> Output {
        let space = self.space(name);
        let mut ip = Command::new("ip");
        ip.args(["netns", "exec", &space]).args(command);
        ip.stdin(Stdio::null()).output().unwrap()
    }

    pub fn id(&self) -> String {
        self.id.clone()
    }

    /// Where files for the deployer go: its home and its working directory. Gone with the lab.
    pub fn home(&self) -> PathBuf {
        self.path(".deployer")
    }

    /// The lab's own key, which every host accepts for root, pi and admin.
    pub fn key(&self) -> PathBuf {
        self.home().join(".ssh/lab_key")
    }

    pub fn ip(&self, name: &str) -> String {
        let hosts = fs::read_to_string(self.path("hosts")).unwrap();
        let line = hosts.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no host {name} in this lab")).to_owned()
    }

    /// What the host has written, as seen from here: needs no ssh, works with the power cut too. Files the image brought
    /// and nobody touched are not in it.
    pub fn disk(&self, name: &str) -> PathBuf {
        self.path(name).join("disk")
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(RUN).join(&self.id).join(name)
    }

    /// Runs a shell command as root on the host.
    pub fn ssh(&self, name: &str, command: &str) -> Output {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F")
            .arg(self.path("ssh_config"))
            .arg(self.ip(name))
            .arg(command);
        ssh.stdin(Stdio::null()).output().unwrap()
    }

    /// As `ssh`, for commands that must succeed: what it printed, without the end's white space.
    pub fn root(&self, name: &str, command: &str) -> String {
        let output = self.ssh(name, command);
        assert!(output.status.success(), "{name}: {command}\n{}", all(&output));
        text(&output)
    }

    /// How long a login takes that does nothing, of which a busy machine makes much.
    pub fn login(&self, name: &str) -> Duration {
        let start = Instant::now();
        self.root(name, "true");
        start.elapsed()
    }

    /// The host stops as if unplugged. Its disk stays.
    pub fn power_cut(&self, name: &str) {
        run(script("down").args(["-i", &self.id, name]));
    }

    pub fn power_on(&self, name: &str) {
        self.boot(&[name]);
    }

    pub fn cut_network(&self, name: &str) {
        self.cable(name, "down");
    }

    pub fn restore_network(&self, name: &str) {
        self.cable(name, "up");
    }

    fn cable(&self, name: &str, state: &str) {
        let ip = self.ip(name);
        let last = ip.rsplit('.').next().unwrap();
        run(Command::new("ip").args(["link", "set", &format!("pl{}-{last}", self.id), state]));
    }

    /// The deployer's ssh settings: known hosts, and the key under a name no ssh offers by itself.
    fn furnish(&self) {
        let ssh = self.home().join(".ssh");
        fs::create_dir_all(&ssh).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(self.path("known_hosts"), ssh.join("known_hosts")).unwrap();
        let config = fs::read_to_string(self.path("ssh_config")).unwrap();
        let key = config
            .lines()
            .find_map(|l| l.trim().strip_prefix("IdentityFile "))
            .unwrap();
        fs::copy(key, self.key()).unwrap();
        fs::set_permissions(self.key(), fs::Permissions::from_mode(0o600)).unwrap();
        // ssh asks the password database for the home, not the environment
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        let (home, mut own) = (self.home(), String::new());
        for line in passwd.lines() {
            let mut fields: Vec<&str> = line.split(':').collect();
            if fields[0] == "root" {
                fields[5] = home.to_str().unwrap();
            }
            writeln!(own, "{}", fields.join(":")).unwrap();
        }
        fs::write(self.home().join("passwd"), own).unwrap();
    }

    /// `pistream ARGUMENTS`, not yet started: in a home and working directory of its own, which ssh believes in too.
    pub fn pistream(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "sh",
                "-euc",
                "mount --bind passwd /etc/passwd; exec \"$@\"",
                "pistream",
            ])
            .arg(env!("CARGO_BIN_EXE_pistream"))
            .args(arguments)
            .current_dir(self.home())
            .env("HOME", self.home())
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null());
        command
    }

    /// Writes `hosts.yml` into the deployer's working directory.
    pub fn write_inventory(&self, text: &str) {
        fs::write(self.home().join("hosts.yml"), text).unwrap();
    }

    /// `ssh:` of an inventory for this host: user pi, the lab's key, the given road.
    pub fn address_for(&self, name: &str, transport: &str) -> String {
        let (ip, key) = (self.ip(name), self.key());
        format!(
            "{{host: {ip}, user: pi, identity: {}, transport: {transport}}}",
            key.display()
        )
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.last_words());
        }
        run(script("down").args(["-i", &self.id]));
    }
}

/// A process that ends with its value, also where the story fails.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Lab {
    /// What the hosts' journals say of pistream's units, for the log of a failed test.
    fn last_words(&self) -> String {
        let hosts = fs::read_to_string(self.path("hosts")).unwrap_or_default();
        let names = hosts.lines().filter_map(|line| line.split(' ').next());
        let journal = "systemctl --no-pager --failed; journalctl --no-pager -q -n 30 -u 'pistream-*'";
        names
            .map(|name| format!("--- {name}\n{}", all(&self.ssh(name, journal))))
            .collect()
    }
}

/// The processes of a cgroup and of those in it.
fn below(group: &Path) -> Vec<(u32, String, char)> {
    let listed = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let process = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        Some((pid.parse().ok()?, name.to_owned(), rest.chars().next()?))
    };
    let mut found: Vec<_> = listed.lines().filter_map(process).collect();
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(below(&entry.path()));
        }
    }
    found
}

pub fn script(name: &str) -> Command {
    Command::new(Path::new(SCRIPTS).join(name))
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}\n{}", all(&output));
    output
}

/// Whether a command on a host failed by itself: `timeout` did not have to end it (124), nor did ssh fail (255).
pub fn failed_by_itself(output: &Output) -> bool {
    output.status.code().is_some_and(|code| ![0, 124, 255].contains(&code))
}

/// What a command printed, without the end's white space.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Everything a command said, for messages.
pub fn all(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Waits until the condition holds and tells how long that took.
pub fn wait_for(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
    start.elapsed()
}

//! Reading what `ssh -G` prints: one `keyword value` per line. Pure.

use super::{Asked, Obstacle, Settings, Surroundings};
use std::path::{Path, PathBuf};

/// OpenSSH's own list, tried where nothing else is set (ssh_config(5), IdentityFile).
const DEFAULT_IDENTITIES: [&str; 4] = [
    "~/.ssh/id_rsa",
    "~/.ssh/id_ecdsa",
    "~/.ssh/id_ed25519",
    "~/.ssh/id_ed25519_sk",
];

/// The answer of `ssh -G`, in its order.
pub(super) struct Report {
    lines: Vec<(String, String)>,
}

impl Report {
    pub(super) fn parse(text: &str) -> Report {
        let pair = |line: &str| {
            let (keyword, value) = line.trim().split_once(' ')?;
            Some((keyword.to_lowercase(), value.trim().to_owned()))
        };
        Report {
            lines: text.lines().filter_map(pair).collect(),
        }
    }

    /// What OpenSSH would say without any configuration.
    pub(super) fn defaults() -> Report {
        let mut text = String::new();
        for identity in DEFAULT_IDENTITIES {
            text += &format!("identityfile {identity}\n");
        }
        text += "userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2\n";
        text += "globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2\n";
        Report::parse(&text)
    }

    fn all<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines
            .iter()
            .filter(move |(k, _)| k == keyword)
            .map(|(_, v)| v.as_str())
    }

    /// The value of a keyword that is set to something.
    fn one(&self, keyword: &str) -> Option<&str> {
        self.lines
            .iter()
            .find(|(k, _)| k == keyword)
            .map(|(_, v)| v.as_str())
            .filter(|v| *v != "none")
    }

    /// The chain of jump hosts, as ProxyJump has it.
    pub(super) fn jump(&self) -> Option<String> {
        self.one("proxyjump").map(str::to_owned)
    }

    pub(super) fn settings(&self, asked: &Asked, here: &Surroundings) -> Settings {
        let host = self.one("hostname").unwrap_or(&asked.host).to_owned();
        let user = asked.user.clone().or_else(|| self.one("user").map(str::to_owned));
        let port = asked.port.or_else(|| self.one("port").and_then(|p| p.parse().ok()));
        let tokens = Tokens {
            here,
            alias: &asked.host,
            host: &host,
            port: port.unwrap_or(22),
            user: user.as_deref().unwrap_or(&here.user),
        };
        let mut obstacles = self.obstacles();
        let login_obstacle = |what: String| Obstacle { what, login_only: true };
        let mut identities: Vec<PathBuf> = self
            .all("identityfile")
            .filter(|f| *f != "none")
            .map(|f| tokens.expand(f))
            .collect();
        if let Some(file) = &asked.identity {
            // ssh puts it before those of the configuration; without ssh there are the defaults only, which it replaces
            if !identities.contains(file) {
                identities = vec![file.clone()];
            }
        }
        for file in &identities {
            if (here.exists)(&with_suffix(file, "-cert.pub")) {
                obstacles.push(login_obstacle(format!("{} has a certificate", file.display())));
            }
            if (here.read)(&with_suffix(file, ".pub")).is_some_and(|key| key.starts_with("sk-")) {
                obstacles.push(login_obstacle(format!("{} is a security key", file.display())));
            }
        }
        let known_hosts = self
            .all("userknownhostsfile")
            .chain(self.all("globalknownhostsfile"))
            .flat_map(file_list)
            .filter(|f| f != "none")
            .map(|f| tokens.expand(&f))
            .collect();
        Settings {
            alias: asked.host.clone(),
            port: tokens.port,
            user: tokens.user.to_owned(),
            identities_only: asked.identity.is_some() || self.one("identitiesonly") == Some("yes"),
            agent: self.agent(&tokens),
            known_hosts,
            host_key_alias: self.one("hostkeyalias").map(str::to_owned),
            jump: None,
            proxy_command: self.one("proxycommand").map(str::to_owned),
            obstacles,
            identities,
            host,
        }
    }

    fn agent(&self, tokens: &Tokens<'_>) -> Option<PathBuf> {
        let set = self
            .lines
            .iter()
            .find(|(k, _)| k == "identityagent")
            .map(|(_, v)| v.as_str());
        let variable = tokens.here.variable;
        match set.unwrap_or("SSH_AUTH_SOCK") {
            "none" => None,
            "SSH_AUTH_SOCK" => variable("SSH_AUTH_SOCK").map(PathBuf::from),
            value => match value.strip_prefix('$') {
                Some(name) => variable(name.trim_matches(['{', '}'])).map(PathBuf::from),
                None => Some(tokens.expand(value)),
            },
        }
    }

    fn obstacles(&self) -> Vec<Obstacle> {
        let mut found = Vec::new();
        let mut add = |login_only, what: &str| {
            found.push(Obstacle {
                what: what.to_owned(),
                login_only,
            })
        };
        // ssh -G shows a ProxyCommand of its own making for no ProxyJump: the two never stand together
        for (keyword, name) in [
            ("proxycommand", "ProxyCommand"),
            ("knownhostscommand", "KnownHostsCommand"),
            ("revokedhostkeys", "RevokedHostKeys"),
            ("bindaddress", "BindAddress"),
            ("bindinterface", "BindInterface"),
        ] {
            if self.one(keyword).is_some() {
                add(false, &format!("{name} is set"));
            }
        }
        if self.one("addressfamily").is_some_and(|f| f != "any") {
            add(false, "AddressFamily is set");
        }
        if self
            .one("verifyhostkeydns")
            .is_some_and(|v| !matches!(v, "no" | "false"))
        {
            add(false, "VerifyHostKeyDNS is set");
        }
        if self.one("certificatefile").is_some() {
            add(true, "CertificateFile is set");
        }
        if self.one("pkcs11provider").is_some() {
            add(true, "PKCS11Provider is set");
        }
        if self
            .one("pubkeyauthentication")
            .is_some_and(|v| matches!(v, "no" | "false"))
        {
            add(true, "PubkeyAuthentication is off");
        }
        if self
            .one("preferredauthentications")
            .is_some_and(|v| !v.split(',').any(|m| m == "publickey"))
        {
            add(true, "PreferredAuthentications leaves out public keys");
        }
        found
    }
}

/// A list of files: `ssh -G` prints no quotes, so a word that cannot begin a path belongs to the one before.
fn file_list(value: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for word in value.split(' ') {
        match files.last_mut() {
            Some(last) if !word.starts_with(['/', '~', '%']) && word != "none" => {
                last.push(' ');
                last.push_str(word);
            }
            _ => files.push(word.to_owned()),
        }
    }
    files
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What `~` and `%x` stand for in a file name (ssh_config(5), TOKENS).
struct Tokens<'a> {
    here: &'a Surroundings,
    alias: &'a str,
    host: &'a str,
    port: u16,
    user: &'a str,
}

impl Tokens<'_> {
    fn expand(&self, file: &str) -> PathBuf {
        let home = self.here.home.to_string_lossy();
        let file = match file.strip_prefix("~/") {
            Some(rest) => format!("{home}/{rest}"),
            None => file.to_owned(),
        };
        let mut out = String::new();
        let mut characters = file.chars();
        while let Some(c) = characters.next() {
            match if c == '%' { characters.next() } else { None } {
                None => out.push(c),
                Some('%') => out.push('%'),
                Some('d') => out.push_str(&home),
                Some('h') => out.push_str(self.host),
                Some('n' | 'k') => out.push_str(self.alias),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(self.user),
                Some('u') => out.push_str(&self.here.user),
                // a token not known here: the name stays as it is, and no such file will be found
                Some(other) => out.extend(['%', other]),
            }
        }
        PathBuf::from(out)
    }
}

#[cfg(test)]
mod tests;

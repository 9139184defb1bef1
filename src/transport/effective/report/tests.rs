//! Real answers of `ssh -G` (OpenSSH 9.2), shortened to what differs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const PLAIN: &str = "host example.org
user pi
hostname example.org
port 22
addressfamily any
canonicalizehostname false
gssapiauthentication yes
identitiesonly no
pubkeyauthentication true
stricthostkeychecking ask
verifyhostkeydns false
securitykeyprovider internal
identityfile ~/.ssh/id_rsa
identityfile ~/.ssh/id_ed25519
identityfile ~/.ssh/id_ed25519_sk
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/ada/.ssh/known_hosts /home/ada/.ssh/known_hosts2
";

fn here() -> Surroundings {
    Surroundings {
        home: PathBuf::from("/home/ada"),
        user: "ada".to_owned(),
        variable: |name| (name == "SSH_AUTH_SOCK").then(|| "/run/agent".to_owned()),
        exists: |_| false,
        read: |_| None,
    }
}

fn asked(host: &str) -> Asked {
    Asked {
        host: host.to_owned(),
        user: None,
        port: None,
        identity: None,
        jump: None,
    }
}

fn settings(text: &str) -> Settings {
    Report::parse(text).settings(&asked("pi1"), &here())
}

#[test]
fn a_plain_host_is_for_russh() {
    let s = settings(PLAIN);
    assert_eq!((s.host.as_str(), s.port, s.user.as_str()), ("example.org", 22, "pi"));
    assert_eq!(s.identities[1], PathBuf::from("/home/ada/.ssh/id_ed25519"));
    assert_eq!(s.agent, Some(PathBuf::from("/run/agent")));
    assert_eq!(s.own_known_hosts(), PathBuf::from("/home/ada/.ssh/known_hosts"));
    assert_eq!(s.known_hosts.len(), 4);
    assert_eq!(s.known_name(), "example.org");
    assert!(!s.identities_only);
    assert_eq!(s.obstacle(false), None);
}

#[test]
fn an_alias_brings_its_settings() {
    let s = settings(
        "user root\nhostname 127.0.0.1\nport 2222\nidentitiesonly yes\nidentityagent none\nhostkeyalias Porch\n\
         identityfile ~/.ssh/%r_%h_%%key\nuserknownhostsfile /tmp/a b /home/ada/.ssh/x\nproxyjump a@b:22,c\n",
    );
    assert_eq!(s.identities, [PathBuf::from("/home/ada/.ssh/root_127.0.0.1_%key")]);
    assert!(s.identities_only);
    assert_eq!(s.agent, None);
    assert_eq!(
        s.known_hosts,
        [PathBuf::from("/tmp/a b"), PathBuf::from("/home/ada/.ssh/x")]
    );
    assert_eq!(s.known_name(), "porch");
}

#[test]
fn another_port_shows_in_the_known_name() {
    assert_eq!(
        settings("hostname Example.org\nport 2222\n").known_name(),
        "[example.org]:2222"
    );
}

#[test]
fn the_inventory_overrules() {
    let asked = Asked {
        host: "pi1".into(),
        user: Some("bob".into()),
        port: Some(2200),
        identity: Some("/keys/one".into()),
        jump: None,
    };
    let s = Report::parse(PLAIN).settings(&asked, &here());
    assert_eq!((s.user.as_str(), s.port), ("bob", 2200));
    assert_eq!(s.identities, [PathBuf::from("/keys/one")]);
    assert!(s.identities_only);
}

#[test]
fn what_russh_cannot_do_is_named() {
    for (line, expected) in [
        ("proxycommand nc -X connect %h %p", "ProxyCommand is set"),
        ("knownhostscommand /usr/bin/keys %H", "KnownHostsCommand is set"),
        ("addressfamily inet6", "AddressFamily is set"),
        ("bindaddress 10.0.0.1", "BindAddress is set"),
        ("verifyhostkeydns ask", "VerifyHostKeyDNS is set"),
    ] {
        let found = settings(&format!("{line}\n")).obstacle(true);
        assert_eq!(found.as_deref(), Some(expected), "{line}");
    }
    assert_eq!(settings("proxycommand none\n").obstacle(false), None);
}

#[test]
fn ways_to_log_in_do_not_matter_with_a_password() {
    for line in [
        "certificatefile /x/y-cert.pub",
        "pkcs11provider /lib/p11.so",
        "pubkeyauthentication false",
    ] {
        let s = settings(&format!("{line}\n"));
        assert!(s.obstacle(false).is_some(), "{line}");
        assert_eq!(s.obstacle(true), None, "{line}");
    }
}

#[test]
fn a_security_key_and_a_certificate_are_seen_beside_the_identity() {
    let mut with_sk = here();
    with_sk.read = |path| {
        path.ends_with("id_ed25519_sk.pub")
            .then(|| "sk-ssh-ed25519@openssh.com AAAA ada".to_owned())
    };
    let s = Report::parse(PLAIN).settings(&asked("pi1"), &with_sk);
    assert_eq!(
        s.obstacle(false).as_deref(),
        Some("/home/ada/.ssh/id_ed25519_sk is a security key")
    );
    let mut with_certificate = here();
    with_certificate.exists = |path| path.ends_with("id_rsa-cert.pub");
    let s = Report::parse(PLAIN).settings(&asked("pi1"), &with_certificate);
    assert_eq!(
        s.obstacle(false).as_deref(),
        Some("/home/ada/.ssh/id_rsa has a certificate")
    );
}

#[test]
fn an_agent_may_be_named_by_a_variable_or_a_path() {
    assert_eq!(
        settings("identityagent $SSH_AUTH_SOCK\n").agent,
        Some(PathBuf::from("/run/agent"))
    );
    assert_eq!(
        settings("identityagent ~/.agent\n").agent,
        Some(PathBuf::from("/home/ada/.agent"))
    );
}

#[test]
fn a_jump_hosts_obstacle_is_named_with_it() {
    let mut s = settings(PLAIN);
    s.jump = Some(Box::new(settings("proxycommand nc %h %p\n")));
    assert_eq!(s.obstacle(true).as_deref(), Some("jump host pi1: ProxyCommand is set"));
}

#[test]
fn hops_are_understood() {
    for (text, host, user, port) in [
        ("bastion", "bastion", None, None),
        ("ada@bastion:2222", "bastion", Some("ada"), Some(2222)),
        ("ssh://ada@bastion:2222/", "bastion", Some("ada"), Some(2222)),
        ("[fe80::1]:22", "fe80::1", None, Some(22)),
        ("fe80::1", "fe80::1", None, None),
    ] {
        let hop = Asked::hop(text, None);
        assert_eq!(
            (hop.host.as_str(), hop.user.as_deref(), hop.port),
            (host, user, port),
            "{text}"
        );
    }
}

#[test]
fn defaults_hold_without_ssh() {
    let s = Report::defaults().settings(&asked("10.0.0.1"), &here());
    assert_eq!((s.host.as_str(), s.user.as_str(), s.port), ("10.0.0.1", "ada", 22));
    assert!(s.identities.contains(&PathBuf::from("/home/ada/.ssh/id_ed25519")));
    assert_eq!(s.own_known_hosts(), PathBuf::from("/home/ada/.ssh/known_hosts"));
}

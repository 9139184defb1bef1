//! Hosts, users, addresses and networks.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;
use crate::model::Network;

/// What an ssh client may be told to connect to: an address, a DNS name, an alias.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct HostName(pub(in crate::inventory) String);

impl HostName {
    /// `None` if it could be taken for anything else, an option of ssh for one.
    pub(in crate::inventory) fn new(text: &str) -> Option<HostName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let alias = !text.is_empty()
            && text.len() <= 253
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(legal)
            && !looks_like_ipv4(text);
        (alias || text.parse::<IpAddr>().is_ok()).then(|| HostName(text.to_owned()))
    }
}

/// Digits and dots only: an IPv4 address or a mistake.
fn looks_like_ipv4(text: &str) -> bool {
    text.contains('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

impl Read for HostName {
    fn read(node: &Node, reader: &mut Reader) -> Option<HostName> {
        let text = reader.scalar(node, "a host")?;
        let host = HostName::new(text);
        if host.is_none() {
            let mut help = "Accepted: a DNS name, an IP address, or an alias of your ssh configuration.".to_owned();
            if text.contains('@') || text.contains(':') {
                help.push_str(" The user and the port have keys of their own here.");
            }
            reader.fault(Finding::new(&node.place, format!("`{}` is not a host", shown(text))).help(help));
        }
        host
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9:][A-Za-z0-9._:-]*$", "maxLength": 253 })
    }
}

/// A user on a host.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct UserName(pub(in crate::inventory) String);

impl UserName {
    /// `None` if `text` is no name of a user (POSIX, "3.437 User Name").
    pub(in crate::inventory) fn new(text: &str) -> Option<UserName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let ok = !text.is_empty() && text.len() <= 63 && !text.starts_with('-') && text.chars().all(legal);
        ok.then(|| UserName(text.to_owned()))
    }
}

impl Read for UserName {
    fn read(node: &Node, reader: &mut Reader) -> Option<UserName> {
        let text = reader.scalar(node, "a user")?;
        let user = UserName::new(text);
        if user.is_none() {
            let finding = Finding::new(&node.place, format!("`{}` is not a user name", shown(text)))
                .help("Accepted: letters, digits and . _ -, not starting with `-`.");
            reader.fault(finding);
        }
        user
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9._][A-Za-z0-9._-]*$", "maxLength": 63 })
    }
}

/// `host` or `host:port`, an IPv6 address in brackets where a port follows. `None` if it is neither.
pub(in crate::inventory) fn host_part(text: &str) -> Option<(HostName, Option<u16>)> {
    if text.parse::<IpAddr>().is_ok() {
        return Some((HostName::new(text)?, None));
    }
    let port = |text: &str| match text {
        "" => Some(None),
        _ => {
            let digits = text
                .strip_prefix(':')
                .filter(|digits| digits.chars().all(|c| c.is_ascii_digit()))?;
            digits.parse().ok().filter(|port| *port != 0).map(Some)
        }
    };
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        let host = host.parse::<std::net::Ipv6Addr>().ok()?;
        return Some((HostName(host.to_string()), port(rest)?));
    }
    let end = text.find(':').unwrap_or(text.len());
    Some((HostName::new(&text[..end])?, port(&text[end..])?))
}

/// `[user@]host[:port]` of a jump host, as written.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Jump(pub(in crate::inventory) String);

impl Read for Jump {
    fn read(node: &Node, reader: &mut Reader) -> Option<Jump> {
        let text = reader.scalar(node, "a jump host")?;
        let (user, host) = text
            .rsplit_once('@')
            .map_or((None, text), |(user, host)| (Some(user), host));
        if user.is_some_and(|user| UserName::new(user).is_none()) || host_part(host).is_none() {
            let finding = Finding::new(&node.place, format!("`{}` is not a jump host", shown(text)))
                .help("Accepted: one [user@]host[:port].");
            reader.fault(finding);
            return None;
        }
        Some(Jump(text.to_owned()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": crate::inventory::short::SSH_PATTERN })
    }
}

/// Where others reach a server: an IP address or a DNS name.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Address(pub(in crate::inventory) String);

impl Address {
    /// `None` if it is neither (RFC 1123 for names), or an address that leads somewhere on one link alone: who writes such a
    /// one needs an interface with it, which is another on every host.
    pub(in crate::inventory) fn new(text: &str) -> Option<Address> {
        match text.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(IpAddr::V6(ip)) if ip.is_unicast_link_local() => return None,
            Ok(ip) => return Some(Address(ip.to_string())),
            Err(_) => {}
        }
        let label = |label: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(legal)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let ok = text.len() <= 253 && text.split('.').all(label) && !looks_like_ipv4(text);
        ok.then(|| Address(text.to_owned()))
    }
}

impl Read for Address {
    fn read(node: &Node, reader: &mut Reader) -> Option<Address> {
        let text = reader.scalar(node, "an address")?;
        let address = Address::new(text);
        if address.is_none() {
            let finding = Finding::new(&node.place, format!("`{}` is not an address", shown(text)))
                .help("Accepted: an IP address (not one of a single link, fe80::/10) or a DNS name, without a port.");
            reader.fault(finding);
        }
        address
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9.:-]+$", "maxLength": 253 })
    }
}

impl Read for IpAddr {
    fn read(node: &Node, reader: &mut Reader) -> Option<IpAddr> {
        let text = reader.scalar(node, "an IP address")?;
        // one that stands for an IPv4 address is that: so nginx sees whoever comes from it
        let address = text.parse().ok().map(|address: IpAddr| address.to_canonical());
        if address.is_none() {
            let finding = Finding::new(&node.place, format!("`{}` is not an IP address", shown(text)))
                .help("Accepted: an IPv4 or IPv6 address, since nginx compares addresses, not names.");
            reader.fault(finding);
        }
        address
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f.:]+$" })
    }
}

impl Read for Network {
    fn read(node: &Node, reader: &mut Reader) -> Option<Network> {
        let text = reader.scalar(node, "an address or a network")?;
        let net = match text.parse::<IpAddr>() {
            Ok(ip) => Some(IpNet::from(ip.to_canonical())),
            Err(_) => text.parse::<IpNet>().ok(),
        };
        let accepted = "Accepted: an address (192.168.0.7) or a network (192.168.0.0/24, fd00::/8); 0.0.0.0/0 is everyone \
                        by IPv4, ::/0 by IPv6.";
        let Some(net) = net else {
            let finding = Finding::new(
                &node.place,
                format!("`{}` is neither an address nor a network", shown(text)),
            );
            reader.fault(finding.help(accepted));
            return None;
        };
        if net.trunc() != net {
            let finding = Finding::new(&node.place, format!("{net} is an address within a network"))
                .label(format!("{} or {}?", net.trunc(), net.addr()))
                .help(accepted);
            reader.fault(finding);
            return None;
        }
        Some(Network {
            address: net.addr(),
            prefix: net.prefix_len(),
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$" })
    }
}

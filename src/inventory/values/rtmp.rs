//! Addresses of restream targets.

use std::net::{IpAddr, Ipv6Addr};

use schemars::{Schema, SchemaGenerator, json_schema};

use super::host::{HostName, host_part};
use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::{Node, Place};
use crate::model::Target;

/// `rtmp://host[:port]/app` or `rtmps://host[:port]/app`.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct RtmpUrl {
    pub(in crate::inventory) tls: bool,
    pub(in crate::inventory) host: String,
    pub(in crate::inventory) port: u16,
    pub(in crate::inventory) app: String,
}

/// `RtmpUrl` as a regular expression.
pub(in crate::inventory) const RTMP_URL_PATTERN: &str = "^rtmps?://[A-Za-z0-9._:\\[\\]-]+/[A-Za-z0-9._-]+/?$";

const HELP: &str = "Accepted: rtmps://host/app or rtmp://host/app, each with host:port too. The stream key goes to `key:`, \
                    as a secret: {url: rtmps://host/app, key: {env: NAME}}.";

impl RtmpUrl {
    /// Tells what is wrong with it. Whatever may hold a stream key is not shown again.
    pub(in crate::inventory) fn new(text: &str, place: &Place, reader: &mut Reader) -> Option<RtmpUrl> {
        let url = parts(text);
        match url {
            Ok(url) => Some(url),
            Err(finding) => {
                reader.clear_secrets.push(place.bytes.clone());
                let (message, help) = finding;
                reader.fault(Finding::new(place, message).help(help));
                None
            }
        }
    }
}

/// What it is made of, or what is wrong with it and what to do.
fn parts(text: &str) -> Result<RtmpUrl, (String, &'static str)> {
    let (tls, rest) = match (text.strip_prefix("rtmps://"), text.strip_prefix("rtmp://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(("this is neither an rtmp:// nor an rtmps:// URL".to_owned(), HELP)),
    };
    let unusable = || ("this is not a URL pistream can push to".to_owned(), HELP);
    let (host, app) = rest.split_once('/').unwrap_or((rest, ""));
    let app = app.strip_suffix('/').unwrap_or(app);
    // an IPv6 address without brackets might be one with a port
    let (HostName(name), port) = match host.parse::<Ipv6Addr>() {
        Ok(_) => return Err(unusable()),
        Err(_) => host_part(host).ok_or_else(unusable)?,
    };
    if let Some((app, _key)) = app.split_once('/') {
        let message = format!(
            "the stream key in clear: after {}://{}/{} nothing may follow",
            if tls { "rtmps" } else { "rtmp" },
            shown(host),
            shown(app)
        );
        return Err((message, HELP));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if app.is_empty() || app.len() > 63 || !app.chars().all(legal) {
        return Err(unusable());
    }
    if tls && name.parse::<IpAddr>().is_ok() {
        let help = "nginx compares the target's certificate with a name: write the name that it is for.";
        return Err(("rtmps:// to an address instead of a name".to_owned(), help));
    }
    Ok(RtmpUrl {
        tls,
        port: port.unwrap_or(Target::default_port(tls)),
        host: name,
        app: app.to_owned(),
    })
}

impl Read for RtmpUrl {
    fn read(node: &Node, reader: &mut Reader) -> Option<RtmpUrl> {
        let text = reader.scalar(node, "an rtmp:// or rtmps:// URL")?;
        RtmpUrl::new(text, &node.place, reader)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": RTMP_URL_PATTERN })
    }
}

//! One server, from its keys.

mod https;
mod recording;

use std::net::IpAddr;
use std::time::Duration;

use super::Context;
use super::hosts::{flat, ssh};
use crate::inventory::definition::Keys;
use crate::inventory::fault::Finding;
use crate::inventory::keys::{NginxKeys, Port, SegmentKeys, ServerKeys};
use crate::inventory::reader::{Given, Read, Reader, Switch, value};
use crate::inventory::short::locate;
use crate::inventory::tree::Place;
use crate::inventory::values::{Address, Install, OnOff, Sha256, in_words};
use crate::model::{Name, Network, Nginx, Origin, Segments, Server, Ssh, Tarball};

/// Of HLS, where the inventory does not say: as long as cameras have between two keyframes by default.
const HLS_FRAGMENT: Duration = Duration::from_secs(2);
/// Of DASH, which needs no keyframe to cut at.
const DASH_FRAGMENT: Duration = Duration::from_secs(1);

/// `keys` have all defaults under them.
pub(super) fn build(
    name: &Name,
    place: &Place,
    keys: ServerKeys,
    context: &Context,
    reader: &mut Reader,
) -> Option<Server> {
    let ssh_place = keys.ssh.as_ref().map_or(place, |given| &given.place).clone();
    let ssh = ssh(name, place, keys.ssh, context, reader);
    let address = match keys.address {
        Some(given) => given.value.map(|address| address.0),
        None => ssh.as_ref().and_then(|ssh| address_of(ssh, name, &ssh_place, reader)),
    };
    let tls = value(&keys.tls).map(|OnOff(tls)| tls);
    let nginx = nginx(keys.nginx, context);
    let ports = ports(
        [
            ("rtmps_port", keys.rtmps_port.as_ref()),
            ("rtmp_port", keys.rtmp_port.as_ref()),
            ("https_port", keys.https_port.as_ref()),
            ("http_port", keys.http_port.as_ref()),
            ("status_port", keys.status_port.as_ref()),
        ],
        reader,
    );
    let recording = flat(keys.recording).map(|switch| recording::recording(switch, context.hosts, reader));
    let hls = segments(keys.hls, "an HLS", HLS_FRAGMENT, reader);
    let dash = segments(keys.dash, "a DASH", DASH_FRAGMENT, reader);
    let publish = networks(keys.publish);
    let play = networks(keys.play);
    let text = |name: Given<Address>| name.value.map(|address| address.0);
    let names: Option<Vec<String>> =
        flat(keys.names).and_then(|names| names.unwrap_or_default().into_iter().map(text).collect());
    let known: Vec<&String> = address.iter().chain(names.iter().flatten()).collect();
    let https = https::https(keys.https, context.logins, &known, ports.as_ref(), reader);
    let [rtmps_port, rtmp_port, https_port, http_port, status_port] = ports?;
    Some(Server {
        name: name.clone(),
        ssh: ssh?,
        address: address?,
        names: names?,
        tls: tls?,
        nginx: nginx?,
        rtmps_port,
        rtmp_port,
        https: https?,
        https_port,
        http_port,
        status_port,
        publish: publish?,
        play: play?,
        recording: recording??,
        hls: hls?,
        dash: dash?,
    })
}

/// The ssh host, where others can be expected to know it by that name.
fn address_of(ssh: &Ssh, name: &Name, place: &Place, reader: &mut Reader) -> Option<String> {
    let known = ssh.host.parse::<IpAddr>().is_ok() || ssh.host.contains('.');
    let address = Address::new(&ssh.host).filter(|_| known);
    if address.is_none() {
        let message = format!("cameras and viewers cannot know {name} as `{}`", ssh.host);
        let finding = Finding::new(place, message)
            .label("neither an IP address that others can reach nor a full DNS name")
            .help(format!("Say where they reach it:\n\n{name}:\n  address: 203.0.113.7"));
        reader.fault(finding);
    }
    address.map(|address| address.0)
}

/// All five by their keys, different.
fn ports(named: [(&'static str, Option<&Given<Port>>); 5], reader: &mut Reader) -> Option<[u16; 5]> {
    let mut numbers: Vec<(&str, u16)> = Vec::new();
    for (key, given) in named {
        let number = given.and_then(|given| given.value);
        let Some(number) = number.and_then(|port| u16::try_from(port.0).ok()) else {
            continue;
        };
        if let Some((other, _)) = numbers.iter().find(|(_, taken)| *taken == number) {
            // at the one that was written; the other may be a default
            let written = named
                .iter()
                .filter(|(k, _)| *k == key || k == other)
                .filter_map(|(_, given)| *given);
            if let Some(place) = written.map(|given| &given.place).max_by_key(|place| place.bytes.start) {
                let finding = Finding::new(place, format!("`{other}` and `{key}` are both {number}"))
                    .help("Every service needs a port of its own; the defaults are 1936, 1935, 8443, 8080 and 8081.");
                reader.fault(finding);
            }
        }
        numbers.push((key, number));
    }
    let numbers: Vec<u16> = numbers.into_iter().map(|(_, number)| number).collect();
    numbers.try_into().ok()
}

fn nginx(given: Option<Given<NginxKeys>>, context: &Context) -> Option<Nginx> {
    let keys = flat(given)?.unwrap_or_default().over(NginxKeys::defaults());
    let tarball = |origin: &Option<Given<Origin>>, sha256: &Option<Given<Sha256>>| {
        Some(Tarball {
            origin: match value(origin)? {
                Origin::File(path) => Origin::File(locate(path, context.directory)),
                url => url,
            },
            sha256: value(sha256)?.0,
        })
    };
    let (nginx, module) = (
        tarball(&keys.source, &keys.source_sha256),
        tarball(&keys.rtmp_module, &keys.rtmp_module_sha256),
    );
    match value(&keys.install)? {
        Install(false) => Some(Nginx::Package),
        Install(true) => Some(Nginx::Source {
            nginx: nginx?,
            module: module?,
        }),
    }
}

/// `None`: wrong. `Some(None)`: off.
fn segments(
    switch: Option<Given<Switch<SegmentKeys>>>,
    what: &str,
    fragment: Duration,
    reader: &mut Reader,
) -> Option<Option<Segments>> {
    let Some(Switch::On(keys)) = flat(switch)? else {
        return Some(None);
    };
    let keys = keys.over(SegmentKeys::defaults());
    let fragment = keys
        .fragment
        .as_ref()
        .map_or(Some(fragment), |given| Some(given.value.as_ref()?.0))?;
    let playlist = value(&keys.playlist)?.0;
    if playlist < fragment * 3 {
        // at the one that was written; the other may be a default
        let places = [
            keys.fragment.map(|given| given.place),
            keys.playlist.map(|given| given.place),
        ];
        if let Some(place) = places.into_iter().flatten().max_by_key(|place| place.bytes.start) {
            let message = format!(
                "{what} playlist of {} is too short for fragments of {}",
                in_words(playlist),
                in_words(fragment)
            );
            let finding = Finding::new(&place, message).help(format!(
                "A player starts three fragments back: make `playlist:` at least {}.",
                in_words(fragment * 3)
            ));
            reader.fault(finding);
        }
        return None;
    }
    Some(Some(Segments { fragment, playlist }))
}

fn networks(given: Option<Given<Vec<Given<Network>>>>) -> Option<Vec<Network>> {
    flat(given)?
        .unwrap_or_default()
        .into_iter()
        .map(|given| given.value)
        .collect()
}

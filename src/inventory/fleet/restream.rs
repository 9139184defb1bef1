//! Where a camera's stream is passed on to, from its keys; and that no two streams meet under one name.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;

use super::Context;
use super::camera::{Built, Servers, known_server};
use super::hosts::flat;
use crate::inventory::fault::Finding;
use crate::inventory::keys::RestreamKeys;
use crate::inventory::reader::{Given, Reader};
use crate::inventory::short::{OrShort, locate, locate_secret};
use crate::inventory::tree::Place;
use crate::inventory::values::LocalPath;
use crate::model::{Destination, Name, Restream, Server, Target};

const ACCEPTED: &str = "Accepted: rtmps://host/app, {url: rtmps://host/app, key: {env: NAME}}, or {server: NAME}, another \
                        server of this inventory.";

/// One target of a camera that streams to the server `own`.
pub(super) fn target(
    given: Given<OrShort<RestreamKeys>>,
    own: Option<&Name>,
    context: &Context,
    servers: &Servers,
    reader: &mut Reader,
) -> Option<Restream> {
    let OrShort(keys) = given.value?;
    match (keys.url, keys.server) {
        (None, None) => {
            let message = "a restream target without `url:` or `server:`";
            reader.fault(Finding::new(&given.place, message).help(ACCEPTED));
            None
        }
        (Some(_), Some(server)) => {
            let message = "a restream target with both `url:` and `server:`";
            reader.fault(Finding::new(&server.place, message).help(ACCEPTED));
            None
        }
        (None, Some(name)) => {
            let needless = [keys.key.map(|key| key.place), keys.ca.map(|ca| ca.place)];
            for place in needless.into_iter().flatten() {
                let finding = Finding::new(&place, "a server of this inventory needs neither `key:` nor `ca:`")
                    .help("It knows the sender by its certificate, of the fleet's own authority.");
                reader.fault(finding);
            }
            let to = Destination::Server(server(name, own, servers, reader)?);
            Some(Restream { to, key: None })
        }
        (Some(url), None) => {
            let url = url.value?;
            let ca = authority(keys.ca, url.tls, context.directory, reader)?;
            let to = Destination::Url(Target {
                tls: url.tls,
                host: url.host,
                port: url.port,
                app: url.app,
                ca,
            });
            let key = flat(keys.key)?.map(|key| locate_secret(key, context.directory));
            Some(Restream { to, key })
        }
    }
}

/// What a target's certificate must be signed by. `None`: wrong. `Some(None)`: by whom the system trusts.
fn authority(
    given: Option<Given<LocalPath>>,
    tls: bool,
    directory: &Path,
    reader: &mut Reader,
) -> Option<Option<String>> {
    let Some(given) = given else { return Some(None) };
    if !tls {
        let finding = Finding::new(&given.place, "`ca:` for a target without TLS")
            .help("Write the URL with rtmps://, or leave `ca:` out.");
        reader.fault(finding);
        return None;
    }
    match certificates(&locate(given.value?.0, directory)) {
        Ok(text) => Some(Some(text)),
        Err(why) => {
            let finding = Finding::new(&given.place, format!("no certificate in this file: {why}"))
                .help("It holds that of the authority which signed the target's, in PEM: -----BEGIN CERTIFICATE-----.");
            reader.fault(finding);
            None
        }
    }
}

/// Another server of the inventory, one that can know `own` by its certificate.
fn server(given: Given<Name>, own: Option<&Name>, servers: &Servers, reader: &mut Reader) -> Option<Name> {
    let name = known_server(&given, servers, reader)?;
    if own == Some(&name) {
        let finding = Finding::new(
            &given.place,
            format!("{name} has this stream already: the camera streams to it"),
        )
        .help("Name another server of the inventory.");
        reader.fault(finding);
        return None;
    }
    let without_tls = |name: &Name| servers.built.iter().any(|s: &&Server| s.name == *name && !s.tls);
    if let Some(open) = own.into_iter().chain([&name]).find(|name| without_tls(name)) {
        let message = format!("{open} has `tls: off`, so the two cannot know each other by certificate");
        let finding =
            Finding::new(&given.place, message).help("Servers pass streams to each other by TLS alone: `tls: on`.");
        reader.fault(finding);
        return None;
    }
    Some(name)
}

/// The longest bundle of certificates taken, in bytes: all authorities that browsers trust have a quarter of that.
const LONGEST: u64 = 1 << 20;

/// The file's text, if certificates are in it.
fn certificates(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    match read {
        Err(error) => Err(format!("cannot read {shown}: {error}")),
        Ok(_) if text.len() as u64 > LONGEST => Err(format!("{shown} is larger than 1 MiB")),
        Ok(_) if text.contains("PRIVATE KEY-----") => Err(format!("{shown} holds a private key")),
        Ok(_) if !text.contains("-----BEGIN CERTIFICATE-----") => Err(format!("{shown} holds none")),
        Ok(_) => Ok(text),
    }
}

/// A stream's name stands for one stream on a server, also on one that gets it from another.
pub(super) fn check_backups(cameras: &[(&Place, Option<Built>)], reader: &mut Reader) {
    let built = || cameras.iter().filter_map(|(_, built)| built.as_ref());
    let mut taken: HashSet<(&Name, &Name)> = built().map(|b| (&b.camera.server, &b.camera.stream)).collect();
    for Built {
        camera, stream_place, ..
    } in built()
    {
        for target in &camera.restream {
            let Destination::Server(server) = &target.to else {
                continue;
            };
            if !taken.insert((server, &camera.stream)) {
                let message = format!("{server} would get two streams called `{}`", camera.stream);
                let finding = Finding::new(stream_place, message)
                    .label(format!("{} is passed on to it under this name", camera.name))
                    .help("Give one of the two another `stream:`, and name a server once as a target.");
                reader.fault(finding);
            }
        }
    }
}

//! From keys to the fleet: defaults laid under, and what several keys mean together checked.
//!
//! Single values are correct by now (`values`); what is missing here, because it was wrong, has been told already.

mod camera;
mod hosts;
mod restream;
mod server;
mod sites;
mod viewer;

use std::path::Path;

use super::Hosts;
use super::definition::Keys;
use super::fault::Finding;
use super::keys::{CameraKeys, InventoryKeys, ServerKeys, SshKeys};
use super::reader::{Named, Read, Reader, value};
use super::short::{OrShort, locate_secret};
use super::tree::{Node, Place};
use crate::model::Fleet;

/// The fleet, if nothing was wrong with it. `directory` is where the inventory's relative paths count from.
pub(super) fn build(tree: &Node, directory: &Path, hosts: Hosts, reader: &mut Reader) -> Option<Fleet> {
    let keys = InventoryKeys::read(tree, reader)?;
    let defaults = value(&keys.defaults).unwrap_or_default();
    let ssh = value(&defaults.ssh).map(|OrShort(ssh)| ssh).unwrap_or_default();
    let context = Context {
        ssh: ssh.over(SshKeys::defaults()),
        server: value(&defaults.server).unwrap_or_default().over(ServerKeys::defaults()),
        camera: value(&defaults.camera).unwrap_or_default().over(CameraKeys::defaults()),
        directory,
        hosts,
        logins: value(&keys.viewers).is_some_and(|viewers| viewers.incomplete || !viewers.entries.is_empty()),
    };

    let servers = value(&keys.servers).unwrap_or(Named {
        entries: Vec::new(),
        incomplete: keys.servers.is_some(),
    });
    let cameras = value(&keys.cameras).unwrap_or(Named {
        entries: Vec::new(),
        incomplete: keys.cameras.is_some(),
    });
    // a file with other faults may have its servers under a misspelt key
    if servers.entries.is_empty() && !servers.incomplete && reader.faults.is_empty() {
        let place = keys
            .servers
            .as_ref()
            .map_or_else(Place::start, |given| given.place.clone());
        let finding = Finding::new(&place, "no server")
            .help("The cameras need somewhere to stream to:\n\nservers:\n  hub:\n    ssh: admin@203.0.113.7");
        reader.fault(finding);
    }
    let viewers = value(&keys.viewers).unwrap_or(Named {
        entries: Vec::new(),
        incomplete: keys.viewers.is_some(),
    });
    hosts::check_names(&servers, &cameras, &viewers, reader);
    let viewers: Vec<_> = viewers
        .entries
        .iter()
        .map(|(name, place, keys)| viewer::build(name, place, keys, &cameras, &context, reader))
        .collect();
    let built: Vec<_> = servers
        .entries
        .iter()
        .map(|(name, place, keys)| {
            let keys = keys.clone().over(context.server.clone());
            (place, server::build(name, place, keys, &context, reader))
        })
        .collect();
    let known = camera::Servers {
        named: &servers,
        built: built.iter().filter_map(|(_, s)| s.as_ref()).collect(),
    };
    let mut cameras: Vec<_> = cameras
        .entries
        .iter()
        .map(|(name, place, keys)| {
            let keys = keys.clone().over(context.camera.clone());
            (place, camera::build(name, place, keys, &context, &known, reader))
        })
        .collect();
    let sites = value(&keys.sites).unwrap_or(Named {
        entries: Vec::new(),
        incomplete: keys.sites.is_some(),
    });
    sites::share(&sites, &mut cameras, reader);
    let passphrase = hosts::flat(keys.ca)
        .flatten()
        .and_then(|ca| hosts::flat(ca.passphrase).flatten());
    hosts::check_streams(&cameras, reader);
    restream::check_backups(&cameras, reader);
    hosts::check_hosts(&built, &cameras, hosts, reader);
    if !reader.faults.is_empty() {
        return None;
    }
    let servers = built.into_iter().map(|(_, server)| server).collect::<Option<_>>()?;
    let cameras = cameras
        .into_iter()
        .map(|(_, camera)| camera.map(|camera| camera.camera))
        .collect::<Option<_>>()?;
    let viewers = viewers.into_iter().collect::<Option<_>>()?;
    Some(Fleet {
        servers,
        cameras,
        viewers,
        passphrase: passphrase.map(|secret| locate_secret(secret, directory)),
    })
}

/// What every host is built with: the inventory's defaults over pistream's own.
struct Context<'a> {
    ssh: SshKeys,
    server: ServerKeys,
    camera: CameraKeys,
    /// Where relative paths count from.
    directory: &'a Path,
    hosts: Hosts,
    /// Viewers are named.
    logins: bool,
}

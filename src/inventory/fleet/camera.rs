//! One camera, from its keys.

mod adapt;
mod address;
mod source;

use super::hosts::{flat, ssh};
use super::{Context, restream};
use crate::inventory::definition::Keys;
use crate::inventory::fault::Finding;
use crate::inventory::h264;
use crate::inventory::keys::{CameraKeys, CameraRecordingKeys, RecoverKeys, ServerKeys};
use crate::inventory::reader::{Given, Named, Read, Reader, Switch, nearest, value};
use crate::inventory::tree::Place;
use crate::inventory::values::{OnOff, bitrate_in_words};
use crate::model::{Bitrate, Camera, Name, Profile, RecordingLimits, Recover, Restream, Server, Size};

/// A camera, where its stream's name stands, and whose uplink it shares.
pub(super) struct Built {
    pub(super) camera: Camera,
    pub(super) stream_place: Place,
    /// The site, and where it is named.
    pub(super) site: Option<(Name, Place)>,
}

impl Built {
    pub(super) fn is_at(&self, site: &str) -> bool {
        self.site.as_ref().is_some_and(|(name, _)| name.as_str() == site)
    }
}

/// The servers a camera may name.
pub(super) struct Servers<'a> {
    /// All with a legal name.
    pub(super) named: &'a Named<ServerKeys>,
    /// Those with nothing wrong.
    pub(super) built: Vec<&'a Server>,
}

/// `keys` have all defaults under them.
pub(super) fn build(
    name: &Name,
    place: &Place,
    keys: CameraKeys,
    context: &Context,
    servers: &Servers,
    reader: &mut Reader,
) -> Option<Built> {
    picture(name, place, &keys, reader);
    source::sensible(name, place, &keys, reader);
    let adapt = adapt::adapt(&keys, reader);
    let ssh_place = keys.ssh.as_ref().map_or(place, |given| &given.place).clone();
    let ssh = ssh(name, place, keys.ssh, context, reader);
    let server = server(name, place, &keys.server, servers, reader);
    let at = servers.built.iter().find(|built| Some(&built.name) == server.as_ref());
    let tls = tls(name, keys.tls, at.copied(), reader);
    let address = address::address(name, keys.address, ssh.as_ref(), &ssh_place, at.copied(), tls, reader);
    let stream_place = keys.stream.as_ref().map_or(place, |given| &given.place).clone();
    let site_place = keys.site.as_ref().map(|given| given.place.clone());
    let site = flat(keys.site)?.zip(site_place);
    let restream = flat(keys.restream)?.unwrap_or_default();
    // each is looked at, whatever is wrong with another
    let restream: Vec<Option<Restream>> = restream
        .into_iter()
        .map(|given| restream::target(given, server.as_ref(), context, servers, reader))
        .collect();
    let latency = value(&keys.latency)?;
    let camera = Camera {
        name: name.clone(),
        ssh: ssh?,
        stream: flat(keys.stream)?.unwrap_or_else(|| name.clone()),
        server: server?,
        address: address?,
        tls: tls?,
        source: value(&keys.source)?,
        size: value(&keys.size)?,
        fps: value(&keys.fps)?.0,
        encoder: value(&keys.encoder)?,
        bitrate: value(&keys.bitrate)?,
        adapt: adapt?,
        audio: value(&keys.audio)?,
        latency,
        keyframe_interval: latency.cap(value(&keys.keyframe_interval)?.0),
        profile: value(&keys.profile)?,
        level: value(&keys.level)?.0,
        controls: flat(keys.controls)?.unwrap_or_default().without_places(),
        restream: restream.into_iter().collect::<Option<_>>()?,
        stall_after: value(&keys.stall_after)?.0,
        recover: recover(flat(keys.recover)?)?,
        recording: recording(flat(keys.recording)?.unwrap_or_default())?,
        sd_card: value(&keys.sd_card)?,
    };
    Some(Built {
        camera,
        stream_place,
        site,
    })
}

fn recover(switch: Option<Switch<RecoverKeys>>) -> Option<Recover> {
    let Some(Switch::On(keys)) = switch else {
        return Some(Recover::default());
    };
    let keys = keys.over(RecoverKeys::defaults());
    let OnOff(reset) = value(&keys.reset)?;
    Some(Recover {
        reset,
        reboots_per_day: value(&keys.reboots_per_day)?.0,
    })
}

fn recording(keys: CameraRecordingKeys) -> Option<RecordingLimits> {
    Some(RecordingLimits {
        keep: flat(keys.keep)?.map(|span| span.0),
        at_most: flat(keys.at_most)?.map(|share| share.0),
    })
}

/// The server named, or the only one.
fn server(
    name: &Name,
    place: &Place,
    given: &Option<Given<Name>>,
    servers: &Servers,
    reader: &mut Reader,
) -> Option<Name> {
    let known: Vec<&str> = servers.named.entries.iter().map(|(name, _, _)| name.as_str()).collect();
    let Some(given) = given else {
        return match servers.named.entries.as_slice() {
            [(only, _, _)] if !servers.named.incomplete => Some(only.clone()),
            // told already
            [] | [_] => None,
            _ => {
                let finding = Finding::new(place, format!("{name} does not say which server it streams to")).help(format!(
                    "There are {} servers ({}): give it a `server:`, or set one for all under `defaults: {{camera: {{server: …}}}}`.",
                    known.len(),
                    known.join(", ")
                ));
                reader.fault(finding);
                None
            }
        };
    };
    known_server(given, servers, reader)
}

/// The server named, if there is one of that name.
pub(super) fn known_server(given: &Given<Name>, servers: &Servers, reader: &mut Reader) -> Option<Name> {
    let server = given.value.as_ref()?;
    let known: Vec<&str> = servers.named.entries.iter().map(|(name, _, _)| name.as_str()).collect();
    if known.contains(&server.as_str()) {
        return Some(server.clone());
    }
    let mut finding = Finding::new(&given.place, format!("there is no server `{server}`"));
    if let Some(near) = nearest(server.as_str(), &known) {
        finding = finding.label(format!("did you mean `{near}`?"));
    }
    if !known.is_empty() {
        finding = finding.help(format!("Servers: {}.", known.join(", ")));
    }
    reader.fault(finding);
    None
}

/// Whether it comes as its server would have it.
fn tls(name: &Name, given: Option<Given<OnOff>>, server: Option<&Server>, reader: &mut Reader) -> Option<bool> {
    let Some(given) = given else {
        return Some(true);
    };
    let OnOff(wanted) = given.value?;
    if let Some(server) = server.filter(|server| wanted && !server.tls) {
        let finding = Finding::new(
            &given.place,
            format!("{name} is to come by TLS, which {} does not speak", server.name),
        )
        .help(format!(
            "Let the server speak it (`tls: on` for {}), or leave this out: a camera does as its server does.",
            server.name
        ));
        reader.fault(finding);
        return None;
    }
    Some(wanted)
}

/// Size, fps, bitrate, profile and level together.
fn picture(name: &Name, place: &Place, keys: &CameraKeys, reader: &mut Reader) -> Option<()> {
    let size = value(&keys.size)?;
    let fps = value(&keys.fps)?.0;
    let bitrate = value(&keys.bitrate)?;
    let forced = value(&keys.force_bitrate)?;
    let at = |given: Option<&Place>| given.filter(|place| !place.bytes.is_empty()).unwrap_or(place).clone();
    starvation(
        name,
        &at(keys.bitrate.as_ref().map(|given| &given.place)),
        (size, fps, bitrate),
        forced,
        reader,
    );
    let profile = value(&keys.profile)?;
    let level = value(&keys.level)?.0;
    let place = at(keys.level.as_ref().map(|given| &given.place));
    level_suffices(name, &place, (size, fps, bitrate), profile, level, reader);
    Some(())
}

/// Under some bits per pixel the Pi's encoder freezes, without an error.
fn starvation(name: &Name, place: &Place, picture: (Size, u32, Bitrate), forced: bool, reader: &mut Reader) {
    let (size, fps, bitrate) = picture;
    let bits = h264::bits_per_pixel(size, fps, bitrate);
    if bits >= h264::DOUBTFUL {
        return;
    }
    let message = format!(
        "{} for {size} at {fps} fps is {bits:.3} bit per pixel for {name}",
        bitrate_in_words(u64::from(bitrate.bits_per_second()))
    );
    let enough = bitrate_in_words(h264::lowest_bitrate(size, fps, h264::DOUBTFUL));
    if bits < h264::FREEZES && !forced {
        let help = format!(
            "Under {} the Pi's encoder freezes without an error. Lower `size:` or `fps:`, raise `bitrate:` \
             (from {enough} on no freeze was reported), or insist with `force_bitrate: true`.",
            h264::FREEZES
        );
        reader.fault(Finding::new(place, message).help(help));
    } else {
        let help = format!(
            "Under {} the Pi's encoder is reported to freeze on some pictures; the watchdog starts it anew then. \
             From {enough} on no freeze was reported.",
            h264::DOUBTFUL
        );
        reader.warn(Finding::new(place, message).help(help));
    }
}

fn level_suffices(
    name: &Name,
    place: &Place,
    picture: (Size, u32, Bitrate),
    profile: Profile,
    level: u8,
    reader: &mut Reader,
) {
    let (size, fps, bitrate) = picture;
    let lowest = h264::lowest_level(size, fps, bitrate, profile);
    if lowest.is_some_and(|lowest| lowest <= level) {
        return;
    }
    let bitrate = bitrate_in_words(u64::from(bitrate.bits_per_second()));
    let message = format!(
        "H.264 level {} does not allow {size} at {fps} fps and {bitrate} for {name}",
        h264::in_words(level)
    );
    let help = match lowest {
        Some(lowest) => format!(
            "Write `level: {}`, or lower `size:`, `fps:` or `bitrate:`.",
            h264::in_words(lowest)
        ),
        None => "No level does: lower `size:` or `fps:`.".to_owned(),
    };
    reader.fault(Finding::new(place, message).help(help));
}

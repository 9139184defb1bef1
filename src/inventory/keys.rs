//! Every key of the inventory: its type, its default, what it means. Reading, JSON Schema and defaults all come from
//! here; `inventory/reference.yml` is tested against it.
//!
//! What several keys mean together is the business of `fleet`.

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::definition::{Keys, keys};
use super::reader::{Given, Named, Read, Reader, Switch, accepted_keys};
use super::short::OrShort;
use super::tree::Node;
use super::values::{
    AcmeUrl, Address, Controls, Email, HostName, HostPath, Install, Jump, Level, LocalPath, NamePattern, OnOff,
    RtmpUrl, Sha256, Share, Span, Uplink, UserName, WebCertificate, Whole,
};
use crate::model::{
    Audio, Bitrate, Encoder, Latency, Name, Network, Origin, Profile, RecordingFormat, SdCard, Secret, Size, Source,
    Transport,
};

/// Seconds, minutes, hours and days in milliseconds.
const S: u64 = 1_000;
const M: u64 = 60 * S;
const H: u64 = 60 * M;
const D: u64 = 24 * H;

pub(super) type Port = Whole<1, 65_535>;

keys! {
    /// A fleet of cameras and the servers they stream to.
    InventoryKeys {
        /// What holds for every host unless the host says otherwise.
        defaults: DefaultsKeys,
        /// The fleet's certificate authority.
        ca: CaKeys,
        /// The streaming servers by name.
        servers: Named<ServerKeys>,
        /// Places whose cameras share one uplink, by name.
        sites: Named<SiteKeys>,
        /// The cameras by name.
        cameras: Named<CameraKeys>,
        /// Who may watch by a login of their own, by name; without any, everybody from an address in `play`.
        viewers: Named<ViewerKeys>,
    }
}

keys! {
    /// What holds for every host unless the host says otherwise.
    DefaultsKeys {
        /// How to reach all hosts.
        ssh: OrShort<SshKeys>,
        /// Any key of a server.
        server: ServerKeys,
        /// Any key of a camera.
        camera: CameraKeys,
    }
}

keys! {
    /// The fleet's certificate authority, which is kept in `.pistream/` beside the inventory.
    CaKeys {
        /// What its key is sealed with; asked for only when something is signed. `pistream certs seal` seals a key that
        /// was made before this was written.
        passphrase: Secret,
    }
}

keys! {
    /// How to reach a host; `ssh: user@host:port` is short for `user`, `host` and `port`.
    SshKeys {
        /// A name, an address, or an alias of your ssh configuration.
        host: HostName,
        /// The user to log in as; without it what your ssh would take.
        user: UserName,
        /// The port sshd listens on; without it what your ssh would take.
        port: Port,
        /// The private key file, relative to this file; without it what your ssh would offer.
        identity: LocalPath,
        /// The host to go through: [user@]host[:port].
        jump: Jump,
        /// The road: auto, russh, openssh, or local (this machine, without ssh: one host alone).
        transport: Transport = "auto",
        /// The login password, if there is no key.
        password: Secret,
        /// What sudo on the host asks for, when it asks.
        sudo_password: Secret,
    }
}

keys! {
    /// A streaming server.
    ServerKeys {
        /// How to reach it: [user@]host[:port], or a map.
        ssh: OrShort<SshKeys>,
        /// Where cameras and viewers reach it, an IP address or a DNS name; by default the ssh host.
        address: Address,
        /// Further names and addresses by which it is reached: its certificate is good for these, too, and plain HTTP answers to them.
        names: Vec<Given<Address>>,
        /// on (cameras come by RTMPS, both sides with a certificate of the fleet), or off (plain RTMP, cameras known by their addresses).
        tls: OnOff = "on",
        /// Where nginx comes from: the distribution's packages, or sources that are built on the server.
        nginx: NginxKeys,
        /// RTMPS, for cameras, and for viewers with a certificate.
        rtmps_port: Port = "1936",
        /// RTMP, for viewers; without TLS for cameras too.
        rtmp_port: Port = "1935",
        /// HTTPS for HLS, DASH, the page and recordings, with the server's certificate of the fleet or your own; or off: plain HTTP.
        https: Switch<HttpsKeys> = "on",
        /// HLS, DASH and the page by HTTPS.
        https_port: Port = "8443",
        /// The same by plain HTTP: on loopback only, unless https is off.
        http_port: Port = "8080",
        /// Statistics, on loopback only.
        status_port: Port = "8081",
        /// From where cameras may publish, besides each one's own address; with TLS by default from anywhere, and under a name
        /// without certificate and address.
        publish: Vec<Given<Network>>,
        /// Who may play: addresses and networks; by default nobody but the server itself, and viewers from anywhere.
        play: Vec<Given<Network>>,
        /// Recording to disk, or off.
        recording: Switch<RecordingKeys> = "on",
        /// HLS, or off.
        hls: Switch<SegmentKeys> = "on",
        /// DASH, or off.
        dash: Switch<SegmentKeys> = "on",
    }
}

keys! {
    /// Where nginx comes from.
    NginxKeys {
        /// package (the distribution's), or source (built on the server, where the distribution has no RTMP module).
        install: Install = "package",
        /// nginx's sources: an https:// URL that the server loads, or a file on this machine, which is sent there.
        source: Origin = "https://nginx.org/download/nginx-1.26.3.tar.gz",
        /// What `sha256sum` prints for it. Nothing is unpacked before that was compared.
        source_sha256: Sha256 = "69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa",
        /// nginx-rtmp-module's sources, likewise; here as Debian packs them, without the tests.
        rtmp_module: Origin = "https://deb.debian.org/debian/pool/main/libn/libnginx-mod-rtmp/libnginx-mod-rtmp_1.2.2+dfsg.orig.tar.xz",
        /// What `sha256sum` prints for that.
        rtmp_module_sha256: Sha256 = "6531e5ed75b01dfe786e08e0eb8ffd664b6f271f3e57223fe59dba965fcefd84",
    }
}

keys! {
    /// By which certificate viewers know the server; without these keys by the one of the fleet's own authority.
    HttpsKeys {
        /// letsencrypt (the server gets and renews it, asked at its port 80), or a certificate of your own and its chain, PEM: a
        /// path on the server.
        certificate: WebCertificate,
        /// Its key, PEM: a path on the server; the user pistream must be able to read it.
        key: HostPath,
        /// With letsencrypt: by which address the certificate's authority knows you; without it by none.
        email: Email,
        /// With letsencrypt: another authority that speaks ACME, as the https:// URL of its directory.
        acme: AcmeUrl,
    }
}

keys! {
    /// Recording to disk, in chunks.
    RecordingKeys {
        /// Where on the server; a directory per stream and day below it. It becomes pistream's alone.
        path: HostPath = "/var/lib/pistream/recordings",
        /// Length of one chunk.
        interval: Span<{ 10 * S }, { 7 * D }> = "1h",
        /// What a finished chunk is kept as: mp4 (browsers play it), or flv (as it was received).
        format: RecordingFormat = "mp4",
        /// Chunks older than this are deleted.
        keep: Span<{ M }, { 36_525 * D }> = "30d",
        /// What all recordings together may take: a size, or a share of the disk; then the oldest go.
        at_most: Share<1, 100> = "80%",
        /// What must stay free on the disk, whoever fills it: a size or a share; else the oldest recordings go.
        keep_free: Share<0, 90> = "1G",
        /// For that none goes that is younger: then recording stops instead, until there is room.
        keep_at_least: Span<0, { 36_525 * D }> = "24h",
    }
}

keys! {
    /// How one camera's recordings differ from the server's.
    CameraRecordingKeys {
        /// Its chunks older than this are deleted; by default as the server says.
        keep: Span<{ M }, { 36_525 * D }>,
        /// What its recordings may take: a size, or a share of the disk; by default as much as there is for all.
        at_most: Share<1, 100>,
    }
}

keys! {
    /// HLS or DASH.
    SegmentKeys {
        /// Length of a segment. HLS: by default 2s, cut at the first keyframe after it, half a second at most where a camera has `latency: low`. DASH: by default 1s, cut at any picture, a quarter of a second at most there.
        fragment: Span<250, { M }>,
        /// What the playlist spans: at least three fragments.
        playlist: Span<S, { H }> = "20s",
    }
}

keys! {
    /// A place whose cameras share one uplink.
    SiteKeys {
        /// What the uplink carries, bits per second. No camera streams at more than its share of it.
        uplink: Uplink,
    }
}

keys! {
    /// A camera and its stream.
    CameraKeys {
        /// How to reach it: [user@]host[:port], or a map.
        ssh: OrShort<SshKeys>,
        /// What it publishes as; by default its name.
        stream: Name,
        /// Which server it streams to; needed only where there are several.
        server: Name,
        /// Whose uplink it shares; by default it has one of its own.
        site: Name,
        /// The address the server sees it come from; by default the ssh host, if that is an address.
        address: IpAddr,
        /// off: by plain RTMP from its own address, although its server has TLS; by default as its server.
        tls: OnOff,
        /// auto (whatever camera the Pi has), rpicam (libcamera's) or {rpicam: 1} or {rpicam: imx708}, usb or {usb: /dev/video0}, {v4l2: /dev/video0}, test, or {file: /path/on/the/host}.
        source: Source = "auto",
        /// Width and height of the picture.
        size: Size = "640x480",
        /// Frames per second.
        fps: Whole<1, 120> = "15",
        /// auto (the cheapest the host can do), copy (what the source delivers), h264_omx, h264_v4l2m2m, or libx264.
        encoder: Encoder = "auto",
        /// Bits per second, in steps of 25k.
        bitrate: Bitrate = "250k",
        /// Follow what the network carries with the bitrate, never above `bitrate`; or off. Where the camera encodes by
        /// itself without a pause, else by a restart at half the bitrate.
        adapt: Switch<AdaptKeys> = "on",
        /// Allow a bitrate so low that the Pi's encoder is known to freeze.
        force_bitrate: bool = "false",
        /// off, or silent: a track with nothing to hear, for an iPhone's and other players that show HLS only with sound.
        audio: Audio = "off",
        /// normal, or low: keyframes of half a second at most, which cost picture quality, and as short segments, for viewers
        /// of HLS, DASH and the page that are less than a second behind. RTMP is fast either way.
        latency: Latency = "normal",
        /// Time between two keyframes; with `latency: low` half a second at most.
        keyframe_interval: Span<100, { M }> = "2s",
        /// The H.264 profile: baseline, main or high.
        profile: Profile = "high",
        /// The H.264 level; it must allow the size at the fps.
        level: Level = "4.0",
        /// Further V4L2 controls by name, as `pistream controls CAMERA` lists them: a number, or a menu's entry by its name;
        /// of libcamera's cameras rotate, horizontal_flip, vertical_flip, exposure, shutter, gain, ev, metering, awb, brightness,
        /// contrast, saturation, sharpness.
        controls: Controls,
        /// Further servers that get the stream: rtmps://host/app, {url: rtmps://host/app, key: a secret}, or {server: another}.
        restream: Vec<Given<OrShort<RestreamKeys>>>,
        /// Without a new frame for so long, the stream is started anew.
        stall_after: Span<{ 2 * S }, { 10 * M }> = "9s",
        /// What may be done for a camera that starting anew does not bring back, or off (the default).
        recover: Switch<RecoverKeys> = "off",
        /// How its recordings are kept otherwise than the server says: {keep: 7d, at_most: 100G}.
        recording: CameraRecordingKeys,
        /// normal, or tmpfs: the host's journal and /tmp stay in memory, to spare its SD card.
        sd_card: SdCard = "normal",
    }
}

keys! {
    /// How far down a camera follows what the network carries.
    AdaptKeys {
        /// Not below this, and never so low that the Pi's encoder freezes; by default just above that.
        lowest: Bitrate,
        /// When even that does not get through, so many frames per second; by default as many as ever.
        fps: Whole<1, 120>,
        /// When that is not enough either, a picture of this size; by default none smaller.
        size: Size,
    }
}

keys! {
    /// What a small service of root's does for a camera that starting anew does not bring back.
    RecoverKeys {
        /// on: its driver is unbound and bound again, or its USB port switched off and on; or off.
        reset: OnOff = "on",
        /// So often in 24 hours the host is booted anew, when nothing has helped for five minutes.
        reboots_per_day: Whole<0, 24> = "0",
    }
}

keys! {
    /// A further server that gets the stream.
    RestreamKeys {
        /// rtmps://host[:port]/app, or rtmp://, without the stream key.
        url: RtmpUrl,
        /// The stream key the target gave you; without it the stream's own name.
        key: Secret,
        /// The authority that signed the target's certificate, a PEM file of this machine; by default all that the server's system trusts.
        ca: LocalPath,
        /// Instead of a URL: another server of this inventory, as a backup.
        server: Name,
    }
}

keys! {
    /// Somebody who may watch, by a login of their own.
    ViewerKeys {
        /// The login's password.
        password: Secret,
        /// The cameras to be seen, by name or pattern; by default all.
        cameras: Vec<Given<NamePattern>>,
    }
}

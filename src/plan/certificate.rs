//! A certificate of the user's own: asked, before anything changes, whether the server's nginx will be able to read it.

use super::USER;
use super::parts::check;
use crate::model::Https;
use pistream_agent::Check;

/// Whether they are what they should be, and belong together, `nginx -t` tells.
const READ_BOTH: &str = "cat \"$1\" \"$2\" >/dev/null";

/// `nginx -t` is run by root, who reads everything. This reads as the unit does: as its user, and with what it sees of the
/// system.
pub(super) fn readable(https: &Https, settings: &[String]) -> Option<Check> {
    let Https::Files { certificate, key } = https else {
        return None;
    };
    let user = format!("User={USER}");
    let as_the_unit = ["-p", &user, "-p", "ProtectHome=yes", "-p", "PrivateTmp=yes"];
    let run = ["systemd-run", "--quiet", "--wait", "--collect", "--pipe"];
    let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
    let words = ["/bin/sh", "-euc", READ_BOTH, "pistream-check", &certificate, &key];
    let command = [&run[..], &as_the_unit[..], &words[..]].concat();
    Some(check(
        &format!("certificate and key as user {USER}"),
        settings,
        &command,
    ))
}

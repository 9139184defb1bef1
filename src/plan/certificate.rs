//! The viewers' certificate, where it is not the fleet's. One of the user's own: asked, before anything changes, whether the
//! server's nginx will be able to read it. One by ACME: what gets it, before the front is to show it.

use super::parts::{self, check, directory, mark, package, settings, system, unit_check};
use super::view::ServerContext;
use super::{CERTIFICATE_UNIT, Paths, USER};
use crate::model::Https;
use crate::templates::{self, Templates};
use pistream_agent::{Check, Directory, Plan};

/// Its certificate and its key, on the server; `None` where it is the fleet's.
pub fn of_viewers(https: &Https, paths: &Paths) -> Option<[String; 2]> {
    match https {
        Https::Own => None,
        Https::Files { certificate, key } => Some([certificate, key].map(|path| path.to_string_lossy().into_owned())),
        Https::Acme { name, directory, .. } => {
            let live = format!("{}/live/{}", paths.acme, lineage(name, directory));
            Some(["fullchain", "privkey"].map(|file| format!("{live}/{file}.pem")))
        }
    }
}

/// What certbot calls the certificate of this name: another authority's is another.
pub(super) fn lineage(name: &str, directory: &str) -> String {
    format!("{name}-{}", mark(directory))
}

/// Adds what gets and renews it. certbot answers the authority itself, without nginx: the front is first changed when there is
/// a certificate, and one that cannot be had leaves everything as it was.
pub(super) fn by_acme(
    plan: &mut Plan,
    paths: &Paths,
    context: &ServerContext<'_>,
    templates: &Templates,
) -> Result<(), templates::Error> {
    plan.packages.push(package("certbot"));
    plan.directories.push(Directory {
        keep: true,
        ..directory(&paths.acme, USER, 0o700)
    });
    let script = templates.render("certificate.sh.j2", context)?;
    let unit = templates.render("pistream-certificate.service.j2", context)?;
    plan.files.push(settings(&paths.certificate_script, script));
    plan.files.push(system(&paths.certificate_unit, unit));
    plan.checks.push(unit_check(&paths.certificate_unit, CERTIFICATE_UNIT));
    let files = [&paths.certificate_unit, &paths.certificate_script].map(Clone::clone);
    plan.units.push(parts::unit(CERTIFICATE_UNIT, &files));
    Ok(())
}

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

//! One viewer, from its keys: the patterns of the cameras become the cameras.

use super::Context;
use super::hosts::flat;
use crate::inventory::fault::Finding;
use crate::inventory::keys::{CameraKeys, ViewerKeys};
use crate::inventory::reader::{Given, Named, Reader, nearest};
use crate::inventory::short::locate_secret;
use crate::inventory::tree::Place;
use crate::inventory::values::NamePattern;
use crate::model::{Name, Viewer};

pub(super) fn build(
    name: &Name,
    place: &Place,
    keys: &ViewerKeys,
    cameras: &Named<CameraKeys>,
    context: &Context,
    reader: &mut Reader,
) -> Option<Viewer> {
    if keys.password.is_none() {
        let variable = name.as_str().to_uppercase().replace('-', "_");
        let finding = Finding::new(place, format!("{name} has no `password:`")).help(format!(
            "Say where it comes from:\n\n{name}:\n  password: {{env: {variable}_PASSWORD}}"
        ));
        reader.fault(finding);
    }
    let seen = match &keys.cameras {
        None => Some(cameras.entries.iter().map(|(name, ..)| name.clone()).collect()),
        Some(given) => chosen(name, given, cameras, reader),
    };
    Some(Viewer {
        name: name.clone(),
        password: locate_secret(flat(keys.password.clone())??, context.directory),
        cameras: seen?,
    })
}

/// The cameras that a list of patterns names, in the order of the file. A pattern without a camera is more likely a typo
/// than a wish, and somebody who may see nothing needs no login.
fn chosen(
    viewer: &Name,
    given: &Given<Vec<Given<NamePattern>>>,
    cameras: &Named<CameraKeys>,
    reader: &mut Reader,
) -> Option<Vec<Name>> {
    let patterns = given.value.as_ref()?;
    let names = || cameras.entries.iter().map(|(name, ..)| name);
    if patterns.is_empty() {
        let finding = Finding::new(&given.place, format!("{viewer} may see no camera"))
            .help("Name cameras, or leave `cameras:` out for all of them.");
        reader.fault(finding);
        return None;
    }
    for pattern in patterns {
        let Some(NamePattern(glob)) = &pattern.value else {
            return None;
        };
        // a camera whose own name is wrong is told already
        if cameras.incomplete || names().any(|name| glob.matches(name.as_str())) {
            continue;
        }
        let known: Vec<&str> = names().map(Name::as_str).collect();
        let mut finding = Finding::new(&pattern.place, format!("no camera is called `{}`", glob.as_str()));
        if let Some(near) = nearest(glob.as_str(), &known) {
            finding = finding.label(format!("did you mean `{near}`?"));
        }
        reader.fault(finding.help("Accepted: a camera's name, or a pattern that some camera's name fits: `garden*`."));
    }
    let globs: Vec<&NamePattern> = patterns.iter().filter_map(|pattern| pattern.value.as_ref()).collect();
    let seen = names().filter(|name| globs.iter().any(|NamePattern(glob)| glob.matches(name.as_str())));
    Some(seen.cloned().collect())
}

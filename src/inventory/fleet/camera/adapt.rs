//! How far down a camera may follow what the network carries: with its bitrate, its frames, its size.

use super::flat;
use crate::inventory::fault::Finding;
use crate::inventory::h264;
use crate::inventory::keys::{AdaptKeys, CameraKeys};
use crate::inventory::reader::{Given, Reader, Switch, value};
use crate::inventory::values::{Whole, bitrate_in_words};
use crate::model::{Adapt, Bitrate, Size};

/// `None`: wrong. `Some(None)`: not at all.
pub(super) fn adapt(keys: &CameraKeys, reader: &mut Reader) -> Option<Option<Adapt>> {
    let Switch::On(adapt) = keys.adapt.as_ref()?.value.as_ref()? else {
        return Some(None);
    };
    let (size, fps, bitrate) = (value(&keys.size)?, value(&keys.fps)?.0, value(&keys.bitrate)?);
    let lowest = lowest(adapt, (size, fps, bitrate), reader);
    let fewer = fewer(&adapt.fps, fps, reader);
    let smaller = smaller(&adapt.size, size, reader);
    Some(Some(Adapt {
        lowest: lowest?,
        fps: fewer?,
        size: smaller?,
    }))
}

/// How far down the bitrate may go.
fn lowest(adapt: &AdaptKeys, picture: (Size, u32, Bitrate), reader: &mut Reader) -> Option<Bitrate> {
    let (size, fps, bitrate) = picture;
    let floor = u32::try_from(h264::lowest_bitrate(size, fps, h264::FREEZES))
        .ok()
        .and_then(Bitrate::new)?;
    let Some(given) = &adapt.lowest else {
        // a bitrate that is forced below the floor stays where it is
        return Some(floor.min(bitrate));
    };
    let lowest = given.value?;
    let in_words = |bitrate: Bitrate| bitrate_in_words(u64::from(bitrate.bits_per_second()));
    if lowest > bitrate {
        let message = format!(
            "`lowest: {}` is above `bitrate: {}`",
            in_words(lowest),
            in_words(bitrate)
        );
        let help = "The bitrate moves between the two: lower `lowest:`, raise `bitrate:`, or write `adapt: off`.";
        reader.fault(Finding::new(&given.place, message).help(help));
        return None;
    }
    if lowest < floor.min(bitrate) {
        let message = format!("{} is too low for {size} at {fps} fps", in_words(lowest));
        let help = format!(
            "Under {} bit per pixel the Pi's encoder freezes without an error: write {} or more, or lower `size:` or `fps:`.",
            h264::FREEZES,
            in_words(floor)
        );
        reader.fault(Finding::new(&given.place, message).help(help));
        return None;
    }
    Some(lowest)
}

/// `None`: wrong. `Some(None)`: as many frames as ever.
fn fewer(given: &Option<Given<Whole<1, 120>>>, fps: u32, reader: &mut Reader) -> Option<Option<u32>> {
    let fewer = flat(given.clone())?.map(|fps| fps.0);
    if let (Some(fewer), Some(given)) = (fewer.filter(|fewer| *fewer >= fps), given) {
        let finding = Finding::new(
            &given.place,
            format!("{fewer} frames per second are not fewer than `fps: {fps}`"),
        )
        .help("It is what is left of them while the network does not carry more: write less, or leave it out.");
        reader.fault(finding);
        return None;
    }
    Some(fewer)
}

/// `None`: wrong. `Some(None)`: never a smaller picture.
fn smaller(given: &Option<Given<Size>>, size: Size, reader: &mut Reader) -> Option<Option<Size>> {
    let smaller = flat(given.clone())?;
    let wrong = |small: &Size| small.width > size.width || small.height > size.height || small.area() == size.area();
    if let (Some(small), Some(given)) = (smaller.filter(wrong), given) {
        let finding = Finding::new(&given.place, format!("{small} is not smaller than `size: {size}`"))
            .help("It is what is left of it while the network does not carry more: write less, or leave it out.");
        reader.fault(finding);
        return None;
    }
    Some(smaller)
}

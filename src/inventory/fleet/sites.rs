//! Cameras behind one uplink: what each of them may stream at most.
//!
//! Shares are fixed here, so that a plan asks no host; within its share each camera follows what the network carries. What
//! one does not use, no other gets: only so is there never more under way than the uplink carries.

use super::camera::Built;
use crate::inventory::fault::Finding;
use crate::inventory::keys::SiteKeys;
use crate::inventory::reader::{Named, Reader, nearest};
use crate::inventory::tree::Place;
use crate::inventory::values::bitrate_in_words;
use crate::model::Bitrate;

/// Of an uplink so much is shared out. The rest is for headers (TCP and IP 4 %, TLS and RTMP 2 % together), and for
/// keyframes that several cameras make at the same moment. Percent.
const SHARED: u64 = 85;

/// Gives every camera of a site its share: what it asks for where all of that fits, else as much in proportion to what it
/// asks for, but not less than its lowest.
pub(super) fn share(sites: &Named<SiteKeys>, cameras: &mut [(&Place, Option<Built>)], reader: &mut Reader) {
    let mut cameras: Vec<&mut Built> = cameras.iter_mut().filter_map(|(_, built)| built.as_mut()).collect();
    tell_unknown(sites, &cameras, reader);
    for (name, place, keys) in &sites.entries {
        let Some(given) = &keys.uplink else {
            let finding = Finding::new(place, format!("the site {name} does not say what its uplink carries"))
                .help(format!("Say it in bits per second:\n\n{name}:\n  uplink: 2M"));
            reader.fault(finding);
            continue;
        };
        let Some(uplink) = &given.value else { continue };
        let behind = cameras.iter_mut().filter(|built| built.is_at(name.as_str()));
        let mut behind: Vec<&mut Built> = behind.map(|built| &mut **built).collect();
        let steps = u32::try_from(uplink.0 * SHARED / 100 / u64::from(Bitrate::STEP)).unwrap_or(u32::MAX);
        let room = format!(
            "{} of an uplink of {}",
            bitrate_in_words(u64::from(steps) * u64::from(Bitrate::STEP)),
            bitrate_in_words(uplink.0)
        );
        let wants: Vec<Want> = behind.iter().map(|built| Want::of(built)).collect();
        match shares(&wants, steps) {
            Err(least) => {
                let message = format!(
                    "the {} cameras of {name} need at least {}, and share {room}",
                    behind.len(),
                    in_words(least)
                );
                let finding = Finding::new(&given.place, message).help(format!(
                    "Their lowest bitrates: {}. A camera goes lower with a smaller `size:` or `fps:`, or a lower \
                     `adapt: {{lowest: …}}`; with `adapt: off` it stays at its `bitrate:`. {SHARED} % of an uplink are shared \
                     out: the rest is for headers and keyframes.",
                    list(&behind, wants.iter().map(|want| want.lowest))
                ));
                reader.fault(finding);
            }
            Ok(shares) if wants.iter().zip(&shares).any(|(want, share)| *share < want.highest) => {
                let asked = wants.iter().map(|want| want.highest).sum();
                for (built, share) in behind.iter_mut().zip(&shares) {
                    if let Some(bitrate) = Bitrate::new(share.saturating_mul(Bitrate::STEP)) {
                        built.camera.bitrate = bitrate;
                    }
                }
                let message = format!("the cameras of {name} ask for {}, and share {room}", in_words(asked));
                let finding = Finding::new(&given.place, message)
                    .help(format!("At most: {}.", list(&behind, shares.into_iter())));
                reader.warn(finding);
            }
            Ok(_) => {}
        }
    }
}

fn tell_unknown(sites: &Named<SiteKeys>, cameras: &[&mut Built], reader: &mut Reader) {
    let known: Vec<&str> = sites.entries.iter().map(|(name, _, _)| name.as_str()).collect();
    for built in cameras {
        let Some((site, place)) = &built.site else { continue };
        if known.contains(&site.as_str()) || sites.incomplete {
            continue;
        }
        let mut finding = Finding::new(place, format!("there is no site `{site}`"));
        if let Some(near) = nearest(site.as_str(), &known) {
            finding = finding.label(format!("did you mean `{near}`?"));
        }
        let help = match known.is_empty() {
            true => format!("Say what its uplink carries:\n\nsites:\n  {site}:\n    uplink: 2M"),
            false => format!("Sites: {}.", known.join(", ")),
        };
        reader.fault(finding.help(help));
    }
}

/// What a camera can do with, in [`Bitrate::STEP`]s.
#[derive(Debug, Clone, Copy)]
struct Want {
    lowest: u32,
    highest: u32,
}

impl Want {
    fn of(built: &Built) -> Want {
        let steps = |bitrate: Bitrate| bitrate.bits_per_second() / Bitrate::STEP;
        let highest = steps(built.camera.bitrate);
        Want {
            lowest: built.camera.adapt.map_or(highest, |adapt| steps(adapt.lowest)),
            highest,
        }
    }
}

/// As many steps for each as it may stream at; else how many all need at least.
fn shares(wants: &[Want], steps: u32) -> Result<Vec<u32>, u32> {
    let least: u32 = wants.iter().map(|want| want.lowest).sum();
    if least > steps {
        return Err(least);
    }
    let asked: u64 = wants.iter().map(|want| u64::from(want.highest)).sum();
    if asked <= u64::from(steps) {
        return Ok(wants.iter().map(|want| want.highest).collect());
    }
    // the largest common share of what each asks for that fits, in thousandths
    let at = |thousandths: u64| {
        let share = |want: &Want| {
            let share = u64::from(want.highest) * thousandths / 1000;
            u32::try_from(share).map_or(want.highest, |share| share.clamp(want.lowest, want.highest))
        };
        wants.iter().map(share).collect::<Vec<u32>>()
    };
    let fits = (0..=1000)
        .rev()
        .map(at)
        .find(|shares| shares.iter().sum::<u32>() <= steps);
    Ok(fits.unwrap_or_else(|| at(0)))
}

fn in_words(steps: u32) -> String {
    bitrate_in_words(u64::from(steps) * u64::from(Bitrate::STEP))
}

fn list(cameras: &[&mut Built], steps: impl Iterator<Item = u32>) -> String {
    let each = cameras.iter().zip(steps);
    let each: Vec<String> = each
        .map(|(built, steps)| format!("{} {}", built.camera.name, in_words(steps)))
        .collect();
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(lowest: u32, highest: u32) -> Want {
        Want { lowest, highest }
    }

    #[test]
    fn who_asks_for_more_gets_more_and_nobody_less_than_it_needs() {
        assert_eq!(shares(&[want(2, 10), want(2, 40)], 60), Ok(vec![10, 40]));
        assert_eq!(shares(&[want(2, 10), want(2, 40)], 25), Ok(vec![5, 20]));
        assert_eq!(shares(&[want(8, 10), want(2, 40)], 25), Ok(vec![8, 17]));
        assert_eq!(shares(&[want(8, 10), want(30, 40)], 25), Err(38));
        assert_eq!(shares(&[], 0), Ok(vec![]));
    }

    #[test]
    fn whatever_is_asked_for_the_sum_fits() {
        let cameras = [want(1, 1), want(2, 7), want(3, 100), want(50, 50), want(1, 1000)];
        for which in 1..32_usize {
            let chosen = cameras.iter().enumerate().filter(|(at, _)| which >> at & 1 == 1);
            let wants: Vec<Want> = chosen.map(|(_, want)| *want).collect();
            for steps in 1..1200 {
                let Ok(shares) = shares(&wants, steps) else { continue };
                assert!(shares.iter().sum::<u32>() <= steps, "{wants:?} {steps} {shares:?}");
                let within = |(want, share): (&Want, &u32)| (want.lowest..=want.highest).contains(share);
                assert!(wants.iter().zip(&shares).all(within), "{wants:?} {shares:?}");
            }
        }
    }
}

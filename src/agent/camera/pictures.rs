//! Which sizes and rates a device lists in a pixel format, and which of them is nearest to what is wanted.

use super::{Camera, ioctl, sys, v4l2};
use pistream_agent::Picture;
use std::io;
use std::mem;

/// More sizes or rates than any driver lists: one that never says "no more" is not followed for ever.
const MOST: u32 = 256;
/// A camera's 29.97 frames per second are 30.
const SAME_RATE: f64 = 0.5;

/// What a driver lists at one place: single values, or everything between two.
enum Listed<T> {
    One(T),
    Between { least: T, most: T, step: T },
}

type Size = (u32, u32);

impl Camera {
    /// Why it does not deliver this picture in this format, with the nearest that it lists; `None` where it does, and
    /// where its driver lists nothing.
    pub(super) fn lacks(&self, format: &str, wanted: Picture) -> Option<String> {
        let format = u32::from_le_bytes(format.as_bytes().try_into().ok()?);
        let size = (wanted.width, wanted.height);
        let nearest = nearest_size(&self.sizes(format), size)?;
        if nearest != size {
            return Some(format!(
                "no {}x{}; the nearest is {}x{}",
                size.0, size.1, nearest.0, nearest.1
            ));
        }
        let wanted = f64::from(wanted.fps);
        let nearest = nearest_rate(&self.rates(format, size), wanted)?;
        let same = (nearest - wanted).abs() < SAME_RATE;
        (!same).then(|| {
            format!("no {wanted} fps at {}x{}; the nearest is {nearest:.3}", size.0, size.1).replace(".000", "")
        })
    }

    fn sizes(&self, format: u32) -> Vec<Listed<Size>> {
        self.listed(|index| {
            // SAFETY: v4l2_frmsizeenum is plain data, valid when zeroed.
            let mut told: sys::v4l2_frmsizeenum = unsafe { mem::zeroed() };
            (told.index, told.pixel_format) = (index, format);
            ioctl(&self.device, v4l2::vidioc::VIDIOC_ENUM_FRAMESIZES, &mut told)?;
            // SAFETY: the kernel filled the member that belongs to the type it named; both are plain numbers.
            Ok(unsafe {
                if told.type_ == sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
                    let size = told.__bindgen_anon_1.discrete;
                    Listed::One((size.width, size.height))
                } else {
                    let all = told.__bindgen_anon_1.stepwise;
                    Listed::Between {
                        least: (all.min_width, all.min_height),
                        most: (all.max_width, all.max_height),
                        step: (all.step_width, all.step_height),
                    }
                }
            })
        })
    }

    /// Frames per second.
    fn rates(&self, format: u32, (width, height): Size) -> Vec<Listed<f64>> {
        let rate = |interval: sys::v4l2_fract| f64::from(interval.denominator) / f64::from(interval.numerator.max(1));
        self.listed(|index| {
            // SAFETY: v4l2_frmivalenum is plain data, valid when zeroed.
            let mut told: sys::v4l2_frmivalenum = unsafe { mem::zeroed() };
            (told.index, told.pixel_format, told.width, told.height) = (index, format, width, height);
            ioctl(&self.device, v4l2::vidioc::VIDIOC_ENUM_FRAMEINTERVALS, &mut told)?;
            // SAFETY: as above.
            Ok(unsafe {
                if told.type_ == sys::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE {
                    Listed::One(rate(told.__bindgen_anon_1.discrete))
                } else {
                    let all = told.__bindgen_anon_1.stepwise;
                    // the longest interval is the lowest rate
                    Listed::Between {
                        least: rate(all.max),
                        most: rate(all.min),
                        step: 0.0,
                    }
                }
            })
        })
    }

    /// Until the driver says that there is no more.
    fn listed<T>(&self, at: impl Fn(u32) -> io::Result<Listed<T>>) -> Vec<Listed<T>> {
        (0..MOST).map_while(|index| at(index).ok()).collect()
    }
}

/// `None` of an empty list.
fn nearest_size(listed: &[Listed<Size>], wanted: Size) -> Option<Size> {
    let side = |wanted: u32, least: u32, most: u32, step: u32| {
        let within = wanted.clamp(least, most.max(least));
        within - (within - least) % step.max(1)
    };
    let sizes = listed.iter().map(|listed| match listed {
        Listed::One(size) => *size,
        Listed::Between { least, most, step } => {
            let width = side(wanted.0, least.0, most.0, step.0);
            (width, side(wanted.1, least.1, most.1, step.1))
        }
    });
    sizes.min_by_key(|size| size.0.abs_diff(wanted.0) + size.1.abs_diff(wanted.1))
}

/// `None` of an empty list.
fn nearest_rate(listed: &[Listed<f64>], wanted: f64) -> Option<f64> {
    let rates = listed.iter().map(|listed| match listed {
        Listed::One(rate) => *rate,
        Listed::Between { least, most, .. } => wanted.max(*least).min(*most),
    });
    rates.min_by(|a, b| (a - wanted).abs().total_cmp(&(b - wanted).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_single_sizes_and_of_steps() {
        let webcam = [(640, 480), (1280, 720), (800, 600)].map(Listed::One);
        assert_eq!(nearest_size(&webcam, (800, 600)), Some((800, 600)));
        assert_eq!(nearest_size(&webcam, (1296, 972)), Some((1280, 720)));
        assert_eq!(nearest_size(&webcam, (320, 240)), Some((640, 480)));
        let pi = [Listed::Between {
            least: (32, 32),
            most: (1920, 1080),
            step: (2, 2),
        }];
        assert_eq!(nearest_size(&pi, (641, 480)), Some((640, 480)));
        assert_eq!(nearest_size(&pi, (4096, 2160)), Some((1920, 1080)));
        assert_eq!(nearest_size(&[], (640, 480)), None);
        let nonsense = [Listed::Between {
            least: (64, 64),
            most: (32, 32),
            step: (0, 0),
        }];
        assert_eq!(nearest_size(&nonsense, (640, 480)), Some((64, 64)), "no panic");
    }

    #[test]
    fn the_nearest_of_single_rates_and_of_a_range() {
        let webcam = [30_000.0 / 1_001.0, 15.0].map(Listed::One);
        assert_eq!(nearest_rate(&webcam, 20.0), Some(15.0));
        assert!(nearest_rate(&webcam, 30.0).is_some_and(|rate| (rate - 30.0).abs() < SAME_RATE));
        let pi = [Listed::Between {
            least: 1.0,
            most: 90.0,
            step: 0.0,
        }];
        assert_eq!(nearest_rate(&pi, 120.0), Some(90.0));
        assert_eq!(nearest_rate(&pi, 12.5), Some(12.5));
        assert_eq!(nearest_rate(&[], 30.0), None);
    }
}

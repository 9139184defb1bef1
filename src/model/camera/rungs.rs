//! What a camera becomes while the network does not carry what it is asked for: rung by rung less to send.

use super::{Adapt, Bitrate, Camera};

impl Camera {
    /// What it streams as when even less gets through, each rung with less than the one before; none where it does not
    /// adapt. First half the bitrate, down to its lowest; then fewer frames, then a smaller picture, each where allowed and
    /// at the bits per pixel of its lowest.
    pub fn rungs(&self) -> Vec<Camera> {
        let Some(adapt) = self.adapt else { return Vec::new() };
        let mut rungs: Vec<Camera> = Vec::new();
        let mut bitrate = self.bitrate;
        while bitrate > adapt.lowest {
            bitrate = half(bitrate).max(adapt.lowest);
            rungs.push(Camera {
                bitrate,
                ..self.clone()
            });
        }
        let mut last = Camera {
            bitrate: adapt.lowest,
            ..self.clone()
        };
        let fewer = adapt.fps.map(|fps| (fps, self.size));
        let smaller = adapt.size.map(|size| (adapt.fps.unwrap_or(self.fps), size));
        for (fps, size) in fewer.into_iter().chain(smaller) {
            let pixels = |fps: u32, size: super::Size| size.area() * u64::from(fps);
            let bits =
                u64::from(adapt.lowest.bits_per_second()) * pixels(fps, size) / pixels(self.fps, self.size).max(1);
            let lowest = at_least(bits).min(last.bitrate);
            last = Camera {
                fps,
                size,
                bitrate: lowest,
                adapt: Some(Adapt { lowest, ..adapt }),
                ..self.clone()
            };
            rungs.push(last.clone());
        }
        rungs
    }

    /// The least it ever streams at.
    pub fn lowest(&self) -> Bitrate {
        self.rungs().last().map_or(self.bitrate, |rung| rung.bitrate)
    }
}

/// Half of it, rounded down to what encoders know.
fn half(bitrate: Bitrate) -> Bitrate {
    let steps = (bitrate.0 / Bitrate::STEP / 2).max(1);
    Bitrate(steps * Bitrate::STEP)
}

/// The lowest bitrate of so many bits per second or more.
fn at_least(bits: u64) -> Bitrate {
    let steps = bits.div_ceil(u64::from(Bitrate::STEP)).max(1);
    let most = Bitrate::MAX / Bitrate::STEP;
    Bitrate(u32::try_from(steps).unwrap_or(most).min(most) * Bitrate::STEP)
}

#[cfg(test)]
mod tests {
    use crate::model::{Adapt, Bitrate, Camera, Size, samples};

    fn rungs(bitrate: u32, adapt: Option<Adapt>) -> Vec<(u32, u32, String)> {
        let bitrate = Bitrate::new(bitrate).expect("a bitrate");
        let camera = Camera {
            bitrate,
            adapt,
            ..samples::fleet(1).cameras.remove(0)
        };
        let told = |rung: Camera| (rung.bitrate.bits_per_second() / 1000, rung.fps, rung.size.to_string());
        camera.rungs().into_iter().map(told).collect()
    }

    fn adapt(lowest: u32, fps: Option<u32>, size: Option<(u32, u32)>) -> Option<Adapt> {
        let lowest = Bitrate::new(lowest).expect("a bitrate");
        let size = size.map(|(width, height)| Size { width, height });
        Some(Adapt { lowest, fps, size })
    }

    #[test]
    fn halves_down_to_the_lowest_and_nothing_where_it_does_not_adapt() {
        let kilobits = |bitrate, lowest| -> Vec<u32> {
            let rungs = rungs(bitrate, adapt(lowest, None, None));
            rungs.into_iter().map(|(bitrate, ..)| bitrate).collect()
        };
        assert_eq!(kilobits(1_000_000, 50_000), [500, 250, 125, 50]);
        assert_eq!(kilobits(250_000, 150_000), [150]);
        assert!(kilobits(250_000, 250_000).is_empty());
        assert!(kilobits(25_000, 25_000).is_empty());
        assert!(rungs(250_000, None).is_empty());
    }

    #[test]
    fn fewer_frames_then_a_smaller_picture_at_the_same_bits_per_pixel() {
        let all = rungs(250_000, adapt(150_000, Some(5), Some((320, 240))));
        assert_eq!(
            all,
            [
                (150, 15, "640x480".to_owned()),
                (50, 5, "640x480".to_owned()),
                (25, 5, "320x240".to_owned())
            ]
        );
        let size = rungs(150_000, adapt(150_000, None, Some((320, 240))));
        assert_eq!(size, [(50, 15, "320x240".to_owned())]);
    }
}

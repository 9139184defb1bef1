//! ffmpeg's `framecrc` listing of two streams: 0 the decoded pictures, 1 the packets as received. Pure text in, values out.

/// Every packet costs a line; no more are kept than ten minutes of a fast camera make.
const MOST_PACKETS: usize = 60_000;

/// What the listing told so far.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Decoded pictures whose checksum differs from that of the one before.
    pub(super) distinct: u32,
    pub(super) codec: String,
    pub(super) width: u32,
    pub(super) height: u32,
    checksum: Option<String>,
    /// Seconds per unit of a packet's timestamp.
    unit: f64,
    packets: Vec<Packet>,
}

#[derive(Debug)]
struct Packet {
    /// Decoding timestamp, in units.
    at: i64,
    duration: i64,
    bytes: u64,
    keyframe: bool,
}

impl Listing {
    /// Takes one line; what it does not know it leaves out.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(comment) = line.strip_prefix('#') {
            return self.header(comment);
        }
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        // stream, dts, pts, duration, size, checksum; "F=0x0" (the packet's flags) unless it is a keyframe
        let [stream, dts, _pts, duration, size, checksum, flags @ ..] = fields.as_slice() else {
            return;
        };
        match *stream {
            "0" => self.picture(checksum),
            "1" => {
                let (Ok(at), Ok(duration), Ok(bytes)) = (dts.parse(), duration.parse(), size.parse()) else {
                    return;
                };
                let keyframe = !flags.iter().any(|f| f.starts_with("F="));
                if self.packets.len() < MOST_PACKETS {
                    self.packets.push(Packet {
                        at,
                        duration,
                        bytes,
                        keyframe,
                    });
                }
            }
            _ => {}
        }
    }

    fn header(&mut self, comment: &str) {
        let Some((name, value)) = comment.split_once(" 1: ") else {
            return;
        };
        let pair = |separator| value.trim().split_once(separator);
        match name {
            "codec_id" => self.codec = value.trim().to_owned(),
            "dimensions" => {
                if let Some((Ok(width), Ok(height))) = pair('x').map(|(w, h)| (w.parse(), h.parse())) {
                    (self.width, self.height) = (width, height);
                }
            }
            "tb" => {
                if let Some((Ok(a), Ok(b))) = pair('/').map(|(a, b)| (a.parse::<f64>(), b.parse::<f64>())) {
                    self.unit = if b > 0.0 { a / b } else { 0.0 };
                }
            }
            _ => {}
        }
    }

    fn picture(&mut self, checksum: &str) {
        if self.checksum.as_deref().is_some_and(|before| before != checksum) {
            self.distinct = self.distinct.saturating_add(1);
        }
        self.checksum = Some(checksum.to_owned());
    }

    /// Seconds from the first to the last packet.
    pub(super) fn span(&self) -> f64 {
        match (self.packets.first(), self.packets.last()) {
            (Some(first), Some(last)) => self.seconds(last.at - first.at),
            _ => 0.0,
        }
    }

    /// Whether a whole keyframe interval was received.
    pub(super) fn whole_interval(&self) -> bool {
        self.packets.iter().filter(|p| p.keyframe).take(2).count() == 2
    }

    /// Frames per second by the packets' timestamps. These are the publisher's: that a player which comes late first waits
    /// and is then sent several frames at once does not show in them.
    pub(super) fn fps(&self) -> f64 {
        let span = self.span();
        if span > 0.0 {
            (self.packets.len() - 1) as f64 / span
        } else {
            0.0
        }
    }

    /// Bits per second: whole keyframe intervals if there is one (a keyframe is many times larger than the other
    /// frames, so a part of an interval misleads), else everything received.
    pub(super) fn bitrate(&self) -> u64 {
        let first = self.packets.iter().position(|p| p.keyframe);
        let last = self.packets.iter().rposition(|p| p.keyframe);
        let (packets, units) = match (first, last) {
            (Some(first), Some(last)) if first < last => (
                &self.packets[first..last],
                self.packets[last].at - self.packets[first].at,
            ),
            _ => match self.packets.as_slice() {
                [] => return 0,
                all @ [first, .., last] => (all, last.at - first.at + last.duration),
                [only] => (std::slice::from_ref(only), only.duration),
            },
        };
        let bits = packets.iter().map(|p| p.bytes).sum::<u64>() as f64 * 8.0;
        let seconds = self.seconds(units);
        if seconds > 0.0 {
            (bits / seconds).round() as u64
        } else {
            0
        }
    }

    fn seconds(&self, units: i64) -> f64 {
        units as f64 * self.unit
    }
}

#[cfg(test)]
#[path = "packets_tests.rs"]
mod tests;

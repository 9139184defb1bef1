//! How many streams are decoded at once: as many as the machine can bear beside what it is there for.

/// An ffmpeg costs about 0.15 s of CPU over the five seconds in which it mostly waits for frames: so many leave a core
/// with little else to do, and nginx has precedence.
const PER_CORE: usize = 50;

/// What one ffmpeg has for itself (measured: 18 MB, with a picture of 320x240; larger ones need more).
const MEMORY: u64 = 30 << 20;

/// Decoders at once for so many streams, at least one for each core.
pub(super) fn decoders(streams: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let free = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available(&text));
    allowed(streams, cores, free)
}

fn allowed(streams: usize, cores: usize, free: Option<u64>) -> usize {
    // half of what is free: the rest is the streams' and the disk's
    let room = free.map_or(cores, |free| usize::try_from(free / 2 / MEMORY).unwrap_or(usize::MAX));
    streams.min((cores * PER_CORE).min(room).max(cores))
}

/// `MemAvailable` of /proc/meminfo, which counts in units of 1024 bytes. Bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_looks_at_few_streams_at_once_and_a_large_one_at_all() {
        let gigabyte = Some(1 << 30);
        assert_eq!(allowed(3, 2, gigabyte), 3);
        assert_eq!(allowed(100, 2, gigabyte), 17);
        assert_eq!(allowed(100, 2, Some(8 << 30)), 100);
        assert_eq!(allowed(300, 2, Some(64 << 30)), 100);
        assert_eq!(
            allowed(100, 2, Some(1 << 20)),
            2,
            "one for each core whatever the memory"
        );
        assert_eq!(allowed(100, 2, None), 2);
    }

    #[test]
    fn available_memory() {
        let text = "MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:    8192000 kB\n";
        assert_eq!(available(text), Some(8_192_000 * 1024));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}

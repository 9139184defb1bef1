//! What of the host itself may be behind a failure: a clock that was never set, a power supply that is too weak. Only
//! read here; nothing is mended.

use pistream_agent::Cause;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// `get_throttled` of the Pi's firmware, as its kernel driver shows it: hexadecimal, without "0x". A Pi 5 has
/// nothing at this place.
const THROTTLED: &str = "/sys/devices/platform/soc/soc:firmware/get_throttled";
/// What its bits mean now; the same bits 16 higher mean "since power came". From `vcgencmd`'s documentation.
const BITS: [(u32, &str); 4] = [
    (0, "under-voltage: the power supply is too weak"),
    (1, "the processor is slowed down"),
    (2, "throttled"),
    (3, "too hot"),
];

/// What is wrong with this host now, in words. `configured` is when the configuration was written: a clock that says less
/// has not been set since power came, since a Pi up to the fourth has none that runs without.
pub(super) fn look(now: SystemTime, configured: Option<SystemTime>) -> Vec<String> {
    let power = throttled(&read(Path::new(THROTTLED))).or_else(|| undervoltage(Path::new("/sys/class/hwmon")));
    clock(now, configured).into_iter().chain(power).collect()
}

/// What is not there says nothing.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A failure with what may be behind it. That a certificate is not valid yet is the clock's doing.
pub(super) fn explain(cause: Cause, message: &str, warnings: &[String]) -> (Cause, String) {
    if warnings.is_empty() {
        return (cause, message.to_owned());
    }
    let unset = warnings.iter().any(|warning| warning.starts_with(UNSET));
    let cause = if unset && cause == Cause::Certificate {
        Cause::Clock
    } else {
        cause
    };
    (cause, format!("{message} ({})", warnings.join("; ")))
}

const UNSET: &str = "the clock is not set";

fn clock(now: SystemTime, configured: Option<SystemTime>) -> Option<String> {
    let behind = configured?.duration_since(now).ok()?;
    // the file may have come from a machine whose clock is a little ahead
    (behind.as_secs() > 60).then(|| {
        let days = behind.as_secs() / 86_400;
        format!("{UNSET}: it is {days} days before the last deploy; does the host reach a time server?")
    })
}

/// The first of those bits, as the driver raspberrypi-hwmon shows it on all Pis.
fn undervoltage(sensors: &Path) -> Option<String> {
    for sensor in fs::read_dir(sensors).ok()? {
        let sensor = sensor.ok()?.path();
        let says = |file, word| read(&sensor.join(file)).trim() == word;
        if says("name", "rpi_volt") && says("in0_lcrit_alarm", "1") {
            return throttled("1");
        }
    }
    None
}

fn throttled(firmware: &str) -> Option<String> {
    let bits = u32::from_str_radix(firmware.trim().trim_start_matches("0x"), 16).ok()?;
    let now: Vec<&str> = BITS
        .iter()
        .filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, words)| *words)
        .collect();
    (!now.is_empty()).then(|| format!("the Pi reports {}", now.join(", ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_alarm_of_the_pis_own_sensor_is_told_and_no_others() {
        let sensors = std::env::temp_dir().join(format!("pistream-sensors-{}", std::process::id()));
        for (sensor, name, alarm) in [("hwmon0", "rp1_adc", "1\n"), ("hwmon1", "rpi_volt\n", "0\n")] {
            fs::create_dir_all(sensors.join(sensor)).unwrap();
            fs::write(sensors.join(sensor).join("name"), name).unwrap();
            fs::write(sensors.join(sensor).join("in0_lcrit_alarm"), alarm).unwrap();
        }
        assert_eq!(undervoltage(&sensors), None);
        fs::write(sensors.join("hwmon1/in0_lcrit_alarm"), "1\n").unwrap();
        assert_eq!(
            undervoltage(&sensors).as_deref(),
            Some("the Pi reports under-voltage: the power supply is too weak")
        );
        fs::remove_dir_all(&sensors).unwrap();
        assert_eq!(undervoltage(&sensors), None);
    }

    #[test]
    fn a_clock_before_the_last_deploy_is_not_set() {
        let deployed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let told = clock(SystemTime::UNIX_EPOCH, Some(deployed));
        assert!(told.is_some_and(|told| told.contains("19675 days before the last deploy")));
        assert_eq!(clock(deployed - Duration::from_secs(30), Some(deployed)), None);
        assert_eq!(clock(deployed + Duration::from_secs(30), Some(deployed)), None);
        assert_eq!(clock(SystemTime::UNIX_EPOCH, None), None);
    }

    #[test]
    fn the_firmwares_bits_are_told_as_they_are_now() {
        assert_eq!(throttled("0\n"), None);
        assert_eq!(throttled("50000\n"), None, "once, but not now");
        assert_eq!(
            throttled("50005\n").as_deref(),
            Some("the Pi reports under-voltage: the power supply is too weak, throttled")
        );
        assert_eq!(throttled("0x8").as_deref(), Some("the Pi reports too hot"));
        assert_eq!(throttled("nonsense"), None);
        assert_eq!(throttled(""), None);
    }

    #[test]
    fn a_certificate_that_fails_while_the_clock_is_not_set_is_the_clocks_doing() {
        let warnings = [format!("{UNSET}: it is 9 days before")];
        let failed = "tls: Peer certificate failed verification";
        let (cause, words) = explain(Cause::Certificate, failed, &warnings);
        assert_eq!(cause, Cause::Clock);
        assert!(words.starts_with(failed) && words.contains(UNSET), "{words}");
        assert_eq!(explain(Cause::Network, "lost", &warnings).0, Cause::Network);
        assert_eq!(explain(Cause::Camera, "gone", &[]), (Cause::Camera, "gone".to_owned()));
    }
}

//! What `pistream status` wants to know of a server: everything that can be seen at once. Nothing is played, tried or waited
//! for, but the second of two looks at the statistics.

use super::{application, named, restreams, seen, words_of_dead};
use crate::inspect::statistics::Looks;
use crate::{archive, identity, posix, services};
use pistream_agent::{DiskFacts, Facts, Glance, InspectRequest, Seen, StreamFacts, StreamRequest, UnitFacts};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// In so long every camera sends something.
const APART: Duration = Duration::from_secs(1);

pub(super) fn look(request: &InspectRequest, glance: &Glance) -> Facts {
    let mut looks = Looks::begin(&request.stat, application(&request.rtmp), APART);
    let seen_besides = Seen {
        units: units(&glance.units),
        web_viewers: web_viewers(glance.web_port),
        disk: glance.recordings.as_deref().map(Path::new).map(disk),
    };
    let wanted = restreams(request);
    // one that is not there now may come back a moment later; that moment is not waited for
    looks.finish(&wanted, Instant::now());
    let words = words_of_dead(request, &looks, &wanted);
    let stream = |asked: &StreamRequest| -> StreamFacts {
        let mut facts = named(&asked.name);
        seen(&mut facts, asked, &looks, &words);
        facts
    };
    Facts {
        streams: request.streams.iter().map(stream).collect(),
        certificate_until: glance.own.as_deref().map(Path::new).and_then(identity::expiry),
        web_certificate_until: glance.web.as_deref().map(Path::new).and_then(identity::expiry),
        glance: Some(seen_besides),
        ..Facts::default()
    }
}

fn units(names: &[String]) -> Vec<UnitFacts> {
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let states = services::show(&wanted);
    let facts = |name: &String| {
        let (state, says) = match &states {
            Ok(states) => states
                .get(name.as_str())
                .map(|unit| (unit.active_state.clone(), unit.says.clone()))
                .unwrap_or_default(),
            Err(error) => ("unknown".to_owned(), error.to_string()),
        };
        UnitFacts {
            name: name.clone(),
            state,
            says,
        }
    };
    names.iter().map(facts).collect()
}

fn disk(path: &Path) -> DiskFacts {
    let look = || -> io::Result<DiskFacts> {
        let space = posix::space(path)?;
        Ok(DiskFacts {
            total: space.total,
            free: space.available,
            oldest: archive::oldest(path)?,
            error: None,
        })
    };
    look().unwrap_or_else(|error| DiskFacts {
        error: Some(format!("{}: {error}", path.display())),
        ..DiskFacts::default()
    })
}

/// From how many addresses, this host's own left out, somebody is connected to this port: the page, HLS and DASH have no
/// connection that lasts but this.
fn web_viewers(port: u16) -> Option<u64> {
    // a kernel without IPv6 has no second table
    let tables = [
        fs::read_to_string("/proc/net/tcp").ok()?,
        fs::read_to_string("/proc/net/tcp6").unwrap_or_default(),
    ];
    let from: BTreeSet<&str> = tables.iter().flat_map(|table| connected_to(table, port)).collect();
    Some(from.len() as u64)
}

/// The far addresses of established connections to a port, in the kernel's hexadecimal (proc_pid_net(5)); of an IPv6 one that
/// stands for IPv4, the last eight digits, as the other table has it.
fn connected_to(table: &str, port: u16) -> impl Iterator<Item = &str> {
    let port = format!(":{port:04X}");
    table.lines().filter_map(move |line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, far, state) = (fields.next()?, fields.next()?, fields.next()?);
        let (far, _) = far.split_once(':')?;
        let far = far.strip_prefix("0000000000000000FFFF0000").unwrap_or(far);
        let own = (far.len() == 8 && far.ends_with("7F")) || far == "00000000000000000000000001000000";
        (local.ends_with(&port) && state == "01" && !own).then_some(far)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Linux 6.1, shortened: it listens, somebody from 10.77.0.1 twice, loopback, another port.
    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0A004D0A:20FB 01004D0A:C350 01 00000000:00000000 00:00000000 00000000     0        0 2
   2: 0A004D0A:20FB 01004D0A:C351 01 00000000:00000000 00:00000000 00000000     0        0 3
   3: 0100007F:20FB 0100007F:C352 01 00000000:00000000 00:00000000 00000000     0        0 4
   4: 0A004D0A:0016 02004D0A:C353 01 00000000:00000000 00:00000000 00000000     0        0 5
";
    const TCP6: &str = "\
   1: 0000000000000000FFFF00000A004D0A:20FB 0000000000000000FFFF000001004D0A:C354 01 00000000:00000000 00
   2: 000080FE00000000FF005450B6AD1DFE:20FB 000080FE000000000300005002000000:C355 01 00000000:00000000 00
";

    #[test]
    fn viewers_are_counted_by_where_they_come_from() {
        let seen: BTreeSet<&str> = [TCP, TCP6].iter().flat_map(|table| connected_to(table, 8443)).collect();
        assert_eq!(seen, ["01004D0A", "000080FE000000000300005002000000"].into());
        assert_eq!(connected_to(TCP, 22).count(), 1);
        assert_eq!(connected_to("", 22).count(), 0);
    }
}

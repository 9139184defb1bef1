//! The loopback address that stands for a camera or viewer on a server, once its certificate has told who it is.
//!
//! nginx's TLS front connects to its own RTMP side from that address, and by it alone the RTMP side knows who it is. Of
//! 127.0.0.0/8 nobody outside the server can take one.

use crate::model::Name;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A network of four million of them. Debian uses 127.0.0.1, 127.0.1.1 and 127.0.0.53; nothing is known to use these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loopback {
    pub(super) network: &'static str,
    first: u32,
}

pub(super) const CAMERAS: Loopback = Loopback {
    network: "127.64.0.0/10",
    first: 0x7f40_0000,
};

/// Another, so that a viewer is none of the addresses that may publish, nor a camera of those that may play.
pub(super) const VIEWERS: Loopback = Loopback {
    network: "127.128.0.0/10",
    first: 0x7f80_0000,
};

/// Where the core takes in what it cuts into segments, whom a certificate let in, and everybody else: loopback addresses that are
/// nobody's, so that the port may be one that it has on another.
pub(super) const SEGMENTS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
pub(super) const BY_CERTIFICATE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
pub(super) const BY_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);

const MASK: u32 = 0x003f_ffff;
const STEP: u32 = 0x0015_6b2f;

impl Loopback {
    /// One for each name. It depends on the name alone and on how many of its certificates are revoked (but for one collision
    /// in two million pairs): connections outlive the configuration that let them in, so an address must never mean one
    /// camera then and another now, nor whoever shows a revoked certificate be taken for whoever shows the next one.
    pub(super) fn addresses<'a>(
        self,
        names: impl Iterator<Item = &'a Name>,
        revoked: &BTreeMap<Name, u32>,
    ) -> BTreeMap<&'a Name, Ipv4Addr> {
        let mut names: Vec<&Name> = names.collect();
        names.sort();
        let mut taken = BTreeMap::new();
        for name in names {
            let times = revoked.get(name).copied().unwrap_or_default();
            // a step that is odd leads past all others before it comes back
            let mut place = hash(name.as_str()).wrapping_add(times.wrapping_mul(STEP)) & MASK;
            // the first address is the network's own
            while place == 0 || taken.contains_key(&place) {
                place = (place + 1) & MASK;
            }
            taken.insert(place, name);
        }
        taken
            .into_iter()
            .map(|(place, name)| (name, Ipv4Addr::from(self.first | place)))
            .collect()
    }
}

/// FNV-1a, 32 bits, folded: the same for ever, which std's hashes do not promise.
fn hash(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, step);
    hash ^ (hash >> 22)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::samples::name;
    use std::collections::BTreeSet;

    #[test]
    fn three_hundred_cameras_have_each_an_address_of_its_own() {
        let names: Vec<Name> = (0..300).map(|i| name(&format!("cam{i}"))).collect();
        let all = CAMERAS.addresses(names.iter(), &BTreeMap::new());
        let different: BTreeSet<&Ipv4Addr> = all.values().collect();
        assert_eq!(different.len(), 300);
        assert!(all.values().all(|a| u32::from(*a) & !MASK == CAMERAS.first), "{all:?}");
    }

    #[test]
    fn an_address_does_not_depend_on_who_else_is_there() {
        let (porch, garden) = (name("porch"), name("garden"));
        let none = BTreeMap::new();
        let alone = CAMERAS.addresses([&porch].into_iter(), &none)[&porch];
        assert_eq!(CAMERAS.addresses([&garden, &porch].into_iter(), &none)[&porch], alone);
        assert_eq!(alone.to_string(), "127.120.248.197");
        assert_eq!(
            VIEWERS.addresses([&porch].into_iter(), &none)[&porch].to_string(),
            "127.184.248.197"
        );
    }

    #[test]
    fn after_a_revocation_a_name_has_an_address_that_it_never_had() {
        let (porch, garden) = (name("porch"), name("garden"));
        let mut had = BTreeSet::new();
        for times in 0..1000 {
            let revoked = BTreeMap::from([(porch.clone(), times)]);
            let addresses = CAMERAS.addresses([&garden, &porch].into_iter(), &revoked);
            assert!(had.insert(addresses[&porch]), "after {times}");
            assert_eq!(
                addresses[&garden],
                CAMERAS.addresses([&garden].into_iter(), &revoked)[&garden]
            );
        }
    }
}

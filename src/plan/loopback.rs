//! The loopback address that stands for a camera on its server, once its certificate has told who it is.
//!
//! nginx's TLS front connects to its own RTMP side from that address, and by it alone the RTMP side knows the camera. Of
//! 127.0.0.0/8 nobody outside the server can take one.

use crate::model::Name;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// All of them: 127.64.0.0/10, which nothing else is known to use (Debian uses 127.0.0.1, 127.0.1.1 and 127.0.0.53).
pub(super) const NETWORK: &str = "127.64.0.0/10";
const FIRST: u32 = 0x7f40_0000;
const MASK: u32 = 0x003f_ffff;

/// One for each name. It depends on the name alone (but for one collision in two million pairs), so that while an old and
/// a new configuration are both at work, an address never means one camera here and another there.
pub(super) fn addresses<'a>(names: impl Iterator<Item = &'a Name>) -> BTreeMap<&'a Name, Ipv4Addr> {
    let mut names: Vec<&Name> = names.collect();
    names.sort();
    let mut taken = BTreeMap::new();
    for name in names {
        let mut place = hash(name.as_str()) & MASK;
        // the first address is the network's own
        while place == 0 || taken.contains_key(&place) {
            place = (place + 1) & MASK;
        }
        taken.insert(place, name);
    }
    taken
        .into_iter()
        .map(|(place, name)| (name, Ipv4Addr::from(FIRST | place)))
        .collect()
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
        let all = addresses(names.iter());
        let different: BTreeSet<&Ipv4Addr> = all.values().collect();
        assert_eq!(different.len(), 300);
        assert!(all.values().all(|a| u32::from(*a) & !MASK == FIRST), "{all:?}");
    }

    #[test]
    fn an_address_does_not_depend_on_who_else_is_there() {
        let (porch, garden) = (name("porch"), name("garden"));
        let alone = addresses([&porch].into_iter())[&porch];
        assert_eq!(addresses([&garden, &porch].into_iter())[&porch], alone);
        assert_eq!(alone.to_string(), "127.120.248.197");
    }
}

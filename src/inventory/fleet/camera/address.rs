//! From which address a camera comes, and that its server can see it come from there.

use std::net::IpAddr;

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Given, Reader};
use crate::inventory::tree::Place;
use crate::model::{Name, Server, Ssh};

/// From where the server sees the camera. `None`: wrong. `Some(None)`: its certificate tells who it is, or the server's
/// `publish` has to cover it.
pub(super) fn address(
    name: &Name,
    given: Option<Given<IpAddr>>,
    ssh: Option<&Ssh>,
    place: &Place,
    server: Option<&Server>,
    tls: Option<bool>,
    reader: &mut Reader,
) -> Option<Option<IpAddr>> {
    let (written, place) = match given {
        Some(Given { value, place }) => (Some(value?), place),
        None => (None, place.clone()),
    };
    let host = &ssh?.host;
    let address = written.or_else(|| host.parse().ok().map(|address: IpAddr| address.to_canonical()));
    // what is wrong with the server is told already
    let (Some(server), Some(tls)) = (server, tls) else {
        return address.map(Some);
    };
    let by_certificate = tls && server.tls;
    let Some(address) = address else {
        if !by_certificate && server.publish.is_empty() {
            let finding = Finding::new(
                &place,
                format!("{} would refuse {name}: `{host}` is not an address", server.name),
            )
            .label("nginx compares addresses, not names")
            .help(format!(
                "Either say from which address it publishes:\n\n{name}:\n  address: 192.168.0.10\n\n\
                 or let a whole network publish:\n\n{}:\n  publish: [192.168.0.0/24]\n\n\
                 or let certificates tell (`tls: on`).",
                server.name
            ));
            reader.fault(finding);
            return None;
        }
        return Some(None);
    };
    // with TLS from anywhere, unless `publish` says from where
    let asked_for = !by_certificate || !server.publish.is_empty();
    if asked_for && !can_come_from(address, server, by_certificate) {
        let (is, other) = if address.is_ipv4() {
            ("IPv4", "IPv6")
        } else {
            ("IPv6", "IPv4")
        };
        let message = format!(
            "{} would refuse {name}: it is reached by {other} ({}), and {address} is {is}",
            server.name, server.address
        );
        let finding = Finding::new(&place, message).help(format!(
            "Either say from which {other} address it publishes:\n\n{name}:\n  address: …\n\nor by which {is} address the server is \
             reached:\n\n{}:\n  address: …",
            server.name
        ));
        reader.fault(finding);
        return None;
    }
    Some(Some(address))
}

/// Who comes by IPv6 has an IPv6 address. Which of the two a name leads to is not for us to know, and a network may cover what the
/// camera's own address does not: from where the port for cameras is reached, and where there is none, who has a name.
fn can_come_from(address: IpAddr, server: &Server, by_certificate: bool) -> bool {
    let Ok(reached) = server.address.parse::<IpAddr>() else {
        return true;
    };
    let mut networks = server.publish.iter().filter(|_| by_certificate || !server.tls);
    let covered = networks.any(|network| network.address.is_ipv4() == reached.is_ipv4());
    address.is_ipv4() == reached.is_ipv4() || covered
}

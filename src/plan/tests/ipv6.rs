//! Who comes by IPv6 is listened to, asked for and let in as whoever comes by IPv4.

use super::{content, plan};
use crate::model::samples::fleet;
use crate::model::{Fleet, Network};

/// Lines that open a port to others than this machine.
fn listened(fleet: &Fleet) -> Vec<String> {
    let of_hub = plan(fleet, "hub");
    let lines = |file: &str| -> Vec<String> {
        let lines = content(&of_hub, file).lines().map(str::trim);
        let open =
            lines.filter(|line| line.starts_with("listen ") && !line.contains("127.0.0.") && !line.contains("unix:"));
        open.map(str::to_owned).collect()
    };
    ["/nginx.conf", "/front.conf", "/door.conf"]
        .into_iter()
        .flat_map(lines)
        .collect()
}

fn network(text: &str, prefix: u8) -> Network {
    Network {
        address: text.parse().expect("an address"),
        prefix,
    }
}

#[test]
fn ports_are_open_to_ipv6_where_the_inventory_names_any() {
    let ipv4 = ["listen 8443 ssl;", "listen 1936 ssl;", "listen 1935;"];
    let both = [
        "listen 8443 ssl;",
        "listen [::]:8443 ssl;",
        "listen 1936 ssl;",
        "listen [::]:1936 ssl;",
        "listen 1935;",
        "listen [::]:1935;",
    ];
    assert_eq!(listened(&fleet(1)), ipv4);
    let named: [fn(&mut Fleet); 6] = [
        |fleet| fleet.servers[0].address = "2001:db8::7".to_owned(),
        |fleet| fleet.servers[0].names = vec!["hub.example.net".to_owned(), "fd00::7".to_owned()],
        |fleet| fleet.servers[0].ssh.host = "fd00::7".to_owned(),
        |fleet| fleet.servers[0].play = vec![network("fd00::", 8)],
        |fleet| fleet.servers[0].publish = vec![network("::", 0)],
        |fleet| fleet.cameras[0].address = Some("fd00::5".parse().expect("an address")),
    ];
    for (at, name) in named.iter().enumerate() {
        let mut fleet = fleet(1);
        name(&mut fleet);
        assert_eq!(listened(&fleet), both, "{at}");
    }
    // plain HTTP, too
    let mut fleet = fleet(1);
    fleet.servers[0].https = None;
    fleet.servers[0].play = vec![network("fd00::", 8)];
    assert!(listened(&fleet).contains(&"listen [::]:8080;".to_owned()));
}

#[test]
fn ipv6_addresses_and_networks_stand_in_the_rules_as_nginx_writes_them() {
    let mut fleet = fleet(1);
    fleet.servers[0].address = "fd00::7".to_owned();
    fleet.servers[0].play = vec![network("fd00:0:0:1::", 64)];
    fleet.servers[0].publish = vec![network("fd00:0:0:2::", 64)];
    fleet.cameras[0].tls = false;
    fleet.cameras[0].address = Some("fd00:0:0:1:0:0:0:5".parse().expect("an address"));
    let of_hub = plan(&fleet, "hub");
    let front = content(&of_hub, "front.conf");
    for line in [
        "\"cam1 fd00:0:0:1::5\" 1;",
        "fd00:0:0:2::/64 1;",
        "fd00:0:0:1::/64 1;",
        "allow fd00:0:0:1::/64;",
        // the server itself
        "::1/128 1;",
        "allow ::1;",
    ] {
        assert!(front.contains(line), "{line} is missing:\n{front}");
    }
    assert!(content(&of_hub, "may-connect.conf").contains("allow fd00:0:0:2::/64;"));
    let camera = plan(&fleet, "cam1");
    assert!(content(&camera, "camera.toml").contains("\"rtmp://[fd00::7]:1935/live/cam1\""));
}

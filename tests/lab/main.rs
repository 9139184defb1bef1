//! Whole hosts on this machine: containers with systemd, sshd and apt, and a virtual Pi with a kernel V4L2 camera.
//!
//! Needs root and what `tests/run` installs; run it through that script, or by
//! `cargo test --test lab -- --test-threads=1`. Every story makes a lab of its own and leaves nothing behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod bench;
mod browser;
mod capture;
mod changes;
mod checking;
mod demo;
mod deploying;
mod fault_table;
mod faults;
mod film;
mod fleet;
mod hasty;
mod hostile;
mod hosts;
mod https;
mod hundred;
mod identity;
mod ipv6;
mod keys;
mod latency;
mod links;
mod names;
mod page;
mod players;
mod power;
mod recordings;
mod releases;
mod restream;
mod scan;
mod sd_card;
mod smoke;
mod source;
mod strangers;
mod uplink;
mod viewers;
mod virtual_pi;
mod watch;
mod watching;
mod web;

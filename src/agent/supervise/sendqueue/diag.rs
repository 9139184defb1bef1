//! What the kernel tells of TCP connections when asked through netlink (sock_diag(7)): besides the send queue also how
//! many bytes have been acknowledged, and the round trip.
//!
//! Reads fixed places of the kernel's structures, which only ever grow at their ends. Where it cannot ask or the answer is
//! too short (a kernel before 4.6, a foreign emulation) it says nothing, and the table in /proc has to do.

use super::{Arrived, Sent};
use crate::posix;
use std::collections::BTreeSet;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// `SOCK_DIAG_BY_FAMILY`, `NLMSG_ERROR`, `NLMSG_DONE`.
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLM_F_REQUEST`, and `NLM_F_DUMP` with it.
const ONE: u16 = 1;
const ALL: u16 = 0x301;
/// `INET_DIAG_INFO`: `struct tcp_info`.
const INFO: u16 = 2;
/// No listening socket, none that only waits for its end.
const STATES: u32 = !(1 << 10 | 1 << 6);
/// `struct nlmsghdr`, `struct inet_diag_sockid`, `struct inet_diag_msg`.
const HEADER: usize = 16;
const ID: usize = 48;
const MESSAGE: usize = 72;
/// The kernel puts no more into one answer.
const LARGEST: usize = 32 << 10;

#[derive(Debug)]
pub(super) struct Diag {
    socket: UnixDatagram,
    /// The connections found last, by family and the kernel's name for them.
    known: Vec<(u8, [u8; ID])>,
    buffer: Vec<u8>,
}

/// One connection.
struct Told {
    family: u8,
    id: [u8; ID],
    inode: u32,
    sent: Sent,
}

impl Diag {
    /// # Errors
    /// What the operating system says where netlink is not to be had.
    pub(super) fn open() -> io::Result<Diag> {
        Ok(Diag {
            socket: posix::sock_diag()?,
            known: Vec::new(),
            buffer: Vec::new(),
        })
    }

    /// Of the connections with these inodes together; `None` when there is none or the kernel does not tell everything.
    pub(super) fn sent(&mut self, inodes: &BTreeSet<String>) -> Option<Sent> {
        let known = std::mem::take(&mut self.known);
        let mut told = Vec::new();
        for (family, id) in &known {
            told.extend(self.ask(*family, ONE, id).ok()?);
        }
        if told.is_empty() || told.len() < known.len() {
            told.clear();
            for family in [libc::AF_INET, libc::AF_INET6] {
                told.extend(self.ask(family as u8, ALL, &[0; ID]).ok()?);
            }
        }
        told.retain(|told| inodes.contains(&told.inode.to_string()));
        self.known = told.iter().map(|told| (told.family, told.id)).collect();
        told.into_iter().map(|told| told.sent).reduce(together)
    }

    fn ask(&mut self, family: u8, which: u16, id: &[u8; ID]) -> io::Result<Vec<Told>> {
        let mut request = Vec::with_capacity(HEADER + 8 + ID);
        request.extend(72_u32.to_ne_bytes());
        request.extend(BY_FAMILY.to_ne_bytes());
        request.extend(which.to_ne_bytes());
        request.extend([0; 8]);
        request.extend([family, libc::IPPROTO_TCP as u8, 1 << (INFO - 1), 0]);
        request.extend(STATES.to_ne_bytes());
        request.extend(id);
        posix::send(&self.socket, &request)?;
        self.buffer.resize(LARGEST, 0);
        let mut told = Vec::new();
        loop {
            // the answer is there when the question has been taken
            let length = self.socket.recv(&mut self.buffer)?;
            let end = read_answer(&self.buffer[..length], &mut told);
            if end || which == ONE || length == 0 {
                return Ok(told);
            }
        }
    }
}

fn together(one: Sent, other: Sent) -> Sent {
    let arrived = one.arrived.zip(other.arrived).map(|(one, other)| Arrived {
        bytes: one.bytes.saturating_add(other.bytes),
        round_trip: one.round_trip.max(other.round_trip),
    });
    Sent {
        waiting: one.waiting.saturating_add(other.waiting),
        arrived,
    }
}

/// Adds what these messages tell; whether they are the last ones.
fn read_answer(mut messages: &[u8], told: &mut Vec<Told>) -> bool {
    while let (Some(length), Some(kind)) = (u32_at(messages, 0), u16_at(messages, 4)) {
        if kind == DONE || kind == ERROR {
            return true;
        }
        let length = length as usize;
        let Some(message) = messages.get(HEADER..length) else {
            return true;
        };
        if kind == BY_FAMILY {
            told.extend(read_connection(message));
        }
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    false
}

/// `struct inet_diag_msg` and the attributes after it.
fn read_connection(message: &[u8]) -> Option<Told> {
    let mut attributes = message.get(MESSAGE..)?;
    let mut arrived = None;
    while let (Some(length), Some(kind)) = (u16_at(attributes, 0), u16_at(attributes, 2)) {
        let length = usize::from(length);
        let value = attributes.get(4..length)?;
        if kind == INFO {
            arrived = read_info(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Some(Told {
        family: *message.first()?,
        id: message.get(4..4 + ID)?.try_into().ok()?,
        inode: u32_at(message, 68)?,
        sent: Sent {
            waiting: u32_at(message, 60)?.into(),
            arrived,
        },
    })
}

/// `struct tcp_info`: tcpi_bytes_acked (Linux 4.1) and tcpi_min_rtt in microseconds (4.6).
fn read_info(info: &[u8]) -> Option<Arrived> {
    let bytes = info.get(120..128)?.try_into().ok()?;
    Some(Arrived {
        bytes: u64::from_ne_bytes(bytes),
        round_trip: Duration::from_micros(u32_at(info, 148)?.into()),
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_ne_bytes(bytes))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_ne_bytes(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    fn inode(stream: &TcpStream) -> BTreeSet<String> {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", stream.as_raw_fd())).unwrap();
        let inode = link
            .to_str()
            .unwrap()
            .trim_start_matches("socket:[")
            .trim_end_matches(']');
        BTreeSet::from([inode.to_owned()])
    }

    #[test]
    fn what_a_real_connection_has_sent_is_told_by_the_byte() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                // a machine without IPv6
                continue;
            };
            let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let mut receiver = listener.accept().unwrap().0;
            let (mut diag, inodes) = (Diag::open().unwrap(), inode(&sender));
            let before = diag.sent(&inodes).unwrap().arrived.unwrap().bytes;
            sender.write_all(&[0; 5000]).unwrap();
            receiver.read_exact(&mut [0; 5000]).unwrap();
            // asked by its name now
            let after = diag.sent(&inodes).unwrap();
            assert_eq!(after.arrived.unwrap().bytes + after.waiting - before, 5000, "{address}");

            sender.set_nonblocking(true).unwrap();
            let mut written = 5000;
            while let Ok(more) = sender.write(&[0; 65536]) {
                written += more as u64;
            }
            let full = diag.sent(&inodes).unwrap();
            assert!(full.waiting > 0);
            assert_eq!(
                full.arrived.unwrap().bytes + full.waiting - before,
                written,
                "{address}"
            );
        }
    }

    #[test]
    fn a_connection_that_is_gone_is_none() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut diag, inodes) = (Diag::open().unwrap(), inode(&sender));
        assert!(diag.sent(&inodes).is_some());
        drop((sender, listener));
        assert_eq!(diag.sent(&inodes), None);
        assert_eq!(diag.sent(&inodes), None);
    }

    #[test]
    fn an_answer_of_any_length_is_read_without_harm() {
        let mut answer = vec![0; 400];
        answer[..4].copy_from_slice(&300_u32.to_ne_bytes());
        answer[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        for length in 0..answer.len() {
            let mut told = Vec::new();
            read_answer(&answer[..length], &mut told);
            assert!(told.is_empty() || length >= 300);
        }
    }
}

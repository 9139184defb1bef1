//! Somebody who publishes without waiting for any answer: handshake, commands and pictures in one go.

use crate::hosts::Lab;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where his pictures begin, in milliseconds: no camera of a story streams for so long.
pub const FIRST: u32 = 7_000_000;
/// As many pictures as make six seconds.
const PICTURES: u32 = 60;
/// What nginx takes before it is told otherwise.
const CHUNK: usize = 128;
/// The server ends the connection sooner.
const PATIENCE: Duration = Duration::from_secs(20);

/// Comes by plain RTMP from here, and stays until he is put out.
pub fn by_address(lab: &Lab, stream: &str) {
    let mut server = TcpStream::connect((lab.ip("hub"), 1935)).unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    // whoever is put out at once has written in vain
    let _ = server.write_all(&everything(stream));
    let ended = server.read_to_end(&mut Vec::new());
    assert!(
        !ended.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock),
        "he is let stay"
    );
}

/// Comes by TLS, with the key and certificate in this file.
pub fn by_certificate(lab: &Lab, identity: &Path, stream: &str) {
    let mut tls = Command::new("timeout")
        .arg(PATIENCE.as_secs().to_string())
        .args(["openssl", "s_client", "-quiet", "-connect"])
        .arg(format!("{}:1936", lab.ip("hub")))
        .arg("-cert")
        .arg(identity)
        .arg("-key")
        .arg(identity)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = tls.stdin.take().unwrap();
    let _ = stdin.write_all(&everything(stream));
    let ended = tls.wait().unwrap();
    assert_ne!(ended.code(), Some(124), "he is let stay");
}

/// RTMP 1.0: C0, C1 and C2, connect, createStream, publish, pictures.
fn everything(stream: &str) -> Vec<u8> {
    let mut all = vec![3];
    all.resize(1 + 2 * 1536, 0);
    let command = |name: &str, number: f64, rest: &[u8]| [&text(name)[..], &amount(number), rest].concat();
    let to_app = [b"\x03\0\x03app", &text("live")[..], b"\0\0\x09"].concat();
    let to_name = [b"\x05", &text(stream)[..], &text("live")].concat();
    all.extend(message(3, 0, 20, 0, &command("connect", 1.0, &to_app)));
    all.extend(message(3, 0, 20, 0, &command("createStream", 2.0, b"\x05")));
    all.extend(message(4, 0, 20, 1, &command("publish", 3.0, &to_name)));
    // H.264 of 640x480: its parameters, then keyframes, whose insides nobody looks at who only cuts
    let sps = b"\x67\x64\0\x28\xac\xb4\x05\x01\xed\x80\x88\0\0\x03\0\x08\0\0\x03\0\xf4\x78\xc1\x95";
    let pps = b"\x68\xee\x3c\xb0";
    let sizes = [
        b"\x17\0\0\0\0\x01\x64\0\x28\xff\xe1\0\x18",
        &sps[..],
        b"\x01\0\x04",
        pps,
    ]
    .concat();
    all.extend(message(6, FIRST, 9, 1, &sizes));
    let picture = [&b"\x17\x01\0\0\0\0\0\0\x29\x65"[..], &[0x88; 40]].concat();
    for at in 0..PICTURES {
        all.extend(message(6, FIRST + at * 100, 9, 1, &picture));
    }
    all
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&[2], &length[..], text.as_bytes()].concat()
}

fn amount(number: f64) -> Vec<u8> {
    [&[0], &number.to_be_bytes()[..]].concat()
}

/// A message in chunks, of this kind and at this time.
fn message(chunks: u8, time: u32, kind: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let head = [
        &[chunks],
        &time.to_be_bytes()[1..],
        &length[1..],
        &[kind],
        &stream.to_le_bytes(),
    ];
    let mut bytes = head.concat();
    for (at, part) in body.chunks(CHUNK).enumerate() {
        if at > 0 {
            bytes.push(0xc0 | chunks);
        }
        bytes.extend(part);
    }
    bytes
}

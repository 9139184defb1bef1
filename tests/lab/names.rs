//! A name server for a lab's hosts, as small as can be: A records by UDP, on the lab's own address.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Answers until it is dropped.
pub struct NameServer {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Listens on port 53 of `address`. A name that is not in `names` does not exist.
    pub fn start(address: &str, names: &[(&str, Ipv4Addr)]) -> NameServer {
        let socket = UdpSocket::bind((address, 53)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let names: BTreeMap<String, Ipv4Addr> = names.iter().map(|(n, a)| ((*n).to_owned(), *a)).collect();
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let thread = std::thread::spawn(move || {
            let mut question = [0; 512];
            while !ends.load(Ordering::Relaxed) {
                let Ok((length, asker)) = socket.recv_from(&mut question) else {
                    continue;
                };
                if let Some(answer) = answer(&question[..length], &names) {
                    // whoever asked may be gone
                    let _ = socket.send_to(&answer, asker);
                }
            }
        });
        NameServer {
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// RFC 1035: the question again and, to one for an A record, the address. `None`: not understood.
fn answer(question: &[u8], names: &BTreeMap<String, Ipv4Addr>) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let mut at = HEADER;
    let mut labels = Vec::new();
    while *question.get(at)? != 0 {
        let length = usize::from(question[at]);
        labels.push(std::str::from_utf8(question.get(at + 1..at + 1 + length)?).ok()?);
        at += 1 + length;
    }
    let asked = question.get(HEADER..at + 5)?;
    let address = names.get(&labels.join("."));
    let found = address.filter(|_| asked[asked.len() - 4..asked.len() - 2] == [0, 1]);
    // 3: there is no such name; a name without such a record is there all the same
    let code = if address.is_some() { 0 } else { 3 };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
    answer.extend(asked);
    if let Some(address) = found {
        // the name of the question, A, IN, one second, four bytes
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

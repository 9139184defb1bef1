//! A small fleet on a lab's hosts: its inventory, the deployer run on it, and questions to the hosts afterwards.

use crate::hosts::{Lab, all, text, wait_for};
use pistream_agent::{Event, Status};
use serde_json::Value;
use std::process::Output;
use std::time::Duration;

/// How the test fleet streams: small pictures, because every camera's encoder shares this machine's processors.
const CAMERA: &str = "source: test, size: 320x240, fps: 15, keyframe_interval: 1s";

/// One server `hub` and cameras, as an inventory. Change a field, write it again, deploy again.
#[derive(Clone)]
pub struct Fleet {
    pub transport: &'static str,
    /// Further keys of the server.
    pub server: String,
    /// Further sections, lines and all.
    pub sections: String,
    /// Name, bitrate and further keys of every camera.
    pub cameras: Vec<(String, &'static str, String)>,
}

impl Fleet {
    /// Only the machine the tests run on may play.
    pub fn new(lab: &Lab, transport: &'static str, cameras: &[&str]) -> Fleet {
        Fleet {
            transport,
            sections: String::new(),
            server: format!("play: [10.77.{}.1], hls: {{fragment: 1s, playlist: 5s}}", lab.id()),
            cameras: cameras
                .iter()
                .map(|&name| (name.to_owned(), "250k", CAMERA.to_owned()))
                .collect(),
        }
    }

    pub fn set_bitrate(&mut self, camera: &str, bitrate: &'static str) {
        let (_, of_camera, _) = self.cameras.iter_mut().find(|(name, ..)| name == camera).unwrap();
        *of_camera = bitrate;
    }

    pub fn write(&self, lab: &Lab) {
        let hub = lab.address_for("hub", self.transport);
        let mut text = format!(
            "{}servers:\n  hub: {{ssh: {hub}, {}}}\ncameras:\n",
            self.sections, self.server
        );
        for (name, bitrate, keys) in &self.cameras {
            let ssh = lab.address_for(name, self.transport);
            text += &format!("  {name}: {{ssh: {ssh}, bitrate: {bitrate}, {keys}}}\n");
        }
        lab.write_inventory(&text);
    }

    /// Writes the inventory and deploys it.
    pub fn deploy(&self, lab: &Lab) -> Deployed {
        self.write(lab);
        deploy(lab, &[])
    }
}

/// `pistream deploy` with what is in `hosts.yml`.
pub fn deploy(lab: &Lab, arguments: &[&str]) -> Deployed {
    let arguments = [&["deploy", "-i", "hosts.yml", "--json"], arguments].concat();
    Deployed::new(lab.pistream(&arguments).output().unwrap())
}

/// What a deploy said.
pub struct Deployed {
    pub code: Option<i32>,
    lines: Vec<Value>,
    text: String,
}

impl Deployed {
    pub fn new(output: Output) -> Deployed {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let lines = stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Deployed {
            code: output.status.code(),
            lines,
            text: all(&output),
        }
    }

    /// Everything it printed.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn must_exit(self, code: i32) -> Deployed {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    /// The host's row: "unchanged", "changed", "pending", "failed", "unreachable", and the words beside it.
    pub fn result<'a>(&'a self, host: &'a str) -> (&'a str, &'a str) {
        let row = self
            .of(host)
            .find_map(|line| Some((line["result"].as_str()?, line["detail"].as_str()?)));
        row.unwrap_or_else(|| panic!("no result for {host}:\n{}", self.text))
    }

    /// What was done on the host: "restart pistream-camera.service" ...
    pub fn changes(&self, host: &str) -> Vec<String> {
        let change = |line: &Value| {
            let (action, item) = (line["action"].as_str()?, line["item"]["name"].as_str()?);
            (line["event"] == "change").then(|| format!("{action} {item}"))
        };
        self.of(host).filter_map(change).collect()
    }

    fn of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["host"] == host)
    }
}

/// What verify found: its exit code, and per camera the first broken link with the reason.
pub struct Verified {
    pub code: Option<i32>,
    report: Value,
    text: String,
}

pub fn verify(lab: &Lab) -> Verified {
    let output = lab
        .pistream(&["verify", "-i", "hosts.yml", "--json", "--timeout", "20"])
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Verified {
        code: output.status.code(),
        report,
        text: all(&output),
    }
}

impl Verified {
    /// Everything it printed.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn of(&self, camera: &str) -> &serde_json::Value {
        let cameras = self.report["cameras"]
            .as_array()
            .unwrap_or_else(|| panic!("no verdicts:\n{}", self.text));
        cameras
            .iter()
            .find(|c| c["camera"] == camera)
            .unwrap_or_else(|| panic!("{}", self.text))
    }

    pub fn first_broken(&self, camera: &str) -> Option<String> {
        self.of(camera)["first_broken"].as_str().map(str::to_owned)
    }

    /// Every broken link.
    pub fn broken(&self, camera: &str) -> Vec<&str> {
        let links = self.of(camera)["links"].as_array().into_iter().flatten();
        links
            .filter(|link| link["verdict"] == "broken")
            .filter_map(|link| link["link"].as_str())
            .collect()
    }

    pub fn must_hold(self) {
        assert_eq!(self.code, Some(0), "{}", self.text);
    }

    /// Exit code 3, and this link the first that is broken.
    pub fn must_name(self, camera: &str, link: &str) {
        assert_eq!(
            (self.code, self.first_broken(camera).as_deref()),
            (Some(3), Some(link)),
            "{}",
            self.text
        );
    }
}

/// What the camera's supervisor answers, or `None` while it does not.
pub fn status(lab: &Lab, camera: &str) -> Option<Status> {
    let output = lab.ssh(
        camera,
        "$(ls -t /usr/local/lib/pistream/agent-* | head -1) status </dev/null",
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| match serde_json::from_str(line) {
        Ok(Event::Status { status }) => Some(*status),
        _ => None,
    })
}

/// A shell's request for the server's statistics, made on the server; without the segments, where each stream is once more.
pub const ASK_STATISTICS: &str = "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /stat HTTP/1.0\\r\\n\\r\\n' >&3 && \
     sed '/<name>segments</,$d' <&3";

/// Bytes the server has received from the publisher of this stream; `None` while there is none.
pub fn bytes_received(lab: &Lab, stream: &str) -> Option<u64> {
    bytes_of(stream, &String::from_utf8_lossy(&lab.ssh("hub", ASK_STATISTICS).stdout))
}

/// The same, out of the server's statistics.
pub fn bytes_of(stream: &str, statistics: &str) -> Option<u64> {
    let of_stream = statistics
        .split("<stream>")
        .find(|part| part.contains(&format!("<name>{stream}</name>")))?;
    of_stream.contains("<publishing/>").then_some(())?;
    of_stream.split("<bytes_in>").nth(1)?.split('<').next()?.parse().ok()
}

/// Waits until the server receives bytes of this stream, and tells how long that took.
pub fn streams_again(lab: &Lab, stream: &str, deadline: Duration) -> Duration {
    let mut before = None;
    wait_for(deadline, &format!("bytes of {stream}"), || {
        let now = bytes_received(lab, stream);
        let advanced = matches!((before, now), (Some(before), Some(now)) if now > before);
        before = now;
        advanced
    })
}

/// Bits per second the server receives of these streams, over so long by its own clock: a login may take its time.
pub fn bitrates_received<const N: usize>(lab: &Lab, streams: [&str; N], over: Duration) -> [f64; N] {
    let reading = || {
        let told = text(&lab.ssh("hub", &format!("date +%s.%N; {ASK_STATISTICS}")));
        let (clock, statistics) = told.split_once('\n').unwrap();
        let bytes = streams.map(|stream| bytes_of(stream, statistics).unwrap());
        (clock.parse::<f64>().unwrap(), bytes)
    };
    let (start, first) = reading();
    let (mut end, mut last) = (start, first);
    wait_for(over * 2, "the measurement's end", || {
        (end, last) = reading();
        end - start >= over.as_secs_f64()
    });
    std::array::from_fn(|at| (last[at] - first[at]) as f64 * 8.0 / (end - start))
}

/// The unit's main process and since when it is active: equal before and after means it was not restarted. With nginx's
/// workers, so that a reload shows too.
pub fn lives(lab: &Lab, host: &str) -> String {
    let ask = "systemctl show -p MainPID -p ActiveEnterTimestampMonotonic -p ActiveState 'pistream-*.service'; pgrep -x nginx || true";
    lab.root(host, ask)
}

/// What `pistream status` tells: its exit code, and all of it.
pub fn fares(lab: &Lab) -> (Option<i32>, Value) {
    let output = lab.pistream(&["status", "-i", "hosts.yml", "--json"]).output().unwrap();
    let told = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no status:\n{}", all(&output)));
    (output.status.code(), told)
}

/// Waits until `pistream status` finds all well; tells what it then told.
pub fn all_well(lab: &Lab, deadline: Duration) -> Value {
    let mut told = Value::Null;
    wait_for(deadline, "all to be well", || {
        let (code, now) = fares(lab);
        told = now;
        code == Some(0)
    });
    told
}

/// What `pistream facts` tells of these hosts (all, if there are none), every one of which must answer.
pub fn facts(lab: &Lab, hosts: &[&str]) -> Value {
    let arguments = [&["facts", "-i", "hosts.yml", "--json"], hosts].concat();
    let output = lab.pistream(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

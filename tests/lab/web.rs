//! The viewers' HTTPS as a careful client sees it: curl, which trusts the fleet's authority and nobody else.

use crate::hosts::Lab;
use std::io::Write;
use std::process::{Command, Stdio};

/// Where viewers reach the lab's server.
pub struct Web {
    pub address: String,
    authority: String,
}

/// By what somebody asks to be let in.
#[derive(Clone, Copy)]
pub enum As<'a> {
    Nobody,
    /// Name and password.
    Login(&'a str, &'a str),
    /// What a browser got for a login.
    Cookie(&'a str),
}

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Answer {
    /// The session that this answer begins.
    pub fn cookie(&self) -> Option<String> {
        let line = self.headers.lines().find_map(|l| l.strip_prefix("Set-Cookie: "))?;
        assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{line}");
        Some(line.split(';').next()?.to_owned())
    }
}

impl Web {
    pub fn of(lab: &Lab) -> Web {
        Web::at(lab, &lab.ip("hub"))
    }

    /// As it stands in a URL.
    pub fn at(lab: &Lab, address: &str) -> Web {
        Web {
            address: format!("https://{address}:8443"),
            authority: lab.home().join(".pistream/ca.pem").to_string_lossy().into_owned(),
        }
    }

    /// The answer, or curl's words for why there is none.
    pub fn try_get(&self, url: &str, who: As) -> Result<Answer, String> {
        let login = match who {
            As::Nobody => String::new(),
            As::Login(name, password) => format!("user = \"{name}:{password}\"\n"),
            As::Cookie(cookie) => format!("cookie = \"{cookie}\"\n"),
        };
        let mut curl = Command::new("curl")
            .args(["-q", "-sS", "-i", "--max-time", "20", "--config", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let config = format!("url = \"{url}\"\ncacert = \"{}\"\n{login}", self.authority);
        curl.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
        let output = curl.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match text.split_once("\r\n\r\n") {
            Some((headers, body)) if output.status.success() => Ok(Answer {
                status: headers.split(' ').nth(1).unwrap().parse().unwrap(),
                headers: headers.replace('\r', ""),
                body: body.to_owned(),
            }),
            _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    pub fn get(&self, path: &str, who: As) -> Answer {
        let url = format!("{}{path}", self.address);
        self.try_get(&url, who).unwrap_or_else(|why| panic!("{url}: {why}"))
    }

    pub fn status(&self, path: &str, who: As) -> u16 {
        self.get(path, who).status
    }
}

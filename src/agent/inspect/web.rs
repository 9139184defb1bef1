//! HTTP to the server's own nginx, and nothing else: no TLS, no redirects, short deadlines, bounded answers.

use std::io::Read;

/// One answer takes no longer. Seconds. The server is this machine.
const PATIENCE: u64 = 5;

/// Statistics of three hundred streams have about 0.5 MB.
const LARGEST_ANSWER: u64 = 8 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    #[error("get {url}: {source}")]
    Get { url: String, source: minreq::Error },
    #[error("get {url}: status {status}")]
    Status { url: String, status: u16 },
    #[error("read {url}: {source}")]
    Read { url: String, source: std::io::Error },
    #[error("read {url}: not text")]
    NotText { url: String },
}

/// The text at `url`.
pub(super) fn text(url: &str) -> Result<String, WebError> {
    let body = fetch(minreq::get(url), url, LARGEST_ANSWER)?;
    String::from_utf8(body).map_err(|_| WebError::NotText { url: url.to_owned() })
}

/// Whether the file at `url` can be had and is not empty; only its beginning is fetched.
pub(super) fn has_content(url: &str) -> Result<bool, WebError> {
    fetch(minreq::get(url).with_header("Range", "bytes=0-187"), url, 188).map(|body| !body.is_empty())
}

fn fetch(request: minreq::Request, url: &str, most: u64) -> Result<Vec<u8>, WebError> {
    let get = |source| WebError::Get {
        url: url.to_owned(),
        source,
    };
    let response = request
        .with_timeout(PATIENCE)
        .with_follow_redirects(false)
        .send_lazy()
        .map_err(get)?;
    match response.status_code {
        200 | 206 => {}
        // "range not satisfiable": there is no first byte
        416 => return Ok(Vec::new()),
        status => {
            return Err(WebError::Status {
                url: url.to_owned(),
                status,
            });
        }
    }
    let mut body = Vec::new();
    let read = |source| WebError::Read {
        url: url.to_owned(),
        source,
    };
    response.take(most).read_to_end(&mut body).map_err(read)?;
    Ok(body)
}

/// `reference` as it stands in the document at `base`: relative, from the root, or whole.
pub(super) fn join(base: &str, reference: &str) -> String {
    if reference.contains("://") {
        return reference.to_owned();
    }
    let authority = base.find("://").map_or(0, |at| at + 3);
    let root = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    if reference.starts_with('/') {
        return format!("{}{reference}", &base[..root]);
    }
    let directory = base.rfind('/').filter(|at| *at >= root).map_or(base, |at| &base[..at]);
    format!("{directory}/{reference}")
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn references_of_a_playlist() {
        let base = "http://127.0.0.1:8080/hls/porch/index.m3u8";
        assert_eq!(join(base, "27.ts"), "http://127.0.0.1:8080/hls/porch/27.ts");
        assert_eq!(join(base, "/media/27.ts"), "http://127.0.0.1:8080/media/27.ts");
        assert_eq!(join(base, "http://10.0.0.1/27.ts"), "http://10.0.0.1/27.ts");
        assert_eq!(join("http://127.0.0.1", "27.ts"), "http://127.0.0.1/27.ts");
    }
}

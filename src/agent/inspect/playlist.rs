//! HLS playlists and DASH manifests as nginx-rtmp writes them: which segment is the newest. Pure text in, values out.

/// The newest segment of a playlist or manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Newest {
    /// Rises with every new segment: HLS media sequence number; DASH start time in units of the time scale.
    pub(super) position: u64,
    /// As the document names it.
    pub(super) reference: String,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum PlaylistError {
    #[error("not a playlist: the first line is not #EXTM3U")]
    NotAPlaylist,
    #[error("the playlist has no segment yet")]
    NoSegment,
    #[error("not a manifest: {0}")]
    NotXml(roxmltree::Error),
    #[error("the manifest has no video with a segment timeline")]
    NoTimeline,
}

/// The newest segment of an HLS media playlist (RFC 8216).
pub(super) fn newest_of_hls(text: &str) -> Result<Newest, PlaylistError> {
    if !text.starts_with("#EXTM3U") {
        return Err(PlaylistError::NotAPlaylist);
    }
    let sequence = text.lines().find_map(|l| l.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"));
    // "If the playlist does not contain the tag, the number of the first segment is 0" (RFC 8216, 4.3.3.2)
    let first: u64 = sequence.and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    let segments = || {
        text.lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
    };
    let reference = segments().next_back().ok_or(PlaylistError::NoSegment)?;
    Ok(Newest {
        position: first + segments().count() as u64 - 1,
        reference: reference.to_owned(),
    })
}

/// The newest video segment of a DASH manifest with `SegmentTemplate` and `SegmentTimeline` (ISO 23009-1).
pub(super) fn newest_of_dash(text: &str) -> Result<Newest, PlaylistError> {
    let document = roxmltree::Document::parse(text).map_err(PlaylistError::NotXml)?;
    let video = document
        .descendants()
        .filter(|n| is(n, "Representation"))
        .find(|n| n.attribute("mimeType").is_none_or(|m| m.starts_with("video/")))
        .ok_or(PlaylistError::NoTimeline)?;
    let template = video
        .ancestors()
        .find_map(|n| n.children().find(|c| is(c, "SegmentTemplate")))
        .ok_or(PlaylistError::NoTimeline)?;
    let number = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).and_then(|v| v.parse::<u64>().ok());
    let (mut next, mut newest) = (0, None);
    for s in template.descendants().filter(|n| is(n, "S")) {
        let start = number(s, "t").unwrap_or(next);
        let length = number(s, "d").unwrap_or(0);
        let last = start.saturating_add(length.saturating_mul(number(s, "r").unwrap_or(0)));
        newest = Some(last);
        next = last.saturating_add(length);
    }
    let position = newest.ok_or(PlaylistError::NoSegment)?;
    let media = template.attribute("media").ok_or(PlaylistError::NoTimeline)?;
    let reference = media
        .replace("$Time$", &position.to_string())
        .replace("$RepresentationID$", video.attribute("id").unwrap_or_default());
    Ok(Newest { position, reference })
}

/// Whether `node` is an element of this name. Manifests bind a default namespace; the local name tells enough.
fn is(node: &roxmltree::Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

#[cfg(test)]
#[path = "playlist_tests.rs"]
mod tests;

//! Against a playlist and a manifest of nginx-rtmp 1.2.2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn newest_segment_of_a_playlist() {
    let newest = newest_of_hls(include_str!("samples/index.m3u8")).unwrap();
    assert_eq!(
        newest,
        Newest {
            position: 483,
            reference: "483.ts".to_owned()
        }
    );
}

#[test]
fn newest_segment_of_a_manifest() {
    let newest = newest_of_dash(include_str!("samples/index.mpd")).unwrap();
    assert_eq!(
        newest,
        Newest {
            position: 966_000,
            reference: "966000.m4v".to_owned()
        }
    );
}

#[test]
fn what_is_no_playlist() {
    assert!(matches!(
        newest_of_hls("<html>404</html>"),
        Err(PlaylistError::NotAPlaylist)
    ));
    assert!(matches!(
        newest_of_hls("#EXTM3U\n#EXT-X-VERSION:3\n"),
        Err(PlaylistError::NoSegment)
    ));
    assert!(matches!(newest_of_dash("404"), Err(PlaylistError::NotXml(_))));
    assert!(matches!(newest_of_dash("<MPD/>"), Err(PlaylistError::NoTimeline)));
}

#[test]
fn repeated_segments_and_names() {
    let text = r#"<MPD><AdaptationSet><SegmentTemplate media="$RepresentationID$-$Time$.m4v"><SegmentTimeline>
        <S t="0" d="10"/><S d="20" r="3"/></SegmentTimeline></SegmentTemplate>
        <Representation id="v" mimeType="video/mp4"/></AdaptationSet></MPD>"#;
    // 0, 10, 30, 50, 70
    assert_eq!(
        newest_of_dash(text).unwrap(),
        Newest {
            position: 70,
            reference: "v-70.m4v".to_owned()
        }
    );
}

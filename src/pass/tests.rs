use super::*;
use crate::model::samples::{fleet, name};
use std::os::unix::fs::PermissionsExt;

fn pass() -> Pass {
    let fleet = fleet(2);
    let places = fleet.cameras.iter().map(|camera| (camera, &fleet.servers[0]));
    Pass {
        identity: Clear::new("key and certificate"),
        authority: "authority".into(),
        places: Places::new(&name("anna"), places),
    }
}

#[test]
fn a_pass_is_read_as_it_was_written_and_by_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("anna");
    Empty::make(&directory).unwrap().fill(&pass()).unwrap();
    let read = Pass::read(&directory).unwrap();
    assert_eq!((read.identity, read.places), (pass().identity, pass().places));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let identity = directory.join("identity.pem");
    assert_eq!((mode(&directory), mode(&identity)), (0o700, 0o600));
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Pass::read(&directory), Err(Error::Exposed(path)) if path == identity));
}

#[test]
fn nothing_is_overwritten_and_what_is_no_pass_is_told() {
    let place = tempfile::tempdir().unwrap();
    Empty::make(place.path()).unwrap();
    assert!(matches!(Pass::read(place.path()), Err(Error::NotThere(_))));
    assert!(matches!(
        Pass::read(&place.path().join("nowhere")),
        Err(Error::NotThere(_))
    ));
    fs::write(place.path().join("letter"), "dear anna").unwrap();
    for taken in [place.path(), &place.path().join("letter")] {
        assert!(matches!(Empty::make(taken), Err(Error::There(_))), "{taken:?}");
    }
    for name in ["identity.pem", "ca.pem", "pass.json"] {
        fs::write(place.path().join(name), "{}").unwrap();
        fs::set_permissions(place.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert!(matches!(Pass::read(place.path()), Err(Error::Damaged { path, .. }) if path.ends_with("pass.json")));
}

#[test]
fn only_a_camera_of_the_pass_has_a_place() {
    let places = pass().places;
    let place = places.of("cam2").unwrap();
    assert_eq!(
        (place.address.as_str(), place.port, place.stream.as_str()),
        ("10.0.0.254", 1936, "cam2")
    );
    let told = places.of("cam3").unwrap_err().to_string();
    assert!(told.starts_with("anna may not watch cam3, but cam1, cam2;"), "{told}");
}

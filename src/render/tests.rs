#![allow(clippy::unwrap_used)]

use super::*;
use std::fs;

/// Two hosts, one with two files.
fn tree() -> BTreeMap<PathBuf, String> {
    of(&[
        ("hub", &["/etc/nginx.conf"]),
        ("porch", &["/etc/camera.toml", "/etc/low/camera-1.toml"]),
    ])
}

fn of(hosts: &[(&str, &[&str])]) -> BTreeMap<PathBuf, String> {
    let mut tree = BTreeMap::new();
    for (host, paths) in hosts {
        let files: Vec<_> = paths.iter().map(|path| serde_json::json!({"path": path})).collect();
        let manifest = serde_json::json!({"host": host, "files": files});
        tree.insert(Path::new(host).join("manifest.json"), manifest.to_string());
        for path in *paths {
            tree.insert(Path::new(host).join(&path[1..]), format!("{host}'s {path}\n"));
        }
    }
    tree
}

fn written(tree: &BTreeMap<PathBuf, String>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), tree, false).unwrap();
    directory
}

#[test]
fn what_is_rendered_no_more_differs_until_it_is_rendered_anew_and_gone_then() {
    let directory = written(&tree());
    let fewer = of(&[("porch", &["/etc/camera.toml"])]);
    assert_eq!(compare(directory.path(), &fewer).unwrap(), exit::Code::Pending);
    write(directory.path(), &fewer, false).unwrap();
    assert_eq!(compare(directory.path(), &fewer).unwrap(), exit::Code::Done);
    assert!(!directory.path().join("hub").exists() && !directory.path().join("porch/etc/low").exists());
}

#[test]
fn what_pistream_did_not_write_there_is_left_alone() {
    let directory = written(&tree());
    let theirs = ["README.md", "hub/notes.txt", ".github/workflow.yml"].map(|name| directory.path().join(name));
    for path in &theirs {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    assert_eq!(compare(directory.path(), &tree()).unwrap(), exit::Code::Done);
    write(directory.path(), &of(&[]), false).unwrap();
    assert!(theirs.iter().all(|path| path.exists()));
    assert!(!directory.path().join("porch").exists());
}

#[test]
fn a_manifest_that_names_files_elsewhere_removes_none() {
    let directory = written(&tree());
    let manifest = directory.path().join("hub/manifest.json");
    fs::write(directory.path().join("precious"), "mine").unwrap();
    fs::write(
        &manifest,
        r#"{"files": [{"path": "/../precious"}, {"path": "../precious"}]}"#,
    )
    .unwrap();
    write(directory.path(), &of(&[]), false).unwrap();
    assert!(directory.path().join("precious").exists() && !manifest.exists());
    fs::create_dir_all(directory.path().join("hub")).unwrap();
    fs::write(&manifest, "[]").unwrap();
    let error = write(directory.path(), &tree(), false).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("hub/manifest.json is no manifest of pistream's"),
        "{error}"
    );
}

#[test]
fn a_directory_that_is_not_there_is_not_compared_with() {
    let directory = tempfile::tempdir().unwrap();
    let error = compare(&directory.path().join("rendred"), &tree()).unwrap_err();
    assert!(error.to_string().starts_with("cannot read "), "{error}");
}

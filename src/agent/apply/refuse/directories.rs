//! Whose directories must not change hands. Reads only.

use super::fault;
use crate::accounts::Accounts;
use crate::apply::compare::{Differences, DirectoryChange};
use crate::apply::state::Memory;
use crate::host::Host;
use pistream_agent::Fault;
use std::path::Path;

/// What others have in a directory of theirs stays within their reach: only pistream's own, or an empty one, changes hands.
pub(super) fn strangers(host: &Host, memory: &Memory, accounts: &Accounts, found: &Differences) -> Result<(), Fault> {
    for DirectoryChange { directory, before } in &found.directories {
        let path = directory.path.as_str();
        let Some((_, uid, _)) = before.filter(|_| host.ownership && !memory.made(path)) else {
            continue;
        };
        if accounts.uid(&directory.owner) != Some(uid) && !is_unused(&host.real(path)) {
            let owner = &directory.owner;
            let cause = format!("it belongs to somebody else (user {uid}), and something is in it");
            let advice = format!(
                "name a directory of its own in the inventory ({path}/recordings); if all of it is {owner}'s: \
                 sudo chown -R {owner}: {path}"
            );
            return Err(fault(format!("give {path} to {owner}"), cause, &advice));
        }
    }
    Ok(())
}

/// Nothing is in it but what a fresh file system brings (ext4). What cannot be read may hold anything.
fn is_unused(directory: &Path) -> bool {
    std::fs::read_dir(directory)
        .is_ok_and(|mut inside| inside.all(|entry| entry.is_ok_and(|e| e.file_name() == "lost+found")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::is_unused;

    #[test]
    fn a_fresh_disk_is_unused() {
        let directory = std::env::temp_dir().join(format!("pistream-unused-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("lost+found")).unwrap();
        let fresh = is_unused(&directory);
        std::fs::write(directory.join(".hidden"), "").unwrap();
        let used = !is_unused(&directory);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(fresh && used && !is_unused(&directory));
    }
}

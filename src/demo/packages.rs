//! What the demo needs on this machine: nginx with its modules for rtmp and streams, and ffmpeg.

use miette::{Context, IntoDiagnostic, bail};
use std::path::Path;
use tokio::process::Command;

/// Debian and Ubuntu package, and the file that shows that it is there.
const NEEDED: [(&str, &str); 4] = [
    ("nginx", "/usr/sbin/nginx"),
    ("libnginx-mod-rtmp", "/usr/lib/nginx/modules/ngx_rtmp_module.so"),
    ("libnginx-mod-stream", "/usr/lib/nginx/modules/ngx_stream_module.so"),
    ("ffmpeg", "/usr/bin/ffmpeg"),
];

/// Installs the packages given as arguments. Debian's nginx would serve a page on port 80, now and after every boot: it is
/// kept from starting, then disabled, unless it was there before. Whatever happens, the policy for that goes again.
const INSTALL: &str = r#"
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ -e /usr/sbin/nginx ]; then had_nginx=yes; else had_nginx=; fi
if [ ! "$had_nginx" ] && [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
fi
install() { apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >/dev/null; }
install "$@" 2>/dev/null || { apt-get update -qq; install "$@"; }
if [ ! "$had_nginx" ] && command -v systemctl >/dev/null; then
    systemctl disable --quiet nginx.service
fi
"#;

/// Says what is missing and installs it.
///
/// # Errors
/// Something is missing and may not or cannot be installed.
pub(super) async fn ensure(may_install: bool) -> miette::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !may_install {
        bail!("the demo needs packages that are not installed; run\napt-get install {list}");
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("the demo needs {list}, and this machine has no apt-get to install them with");
    }
    eprintln!("installing what the demo needs: {list}");
    let mut command = match super::is_root() {
        true => Command::new("sh"),
        false => {
            let mut sudo = Command::new("sudo");
            sudo.arg("sh");
            sudo
        }
    };
    let status = command
        .args(["-c", INSTALL, "install"])
        .args(&missing)
        .status()
        .await
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot become root to install {list}: install them by hand, then run this again"))?;
    let still = self::missing();
    if !status.success() || !still.is_empty() {
        bail!(
            "installing {} failed ({status}); install them by hand and try again",
            still.join(" ")
        );
    }
    Ok(())
}

fn missing() -> Vec<&'static str> {
    NEEDED
        .iter()
        .filter(|(_, file)| !Path::new(file).exists())
        .map(|(package, _)| *package)
        .collect()
}

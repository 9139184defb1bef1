//! The ports that speak TLS, as a scanner of such ports (sslyze) finds them: every finding looked at by itself.

use crate::hosts::{Lab, all, run, script, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the scanner compares with Mozilla's advice for servers that everybody's browser visits, and what is otherwise here.
/// A certificate of the fleet is good from the year 2000 on, for Pis that boot without a clock; its end is a year away.
const LIFE_SPAN: &str = "* maximum_certificate_lifespan:";
/// Two curves stronger than those on Mozilla's list. Which there are is left to OpenSSL: a list of ours would keep newer
/// ones out, such as the hybrid with ML-KEM that OpenSSL 3.5 prefers.
const CURVES: &str = "* tls_curves: TLS curves {";
const STRONGER: [&str; 2] = ["X448", "secp521r1"];

/// The cameras' port and the viewers', as found by somebody who has this viewer's pass.
pub fn finds_nothing(lab: &Lab, pass: &Path) {
    let scanner = text(&run(&mut script("scanner")));
    let sslyze = |port: u16, arguments: &[&Path]| {
        let found = lab.home().join("scan.json");
        let mut sslyze = Command::new(&scanner);
        sslyze.args([
            "--mozilla_config=intermediate",
            "--resum",
            "--early_data",
            "--http_headers",
        ]);
        sslyze
            .arg("--certinfo_ca_file")
            .arg(pass.join("ca.pem"))
            .args(arguments);
        sslyze
            .arg("--json_out")
            .arg(&found)
            .arg(format!("{}:{port}", lab.ip("hub")));
        let said = sslyze.output().unwrap();
        let report: Value = serde_json::from_slice(&fs::read(&found).unwrap_or_default()).unwrap_or_default();
        let report = report["server_scan_results"][0].clone();
        assert_eq!(report["scan_status"], "COMPLETED", "{port}: {}", all(&said));
        (report, text(&said))
    };
    let (viewers, said) = sslyze(8443, &[]);
    is_sound(8443, &viewers);
    advice_is_kept(8443, &said);
    let headers = result(&viewers, "http_headers");
    assert_eq!(headers["strict_transport_security_header"]["max_age"], 31_536_000);

    // to somebody without a certificate the cameras' port answers nothing beyond the handshake
    let (stranger, _) = sslyze(1936, &[]);
    assert_eq!(stranger["connectivity_result"]["client_auth_requirement"], "REQUIRED");
    for finding in ["http_headers", "session_renegotiation", "tls_1_3_early_data"] {
        let reason = &stranger["scan_result"][finding]["error_reason"];
        assert_eq!(reason, "CLIENT_CERTIFICATE_NEEDED", "{finding}");
    }
    let own = pass.join("identity.pem");
    let (cameras, said) = sslyze(1936, &[Path::new("--cert"), &own, Path::new("--key"), &own]);
    is_sound(1936, &cameras);
    advice_is_kept(1936, &said);
    let resumed = result(&cameras, "session_resumption");
    assert_eq!(resumed["session_id_resumption_result"], "NOT_SUPPORTED");
}

fn result<'a>(report: &'a Value, finding: &str) -> &'a Value {
    let found = &report["scan_result"][finding];
    assert_eq!(found["status"], "COMPLETED", "{finding}: {found}");
    &found["result"]
}

fn is_sound(port: u16, report: &Value) {
    let is = |finding: &str, key: &str, wanted: Value| {
        assert_eq!(result(report, finding)[key], wanted, "{port}: {finding}");
    };
    let suites = |version: &str| -> BTreeSet<String> {
        let accepted = result(report, &format!("{version}_cipher_suites"))["accepted_cipher_suites"].as_array();
        let name = |suite: &Value| suite["cipher_suite"]["name"].as_str().unwrap().to_owned();
        accepted.unwrap().iter().map(name).collect()
    };
    for version in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"] {
        assert_eq!(suites(version), BTreeSet::new(), "{port}: {version}");
    }
    // forward secrecy and authenticated encryption alone
    let strong = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ];
    assert_eq!(suites("tls_1_2"), strong.map(str::to_owned).into(), "{port}");
    let strong = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    ];
    assert_eq!(suites("tls_1_3"), strong.map(str::to_owned).into(), "{port}");
    is("tls_compression", "supports_compression", false.into());
    is("tls_1_3_early_data", "supports_early_data", false.into());
    is("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", false.into());
    is("heartbleed", "is_vulnerable_to_heartbleed", false.into());
    is("robot", "robot_result", "NOT_VULNERABLE_RSA_NOT_SUPPORTED".into());
    is("tls_fallback_scsv", "supports_fallback_scsv", true.into());
    is("tls_extended_master_secret", "supports_ems_extension", true.into());
    is("session_renegotiation", "supports_secure_renegotiation", true.into());
    is(
        "session_renegotiation",
        "is_vulnerable_to_client_renegotiation_dos",
        false.into(),
    );
    // a ticket's key would open what was recorded of many connections
    is(
        "session_resumption",
        "tls_ticket_resumption_result",
        "NOT_SUPPORTED".into(),
    );

    let deployments = result(report, "certificate_info")["certificate_deployments"].as_array();
    let [certificate] = deployments.unwrap().as_slice() else {
        panic!("{port}: {deployments:?}");
    };
    assert_eq!(certificate["received_chain_has_valid_order"], true, "{port}");
    let by = certificate["path_validation_results"].as_array().unwrap();
    let ours = by
        .iter()
        .find(|r| r["trust_store"]["name"] == "Supplied CA file")
        .unwrap();
    assert_eq!(ours["was_validation_successful"], true, "{port}: {ours}");
}

/// Nothing that Mozilla advises against but what is above, and why.
fn advice_is_kept(port: u16, said: &str) {
    let (_, compared) = said.split_once("Mozilla's \"intermediate\" configuration").unwrap();
    for line in compared.lines().map(str::trim).filter(|line| line.starts_with("* ")) {
        let curves = line
            .strip_prefix(CURVES)
            .and_then(|rest| rest.strip_suffix("} are supported, but should be rejected."));
        let stronger = |curves: &str| curves.split(", ").all(|c| STRONGER.contains(&c.trim_matches('\'')));
        assert!(
            line.starts_with(LIFE_SPAN) || curves.is_some_and(stronger),
            "{port}: {line}"
        );
    }
}

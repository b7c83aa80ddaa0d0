// SPDX-License-Identifier: Apache-2.0

//! Judges the cases on standard input (one JSON object a line, as intel-cases writes them) with dcap-qvl.
//! Answers one JSON object a line.  With "bench COUNT" it judges the one case on standard input COUNT times
//! and answers with microseconds of processor time each.

use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::QuoteCollateralV3;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{self, BufRead, Write};

type Problem = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Sample {
    index: usize,
    at: u64,
    quote: String,
    root: String,
    tcb_info: String,
    qe_identity: String,
    tcb_chain: String,
    pck_crl: String,
    root_crl: String,
}

#[derive(Serialize)]
struct Answer {
    index: usize,
    valid: bool,
    text: String,
    status: String,
    advisories: Vec<String>,
}

// As its own client takes the service's answers apart, but without writing the body anew, which would
// make another text of it.
#[derive(Deserialize)]
struct TcbInfo {
    #[serde(rename = "tcbInfo")]
    body: Box<RawValue>,
    signature: String,
}

#[derive(Deserialize)]
struct QeIdentity {
    #[serde(rename = "enclaveIdentity")]
    body: Box<RawValue>,
    signature: String,
}

struct Scene {
    quote: Vec<u8>,
    at: u64,
    collateral: QuoteCollateralV3,
    verifier: QuoteVerifier,
}

fn scene_of(sample: &Sample) -> Result<Scene, Problem> {
    let tcb_info: TcbInfo = serde_json::from_slice(&hex::decode(&sample.tcb_info)?)?;
    let qe_identity: QeIdentity = serde_json::from_slice(&hex::decode(&sample.qe_identity)?)?;
    let chain = String::from_utf8(hex::decode(&sample.tcb_chain)?)?;
    Ok(Scene {
        quote: hex::decode(&sample.quote)?,
        at: sample.at,
        collateral: QuoteCollateralV3 {
            pck_crl_issuer_chain: String::new(),
            root_ca_crl: hex::decode(&sample.root_crl)?,
            pck_crl: hex::decode(&sample.pck_crl)?,
            tcb_info_issuer_chain: chain.clone(),
            tcb_info: tcb_info.body.get().to_string(),
            tcb_info_signature: hex::decode(&tcb_info.signature)?,
            qe_identity_issuer_chain: chain,
            qe_identity: qe_identity.body.get().to_string(),
            qe_identity_signature: hex::decode(&qe_identity.signature)?,
            pck_certificate_chain: None,
        },
        verifier: QuoteVerifier::new(hex::decode(&sample.root)?)
            .allow_debug(true)
            .allow_service_td(true),
    })
}

fn judge(sample: &Sample) -> Result<(String, Vec<String>), Problem> {
    let scene = scene_of(sample)?;
    let report = scene
        .verifier
        .verify(&scene.quote, &scene.collateral, scene.at)
        .map_err(|problem| format!("{problem:#}"))?;
    Ok((report.status, report.advisory_ids))
}

fn processor_time_us() -> f64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a timespec of ours that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}

fn bench(sample: &Sample, count: u32) -> Result<(), Problem> {
    let scene = scene_of(sample)?;
    let start = processor_time_us();
    for _ in 0..count {
        scene
            .verifier
            .verify(&scene.quote, &scene.collateral, scene.at)
            .map_err(|problem| format!("{problem:#}"))?;
    }
    println!("{:.2}", (processor_time_us() - start) / f64::from(count));
    Ok(())
}

fn main() -> Result<(), Problem> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let sample: Sample = serde_json::from_str(&line?)?;
        if arguments.len() == 3 && arguments[1] == "bench" {
            return bench(&sample, arguments[2].parse()?);
        }
        let (valid, text, status, advisories) = match judge(&sample) {
            Ok((status, advisories)) => (true, String::new(), status, advisories),
            Err(problem) => (false, problem.to_string(), String::new(), Vec::new()),
        };
        let answer = Answer {
            index: sample.index,
            valid,
            text,
            status,
            advisories,
        };
        serde_json::to_writer(&mut output, &answer)?;
        writeln!(output)?;
    }
    Ok(())
}

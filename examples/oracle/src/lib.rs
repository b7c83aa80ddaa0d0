// SPDX-License-Identifier: Apache-2.0
//! A signed price oracle.
//!
//! `GET /price/neo-usdt` asks every source that `SOURCES` names for a price, takes the median of those that answered,
//! refuses a jump that looks like a mistake, remembers the price, and signs it with a key that no one but this application
//! can use. The receipt of the answer says what each source was asked and what it said (their digests), so that a reader
//! needs to trust neither the node's owner nor this oracle's: only the sources.

mod decimal;

use decimal::{median, member, parse, show};
use s3n::keys::{self, Algorithm};
use s3n::{http, kv, Batch, Hash, Level, Request, Response, Result};

const PRICES: &str = "prices";
const KEY: &str = "oracle";
/// Sources that must answer, and how far a price may move, in per cent of the one before.
const SOURCES_MIN: usize = 2;
const JUMP_MAX: u64 = 20;
/// A price before this is too old to compare with.
const MEMORY_MS: u64 = 60 * 60 * 1000;

/// Asks one source: "URL KEY", where {BASE} and {QUOTE} stand for the pair in capitals.
fn ask(source: &str, base: &str, quote: &str) -> Option<u64> {
    let (url, key) = source.trim().rsplit_once(' ')?;
    let url = url.replace("{BASE}", base).replace("{QUOTE}", quote);
    let answer = match http::fetch("GET", &url, &[("s3n-timeout-ms", "3000")], b"") {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => {
            s3n::log(Level::Warning, &format!("{url}: status {}", answer.status));
            return None;
        }
        Err(error) => {
            s3n::log(Level::Warning, &format!("{url}: {error}"));
            return None;
        }
    };
    let price = parse(member(std::str::from_utf8(&answer.body).ok()?, key)?);
    if price.is_none() {
        s3n::log(Level::Warning, &format!("{url}: no price under {key}"));
    }
    price
}

fn refuse(status: u16, text: &str) -> Result<Response> {
    Ok(Response::json(format!("{{\"error\":\"{text}\"}}\n")).status(status))
}

fn price(request: &Request) -> Result<Response> {
    // Behind a route the pair is in the path; called by name it is the input.
    let input = String::from_utf8_lossy(request.body);
    let pair = match request.path {
        "/" => input.trim(),
        path => path.rsplit('/').next().unwrap_or(""),
    };
    let (base, quote) = match pair.split_once('-') {
        Some(names) if pair.len() <= 15 && pair.bytes().all(|c| c == b'-' || c.is_ascii_lowercase()) => names,
        _ => return refuse(400, "a pair is like neo-usdt"),
    };
    let sources = String::from_utf8_lossy(request.fact("SOURCES").unwrap_or(b"")).into_owned();
    let (base, quote) = (base.to_uppercase(), quote.to_uppercase());
    let mut prices: Vec<u64> = sources
        .split(';')
        .filter_map(|source| ask(source, &base, &quote))
        .collect();
    if prices.len() < SOURCES_MIN {
        return refuse(502, "too few sources answered");
    }
    let count = prices.len();
    let now = median(&mut prices).unwrap_or(0);
    let before = kv::get(PRICES, pair)?.and_then(|v| parse(std::str::from_utf8(&v).ok()?));
    if let Some(before) = before {
        if now.max(before) - now.min(before) > before / 100 * JUMP_MAX {
            return refuse(503, "the price jumped: confirm it with the sources");
        }
    }
    let mut id = [0; 8];
    s3n::random(&mut id)?; // two statements of the same second differ
    let statement = format!(
        "{{\"pair\":\"{pair}\",\"price\":\"{}\",\"sources\":{count},\"time_s\":{},\"id\":\"{}\"}}",
        show(now),
        s3n::time_ns() / 1_000_000_000,
        hex(&id)
    );
    // Remembered and signed in one exit.
    let [kept, signed] = Batch::new()
        .kv_set(PRICES, pair, show(now), MEMORY_MS)
        .sign(KEY, Algorithm::P256, &statement)
        .run()?;
    kept?;
    // For contracts that know secp256k1 alone: what `ecrecover` takes, r, s and v.
    let mut evm = keys::sign_digest(KEY, Algorithm::Secp256k1, &keccak(statement.as_bytes())?)?;
    if let Some(v) = evm.last_mut() {
        *v += 27;
    }
    Ok(Response::json(format!(
        "{{\"statement\":{statement},\"signature\":\"{}\",\"signature_evm\":\"{}\"}}\n",
        hex(&signed?.data),
        hex(&evm)
    )))
}

fn keccak(data: &[u8]) -> Result<[u8; 32]> {
    let mut digest = [0; 32];
    digest.copy_from_slice(&s3n::hash(Hash::Keccak256, data)?[..32]);
    Ok(digest)
}

/// What statements are signed with: a public key, and the address that `ecrecover` gives.
fn key() -> Result<Response> {
    let public = keys::public(KEY, Algorithm::P256)?;
    let evm = keccak(&keys::public(KEY, Algorithm::Secp256k1)?[1..])?;
    Ok(Response::json(format!(
        "{{\"public_key\":\"{}\",\"evm_address\":\"0x{}\"}}\n",
        hex(&public),
        hex(&evm[12..])
    )))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn oracle(request: &Request) -> Result<Response> {
    if request.path == "/key" {
        key()
    } else {
        price(request)
    }
}
s3n::handler!(oracle);

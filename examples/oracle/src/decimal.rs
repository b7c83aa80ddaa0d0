// SPDX-License-Identifier: Apache-2.0
//! Prices as whole numbers of 10^-8, and where they stand in JSON.

pub const DIGITS: usize = 8;
const ONE: u64 = 100_000_000;

/// "12.34" -> 1_234_000_000. More than 8 digits behind the point are cut; 0 and what is no price is `None`.
pub fn parse(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let mut behind = part.get(..DIGITS.min(part.len()))?.to_string();
    while behind.len() < DIGITS {
        behind.push('0');
    }
    let price = whole.parse::<u64>().ok()? * ONE + behind.parse::<u64>().ok()?;
    (price > 0).then(|| price)
}

pub fn show(price: u64) -> String {
    format!("{}.{:08}", price / ONE, price % ONE)
}

/// The string or number behind `"key":`, of the first such key.
pub fn member<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let at = json.find(&format!("\"{key}\""))?;
    let value = json[at + key.len() + 2..]
        .trim_start()
        .strip_prefix(':')?
        .trim_start();
    match value.strip_prefix('"') {
        Some(text) => text.split('"').next(),
        None => value.split(|c: char| !c.is_ascii_digit() && c != '.').next(),
    }
}

/// The middle of an odd number of prices, the mean of the two in the middle of an even one.
pub fn median(prices: &mut [u64]) -> Option<u64> {
    prices.sort_unstable();
    let upper = *prices.get(prices.len() / 2)?;
    let lower = prices[(prices.len() - 1) / 2];
    Some(lower + (upper - lower) / 2)
}

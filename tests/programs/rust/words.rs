// SPDX-License-Identifier: Apache-2.0
// Counts the words of its input: hashing, sorting, text formatting, arguments, environment, exit
// status and, on request, a panic.  The same source is built natively to compare with.
use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant, SystemTime};

fn count(lines: impl Iterator<Item = String>) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for line in lines {
        for word in line.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            *words.entry(word.to_lowercase()).or_insert(0) += 1;
        }
    }
    words
}

fn check_clocks() -> bool {
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(5));
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    start.elapsed() >= Duration::from_millis(5) && since_epoch.as_secs() > 1_600_000_000
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let most = std::env::var("MOST").ok().and_then(|m| m.parse().ok()).unwrap_or(5usize);
    if arguments.iter().any(|a| a == "--panic") {
        let numbers = vec![1, 2, 3];
        println!("{}", numbers[arguments.len() + 10]);
    }
    let words = count(io::stdin().lock().lines().map(|l| l.unwrap()));
    let mut sorted: Vec<_> = words.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut out = io::stdout().lock();
    for (word, count) in sorted.iter().take(most) {
        writeln!(out, "{:>8} {}", count, word).unwrap();
    }
    let total: usize = words.values().sum();
    writeln!(out, "{} words, {:.3} letters on average", total,
        words.iter().map(|(w, c)| w.chars().count() * c).sum::<usize>() as f64 / total.max(1) as f64).unwrap();
    writeln!(out, "clocks {}", check_clocks()).unwrap();
    eprintln!("arguments {:?}", arguments);
    std::process::exit(arguments.len() as i32);
}

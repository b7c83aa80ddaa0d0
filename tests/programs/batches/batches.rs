// SPDX-License-Identifier: Apache-2.0
//! Batches through the SDK: answers that fill more than one buffer, more than one list, and errors among them.
use s3n::{found, Batch, Hash, Kind, Request, Response, Result};

fn large(first: u8) -> Vec<u8> {
    (0..200_000u32).map(|i| first.wrapping_add((i % 251) as u8)).collect()
}

fn shown(result: Result<s3n::Answer>) -> String {
    match result {
        Ok(answer) if answer.data.is_empty() => format!("{}\n", answer.value),
        Ok(answer) => {
            let digest = s3n::hash(Hash::Sha256, &answer.data).unwrap();
            format!("{} {:02x}{:02x}\n", answer.value, digest[0], digest[1])
        }
        Err(error) if error.kind == Kind::NotFound => format!("none: {error}\n"),
        Err(error) => format!("{:?}: {error}\n", error.kind),
    }
}

fn batches(_: &Request) -> Result<Response> {
    let mut text = String::new();
    for (key, first) in [("a", 1), ("b", 2)] {
        let [set] = Batch::new().kv_set("s", key, large(first), 0).run()?;
        text += &shown(set);
    }
    let all = Batch::new()
        .kv_get("s", "a")
        .kv_get("s", "c")
        .kv_get("s", "b")
        .kv_compare_and_set("s", "c", None, "new", 60_000)
        .kv_compare_and_set("s", "c", None, "newer", 0)
        .kv_compare_and_set("s", "c", Some(b"new"), "", 0)
        .kv_get("s", "c")
        .kv_delete("s", "c")
        .call(999, &[1], &[b"x"])
        .run_all()?;
    text += &all.into_iter().map(shown).collect::<String>();
    let [none] = Batch::new().kv_get("s", "c").run()?;
    text += if found(none)?.is_none() { "none\n" } else { "some\n" };
    let mut many = Batch::new();
    for _ in 0..65 {
        many = many.kv_get("s", "c");
    }
    text += &format!("65: {:?}\n", many.run_all().unwrap_err().kind);
    let two: Result<[Result<s3n::Answer>; 2]> = Batch::new().kv_get("s", "c").run();
    assert!(two.is_err());
    Ok(Response::text(text))
}
s3n::handler!(batches);

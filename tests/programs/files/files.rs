// SPDX-License-Identifier: Apache-2.0
// What Rust's std::fs does, told line by line.  Its argument is the folder to work in.
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

fn tell<T: std::fmt::Debug>(what: &str, result: io::Result<T>) {
    match result {
        Ok(value) => println!("{what}: {value:?}"),
        Err(error) => println!("{what}: {:?}", error.kind()),
    }
}

fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        names.push(format!("{}{}", entry.file_name().to_string_lossy(),
            if kind.is_dir() { "/" } else if kind.is_symlink() { "@" } else { "" }));
    }
    names.sort();
    Ok(names)
}

fn walk(path: &Path, depth: usize) -> io::Result<u64> {
    let mut total = 0;
    for name in list(path)? {
        let path = path.join(name.trim_end_matches(|c| c == '/' || c == '@'));
        println!("{:depth$}{name}", "");
        total += if name.ends_with('/') { walk(&path, depth + 2)? } else { fs::symlink_metadata(&path)?.len() };
    }
    Ok(total)
}

fn main() -> io::Result<()> {
    let root = env::args().nth(1).unwrap_or_else(|| "/".into());
    let root = Path::new(&root);
    tell("size of all", walk(root, 0));
    let words = root.join("words.txt");
    let text = fs::read_to_string(&words)?;
    println!("{} bytes, {} lines", text.len(), text.lines().count());

    fs::create_dir_all(root.join("a/b/c"))?;
    tell("create_dir again", fs::create_dir(root.join("a/b")));
    tell("write", fs::write(root.join("a/one"), "eins\nzwei\n"));
    tell("copy", fs::copy(&words, root.join("a/b/words")));
    let mut file = OpenOptions::new().append(true).open(root.join("a/one"))?;
    writeln!(file, "drei")?;
    drop(file);
    for line in BufReader::new(File::open(root.join("a/one"))?).lines() {
        println!("line {}", line?);
    }
    tell("create_new", OpenOptions::new().write(true).create_new(true).open(root.join("a/one")).map(|_| ()));
    tell("open nothing", File::open(root.join("nothing")).map(|_| ()));
    tell("open folder to write", OpenOptions::new().write(true).open(root.join("a")).map(|_| ()));
    tell("read a folder", fs::read(root.join("a")));

    let mut file = OpenOptions::new().read(true).write(true).create(true).open(root.join("seek"))?;
    file.write_all(&[7; 10_000])?;
    tell("seek", file.seek(SeekFrom::Start(5_000)));
    file.write_all(b"middle")?;
    tell("set_len", file.set_len(5_003));
    tell("seek end", file.seek(SeekFrom::End(-4)));
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    println!("{rest:?}");
    tell("sync", file.sync_all());
    tell("len", file.metadata().map(|data| data.len()));
    tell("seek before", file.seek(SeekFrom::Current(-6_000)));

    tell("rename", fs::rename(root.join("seek"), root.join("a/b/c/found")));
    tell("rename nothing", fs::rename(root.join("seek"), root.join("x")));
    tell("rename over folder", fs::rename(root.join("a/one"), root.join("a/b")));
    tell("hard_link", fs::hard_link(root.join("a/one"), root.join("two")));
    tell("remove_file", fs::remove_file(root.join("a/one")));
    tell("two", fs::read_to_string(root.join("two")));
    tell("remove_dir", fs::remove_dir(root.join("a")));
    tell("remove_file on folder", fs::remove_file(root.join("a/b")));
    tell("remove_dir on file", fs::remove_dir(root.join("two")));
    tell("exists", Ok::<_, io::Error>((root.join("two").exists(), root.join("three").exists())));
    tell("size of all", walk(root, 0));
    tell("remove_dir_all", fs::remove_dir_all(root.join("a")));
    tell("read link", fs::read_link(root.join("link")));
    tell("through link", fs::read_to_string(root.join("link")));
    for i in 0..200 {
        fs::write(root.join(format!("many-{i}")), vec![b'x'; i * 37])?;
    }
    println!("{}", list(root)?.len());
    tell("size of all", walk(root, 0));
    Ok(())
}

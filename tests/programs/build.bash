# SPDX-License-Identifier: Apache-2.0
# Builds the programs that the tests run, each natively too where that is what it is compared with.  Sourced.
# A function returns 1 with the reason in $why when something it needs is not there, 2 when the build itself fails;
# what it makes is kept in $built between runs.

built=$S3N_BUILD/programs
mkdir -p "$built"
# One script at a time: they make the same files, and run them.
exec 8>"$built/lock"
flock 8
why=

# $built/gojq and $built/gojq.wasm (Go, wasip1; 8 MB).
build_gojq() {
  local folder=$S3N_SOURCE/tests/programs/gojq log=$built/gojq.log version
  command -v go >/dev/null || { why="no Go"; return 1; }
  version=$(go env GOVERSION | sed 's/^go1\.\([0-9]*\).*/\1/')
  [ "${version:-0}" -ge 24 ] 2>/dev/null || { why="Go is older than 1.24: $(go env GOVERSION)"; return 1; }
  (cd "$folder" && timeout 300 go mod download) >"$log" 2>&1 ||
    { why="its source can't be fetched: $(tail -1 "$log")"; return 1; }
  (cd "$folder" && go build -p 2 -buildvcs=false -trimpath -o "$built/gojq" github.com/itchyny/gojq/cmd/gojq &&
    GOOS=wasip1 GOARCH=wasm go build -p 2 -buildvcs=false -trimpath -o "$built/gojq.wasm" github.com/itchyny/gojq/cmd/gojq) \
    >"$log" 2>&1 || { why=$(tail -1 "$log"); return 2; }
}

# $built/words and $built/words.wasm (Debian's Rust, wasm32-wasi).
build_rust() {
  local rustc=/usr/bin/rustc source=$S3N_SOURCE/tests/programs/rust/words.rs log=$built/rust.log linker
  [ -x $rustc ] || { why="no $rustc"; return 1; }
  [ -d "$($rustc --print sysroot)/lib/rustlib/wasm32-wasi" ] || { why="no libstd-rust-dev-wasm32"; return 1; }
  linker=$(command -v wasm-ld-14) ||
    { why="no wasm-ld-14 (package lld-14; newer ones refuse the libraries of rustc 1.63)"; return 1; }
  { $rustc -O -o "$built/words" "$source" &&
    $rustc --target wasm32-wasi -O -C linker="$linker" -C strip=debuginfo -o "$built/words.wasm" "$source"; } \
    >"$log" 2>&1 || { why=$(grep -m1 error "$log"); return 2; }
}

# $built/wordstat.wasm (AssemblyScript with its WASI shim).
build_assemblyscript() {
  local folder=$built/assemblyscript log=$built/assemblyscript.log
  command -v node >/dev/null || { why="no node"; return 1; }
  command -v npm >/dev/null || { why="no npm"; return 1; }
  mkdir -p "$folder"
  cp "$S3N_SOURCE"/tests/programs/assemblyscript/{package.json,package-lock.json,wordstat.ts} "$folder"
  if [ ! -d "$folder/node_modules/assemblyscript" ]; then
    (cd "$folder" && timeout 300 npm ci --no-audit --no-fund) >"$log" 2>&1 ||
      { why="its compiler can't be fetched: $(tail -1 "$log")"; return 1; }
  fi
  (cd "$folder" && node node_modules/assemblyscript/bin/asc.js wordstat.ts \
    --config node_modules/@assemblyscript/wasi-shim/asconfig.json -O -o "$built/wordstat.wasm") >"$log" 2>&1 ||
    { why="its compiler doesn't run here: $(grep -m1 . "$log")"; return 1; }
}

# $built/files-c.wasm (clang with wasi-libc).
build_files_c() {
  local log=$built/files-c.log
  command -v clang-19 >/dev/null || { why="no clang-19"; return 1; }
  clang-19 --target=wasm32-wasi -O2 -o "$built/files-c.$$" "$S3N_SOURCE/tests/programs/files/files.c" >"$log" 2>&1 ||
    { why=$(grep -m1 . "$log"); return 1; }
  mv "$built/files-c.$$" "$built/files-c.wasm" # whole, or not there: both backends' tests may build at a time
}

# $built/files-rust.wasm (Debian's Rust, wasm32-wasi).
build_files_rust() {
  local rustc=/usr/bin/rustc log=$built/files-rust.log linker
  [ -x $rustc ] || { why="no $rustc"; return 1; }
  [ -d "$($rustc --print sysroot)/lib/rustlib/wasm32-wasi" ] || { why="no libstd-rust-dev-wasm32"; return 1; }
  linker=$(command -v wasm-ld-14) ||
    { why="no wasm-ld-14 (package lld-14; newer ones refuse the libraries of rustc 1.63)"; return 1; }
  mkdir -p "$built/rust.$$"
  $rustc --target wasm32-wasi -O -C linker="$linker" -C strip=debuginfo -o "$built/rust.$$/files.wasm" \
    "$S3N_SOURCE/tests/programs/files/files.rs" >"$log" 2>&1 || { why=$(grep -m1 error "$log"); return 2; }
  mv "$built/rust.$$/files.wasm" "$built/files-rust.wasm"
  rm -r "$built/rust.$$"
}

# node_wasi MODULE ARGUMENTS...: runs it under Node's own WASI, to compare with.
node_wasi() {
  node --no-warnings --experimental-wasi-unstable-preview1 "$S3N_SOURCE/tests/programs/node-wasi.mjs" "$@"
}

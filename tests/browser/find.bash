# SPDX-License-Identifier: Apache-2.0
# Chromium, driven by playwright-core, which is kept in the build folder.  Sourced.

# chromium_find: sets chromium and playwright; false: it can't be had, and `why`.
chromium_find() {
  local npm=$S3N_BUILD/tests/playwright
  playwright=$npm/node_modules/playwright-core
  chromium=$(command -v chromium) || { why="no chromium"; return 1; }
  mkdir -p "$npm"
  (
    flock 9 # another test may be at it
    [ ! -d "$playwright" ] || exit 0
    cp "$S3N_SOURCE"/tests/browser/npm/package*.json "$npm"
    cd "$npm" && timeout 200 npm ci --no-audit --no-fund
  ) 9>"$npm/lock" >"$npm/log" 2>&1 && return 0
  why="playwright-core can't be had: $(tail -n 1 "$npm/log")"
  return 1
}

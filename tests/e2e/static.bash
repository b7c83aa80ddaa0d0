#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files of the package on the route table: types, tags, ranges, encodings, error pages, and nothing beside them.
set -u
. "$(dirname "$0")/node.bash"
require_node static
command -v python3 >/dev/null || skip_all static "no python3"
node_start || { fail "start"; finish; }
claim || fail "claim"
application site echo 'files = ["public/**", "errors/*", "private.txt"]'
public=$scratch/site/public
mkdir -p "$public/sub dir" "$scratch/site/errors"
echo '<h1>home</h1>' >"$public/index.html"
yes 'console.log("hello");' | head -n 500 >"$public/app.js"
head -c 2000 /dev/urandom >"$public/noise.bin"
echo deep >"$public/sub dir/ü.txt"
echo dot >"$public/a..b"
echo private >"$scratch/site/private.txt"
echo '<h1>not here</h1>' >"$scratch/site/errors/404.html"
echo '<h1>ours</h1>' >"$scratch/site/errors/5xx.html"
cat >>"$scratch/site/s3n.toml" <<'TOML'
[[trigger.http]]
route = "/*"
function = "f"
static = "public"
[[trigger.http]]
route = "/robots.txt"
function = "f"
static = "private.txt"
[[trigger.http]]
route = "/boom"
function = "t"
[function.t]
source = "trap.wasm"
[middleware.assets]
cache_control = "public, max-age=60"
[middleware.errors]
function = "f"
pages = { 404 = "errors/404.html", 5xx = "errors/5xx.html" }
TOML
cp "$modules/trap.wasm" "$scratch/site/trap.wasm"
deploy site || { fail "deploy"; finish; }
# get PATH [CURL ARGUMENTS...]: the status; fields in $scratch/fields, the body in $scratch/body
get() {
  local path=$1
  shift
  fetch -o "$scratch/body" -D "$scratch/fields" -w '%{http_code}' --path-as-is "$@" "$url/a/site$path"
}
field() { grep -i "^$1:" "$scratch/fields" | tr -d '\r' | cut -d' ' -f2-; }
same() { cmp -s "$scratch/body" "$2" && pass "$1" || fail "$1"; }

is "a file" "$(get /app.js)" 200
same "a file: byte for byte" "$public/app.js"
is "a file: its type" "$(field content-type)" "text/javascript; charset=utf-8"
is "a file: no guessing" "$(field x-content-type-options)" nosniff
is "a file: for how long" "$(field cache-control)" "public, max-age=60"
is "a file: by encoding" "$(field vary)" accept-encoding
is "a file: its length" "$(field content-length)" "$(stat -c %s "$public/app.js")"
tag=$(field etag)
is "a folder's index" "$(get /) $(cat "$scratch/body")" "200 <h1>home</h1>"
is "the same without a slash" "$(fetch "$url/a/site")" "<h1>home</h1>"
is "a name that needs escapes" "$(get '/sub%20dir/%c3%BC.txt') $(cat "$scratch/body")" "200 deep"
is "dots inside a name" "$(get /a..b)" 200
is "one file at a route of its own" "$(get /robots.txt) $(cat "$scratch/body")" "200 private"
is "a function beside it" "$(get /run -d hello) $(cat "$scratch/body")" "200 hello"
is "HEAD" "$(get /app.js -I) $(field content-length)" "200 $(stat -c %s "$public/app.js")"
is "POST" "$(get /app.js -d x)" 405
is "no type is known" "$(get /noise.bin; field content-type)" "200application/octet-stream"

# --- what is not there
for path in /absent /app.js/ /app.js/x /sub%20dir /private.txt /sub%20dir/../app.js /%2e%2e/private.txt /..%2fprivate.txt \
  /sub%20dir%2f%c3%bc.txt //app.js /./app.js /app.js%00 /APP.JS '/%5c..%5cprivate.txt' /%2fetc/passwd /app.js%; do
  status=$(get "$path")
  case $status in 400 | 404) pass "nothing at $path" ;; *) fail "nothing at $path" "$status" ;; esac
done

# --- conditions
is "if-none-match" "$(get /app.js -H "if-none-match: $tag")" 304
is "if-none-match: the tag again" "$(field etag)" "$tag"
is "if-none-match: weak, in a list" "$(get /app.js -H "if-none-match: \"x\", W/$tag")" 304
is "if-match" "$(get /app.js -H "if-match: \"x\", $tag")" 200
is "if-match: another" "$(get /app.js -H 'if-match: "x"')" 412
is "if-match: a weak one" "$(get /app.js -H "if-match: W/$tag" -H 'range: bytes=0-0')" 412
is "if-none-match: another" "$(get /app.js -H 'if-none-match: "x"')" 200

# --- ranges
size=$(stat -c %s "$public/noise.bin")
is "range" "$(get /noise.bin -r 10-19) $(field content-range)" "206 bytes 10-19/$size"
same "range: these bytes" <(tail -c +11 "$public/noise.bin" | head -c 10)
is "range: the end" "$(get /noise.bin -r -5) $(field content-range)" "206 bytes $((size - 5))-$((size - 1))/$size"
is "range: from" "$(get /noise.bin -r $((size - 1))-) $(field content-length)" "206 1"
is "range: beyond" "$(get /noise.bin -r $size-) $(field content-range)" "416 bytes */$size"
is "ranges: several" "$(get /noise.bin -r 10-19,-5,0-0)" 206
parts() { # what a reader of MIME makes of the answer: ranges and contents
  python3 - "$(field content-type)" "$scratch/body" <<'PYTHON'
import email, sys
with open(sys.argv[2], "rb") as file:
    message = email.message_from_bytes(b"Content-Type: " + sys.argv[1].encode() + b"\r\n\r\n" + file.read())
for part in message.get_payload():
    print(part["content-type"], part["content-range"], part.get_payload(decode=True).hex())
PYTHON
}
bytes() { tail -c "+$(($1 + 1))" "$public/noise.bin" | head -c "$2" | od -An -v -tx1 | tr -d ' \n'; }
part() { echo "application/octet-stream bytes $1-$(($1 + $2 - 1))/$size $(bytes "$1" "$2")"; }
is "ranges: these bytes" "$(parts)" "$(part 10 10; part $((size - 5)) 5; part 0 1)"
is "ranges: the length is the body's" "$(field content-length)" "$(wc -c <"$scratch/body")"
is "ranges: no range of its own" "$(field content-range)" ""
is "ranges: one that is there" "$(get /noise.bin -r 0-0,$size-) $(field content-range)" "206 bytes 0-0/$size"
is "ranges: none that is there" "$(get /noise.bin -r $size-,-0)" 416
is "ranges: overlapping" "$(get /noise.bin -r 0-5,5-6) $(field content-length)" "200 $size"
is "ranges: too many" "$(get /noise.bin -r "$(seq -s, 0 2 40 | sed 's/[0-9]*/&-&/g')") $(field content-length)" "200 $size"
is "ranges: all of it" "$(get /noise.bin -r 0-99,100-) $(field content-length)" "200 $size"
is "ranges: of an encoded file" "$(get /app.js -r 0-9,20-29 -H 'accept-encoding: gzip')" 200
is "ranges: HEAD knows none" "$(get /noise.bin -I -r 0-0,5-5)" 200
is "range: if it is still the same" "$(get /noise.bin -r 0-0 -H "if-range: $(get /noise.bin >/dev/null; field etag)")" 206
is "range: it is not" "$(get /noise.bin -r 0-0 -H 'if-range: "x"')" 200

# --- encodings
is "gzip" "$(get /app.js -H 'accept-encoding: gzip') $(field content-encoding)" "200 gzip"
gzip -dc <"$scratch/body" 2>/dev/null | cmp -s - "$public/app.js" && pass "gzip: unpacked" || fail "gzip: unpacked"
[ "$(field etag)" != "$tag" ] && pass "gzip: a tag of its own" || fail "gzip: a tag of its own"
[ "$(field content-length)" -lt 1000 ] && pass "gzip: smaller" || fail "gzip: smaller" "$(field content-length)"
is "br before gzip" "$(get /app.js -H 'accept-encoding: gzip, deflate, br') $(field content-encoding)" "200 br"
is "by weight" "$(get /app.js -H 'accept-encoding: br;q=0.1, gzip;q=0.5') $(field content-encoding)" "200 gzip"
is "none is wanted" "$(get /app.js -H 'accept-encoding: *;q=0') $(field content-encoding)" "200 "
is "what gets no smaller is not compressed" "$(get /noise.bin -H 'accept-encoding: gzip, br') $(field content-encoding)$(field vary)" "200 "
is "curl unpacks it" "$(fetch --compressed "$url/a/site/app.js" | sha256sum)" "$(sha256sum <"$public/app.js")"
is "what functions answer is never compressed" "$(get /run -d "$(head -c 1000 "$public/app.js")" -H 'accept-encoding: gzip, br') $(field content-encoding)" "200 "

# --- error pages
is "a page for who reads pages" "$(get /absent -H 'accept: text/html,*/*;q=0.8') $(cat "$scratch/body")" "404 <h1>not here</h1>"
is "a page: its type" "$(field content-type)" "text/html; charset=utf-8"
is "JSON for programs" "$(get /absent; field content-type)" "404application/json"
is "a function's failure" "$(get /boom -H 'accept: text/html') $(cat "$scratch/body")" "500 <h1>ours</h1>"
[ -n "$(field s3n-receipt)" ] && pass "its receipt stays" || fail "its receipt stays"
is "a status without a page" "$(get /app.js -d x -H 'accept: text/html'; field content-type)" "405application/json"

# --- manifests that can't be
refused() {
  application wrong echo "$2"
  printf '%s\n' "$3" >>"$scratch/wrong/s3n.toml"
  timeout 90 s3n -q deploy "$scratch/wrong" >"$scratch/out" 2>&1
  is "$1" $? 3
}
refused "static without files" "" 'static = "public"'
refused "static outside" 'files = ["*.wasm"]' 'static = "../public"'
refused "static from the root" 'files = ["*.wasm"]' 'static = "/public"'
refused "static by POST" 'files = ["*.wasm"]' 'static = "public"
methods = ["POST"]'
refused "pages of nobody" 'files = ["*.wasm"]' '[middleware.errors]
function = "g"
pages = { 404 = "a" }'
refused "a page for a success" 'files = ["*.wasm"]' '[middleware.errors]
function = "f"
pages = { 200 = "a" }'

# --- a new version has its own files, and the old ones are gone
echo new >"$public/app.js"
deploy site || fail "deploy again"
is "a new version" "$(get /app.js -H "if-none-match: $tag") $(cat "$scratch/body")" "200 new"
finish

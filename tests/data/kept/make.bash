#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes tests/data/kept/v1/: what a node of schema version 1 leaves in its folder, and a store of the store's own tests.
# Only until version 1 is released: what was released is never made anew, since it stands for what operators have.
#
#     tests/data/kept/make.bash        (from the source folder, after a build)
set -eu
S3N_SOURCE=$(cd "$(dirname "$0")/../../.." && pwd)
out=$S3N_SOURCE/tests/data/kept
. "$S3N_SOURCE/tests/e2e/node.bash"
require_node keep
node_start && claim
application shop echo && application other counter '' && deploy shop && deploy other
sed -i 's/1\.0\.0/1.1.0/' "$scratch/shop/s3n.toml" && deploy shop
printf 'one' | s3n -q kv set shop kept first
head -c 9000 /dev/zero | tr '\0' z | s3n -q kv set shop kept second
printf 'gone' | s3n -q kv set shop kept third && s3n -q kv rm shop kept third
invoke shop --data x >/dev/null
node_stop
rm -rf "$data/collateral" "$data/lock" "$data/control" "$data/keeper/events" "$data/keeper/sim-rtmr3"
cp -r "$XDG_CONFIG_HOME" "$data/config"
tar -C "$data" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - . | xz -9e >"$out/node-v1.tar.xz"
rm -f "$out/store-v1.db"
"$S3N_BUILD/test-store-migrations" --keep "$out/store-v1.db"
ls -l "$out"

#!/usr/bin/env bash
# The nightly gate without any CI service: for cron on a machine that does nothing else meanwhile.
#   docs/ci/nightly.sh [CONFIG] [BASELINE] [CANDIDATE] [more options of `ortbench compare`…]
# Keeps each night under $NIGHTLY (default results/nightly), and the trend over all of them as $NIGHTLY-history/history.html.
# Its exit code is that of `ortbench compare` (0 ok, 1 regression, 3 inconclusive, 4 failed); 4 also where the gate was ok
# and the charts could not be written.
set -uo pipefail
cd "$(dirname "$0")/../.."
config=${1:-configs/nightly.yaml}
baseline=${2:-released}
candidate=${3:-nightly}
nightly=${NIGHTLY:-results/nightly}
night=$nightly/$(date -u +%Y%m%d-%H%M%S)

npm run --silent bootstrap || exit 4
mkdir -p "$nightly"
node dist/cli.js compare "$config" --baseline "$baseline" --candidate "$candidate" --pairs auto --max-pairs 60 \
  --out "$night" --markdown "$night/gate.md" --junit "$night/gate.xml" --bencher "$night/bencher.json" \
  --github-benchmark "$night/benchmark.json" "${@:4}"
code=$?

charts=0
# What was measured tonight, whatever the verdict, with every night so far on its page.
if [ -f "$night/stage1/manifest.json" ]; then
  node dist/cli.js report "$night/stage1" --history "$nightly" --out "$night/report" || charts=4
fi
# Every night so far. Without a single one, the gate has already said why.
if [ -n "$(find "$nightly" -name manifest.json -print -quit)" ]; then
  node dist/cli.js history "$nightly" --out "$nightly-history" || charts=4
fi
if [ "$code" -eq 0 ]; then exit "$charts"; fi
exit "$code"

#!/usr/bin/env bash
# The nightly gate without any CI service: for cron on a machine that does nothing else meanwhile.
#   docs/ci/nightly.sh [CONFIG] [BASELINE] [CANDIDATE]
# Keeps each night under results/nightly/; its exit code is that of `ortbench compare` (0 ok, 1 regression, 3 inconclusive, 4 failed).
set -uo pipefail
cd "$(dirname "$0")/../.."
config=${1:-configs/nightly.yaml}
baseline=${2:-released}
candidate=${3:-nightly}
night=results/nightly/$(date -u +%Y%m%d-%H%M%S)

npm run --silent bootstrap || exit 4
mkdir -p results/nightly
node dist/cli.js compare "$config" --baseline "$baseline" --candidate "$candidate" --pairs auto --max-pairs 60 \
  --out "$night" --markdown "$night/gate.md" --junit "$night/gate.xml" --bencher "$night/bencher.json" \
  --github-benchmark "$night/benchmark.json"
code=$?
# Charts of what was measured, whatever the verdict.
if [ -f "$night/stage1/manifest.json" ]; then node dist/cli.js report "$night/stage1" --out "$night/report"; fi
exit "$code"

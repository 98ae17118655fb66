// `npm run bench:large`: the peak memory of a sweep against its number of cells. Scripted engines that take no time, so
// that all there is to see is the harness: planning, drawing prompts, storing, reporting. `--cells 1000,10000`, `--rounds N`,
// `--json`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    cells: { type: 'string', default: '100,1000,10000' },
    rounds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const hook = 'process.on("exit", () => console.error("maxRSS", process.resourceUsage().maxRSS))';

/** Two variants and ten batch sizes; the prompts make up the number. */
function sweepOf(cells) {
  const batchSizes = Array.from({ length: Math.min(10, cells / 2) }, (_, i) => i + 1);
  const prompts = Math.round(cells / 2 / batchSizes.length);
  return {
    models: ['llama-nano'],
    engines: [
      { engine: 'fake', name: 'candidate' },
      { engine: 'fake', name: 'baseline' },
    ],
    baselines: [{ engine: 'baseline' }],
    precisions: ['fp32'],
    batchSizes,
    promptLengths: Array.from({ length: prompts }, (_, i) => i + 1),
    generate: 4,
    repetitions: Number(values.rounds),
    warmup: { runs: 1, seconds: 0 },
    minTimedSeconds: 0,
    measureMemory: false,
    threads: 1,
  };
}

function measure(cells) {
  const folder = mkdtempSync(join(tmpdir(), 'ortbench-bench-large-'));
  try {
    // A sweep file is YAML, and JSON is YAML.
    writeFileSync(join(folder, 'large.yaml'), JSON.stringify(sweepOf(cells)));
    const start = process.hrtime.bigint();
    const child = spawnSync(
      process.execPath,
      [
        ...['--import', `data:text/javascript,${encodeURIComponent(hook)}`, cli],
        ...['sweep', 'large.yaml', '--no-parity', '--json', '--out', 'run'],
      ],
      { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 30, env: { ...process.env, CI: '1' } },
    );
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (child.status !== 0) throw new Error(child.stderr.slice(-4000));
    const { counts } = JSON.parse(child.stdout);
    const peakMiB = Number(/maxRSS (\d+)/.exec(child.stderr)[1]) / 1024;
    const recordsMiB = statSync(join(folder, 'run', 'records.jsonl')).size / 2 ** 20;
    return {
      cells: Object.values(counts).reduce((a, b) => a + b),
      ok: counts.ok ?? 0,
      seconds,
      recordsMiB,
      peakMiB,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows = values.cells.split(',').map((cells) => measure(Number(cells)));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  for (const { cells, ok, seconds, recordsMiB, peakMiB } of rows) {
    console.log(
      `${cells} cells (${ok} ok): peak ${peakMiB.toFixed(0)} MiB, ${seconds.toFixed(1)} s, records ${recordsMiB.toFixed(1)} MiB`,
    );
  }
}

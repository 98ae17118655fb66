// `npm run bench:large`: the peak memory of a sweep against its number of cells. Scripted engines that take no time, so
// that all there is to see is the harness: planning, drawing prompts, storing, reporting. `--cells 1000,10000`, `--rounds N`,
// `--json`. Exit code 1 when a cell fails, or when memory is above a bar.
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
    // 4: not every cell ended well, which is counted below.
    if (![0, 4].includes(child.status)) throw new Error(child.stderr.slice(-4000));
    const { counts } = JSON.parse(child.stdout);
    const peakMiB = Number(/maxRSS (\d+)/.exec(child.stderr)[1]) / 1024;
    const recordsMiB = statSync(join(folder, 'run', 'records.jsonl')).size / 2 ** 20;
    return {
      cells: Object.values(counts).reduce((a, b) => a + b),
      ok: counts.ok ?? 0,
      invalid: counts.invalid ?? 0,
      seconds,
      recordsMiB,
      peakMiB,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of a sweep of at most 10,000 cells in two rounds. */
const BARS = { peakMiB: 1024, kibPerCell: 64, invalid: 0.01 };
/** Below so many the heap is still finding its size. */
const FEWEST_FOR_GROWTH = 1000;

function problemsOf(rows) {
  const problems = rows.flatMap(({ cells, ok, invalid, peakMiB }) => [
    // A scripted engine is invalid where a neighbour held up the harness; nothing else may befall it.
    ...(ok + invalid === cells && invalid <= BARS.invalid * cells
      ? []
      : [`of ${cells} cells ${ok} ended well, ${invalid} are invalid`]),
    ...(peakMiB <= BARS.peakMiB
      ? []
      : [`${cells} cells: peak ${peakMiB.toFixed(0)} MiB; the bar is ${BARS.peakMiB} MiB`]),
  ]);
  // Between many and very many: what the program takes by itself is in both.
  const [fewest, most] = [rows.find(({ cells }) => cells >= FEWEST_FOR_GROWTH), rows.at(-1)];
  if (fewest === undefined || most === fewest) return problems;
  const kibPerCell = ((most.peakMiB - fewest.peakMiB) * 1024) / (most.cells - fewest.cells);
  if (kibPerCell > BARS.kibPerCell) {
    const seen = `from ${fewest.cells} to ${most.cells} cells memory grew by ${kibPerCell.toFixed(0)} KiB a cell`;
    problems.push(`${seen}; the bar is ${BARS.kibPerCell} KiB`);
  }
  return problems;
}

const numbers = values.cells.split(',').map(Number);
if (numbers.some((cells) => !Number.isInteger(cells) || cells < 2)) {
  console.error(`error: --cells ${values.cells}: whole numbers from 2 on, with commas`);
  process.exit(2);
}
const rows = numbers.sort((a, b) => a - b).map(measure);
const problems = problemsOf(rows);
if (values.json) console.log(JSON.stringify({ rows, problems }, null, 2));
else {
  for (const { cells, ok, invalid, seconds, recordsMiB, peakMiB } of rows) {
    console.log(
      `${cells} cells (${ok} ok, ${invalid} invalid): peak ${peakMiB.toFixed(0)} MiB, ${seconds.toFixed(1)} s, records ${recordsMiB.toFixed(1)} MiB`,
    );
  }
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
}
process.exitCode = problems.length > 0 ? 1 : 0;

// `npm run bench:report`: how long `ortbench report` takes over a large run and how much memory it needs. Made-up times,
// real file sizes: every sample holds whole generations of 256 tokens. `--records N` (samples, default 100,000), `--json`.
// Processor time is printed too: the clock would tell of other programs. Exit code 1 when a bar does not hold; the bars are
// those of 100,000 samples, and hold for no more than that.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { encodeLine } = await import('../dist/results/line.js');
const { manifestSchema } = await import('../dist/schema/manifest.js');
const { captureEnvironment } = await import('../dist/machine/environment.js');

const { values } = parseArgs({
  options: { records: { type: 'string', default: '100000' }, json: { type: 'boolean', default: false } },
});
const samples = Number(values.records);
if (!Number.isInteger(samples) || samples < 1) {
  console.error(`error: --records ${values.records}: a whole number from 1 on`);
  process.exit(2);
}
/** What a report over so many samples may take: by the clock, or in processor time where others hold it up. */
const BARS = { samples: 100_000, seconds: 60, peakMiB: 1024 };
const [GENERATE, ROUNDS, ENGINES] = [256, 10, ['fast', 'slow']];
const cells = Array.from({ length: Math.ceil(samples / ROUNDS) }, (_, i) => ({
  engine: ENGINES[i % 2],
  model: `model-${Math.floor(i / 2) % 20}`,
  precision: 'fp32',
  device: 'cpu',
  batchSize: 1,
  promptLength: { length: 1 + Math.floor(i / 40), spread: 0 },
  generate: GENERATE,
}));
const models = [...new Set(cells.map(({ model }) => model))];

const folder = mkdtempSync(join(tmpdir(), 'ortbench-bench-report-'));
try {
  await writeResults();
  const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
  const hook =
    'process.on("exit", () => { const used = process.resourceUsage(); console.error("maxRSS", used.maxRSS, "cpu", (used.userCPUTime + used.systemCPUTime) / 1e6); })';
  const args = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, cli, 'report', folder];
  const start = process.hrtime.bigint();
  const child = spawnSync(process.execPath, [...args, '--out', join(folder, 'report')], { encoding: 'utf8' });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (child.status !== 0) throw new Error(child.stderr);
  const [, kib, cpu] = /maxRSS (\d+) cpu ([\d.]+)/.exec(child.stderr);
  const [peakMiB, cpuSeconds] = [Number(kib) / 1024, Number(cpu)];
  const recordsMiB = statSync(join(folder, 'records.jsonl')).size / 2 ** 20;
  const problems =
    samples > BARS.samples
      ? []
      : [
          Math.min(seconds, cpuSeconds) <= BARS.seconds
            ? []
            : `it took ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of the processor; the bar is ${BARS.seconds} s`,
          peakMiB <= BARS.peakMiB ? [] : `peak ${peakMiB.toFixed(0)} MiB; the bar is ${BARS.peakMiB} MiB`,
        ].flat();
  const result = { samples, cells: cells.length, recordsMiB, seconds, cpuSeconds, peakMiB, problems };
  if (values.json) console.log(JSON.stringify(result, null, 2));
  else {
    console.log(
      `${samples} samples of ${cells.length} cells (${recordsMiB.toFixed(0)} MiB): ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), peak ${peakMiB.toFixed(0)} MiB`,
    );
    for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  }
  process.exitCode = problems.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function writeResults() {
  const manifest = manifestSchema.parse({
    format: 1,
    runId: 'bench-report',
    createdAt: new Date().toISOString(),
    title: null,
    configSha256: '0'.repeat(64),
    config: {},
    environment: await captureEnvironment(),
    seed: 1,
    threads: 1,
    repetitions: ROUNDS,
    generate: GENERATE,
    baselines: [{ engine: 'slow', precision: null }],
    engines: ENGINES.map((name) => ({ name, engine: 'fake', title: name, options: {} })),
    models: models.map((name) => ({ name, title: name, parameters: 1e6, layers: 1, origin: 'made up' })),
    cells: cells.map((cell) => ({ cell, status: 'planned', reason: null })),
    parity: false,
  });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const file = createWriteStream(join(folder, 'records.jsonl'));
  const write = async (record) => {
    if (!file.write(encodeLine(record))) await once(file, 'drain');
  };
  const times = (count, ns) => Array.from({ length: count }, (_, i) => ns + ((i * 7919) % 1000));
  for (const cell of cells) {
    const effective = {};
    const peaks = { peakRssBytes: 1e8, peakDeviceBytes: null };
    const prompts = { promptTokens: cell.promptLength.length, promptsSha256: 'a'.repeat(64) };
    await write({
      kind: 'preparation',
      cell,
      compileNs: 0,
      ...peaks,
      warmupDecodeNs: [1e8],
      ...prompts,
      effective,
    });
    for (let round = 0; round < ROUNDS; round++) {
      const stepNs = times(GENERATE - 1, (cell.engine === 'fast' ? 1e6 : 2e6) + round * 1e3);
      const selectNs = times(GENERATE, 1000);
      const run = {
        prefillNs: 5e6 + round,
        stepNs,
        selectNs,
        wallNs: 1e9,
        recompiles: 0,
        tokensReturned: GENERATE,
        tokensSha256: 'b'.repeat(64),
      };
      await write({
        kind: 'sample',
        cell,
        round,
        turn: 0,
        startedNs: round * 1e9,
        runs: [run],
        otherLoadCores: 0,
      });
    }
    await write({ kind: 'outcome', cell, status: 'ok', reason: null });
  }
  await write({ kind: 'end', interrupted: false, wallNs: 1e12, engineNs: 9e11 });
  file.end();
  await once(file, 'close');
}

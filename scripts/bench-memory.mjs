// `npm run bench:memory`: the plan's predicted peak memory against the measured one, for each engine, precision and cell.
// Every cell runs in a process of its own; its peak is the highest of loading, compiling and one full run, from the
// kernel's high-water marks. Exit code 1 when a prediction is off by more than the bar.
// `--model M` (repeatable; default llama-nano, llama-tiny), `--engine E`, `--precision P`, `--generate N`, `--json`.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { ENGINES } = await import('../dist/engines/index.js');
const { resolveModel } = await import('../dist/models/catalogue.js');
const { prepareArtefact } = await import('../dist/models/prepare.js');
const { endPreparer } = await import('../dist/models/preparer.js');
const { predictMemory } = await import('../dist/plan/memory.js');
const { openSession } = await import('../dist/runner/open-session.js');
const { makeWork } = await import('../dist/runner/work.js');

/** Largest deviation of a prediction from the measurement. */
const BAR = 0.15;
const CELLS = [
  { batchSize: 1, length: 32 },
  { batchSize: 2, length: 128 },
  { batchSize: 4, length: 512 },
];
const LIMITS = { readySeconds: 300, cellSeconds: 300, closeSeconds: 10 };

const strings = { type: 'string', multiple: true };
const { values } = parseArgs({
  options: {
    model: { ...strings, default: ['llama-nano', 'llama-tiny'] },
    engine: strings,
    precision: strings,
    generate: { type: 'string', default: '256' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
if (process.platform !== 'linux')
  throw new Error('high-water marks of other processes are read on Linux only');

const rows = [];
for (const name of values.model) {
  const model = await resolveModel(name, '.');
  for (const [id, load] of Object.entries(ENGINES)) {
    if (values.engine !== undefined && !values.engine.includes(id)) continue;
    const engine = await load();
    if (engine.meta.artefact === 'none') continue;
    const availability = await engine.probe('cpu', engine.options.parse({}));
    if (!availability.available) {
      console.error(`${id}: ${availability.reason}; to mend: ${availability.mend}`);
      continue;
    }
    for (const [precision, support] of Object.entries(engine.meta.precisions.cpu)) {
      if (support !== true || (values.precision !== undefined && !values.precision.includes(precision)))
        continue;
      const { dir } = await prepareArtefact({ model, kind: engine.meta.artefact, precision, device: 'cpu' });
      await endPreparer();
      for (const { batchSize, length } of CELLS) {
        const promptLength = { length, spread: 0 };
        const generate = Number(values.generate);
        const cell = { engine: id, model: name, precision, device: 'cpu', batchSize, promptLength, generate };
        if (length + generate > model.shape.maxContextLength) continue;
        const measuredMiB = await measure(engine, cell, model.shape, dir).catch((error) => {
          console.error(`${id} ${precision} b${batchSize} p${length}: ${error.message}`);
          return null;
        });
        if (measuredMiB === null) continue;
        const estimate = predictMemory(cell, model.shape, engine.meta);
        const deviation = estimate.peakMiB / measuredMiB.peak - 1;
        const row = {
          model: name,
          engine: id,
          precision,
          batchSize,
          promptLength: length,
          predictedMiB: estimate.peakMiB,
        };
        rows.push({ ...row, measuredMiB: measuredMiB.peak, deviation, stages: measuredMiB });
        if (!values.json) printRow(rows.at(-1));
      }
    }
  }
}
const worst = rows.reduce((most, { deviation }) => Math.max(most, Math.abs(deviation)), 0);
const outside = rows.filter(({ deviation }) => Math.abs(deviation) > BAR);
if (values.json) console.log(JSON.stringify({ bar: BAR, worst, rows }, null, 2));
else
  console.log(
    `\n${rows.length} cells, ${outside.length} outside of ±${BAR * 100} %; the worst is off by ${(worst * 100).toFixed(0)} %`,
  );
process.exit(rows.length === 0 || outside.length > 0 ? 1 : 0);

/** MiB at the end of loading, of preparing the shape, and of one full run; and the highest of them. */
async function measure(engine, cell, shape, artefactDir) {
  const { batchSize, promptLength, generate, precision, model } = cell;
  const work = makeWork(cell, 1, shape);
  const request = {
    model,
    artefactDir,
    precision,
    device: 'cpu',
    threads: Number(values.threads),
    maxBatchSize: batchSize,
    maxSequenceLength: work.capacity,
    options: engine.options.parse({}),
  };
  const session = await openSession(engine, request, 'process', LIMITS);
  try {
    const load = highWaterMiB(session.pid);
    await session.prepare({ batchSize, promptLength: promptLength.length, generate });
    const prepare = highWaterMiB(session.pid);
    const { prompts, capacity } = work;
    const { peakRssBytes } = await session.generate({ prompts, generate, capacity, measurePeakMemory: true });
    const run = peakRssBytes / 2 ** 20;
    return { load, prepare, run, peak: Math.max(load, prepare, run) };
  } finally {
    await session.close();
  }
}

function highWaterMiB(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

function printRow({
  model,
  engine,
  precision,
  batchSize,
  promptLength,
  predictedMiB,
  measuredMiB,
  deviation,
  stages,
}) {
  const cell = `${model.padEnd(11)} ${engine.padEnd(16)} ${precision.padEnd(5)} b${batchSize} p${String(promptLength).padEnd(4)}`;
  const sign = deviation < 0 ? '−' : '+';
  const off = `${sign}${Math.abs(deviation * 100).toFixed(0)} %`.padStart(6);
  const parts = `load ${stages.load.toFixed(0)}, prepare ${stages.prepare.toFixed(0)}, run ${stages.run.toFixed(0)}`;
  console.log(
    `${cell} predicted ${predictedMiB.toFixed(0).padStart(5)} MiB, measured ${measuredMiB.toFixed(0).padStart(5)} MiB, ${off}  (${parts})`,
  );
}

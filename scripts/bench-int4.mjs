// `npm run bench:int4`: how fast are PyTorch's ways to multiply by int4 weights on this CPU, and by how much is the one that
// ortbench takes (runners/ortbench_runners/int4.py) the fastest? Measured with the processor's own instruction set and, where
// that is more, with AVX2 alone, for what an int4 comparison says hangs on it. `--json`; `--write` puts tables into
// docs/tuning.md, where tables of another instruction set stay; `--shape OUT,IN`, `--batches 1,16`, `--rounds N`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSections } from './sections.mjs';

const { ensurePythonEnvironment } = await import('../dist/python/environment.js');
const { runnersDir } = await import('../dist/python/locks.js');
const { physicalCores, readCpuInfo } = await import('../dist/machine/cpu.js');
const { geometricMean, geometricMeanInterval } = await import('../dist/stats/geometric-mean.js');
const { median } = await import('../dist/stats/descriptive.js');
const { escapeMarkdown, table } = await import('../dist/report/markdown.js');

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: '4096,4096' },
    batches: { type: 'string', default: '1,16' },
    rounds: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const PAGE = fileURLToPath(new URL('../docs/tuning.md', import.meta.url));
const OURS = 'int4, bf16 activations';
/** What keeps every library below PyTorch's operators to AVX2. */
const AVX2_ALONE = {
  ATEN_CPU_CAPABILITY: 'avx2',
  ONEDNN_MAX_CPU_ISA: 'AVX2',
  MKL_ENABLE_INSTRUCTIONS: 'AVX2',
};

const python = await ensurePythonEnvironment(console.error);
const own = measure({});
const results = own.capability === 'AVX512' ? [own, measure(AVX2_ALONE)] : [own];
if (values.json) console.log(JSON.stringify(results, null, 2));
else {
  const sections = results.map(section);
  console.log(sections.join('\n\n'));
  if (values.write) writeSections(PAGE, 'int4', sections);
}

function measure(env) {
  const list = (text) => text.split(',');
  const args = [
    fileURLToPath(new URL('int4/kernels.py', import.meta.url)),
    ...['--shape', ...list(values.shape)],
    ...['--batches', ...list(values.batches)],
    ...['--rounds', values.rounds],
    ...['--threads', String(physicalCores())],
  ];
  const { status, stdout } = spawnSync(python, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env, PYTHONPATH: runnersDir, PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (status !== 0) process.exit(status ?? 1);
  return { ...JSON.parse(stdout), restricted: Object.keys(env).length > 0 };
}

function section({ torch, capability, restricted, rows, missing }) {
  const lines = rows.map(({ way, batch, roundNs, relativeError }) => {
    const ours = rows.find((row) => row.way === OURS && row.batch === batch);
    // Turns of one round lie beside each other in time.
    const logRatios = new Map(roundNs.map((ns, round) => [round, Math.log(ns / ours.roundNs[round])]));
    const interval = way === OURS ? null : geometricMeanInterval([logRatios]);
    return [
      way,
      String(batch),
      (median(roundNs) / 1e6).toPrecision(3),
      geometricMean([...logRatios.values()].map(Math.exp)).toPrecision(3),
      interval === null ? '' : interval.map((ratio) => ratio.toPrecision(3)).join('–'),
      relativeError.toExponential(1),
    ];
  });
  const head = ['way', 'rows', 'ms', 'time over bf16 activations', '95 %', 'relative error'];
  const { model } = readCpuInfo();
  const absent = Object.entries(missing).map(([way, reason]) => `${way}: not here, ${reason}`);
  return [
    `### PyTorch's ways to int4, ${capability}`,
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${escapeMarkdown(model ?? 'unknown processor')}${
      restricted ? ' with AVX2 alone (`ATEN_CPU_CAPABILITY` and its like)' : ''
    }, ${physicalCores()} threads; torch ${torch}; a matrix of ${values.shape.replace(',', ' × ')}, ${values.rounds} rounds.`,
    table(head, lines),
    ...absent.map(escapeMarkdown),
  ].join('\n\n');
}

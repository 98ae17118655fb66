// `npm run validate:statistics`: the gate's error rates, power and intervals in simulated nights, with the functions that
// the gate itself calls. --nights N (default 10,000), --json. --write puts the figures into docs/statistics.json and the
// table of docs/gate.md. Exit code 1 when a figure does not hold.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const { SCENARIOS } = await import('../dist/validate/figures.js');
const { figureLine, withProof } = await import('../dist/validate/table.js');

if (!isMainThread) {
  parentPort.on('message', (index) =>
    parentPort.postMessage({ index, figure: SCENARIOS[index].run(workerData.nights) }),
  );
} else {
  const { values } = parseArgs({
    options: {
      nights: { type: 'string', default: '10000' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const nights = Number(values.nights);
  if (!Number.isInteger(nights) || nights < 1) {
    console.error(`error: --nights ${values.nights}: a whole number from 1 on`);
    process.exit(2);
  }
  const figures = await runAll(nights);
  const failed = figures.filter(({ holds }) => !holds);
  const date = new Date().toISOString().slice(0, 10);
  const proof = { date, nights, holds: failed.length === 0, figures };
  const json = JSON.stringify(proof, null, 2);
  if (values.write) {
    const docs = fileURLToPath(new URL('../docs/', import.meta.url));
    writeFileSync(`${docs}statistics.json`, `${json}\n`);
    writeFileSync(`${docs}gate.md`, withProof(readFileSync(`${docs}gate.md`, 'utf8'), proof));
  }
  if (values.json) console.log(json);
  else console.log(failed.length === 0 ? '\nevery figure holds' : `\n${failed.length} figures do not hold`);
  process.exit(failed.length === 0 ? 0 : 1);

  /** Scenarios are independent and each has its own seed: the figures do not depend on how many threads there are. */
  async function runAll(nights) {
    const found = [];
    let next = 0;
    const threads = Math.min(availableParallelism(), SCENARIOS.length);
    await Promise.all(
      Array.from({ length: threads }, async () => {
        const worker = new Worker(new URL(import.meta.url), { workerData: { nights } });
        while (next < SCENARIOS.length) {
          const index = next++;
          found[index] = await new Promise((resolve, reject) => {
            worker.once('message', ({ figure }) => resolve(figure));
            worker.once('error', reject);
            worker.postMessage(index);
          });
          worker.removeAllListeners('error');
          if (!values.json) console.log(figureLine(found[index]));
        }
        await worker.terminate();
      }),
    );
    return found;
  }
}

// `npm run validate:statistics`: the gate's error rates, power and intervals in simulated nights, with the functions that
// the gate itself calls. --nights N (default 10,000), --json. Exit code 1 when a figure does not hold.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const { SCENARIOS } = await import('../dist/validate/figures.js');

if (!isMainThread) {
  parentPort.on('message', (index) =>
    parentPort.postMessage({ index, figure: SCENARIOS[index].run(workerData.nights) }),
  );
} else {
  const { values } = parseArgs({
    options: { nights: { type: 'string', default: '10000' }, json: { type: 'boolean', default: false } },
  });
  const nights = Number(values.nights);
  if (!Number.isInteger(nights) || nights < 1) {
    console.error(`error: --nights ${values.nights}: a whole number from 1 on`);
    process.exit(2);
  }
  const figures = await runAll(nights);
  const failed = figures.filter(({ holds }) => !holds);
  if (values.json) console.log(JSON.stringify({ nights, holds: failed.length === 0, figures }, null, 2));
  else console.log(failed.length === 0 ? '\nevery figure holds' : `\n${failed.length} figures do not hold`);
  process.exit(failed.length === 0 ? 0 : 1);

  function line({ name, value, trials, atLeast, atMost, holds, meanPairs }) {
    const percent = (share) => `${Number((share * 100).toFixed(3))} %`;
    const bounds = [
      atLeast === null ? [] : `≥ ${percent(atLeast)}`,
      atMost === null ? [] : `≤ ${percent(atMost)}`,
    ].flat();
    const pairs = meanPairs === null ? '' : `, ${meanPairs.toFixed(1)} pairs on average`;
    return `${holds ? 'holds' : 'FAILS'}  ${name}: ${percent(value)} (${bounds.join(', ')}) of ${trials}${pairs}`;
  }

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
          if (!values.json) console.log(line(found[index]));
        }
        await worker.terminate();
      }),
    );
    return found;
  }
}

import { createHash } from 'node:crypto';
import { medianInterval } from '../../stats/median-interval.ts';
import type { CellPair, GateReport, GateRow } from '../model.ts';
import { paritySentence } from '../parity.ts';
import { benchmarkName } from './names.ts';

/** What services that keep a history are given: the candidate's throughput, with its interval. */

type Measured = ReadonlyMap<string, Pick<CellPair, 'rates'>>;

/** `customBiggerIsBetter` of benchmark-action/github-action-benchmark: an array of named values. */
export function githubActionBenchmark(report: GateReport, measured: Measured): object[] {
  const stamp = paritySentence(report);
  return report.rows.flatMap((row) => {
    if (row.candidateRate === null) return [];
    const interval = medianInterval(measured.get(row.id)!.rates[row.phase].candidate);
    const halfWidth = interval === null ? null : (interval[1] - interval[0]) / 2;
    return {
      name: benchmarkName(row),
      unit: 'tokens/s',
      value: row.candidateRate,
      ...(halfWidth === null ? {} : { range: `± ${Number(halfWidth.toPrecision(3))}` }),
      extra: [`${row.verdict}: ${row.reason}`, ...(stamp === null ? [] : [stamp])].join('\n'),
    };
  });
}

/** Longest name of a benchmark there, in bytes: one that is longer makes Bencher refuse the whole file. */
const BENCHER_NAME_BYTES = 1024;

/** As it is, or cut with a hash of the whole, so that no two meet. */
function bencherName(row: GateRow): string {
  const name = benchmarkName(row);
  if (Buffer.byteLength(name) <= BENCHER_NAME_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const kept = Buffer.from(name)
    .subarray(0, BENCHER_NAME_BYTES - 20)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  return `${kept} ${hash}`;
}

/**
 * Bencher Metric Format: benchmark → measure → value with bounds. It holds numbers only, so that a gate without the parity
 * check is stamped by a measure of its own.
 */
export function bencherMetrics(report: GateReport, measured: Measured): Record<string, object> {
  const stamp = report.parityUnchecked === null ? {} : { 'parity-unchecked': { value: 1 } };
  const entries = report.rows.flatMap((row) => {
    if (row.candidateRate === null) return [];
    const interval = medianInterval(measured.get(row.id)!.rates[row.phase].candidate);
    const bounds = interval === null ? {} : { lower_value: interval[0], upper_value: interval[1] };
    return [[bencherName(row), { throughput: { value: row.candidateRate, ...bounds }, ...stamp }] as const];
  });
  return Object.fromEntries(entries);
}

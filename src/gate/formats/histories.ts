import { medianInterval } from '../../stats/median-interval.ts';
import type { CellPair, GateReport } from '../model.ts';
import { benchmarkName } from './names.ts';

/** What services that keep a history are given: the candidate's throughput, with its interval. */

type Measured = ReadonlyMap<string, Pick<CellPair, 'rates'>>;

/** `customBiggerIsBetter` of benchmark-action/github-action-benchmark: an array of named values. */
export function githubActionBenchmark(report: GateReport, measured: Measured): object[] {
  return report.rows.flatMap((row) => {
    if (row.candidateRate === null) return [];
    const interval = medianInterval(measured.get(row.id)!.rates[row.phase].candidate);
    const halfWidth = interval === null ? null : (interval[1] - interval[0]) / 2;
    return {
      name: benchmarkName(row),
      unit: 'tokens/s',
      value: row.candidateRate,
      ...(halfWidth === null ? {} : { range: `± ${Number(halfWidth.toPrecision(3))}` }),
      extra: `${row.verdict}: ${row.reason}`,
    };
  });
}

/** Bencher Metric Format: benchmark → measure → value with bounds. Names are at most 1,024 characters there. */
export function bencherMetrics(report: GateReport, measured: Measured): Record<string, object> {
  const entries = report.rows.flatMap((row) => {
    if (row.candidateRate === null) return [];
    const interval = medianInterval(measured.get(row.id)!.rates[row.phase].candidate);
    const bounds = interval === null ? {} : { lower_value: interval[0], upper_value: interval[1] };
    return [[benchmarkName(row), { throughput: { value: row.candidateRate, ...bounds } }] as const];
  });
  return Object.fromEntries(entries);
}

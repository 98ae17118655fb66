import { oneLine } from '../../report/markdown.ts';
import type { GateReport } from '../model.ts';
import { paritySentence } from '../parity.ts';
import { benchmarkName, worstFirst } from './names.ts';

/** GitHub shows ten annotations of a kind for a step. */
const MOST = 10;

const data = (text: string): string => oneLine(text, 500).replace(/%/g, '%25');
const property = (text: string): string => data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');

/** Workflow commands for the log of a CI job: what is wrong is an error, what is unknown a warning. */
export function gateAnnotations(report: GateReport): string[] {
  const lines = worstFirst(report.rows)
    .filter(({ verdict }) => verdict !== 'ok')
    .slice(0, MOST)
    .map((row) => {
      const level = row.verdict === 'inconclusive' ? 'warning' : 'error';
      return `::${level} title=${property(`ortbench ${row.verdict}`)}::${data(`${benchmarkName(row)}: ${row.reason}`)}`;
    });
  const stamp = paritySentence(report);
  const warn = (text: string) => `::warning title=ortbench::${data(text)}`;
  // First, or what is inconclusive might leave no room for it.
  return [...(stamp === null ? [] : [warn(stamp)]), ...lines, ...report.warnings.map(warn)];
}

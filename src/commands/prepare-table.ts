import Table from 'cli-table3';
import pc from 'picocolors';
import type { Verification } from '../models/compare-artefact.ts';
import type { CacheUsage } from '../models/prepare.ts';
import type { PreparedModel } from '../models/prepare-model.ts';
import { plural } from '../report/describe.ts';
import { groupBy } from '../report/group-by.ts';
import { formatBytes, formatPercent } from '../units.ts';

/** What was prepared, how large it is, and the disk use of the whole cache. */
export function formatPrepared(
  prepared: readonly ({ readonly model: string } & PreparedModel)[],
  cache: CacheUsage,
): string {
  const rows = new Table({
    head: ['model', 'precision', 'kind', 'size', '', 'against the checkpoint'],
    colAligns: ['left', 'left', 'left', 'right', 'left', 'left'],
    style: { head: [], border: [], compact: true },
  });
  const notes: string[] = [];
  let bytes = 0;
  for (const file of prepared) {
    if (file.outcome === 'impossible') {
      rows.push([file.model, file.precision, file.kind, '', pc.yellow('impossible'), '']);
      notes.push(`${file.model} ${file.precision} ${file.kind}: ${file.reason}`);
      continue;
    }
    const { artefact, verification } = file;
    bytes += artefact.bytes;
    const state = artefact.made ? pc.green('made') : 'was there';
    rows.push([
      file.model,
      file.precision,
      file.kind,
      formatBytes(artefact.bytes),
      state,
      verdict(verification),
    ]);
    if (verification !== null)
      notes.push(
        ...differences(`${file.model} ${file.precision} ${file.kind}`, verification),
        ...roundings(`${file.model} ${file.precision} ${file.kind}`, verification),
      );
  }
  const lines =
    prepared.length > 0 ? [rows.toString()] : ['nothing to prepare: no engine takes these precisions'];
  lines.push(...notes.map((note) => `  ${note}`));
  lines.push(`these: ${formatBytes(bytes)}; the whole cache: ${formatBytes(cache.bytes)} in ${cache.root}`);
  return `${lines.join('\n')}\n`;
}

function verdict(verification: Verification | null): string {
  if (verification === null) return '';
  const { tensors, constants, ok } = verification;
  const rounded = tensors.filter((tensor) => tensor.verdict === 'rounded').length;
  if (!ok) return pc.red('differs');
  const identical = `${tensors.length - rounded} of ${tensors.length} tensors identical`;
  const equal = constants.length > 0 ? `; ${constants.length} constants equal` : '';
  return pc.green(`${identical}${rounded > 0 ? `, ${rounded} rounded` : ''}${equal}`);
}

function differences(file: string, { tensors, missing, constants }: Verification): string[] {
  const differing = tensors.filter((tensor) => tensor.verdict === 'differs');
  const wrong = constants.filter((constant) => constant.verdict === 'differs');
  return [
    ...differing.map(
      ({ name, storedAs, differing, largestDifference }) =>
        `${file}: ${name} (${storedAs}) differs in ${differing} values, by up to ${largestDifference}`,
    ),
    ...missing.map((name) => `${file}: ${name} is missing`),
    ...wrong.map(({ name, stored, expected }) => `${file}: ${name} is ${stored}, expected ${expected}`),
  ];
}

/** How far rounding went, one line for each way of storing. */
function roundings(file: string, { tensors }: Verification): string[] {
  const rounded = tensors.filter((tensor) => tensor.verdict === 'rounded');
  return [...groupBy(rounded, ({ storedAs }) => storedAs)].map(([storedAs, of]) => {
    const most = (key: 'largestDifference' | 'largestRelativeDifference') =>
      Math.max(...of.map((tensor) => tensor[key] ?? 0));
    const relative = formatPercent(most('largestRelativeDifference'));
    return `${file}: ${plural(of.length, 'tensor')} rounded (${storedAs}), by up to ${most('largestDifference').toPrecision(2)}, ${relative} of the value`;
  });
}

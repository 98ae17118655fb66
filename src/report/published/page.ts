import { describeHardware, plural } from '../describe.ts';
import { escapeMarkdown as md } from '../markdown.ts';
import type { Report } from '../model.ts';
import { publishedSection } from './markdown.ts';

/** Several runs on one page, a section each: what was published of their models beside what they measured. */
export function publishedPage(reports: readonly Report[]): string {
  return `${reports.flatMap(section).join('\n\n')}\n`;
}

function section(report: Report): string[] {
  const { manifest, rows } = report;
  const [first] = manifest.models;
  const [heading, ...body] = publishedSection(report.published);
  if (first === undefined || heading === undefined) return [];
  return [
    `## ${md(manifest.models.map(({ title }) => title).join('; '))}`,
    conditions(report),
    ...report.warnings.map((warning) => `**Note:** ${md(warning)}`),
    ...body,
  ].concat(unmeasured(rows));
}

function conditions({ manifest, rows }: Report): string {
  const measured = rows.filter((row) => row.measured !== null);
  const matched = measured.filter(({ parity }) => parity === 'match').length;
  const busy = measured.filter(({ flags }) => flags.some(({ name }) => name === 'busy-machine')).length;
  const doubt =
    busy === 0
      ? ''
      : ` **Other programs kept the machine busy during ${plural(busy, 'cell')}: not fit for publication.**`;
  return `Measured ${plural(measured.length, 'cell')} of ${rows.length}, ${matched} with parity; ${plural(manifest.repetitions, 'round')}, ${manifest.generate} tokens generated; ${md(describeHardware(manifest))}; run ${md(manifest.runId)}.${doubt}`;
}

/** Every reason why a cell was not measured, with how many it kept away. */
function unmeasured(rows: Report['rows']): string[] {
  const reasons = new Map<string, number>();
  for (const { status, reason } of rows)
    if (status !== 'ok') {
      const key = `${status}: ${reason}`;
      reasons.set(key, (reasons.get(key) ?? 0) + 1);
    }
  if (reasons.size === 0) return [];
  const lines = [...reasons].map(([reason, cells]) => `- ${plural(cells, 'cell')} ${md(reason)}`);
  return [`Not measured:\n\n${lines.join('\n')}`];
}

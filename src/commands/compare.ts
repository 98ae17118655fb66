import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { gateAnnotations } from '../gate/formats/annotations.ts';
import { bencherMetrics, githubActionBenchmark } from '../gate/formats/histories.ts';
import { gateJunit } from '../gate/formats/junit.ts';
import { gateMarkdown } from '../gate/formats/markdown.ts';
import { gateTable } from '../gate/formats/table.ts';
import type { Compared, GateVerdict } from '../gate/model.ts';
import { GateInterrupted } from './compare/child.ts';
import { type CompareOptions, sourceOf } from './compare/input.ts';
import { compareLive } from './compare/live-gate.ts';
import { compareStored } from './compare/stored-gate.ts';

const EXIT_CODE: Readonly<Record<GateVerdict, number>> = {
  ok: EXIT.ok,
  regression: EXIT.regression,
  inconclusive: EXIT.inconclusive,
  failed: EXIT.infrastructure,
};

/** The regression gate: live pairs give a verdict, stored results warn. Returns the exit code. */
export async function runCompare(target: string, options: CompareOptions): Promise<number> {
  const source = await sourceOf(target);
  const against = options.against === undefined ? null : await sourceOf(options.against);
  if ('folder' in source && (against === null || 'loaded' in against)) {
    throw new UserError('stored results can only be compared with stored results', {
      hint: 'write: ortbench compare CANDIDATE_RESULTS --against BASELINE_RESULTS',
    });
  }
  try {
    const compared =
      against !== null && 'folder' in against
        ? await compareStored(source, against.folder, options)
        : await compareLive(source as Exclude<typeof source, { folder: string }>, against, options);
    await publish(compared, options);
    return EXIT_CODE[compared.report.verdict];
  } catch (error) {
    if (!(error instanceof GateInterrupted)) throw error;
    console.error('interrupted: there is no verdict; what was measured is kept');
    return error.exitCode;
  }
}

async function publish({ report, measured }: Compared, options: CompareOptions): Promise<void> {
  const files: [string | undefined, () => string][] = [
    [options.markdown, () => gateMarkdown(report)],
    [options.junit, () => gateJunit(report)],
    [options.githubBenchmark, () => asJson(githubActionBenchmark(report, measured))],
    [options.bencher, () => asJson(bencherMetrics(report, measured))],
  ];
  for (const [path, content] of files) {
    if (path === undefined) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, content());
  }
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary) await appendFile(summary, gateMarkdown(report));
  // Annotations are lines of the job's log: on stderr, where they do not break the JSON.
  if (process.env.GITHUB_ACTIONS === 'true') {
    for (const line of gateAnnotations(report)) console.error(line);
  }
  console.log(options.json ? asJson(report).trimEnd() : gateTable(report));
}

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

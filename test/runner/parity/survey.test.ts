import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llamacpp } from '../../../src/engines/llamacpp/engine.ts';
import { pytorchEager } from '../../../src/engines/pytorch/eager.ts';
import { resolveModel } from '../../../src/models/catalogue.ts';
import { tolerancesFor, worstOf } from '../../../src/runner/parity/tolerance.ts';
import { type Corruption, corrupt } from '../../fixtures/parity/corruption.ts';
import { Workbench } from '../../fixtures/parity/workbench.ts';

const MATRICES = [
  ...[0, 1].flatMap((layer) =>
    ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'].map(
      (name) => `blk.${layer}.${name}.weight`,
    ),
  ),
  'output.weight',
];
/** No tolerance was chosen by them. */
const ROWS = [7, 21];
const TRIED = MATRICES.length * ROWS.length;
/** Logits must catch that many: a tolerance that lets more through is too wide, whatever the files tell. */
const MISTAKES = [
  { mistake: 'sign lost in all blocks of an int4 row', change: [-1], leastByLogits: 30 },
  { mistake: 'scales doubled in all blocks of an int4 row', change: [2], leastByLogits: 27 },
  { mistake: 'sign lost in one block of an int4 row', change: [-1, 1], leastByLogits: 27 },
];
const MINUTES = 60_000;

interface Survey extends Record<'tried' | 'byLogits' | 'byFile' | 'least' | 'median' | 'most', number> {
  readonly mistake: string;
}

/** Wrong scales in two rows of every int4 matrix, counted: rows differ in how much depends on them. */
describe('survey of wrong int4 scales', () => {
  const surveyed: Survey[] = [];
  const corruptions = MISTAKES.map(({ change }) =>
    MATRICES.flatMap((matrix) =>
      ROWS.map((row): Corruption & { matrix: string } => ({
        mistake: 'wrong scales',
        matrix,
        engine: llamacpp,
        fault: ['scale', matrix, row, ...change],
        precisions: ['int4'],
      })),
    ),
  );
  let bench: Workbench;
  let folderOf: Awaited<ReturnType<typeof corrupt>>;

  beforeAll(async () => {
    bench = new Workbench(await resolveModel('llama-nano', '.'), pytorchEager, [pytorchEager, llamacpp]);
    folderOf = await corrupt(bench, corruptions.flat());
  });

  afterAll(() => {
    const file = process.env.ORTBENCH_SURVEY_JSON;
    if (file !== undefined) writeFileSync(file, JSON.stringify(surveyed));
  });

  it.each(MISTAKES.map((mistake, i) => ({ ...mistake, i })))(
    '$mistake: caught in every matrix by its file, in most by logits',
    async ({ mistake, leastByLogits, i }) => {
      const times: number[] = [];
      const missed: string[] = [];
      let byFile = 0;
      for (const corruption of corruptions[i]!) {
        const artefactDir = folderOf(corruption, 'int4');
        const { figures, verdict } = await bench.check({ engine: llamacpp, precision: 'int4', artefactDir });
        times.push(worstOf(figures!, tolerancesFor(llamacpp.meta, 'int4', bench.shape)).times);
        if (verdict !== 'mismatch') missed.push(corruption.fault.join(' '));
        const wrong = await bench.wrongInFile(llamacpp, 'int4', artefactDir);
        expect(wrong.map(({ name }) => name)).toEqual([corruption.matrix]);
        byFile++;
      }
      times.sort((a, b) => a - b);
      const [least, median, most] = [times[0]!, times[Math.floor(times.length / 2)]!, times.at(-1)!];
      const byLogits = TRIED - missed.length;
      surveyed.push({ mistake, tried: times.length, byLogits, byFile, least, median, most });
      expect(byFile).toBe(TRIED);
      expect(byLogits, `missed by logits: ${missed.join(', ')}`).toBeGreaterThanOrEqual(leastByLogits);
    },
    10 * MINUTES,
  );
});

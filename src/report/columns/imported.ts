import { DEFINITIONS_OF_TOOLS } from '../../stats/definitions.ts';
import type { ImportedRow } from '../model.ts';
import { type Column, column, ms, runColumns } from './column.ts';

export const IMPORTED_COLUMNS: readonly Column<ImportedRow>[] = [
  column('tool', 'The tool that printed the figure.', ({ imported }) => imported.tool),
  column('tool_version', 'Its version or build, where it tells.', ({ imported }) => imported.toolVersion),
  column(
    'model',
    'Name of the model, as ours or as the tool names it.',
    ({ imported }) => imported.cell.model,
  ),
  column('precision', 'Weight precision that it is taken for.', ({ imported }) => imported.cell.precision),
  column('device', 'cpu, cuda or webgpu.', ({ imported }) => imported.cell.device),
  column('batch_size', 'Sequences in the batch.', ({ imported }) => imported.cell.batchSize),
  column(
    'prompt_length',
    'Tokens of a prompt; 0 for generation from an empty context.',
    ({ imported }) => imported.cell.promptLength.length,
  ),
  column(
    'generate',
    'Decode steps + 1, so that it agrees with our column of that name; 0 for a prompt alone.',
    ({ imported }) => imported.cell.generate,
  ),
  column(
    'phase',
    'prefill, decode, or both where the tool counts them together.',
    ({ imported }) => DEFINITIONS_OF_TOOLS[imported.definition].phase ?? 'both',
  ),
  column('definition', 'Which count it is.', ({ imported }) => imported.definition),
  column(
    'counts',
    'What that counts, in words.',
    ({ imported }) => DEFINITIONS_OF_TOOLS[imported.definition].counts,
  ),
  column(
    'tokens_per_second',
    "The tool's own figure; not one of ours, whatever it is called there.",
    ({ imported }) => imported.tokensPerSecond,
  ),
  column(
    'repetitions',
    'Times that the tool told: 1 where it told an average.',
    ({ imported }) => imported.ns.length,
  ),
  column('shortest_ms', 'Shortest of these times.', ({ imported }) => ms(Math.min(...imported.ns))),
  column('longest_ms', 'Longest of them.', ({ imported }) => ms(Math.max(...imported.ns))),
  column(
    'threads',
    'Compute threads; empty where the tool does not say.',
    ({ imported }) => imported.threads,
  ),
  column('engine', 'Engine of ours with the same work on the same machine.', (row) => row.engine),
  column(
    'ours_tokens_per_second',
    'Its own times, counted as the tool counts; median of the rounds.',
    (row) => row.ours,
  ),
  column(
    'ratio',
    'Ours over the tool, where both count the same, with as many threads. Not paired and without parity: no speedup.',
    (row) => row.ratio,
  ),
  column('reason', 'Why there is no ratio.', (row) => row.reason),
  column(
    'model_said',
    'What the tool calls the model and its weights.',
    ({ imported }) => imported.modelSaid,
  ),
  column('settings', 'What else decides the figure, in words of the tool.', ({ imported }) =>
    Object.entries(imported.settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  ),
  column(
    'file',
    'File and line that it was read from.',
    ({ imported }) => `${imported.source.file}:${imported.source.line}`,
  ),
  ...runColumns<ImportedRow>(({ row }) => row.run),
];

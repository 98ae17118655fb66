import { collect } from './define.ts';

/** Options that several commands take, or too many for the table of contents. */
export const JSON_OUTPUT = ['--json', 'machine-readable output on stdout'] as const;
export const ONLY = [
  '--only <field=value,…>',
  'only cells that match, e.g. engine=NAME (repeatable)',
  collect,
] as const;

/** The options of `ortbench report`, as cli.ts lists them. */
export const REPORT_OPTIONS = [
  ['--out <dir>', 'report folder (default: one under reports/ named as the results)'],
  ['--formats <names>', 'of html, png, svg, md, csv, apart by commas (default: all)'],
  ['--theme <name>', "light or dark (default: light pictures, a page that follows its reader's system)"],
  ['--title <text>', "title of page and headline instead of the sweep's"],
  [
    '--machine <name>',
    'name of the machine of the first results folder, then of the second (repeatable)',
    collect,
  ],
  [
    '--history <results>',
    'show these stored runs over time on the page, as `history` does (repeatable)',
    collect,
  ],
  JSON_OUTPUT,
] as const;

/** The options of `ortbench import`, as authoring.ts lists them. */
export const IMPORT_OPTIONS = [
  ['--model <name>', 'which model of your sweeps it is, for all or as THEIRS=NAME (repeatable)', collect],
  ['--precision <name>', 'fp32, fp16, bf16 or int4, for all or as THEIRS=NAME (repeatable)', collect],
  ['--device <name>', 'cpu, cuda or webgpu, where the tool does not say'],
  ['--beside <results>', 'the tools ran on the machine of these results'],
  ['--here', 'the tools ran on this machine'],
  ['--out <dir>', 'results folder (default: one under results/ named for the time)'],
  JSON_OUTPUT,
] as const;

/** The options of `ortbench new`, as authoring.ts lists them. */
export const NEW_OPTIONS = [
  ['--engine <name>', 'engine to measure (repeatable; default: those that can run here)', collect],
  ['--precision <name>', 'fp32, fp16, bf16 or int4 (repeatable)', collect],
  ['--batch-sizes <list>', 'sequences at once, e.g. 1,4'],
  ['--prompt-lengths <list>', 'tokens of the prompts, e.g. 32,256'],
  ['--generate <n>', 'tokens generated for every sequence'],
  ['--repetitions <n>', 'rounds; intervals need 6'],
  ['--baseline <name>', 'what speedups are divided by (repeatable)', collect],
  ['--device <name>', 'cpu, cuda or webgpu'],
  ['--title <text>', 'title of the report'],
  ['--out <file>', 'where to write it (default: the name of the model, here)'],
  ['--yes', 'ask nothing: take what is proposed'],
  ['--force', 'write over a file that is there'],
  JSON_OUTPUT,
] as const;

/** What sweep, plan and prepare set over their file. */
const OVERRIDES = [
  ['--layers <n>', 'the first N layers of each model, each of its true shape; weights of hub models seeded'],
  ['--device <name>', "cpu, cuda or webgpu instead of the file's"],
] as const;
const MAX_HOURS = ['--max-hours <h>', 'leave out the comparisons that go beyond, by estimate'] as const;

export const SWEEP_OPTIONS = [
  ONLY,
  ...OVERRIDES,
  MAX_HOURS,
  JSON_OUTPUT,
  ['--out <dir>', 'results folder (default: one under results/ named for the time)'],
  ['--resume', 'go on with the unfinished cells of a results folder'],
  ['--no-parity', 'skip the check that engines compute the same; stamped on every artefact'],
] as const;
export const PLAN_OPTIONS = [
  ONLY,
  ...OVERRIDES,
  MAX_HOURS,
  ['--probe', 'also ask each engine whether it is installed'],
  JSON_OUTPUT,
] as const;
export const PREPARE_OPTIONS = [
  ['--precision <name>', 'for a model: this precision (repeatable; default: all)', collect],
  ['--engine <name>', 'only for this engine (repeatable; default: all)', collect],
  ...OVERRIDES,
  ['--force', 'make again what is there'],
  ['--verify', 'check every matrix of what is there'],
  JSON_OUTPUT,
] as const;

/** What `doctor` takes to measure; apart from its commands, so that `--help` loads neither. */
export const DOCTOR_OPTIONS = [
  ['--roofline', 'measure memory bandwidth and matrix rates anew, for MBU and MFU (some seconds)'],
  ['--fidelity', "measure ortbench's drivers against each engine's own tools (about 50 minutes)"],
  ['--engine <name>', 'with --fidelity: only this engine or comparison (repeatable)', collect],
  ['--model <name>', "with --fidelity: this model instead of the file's (repeatable)", collect],
  ['--rounds <n>', "with --fidelity: rounds instead of the file's; intervals need 6"],
  ['--threads <n>', 'with --fidelity or --roofline: compute threads (default: physical cores)'],
  ['--cells <file>', 'with --fidelity: what is compared (default: configs/fidelity.yaml)'],
  ['--tools <dir>', "with --fidelity: folder of an engine's own tools (repeatable)", collect],
  ['--write [dir]', 'with --fidelity: write fidelity.md and its data there (default: docs)'],
  ['--busy', 'with --fidelity: measure though other processes disturb; rows are marked'],
] as const;

/** The options of `ortbench compare`, as cli.ts lists them. */
export const COMPARE_OPTIONS = [
  ['--baseline <engine>', "the sweep's name of an engine or variant, with :precision where it differs"],
  ['--candidate <engine>', 'what is judged, written the same way'],
  ['--against <path>', 'the baseline is another config (live, run in turns) or stored results (unpaired)'],
  ['--baseline-ortbench <dir>', 'run the baseline with the ortbench that is built in this folder'],
  ['--pairs <n|auto>', 'pairs a cell: a number (default 15), or chosen for 95 % power at +5 % by a pilot'],
  ['--noise-from <results>', 'choose the pairs from the noise of stored results instead of a pilot'],
  ['--max-pairs <n>', 'most pairs that may be chosen (default 200)'],
  ONLY,
  ['--out <dir>', 'folder for all stages (default: one under results/ named for the time)'],
  ['--no-parity', 'skip the check that both sides compute the same'],
  ['--markdown <file>', 'step summary; also appended to $GITHUB_STEP_SUMMARY where that is set'],
  ['--junit <file>', 'JUnit XML'],
  ['--github-benchmark <file>', 'JSON for github-action-benchmark (customBiggerIsBetter)'],
  ['--bencher <file>', 'JSON in the Bencher Metric Format'],
  JSON_OUTPUT,
] as const;

export const HISTORY_OPTIONS = [
  ['--out <dir>', 'folder for history.html, history.json and charts (default: reports/history)'],
  ['--least <percent>', 'smallest change that is reported (default: 2)'],
  JSON_OUTPUT,
] as const;

export const EXIT_CODES =
  'Exit codes: 0 ok, 1 regression, 2 usage, 3 inconclusive, 4 a cell or the machine failed';

#!/usr/bin/env node
import { Command } from 'commander';
import { collect, define, examples, runProgram } from './commands/define.ts';
import { COMPARE_OPTIONS, EXIT_CODES, FIDELITY_OPTIONS, JSON_OUTPUT, ONLY } from './commands/options.ts';
import { REPORT_OPTIONS } from './commands/report-options.ts';
import { ortbenchVersion } from './machine/version.ts';

const program = new Command('ortbench')
  .description(
    'How fast is ONNX Runtime on generative AI, compared with PyTorch and llama.cpp, on your hardware?',
  )
  .version(ortbenchVersion())
  .exitOverride()
  .addHelpText('after', examples(['sweep configs/quickstart.yaml', 'doctor']))
  .addHelpText('after', EXIT_CODES);

define(program, {
  usage: 'sweep <config>',
  does: 'plan, prepare what is missing, measure every cell, write page, charts and CSV',
  options: [
    ONLY,
    JSON_OUTPUT,
    ['--out <dir>', 'results folder (default: one under results/ named for the time)'],
    ['--resume', 'go on with the unfinished cells of a results folder'],
    ['--no-parity', 'skip the check that engines compute the same; stamped on every artefact'],
  ],
  examples: ['sweep my.yaml', 'sweep my.yaml --only precision=int4 --out results/int4'],
  load: async () => (await import('./commands/sweep.ts')).runSweep,
});
define(program, {
  usage: 'plan <config>',
  does: 'show the cells in order, which are skipped and why, memory and time; runs nothing',
  options: [ONLY, ['--probe', 'also ask each engine whether it is installed'], JSON_OUTPUT],
  examples: ['plan my.yaml', 'plan my.yaml --only batchSize=1,precision=int4 --json'],
  load: async () => (await import('./commands/plan.ts')).runPlan,
});
define(program, {
  usage: 'prepare <config-or-model>',
  does: "make each engine's model files from one source checkpoint, in the cache",
  options: [
    ['--precision <name>', 'for a model: this precision (repeatable; default: all)', collect],
    ['--engine <name>', 'only for this engine (repeatable; default: all)', collect],
    ['--force', 'make again what is there'],
    ['--verify', 'check every matrix of what is there'],
    JSON_OUTPUT,
  ],
  examples: ['prepare my.yaml', 'prepare llama-tiny --precision int4 --verify'],
  load: async () => (await import('./commands/prepare.ts')).runPrepare,
});
define(program, {
  usage: 'report <results>',
  does: 'write page, charts and CSV again from stored results; needs no engine',
  options: REPORT_OPTIONS,
  examples: ['report results/quickstart', 'report results/quickstart --out blog --formats html,svg'],
  load: async () => (await import('./commands/report.ts')).runReport,
});
define(program, {
  usage: 'compare <config-or-results>',
  does: 'is the candidate slower? the regression gate: live pairs give a verdict, stored results warn',
  options: COMPARE_OPTIONS,
  examples: ['compare my.yaml --baseline old --candidate new', 'compare results/new --against results/old'],
  load: async () => (await import('./commands/compare.ts')).runCompare,
});
define(program, {
  usage: 'doctor',
  does: 'what each engine needs and has here, this machine, and the command that mends each lack',
  options: [...FIDELITY_OPTIONS, JSON_OUTPUT],
  examples: ['doctor', 'doctor --json', 'doctor --fidelity --engine onnxruntime'],
  load: async () => (await import('./commands/doctor.ts')).runDoctor,
});
define(program, {
  usage: 'setup [engine]',
  does: 'make the Python environment with its pinned versions; other commands do it when needed',
  options: [['--native', "build the engine's library for this machine"], JSON_OUTPUT],
  examples: ['setup', 'setup --json', 'setup llamacpp --native'],
  load: async () => (await import('./commands/setup.ts')).runSetup,
});

await runProgram(program);

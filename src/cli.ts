#!/usr/bin/env node
import { Command } from 'commander';
import { defineAuthoring } from './commands/authoring.ts';
import { define, examples, runProgram } from './commands/define.ts';
import * as options from './commands/options.ts';
import { ortbenchVersion } from './machine/version.ts';

const program = new Command('ortbench')
  .description(
    'How fast is ONNX Runtime on generative AI, compared with PyTorch and llama.cpp, on your hardware?',
  )
  .version(ortbenchVersion())
  .exitOverride()
  .addHelpText('after', examples(['sweep configs/quickstart.yaml', 'doctor']))
  .addHelpText('after', options.EXIT_CODES);

define(program, {
  usage: 'sweep <config>',
  does: 'plan, prepare what is missing, measure every cell, write page, charts and CSV',
  options: options.SWEEP_OPTIONS,
  examples: ['sweep my.yaml', 'sweep my.yaml --only precision=int4 --out results/int4'],
  load: async () => (await import('./commands/sweep.ts')).runSweep,
});
define(program, {
  usage: 'plan <config>',
  does: 'show the cells in order, which are skipped and why, memory and time; runs nothing',
  options: options.PLAN_OPTIONS,
  examples: ['plan my.yaml', 'plan configs/blog/phi-2.yaml --layers 2 --only batchSize=1,precision=int4'],
  load: async () => (await import('./commands/plan.ts')).runPlan,
});
define(program, {
  usage: 'prepare <config-or-model>',
  does: "make each engine's model files from one source checkpoint, in the cache",
  options: options.PREPARE_OPTIONS,
  examples: ['prepare my.yaml', 'prepare llama-tiny --precision int4 --verify'],
  load: async () => (await import('./commands/prepare.ts')).runPrepare,
});
define(program, {
  usage: 'report <results...>',
  does: 'write page, charts and CSV again from stored results, of several machines into one; no engine',
  options: options.REPORT_OPTIONS,
  examples: ['report results/quickstart --formats html,svg', 'report results/a results/b --machine laptop'],
  load: async () => (await import('./commands/report.ts')).runReport,
});
define(program, {
  usage: 'compare <config-or-results>',
  does: 'is the candidate slower? the regression gate: live pairs give a verdict, stored results warn',
  options: options.COMPARE_OPTIONS,
  examples: ['compare my.yaml --baseline old --candidate new', 'compare results/new --against results/old'],
  load: async () => (await import('./commands/compare.ts')).runCompare,
});
define(program, {
  usage: 'history <results...>',
  does: 'the trend of each cell over stored runs, with the points where it changed',
  options: options.HISTORY_OPTIONS,
  examples: ['history results/nightly', 'history results/nightly --least 5 --out trends'],
  load: async () => (await import('./commands/history.ts')).runHistory,
});
define(program, {
  usage: 'doctor',
  does: 'what each engine needs and has here, this machine, and the command that mends each lack',
  options: [...options.DOCTOR_OPTIONS, options.JSON_OUTPUT],
  examples: ['doctor', 'doctor --json', 'doctor --roofline', 'doctor --fidelity --engine onnxruntime'],
  load: async () => (await import('./commands/doctor.ts')).runDoctor,
});
define(program, {
  usage: 'setup [engine]',
  does: 'make the Python environment with its pinned versions; other commands do it when needed',
  options: [['--native', "build the engine's library for this machine"], options.JSON_OUTPUT],
  examples: ['setup', 'setup --json', 'setup llamacpp --native'],
  load: async () => (await import('./commands/setup.ts')).runSetup,
});
defineAuthoring(program);
await runProgram(program);

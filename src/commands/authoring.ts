import type { Command } from 'commander';
import { define } from './define.ts';
import { IMPORT_OPTIONS, NEW_OPTIONS } from './options.ts';

/** The commands around a sweep: begin one, read other tools' figures, help editors and shells. */
export function defineAuthoring(program: Command): void {
  define(program, {
    usage: 'new [model]',
    does: 'write a commented sweep for a model, with what this machine can run; asks on a terminal',
    options: NEW_OPTIONS,
    examples: [
      'new',
      'new llama-tiny --yes',
      'new phi-2 --engine onnxruntime --precision int4 --out phi.yaml',
    ],
    load: async () => (await import('./new.ts')).runNew,
  });
  define(program, {
    usage: 'import <file...>',
    does: "other tools' own figures (llama-bench, llama-batched-bench, genai, optimum-benchmark) as results",
    options: IMPORT_OPTIONS,
    examples: [
      'import llama-bench.jsonl --model llama-tiny --beside results/quickstart',
      'import batched.jsonl --model phi-2 --precision int4 --device cpu --here',
    ],
    load: async () => (await import('./import.ts')).runImport,
  });
  define(program, {
    usage: 'schema [name]',
    does: 'print the JSON Schema of sweep or model files, for editors',
    options: [['--json', 'no difference: it is JSON']],
    examples: ['schema', 'schema model > model.schema.json'],
    load: async () => (await import('./schema.ts')).runSchema,
  });
  define(program, {
    usage: 'completion <shell>',
    does: 'print the completion script of bash, zsh or fish',
    options: [],
    examples: ['completion bash >> ~/.bashrc', 'completion zsh > ~/.zsh/completions/_ortbench'],
    load: async () => (await import('./completion.ts')).runCompletion,
  });
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      process.exitCode = (await import('./completion.ts')).runComplete(program, words);
    });
}

import type { Answers } from './answers.ts';

/** A scalar that YAML reads as this text, whatever is in it: JSON is YAML. */
const plain = (text: string): string =>
  /^[A-Za-z][A-Za-z0-9._/ -]*[A-Za-z0-9]$/.test(text) && !/^(?:true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);

const list = (items: readonly (string | number)[]): string =>
  `[${items.map((item) => (typeof item === 'number' ? item : plain(item))).join(', ')}]`;

/**
 * A sweep file with a comment for every key of the schema; those that are left at their defaults stand commented out.
 * @param schema where editors find the JSON Schema, relative to the file
 * @param file how the commands in the comments name the file
 */
export function sweepText(answers: Answers, schema: string, file: string): string {
  const baselines = answers.baselines.map((engine) => `  - { engine: ${plain(engine)} }`);
  return `# yaml-language-server: $schema=${schema}
#
# See what this will do:    npx ortbench plan ${file}
# Run it:                   npx ortbench sweep ${file}
# Editors that know the schema above complete this file and check it as you type.

title: ${plain(answers.title)}

# Names of files in configs/models/, paths of your own such files, or descriptions written here in place.
models: ${list([answers.model])}

# Everything below is measured for each of these; \`npx ortbench doctor\` says which of them work on this machine. One engine
# can take part several times, each with a name and options of its own: { engine: llamacpp, name: mine, options: { … } }
engines: ${list(answers.engines)}

# cpu, cuda or webgpu.
device: ${answers.device}

# fp32, fp16, bf16 or int4. An engine that would only pretend to compute in one of them is left out, with the reason.
precisions: ${list(answers.precisions)}

# Sequences that are generated at once, and the length of their prompts in tokens. { length: 256, spread: 0.5 } makes prompts
# of one batch differ, from 128 to 256 tokens.
batchSizes: ${list(answers.batchSizes)}
promptLengths: ${list(answers.promptLengths)}

# Tokens generated for every sequence.
generate: ${answers.generate}

# Rounds: each runs every engine once, in random order. Speedups get an interval from 6 rounds on.
repetitions: ${answers.repetitions}

# What speedups are divided by, in the same precision unless one is named: { engine: pytorch-eager, precision: fp32 }
${baselines.length === 0 ? 'baselines: []' : `baselines:\n${baselines.join('\n')}`}

# The rest has its defaults; take the # away to change it.

# Compute threads of every engine; the physical cores of the machine unless given.
# threads: 4

# Runs that are not counted before the first round: at least so many, and at least so many seconds of them.
# warmup: { runs: 2, seconds: 3 }

# A phase that is shorter than this is repeated within its round.
# minTimedSeconds: 0.5

# Decides prompts and the order of engines: the same seed, the same work.
# seed: 1

# Cells that are left out, and cells that alone are run. A rule matches where all that it names does.
# exclude:
#   - { engine: pytorch-eager, batchSize: 16 }
# include:
#   - { precision: [int4] }

# Options for every variant of an engine; the schema lists them.
# engineOptions:
#   onnxruntime: { allowSpinning: true }

# Engines of this process run in it (in-process) or each in a child (process).
# isolation: process

# Peak memory, from a run of its own.
# measureMemory: true

# Published figures to print beside what is measured: a file like configs/blog/published.yaml.
# published: published.yaml

# Comparisons that would take the sweep beyond so many hours, by estimate, are left out with that reason.
# maxHours: 2

# Seconds after which an engine that does not answer is ended.
# timeLimits: { readySeconds: 600, cellSeconds: 1800, closeSeconds: 10 }
`;
}

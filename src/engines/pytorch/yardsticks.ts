import { pythonRunnerCommand } from '../python/command.ts';
import { always, type EngineYardsticks, type Yardstick } from '../yardstick.ts';

const tool = (title: string, mode: string, selection: Yardstick['selection'], method: string): Yardstick => ({
  title,
  method,
  selection,
  repeats: 'runs',
  covers: always,
  drive: {
    kind: 'runner',
    options: () => ({}),
    command: () => pythonRunnerCommand('ortbench_runners.fidelity.transformers_tools', ['--tool', mode]),
  },
});

const otherMode = (mode: string): Yardstick => ({
  title: `torch.compile, mode ${mode}`,
  method: `ortbench’s own driver with torch.compile’s mode \`${mode}\`: the mode in use must be the best of them.`,
  selection: 'apart',
  repeats: 'runs',
  covers: always,
  drive: { kind: 'engine', engine: 'pytorch-compile', options: { mode } },
});

const GENERATE_METHOD =
  'One call of `model.generate` for the whole run, greedy, without an end of sequence. A streamer notes when each token ' +
  'is handed out: prefill is from the call to the first token, decode from the first to the last. Selection lies inside, ' +
  'so the driver’s is added to the driver’s phases.';

export const eagerYardsticks: EngineYardsticks = {
  tools: {
    'transformers-loop': tool(
      'bare transformers loop',
      'loop',
      'apart',
      'The least code that decodes: `model(input_ids, past_key_values, use_cache, logits_to_keep=1)` in inference mode, ' +
        'argmax outside of the times. No positions, no mask, no padding.',
    ),
    'transformers-generate': tool('transformers generate', 'generate', 'within', GENERATE_METHOD),
  },
  formats: {},
  builds: {},
};

export const compileYardsticks: EngineYardsticks = {
  tools: {
    'transformers-generate-compiled': tool(
      'transformers generate, static cache, compiled',
      'generate-compiled',
      'within',
      `${GENERATE_METHOD} A \`StaticCache\` of the cell’s capacity that is reused, and \`model.forward\` compiled as transformers’ documentation ` +
        'says, for fixed shapes; each shape is run until nothing is compiled any more.',
    ),
    'mode-reduce-overhead': otherMode('reduce-overhead'),
    'mode-max-autotune-no-cudagraphs': otherMode('max-autotune-no-cudagraphs'),
    'mode-max-autotune': otherMode('max-autotune'),
  },
  formats: {},
  builds: {},
};

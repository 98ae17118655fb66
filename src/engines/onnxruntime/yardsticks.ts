import { pythonRunnerCommand } from '../python/command.ts';
import { always, type EngineYardsticks } from '../yardstick.ts';

export const yardsticks: EngineYardsticks = {
  tools: {
    'genai-generator': {
      title: 'onnxruntime-genai Generator',
      method:
        'The loop of onnxruntime-genai’s own examples on the same ONNX files. Prefill is `append_tokens`; a step is one ' +
        '`generate_next_token`, which runs the model and selects. The call right after the prompt only selects, for its ' +
        'logits are there: that time, by the run’s own clock, is taken off each step. Where the selection is dearer right ' +
        'after a prompt than later, this favours the tool.',
      selection: 'apart',
      covers: always,
      drive: {
        kind: 'runner',
        options: {},
        command: () => pythonRunnerCommand('ortbench_runners.fidelity.genai_loop', []),
      },
    },
    'onnxruntime-js': {
      title: 'onnxruntime-node run()',
      method:
        'The public API of onnxruntime-node, as a JavaScript application uses it, on the same ONNX files. No bar: what ' +
        'the difference costs is the finding.',
      selection: 'apart',
      covers: always,
      drive: { kind: 'engine', engine: 'onnxruntime-js', options: {} },
    },
  },
  formats: {},
  builds: {},
};

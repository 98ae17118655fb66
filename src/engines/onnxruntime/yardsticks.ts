import { pythonRunnerCommand } from '../python/command.ts';
import { always, type EngineYardsticks } from '../yardstick.ts';
import { packagedLibrary } from './capi/location.ts';
import type { OrtOptions } from './options.ts';

export const yardsticks: EngineYardsticks = {
  tools: {
    'genai-generator': {
      title: 'onnxruntime-genai Generator',
      method:
        'The loop of onnxruntime-genai’s own examples on the same ONNX files, over the same ONNX Runtime library file. ' +
        'Prefill is `append_tokens` and the call right after it, which only selects; a step is one later ' +
        '`generate_next_token`, which runs the model and selects. The driver’s selection is added to its phases.',
      selection: 'within',
      repeats: 'runs',
      covers: always,
      drive: {
        kind: 'runner',
        options: ({ options }) => ({
          onnxruntimeLibrary: (options as OrtOptions).libraryPath ?? packagedLibrary().path,
        }),
        command: () => pythonRunnerCommand('ortbench_runners.fidelity.genai_loop', []),
      },
    },
    'onnxruntime-js': {
      title: 'onnxruntime-node run()',
      method:
        'The public API of onnxruntime-node, as a JavaScript application uses it, on the same ONNX files. No bar: what ' +
        'the difference costs is the finding.',
      selection: 'apart',
      repeats: 'runs',
      covers: always,
      drive: { kind: 'engine', engine: 'onnxruntime-js', options: {} },
    },
  },
  formats: {},
  builds: {},
};

import { execa } from 'execa';
import { EngineError } from '../../errors.ts';
import { pythonRunnerCommand } from '../python/command.ts';
import type { EngineYardsticks, WeightFormat, Yardstick } from '../yardstick.ts';
import { locateLibrary } from './location.ts';
import { batchedBench, llamaBench } from './yardstick-programs.ts';

/** Types that llama-bench's -ctk knows. */
const LLAMA_BENCH_KV = ['f16', 'bf16', 'q8_0'];

const covers: Yardstick['covers'] = (_, driver) =>
  driver.kvUnified !== true || 'the tool is not set to a cache that all sequences share';

/** Q8_0 through the gguf package, from the float32 file: no precision of a sweep, for its weights are not the canonical ones. */
const q8_0: WeightFormat = {
  from: 'fp32',
  loadedAs: 'int4',
  async make(artefactDir, outDir) {
    const { file, args, env } = await pythonRunnerCommand('ortbench_runners.fidelity.q8_0', [
      artefactDir,
      outDir,
    ]);
    const result = await execa(file, args, {
      env: { ...env },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
    });
    if (result.exitCode !== 0)
      throw new EngineError('failed', `the Q8_0 file could not be written: ${result.stderr.slice(-500)}`);
  },
};

export const yardsticks: EngineYardsticks = {
  tools: {
    'llama-batched-bench': {
      title: 'llama-batched-bench',
      method:
        'llama.cpp’s own program on the same GGUF file, with the context, batch, ubatch, flash attention, KV type, threads ' +
        'and polling that the driver reports. Each turn is a process: `-npp P -ntg 1,…,G−1 -npl B`, in which the first ' +
        'row warms up. T_PP is prefill, T_TG of G − 1 forwards is decode; both end when the computation has.',
      selection: 'apart',
      repeats: 'runs',
      covers,
      drive: { kind: 'program', open: batchedBench },
    },
    'llama-bench': {
      title: 'llama-bench',
      method:
        'llama.cpp’s own program on the same GGUF file: `-p P -n 0` is prefill; `-p 0 -n G−1 -d P` is decode at that ' +
        'depth, from a copy of the KV cache. It repeats one phase alone, and so sees neither the graph that llama.cpp builds ' +
        'anew at every change of phase nor the caches that a prompt leaves to the steps after it: the driver’s prefills are ' +
        'repeated alone, too, and the first half of its steps is left out. One sequence only, and no f32 KV cache: there the driver is set to f16.',
      selection: 'apart',
      repeats: 'phases',
      covers: (shape, driver) => {
        if (shape.batchSize > 1) return 'llama-bench decodes one sequence only';
        if (!LLAMA_BENCH_KV.includes(String(driver.kvCacheType)))
          return `llama-bench knows no ${driver.kvCacheType} KV cache`;
        if (driver.mmap === false) return 'llama-bench is not set to load without mapping the file';
        return covers(shape, driver);
      },
      drive: { kind: 'program', open: llamaBench },
    },
  },
  formats: { q8_0 },
  builds: {
    native(toolFolders) {
      const libraryDir = toolFolders.find((folder) => 'found' in locateLibrary({ libraryDir: folder }));
      if (libraryDir !== undefined) return { libraryDir };
      const native = locateLibrary({ library: 'native' });
      if ('found' in native) return { library: 'native' };
      throw new EngineError(
        'unavailable',
        `${native.missing.reason}: ${native.missing.mend}, or --tools <dir>`,
      );
    },
  },
};

import { mkdir } from 'node:fs/promises';
import { EngineError } from '../../errors.ts';
import type { LoadRequest } from '../../schema/protocol.ts';
import { always, type EngineYardsticks, type ToolProgram } from '../yardstick.ts';

/** Scripted times that are told and not spent. */
async function open(request: LoadRequest, toolFolders: readonly string[]): Promise<ToolProgram> {
  if (toolFolders.length === 0) throw new EngineError('unavailable', 'scripted: the tool is not there');
  return {
    versions: { 'fake-program': '1' },
    caveat: request.precision === 'int4' ? 'scripted: another build' : null,
    async measure({ generate }, { prefills, runs }) {
      const prefill = { prefillNs: 1e3, decodeNs: null };
      const whole = { prefillNs: 1e3, decodeNs: (generate - 1) * 1e3 };
      return [
        ...Array.from({ length: prefills }, () => prefill),
        ...Array.from({ length: runs }, () => whole),
      ];
    },
  };
}

/** For testing the comparison itself. */
export const yardsticks: EngineYardsticks = {
  tools: {
    slower: {
      title: 'fake tool, slower',
      method: 'The fake engine with longer steps.',
      selection: 'apart',
      repeats: 'runs',
      covers: always,
      drive: { kind: 'engine', engine: 'fake', options: { prefillMsPerToken: 4, stepMs: 8 } },
    },
    failing: {
      title: 'fake tool, failing',
      method: 'The fake engine, which fails.',
      selection: 'within',
      repeats: 'runs',
      covers: ({ batchSize }) => batchSize === 1 || 'scripted: one sequence only',
      drive: { kind: 'engine', engine: 'fake', options: { fault: 'generate-fails' } },
    },
    program: {
      title: 'fake program',
      method: 'Scripted times.',
      selection: 'apart',
      repeats: 'runs',
      covers: always,
      drive: { kind: 'program', open },
    },
  },
  formats: {
    int2: {
      from: 'fp32',
      loadedAs: 'bf16',
      make: async (_, outDir) => {
        await mkdir(outDir, { recursive: true });
      },
    },
  },
  builds: {
    slow: () => ({ prefillMsPerToken: 16, stepMs: 32 }),
    absent: () => {
      throw new EngineError('unavailable', 'scripted: there is no such build');
    },
  },
};

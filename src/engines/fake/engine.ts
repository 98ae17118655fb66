import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { LoadRequest } from '../../schema/protocol.ts';
import type { Engine } from '../engine.ts';
import type { NativeSession } from '../native/session.ts';
import { FakeDecoder } from './decoder.ts';
import { FOREVER_MS } from './faults.ts';
import { FakeSession } from './session.ts';

/** Faults that the harness must survive or see through; see spec/faults. */
export const FAKE_FAULTS = [
  'none',
  'load-fails',
  'load-hangs',
  'generate-fails',
  'oom',
  'crash',
  'hang',
  'exit-silently',
  'nan-logits',
  'changes-answer',
  'burns-idle',
  /** Holds the only thread, as a native library does. */
  'blocks',
  /** Hangs and does not end on SIGTERM. */
  'deaf',
  /** Starts a program that would outlive it, then hangs. */
  'grandchild',
  'close-hangs',
  /** Takes memory without end. */
  'eats-memory',
  /** An error that is not of the harness's kinds, as a library throws it. */
  'throws',
  /** Says that it ran elsewhere than it was told to. */
  'falls-back',
  /** Compiles anew, once it is warm. */
  'recompiles',
  'not-synchronised',
] as const;

export const fakeOptionsSchema = z.strictObject({
  /** Scripted times; the run really takes that long, so that every clock sees it. */
  loadMs: z.number().min(0).default(0),
  prefillMsPerToken: z.number().min(0).default(0),
  stepMs: z.number().min(0).default(0),
  /** Relative spread of step times, drawn from a seeded generator. */
  noise: z.number().min(0).lt(1).default(0),
  vocabSize: z.int().min(2).default(512),
  /** Devices other than the CPU that it finds; it computes everything on the CPU all the same. */
  devices: z.array(z.enum(['cuda', 'webgpu'])).default([]),
  /** Added to every logit of the answer: engines that differ in it do not compute the same thing. */
  logitOffset: z.number().default(0),
  fault: z.enum(FAKE_FAULTS).default('none'),
  /** The fault strikes at and above this batch size only. */
  faultFromBatch: z.int().min(1).default(1),
});
export type FakeOptions = z.infer<typeof fakeOptionsSchema>;

/** A real engine without a model: scripted times and faults, for testing the harness. Never a stand-in in a result. */
export const fake: Engine = {
  meta: {
    id: 'fake',
    title: 'Fake engine',
    artefact: 'none',
    precisions: {
      cpu: { fp32: true, fp16: 'the fake engine has no fp16', bf16: true, int4: true },
      cuda: { fp32: true, fp16: true, bf16: true, int4: true },
      webgpu: { fp32: true, fp16: true, bf16: 'the fake webgpu has no bfloat16', int4: true },
    },
    ragged: true,
    isolation: 'in-process',
    compiles: false,
  },
  options: fakeOptionsSchema,
  probe: async (device, options) => {
    if (device === 'cpu' || fakeOptionsSchema.parse(options).devices.includes(device)) {
      return {
        available: true,
        versions: { fake: '1' },
        notes: ['scripted times: for testing the harness only'],
      };
    }
    return {
      available: false,
      reason: `the fake engine finds no ${device} device`,
      mend: `name ${device} in its option devices`,
    };
  },
  drive: {
    kind: 'native',
    async load(request: LoadRequest): Promise<NativeSession> {
      const start = process.hrtime.bigint();
      const options = fakeOptionsSchema.parse(request.options);
      if (options.fault === 'load-fails')
        throw new EngineError('failed', 'scripted: the model cannot be loaded');
      if (options.fault === 'load-hangs') await sleep(FOREVER_MS);
      const decoder = new FakeDecoder(options, request.device);
      await decoder.wait(options.loadMs);
      return new FakeSession(options.fault, {
        decoder,
        loaded: {
          loadNs: Number(process.hrtime.bigint() - start),
          vocabSize: options.vocabSize,
          versions: { fake: '1' },
          effective: {
            computeType: 'none',
            threads: request.threads,
            ...(options.fault === 'falls-back'
              ? { fallback: 'scripted: 3 nodes ran on another provider' }
              : {}),
            ...(request.device === 'cpu' ? {} : { deviceName: `fake ${request.device}` }),
          },
        },
      });
    },
  },
};

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.ts';
import { ENGINES } from '../../src/engines/index.ts';
import { EngineError } from '../../src/errors.ts';
import { type ResolvedModel, resolveModel } from '../../src/models/catalogue.ts';
import { prepareArtefact } from '../../src/models/prepare.ts';
import type { ChildSession } from '../../src/runner/child/session.ts';
import { openSession } from '../../src/runner/open-session.ts';

const MINUTES = 60_000;
const limits = { readySeconds: 120, cellSeconds: 60, closeSeconds: 5 };
const engines = (await Promise.all(Object.values(ENGINES).map((load) => load()))).filter(
  ({ meta }) => meta.artefact !== 'none' && !meta.compiles,
);
let model: ResolvedModel;
beforeAll(async () => {
  model = await resolveModel('llama-nano', '.');
});

type Damage = (bytes: Buffer) => Buffer;
const DAMAGES: Readonly<Record<string, Damage>> = {
  'is empty': () => Buffer.alloc(0),
  'is cut in half': (bytes) => bytes.subarray(0, bytes.length >> 1),
  'is something else': (bytes) => Buffer.alloc(bytes.length, 'no model '),
  // Past the magic number: counts and lengths of every format lie there.
  'has a header that lies': (bytes) => {
    const copy = Buffer.from(bytes);
    copy.fill(0xff, 8, 24);
    return copy;
  },
};

/** The file that holds the model or begins it, by kind of artefact. */
const MODEL_FILE = /^model\.(gguf|onnx|safetensors)$/;

function damaged(dir: string, damage: Damage): string {
  const copy = mkdtempSync(join(tmpdir(), 'ortbench-damaged-'));
  cpSync(dir, copy, { recursive: true, dereference: true });
  let files = 0;
  for (const name of readdirSync(copy, { recursive: true }).map(String)) {
    const path = join(copy, name);
    if (!MODEL_FILE.test(name.split('/').at(-1)!) || !statSync(path).isFile()) continue;
    writeFileSync(path, damage(readFileSync(path)));
    files++;
  }
  expect(files).toBeGreaterThan(0);
  return copy;
}

async function open(engine: Engine, artefactDir: string) {
  const options = engine.options.parse({});
  const request = {
    model: 'm',
    artefactDir,
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 1,
    maxSequenceLength: 64,
    options,
  } as const;
  return openSession(engine, request, 'process', limits);
}

const SMALL = { prompts: [[5, 6, 7]], generate: 4, capacity: 16, measurePeakMemory: false };

/** Of util-linux, which is on every Linux but the smallest. */
const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

/** What a process asks for beyond what it has and that much more is refused to it from now on. */
function limitAddressSpace(pid: number, moreMiB: number): void {
  const [, kib] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  execFileSync('prlimit', ['--pid', String(pid), `--as=${(Number(kib) + moreMiB * 1024) * 1024}`]);
}

for (const engine of engines) {
  describe(`28: a model file of ${engine.meta.id}`, () => {
    it.each(Object.keys(DAMAGES))(
      'that %s is a contained failure of its cell',
      { timeout: 3 * MINUTES },
      async (name) => {
        const kind = engine.meta.artefact as 'onnx';
        const { dir } = await prepareArtefact({ model, kind, precision: 'fp32', device: 'cpu' });
        const error = await open(engine, damaged(dir, DAMAGES[name]!)).then(
          async (session) => {
            await session.close();
            return null;
          },
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(EngineError);
        expect(['failed', 'crashed', 'oom', 'unsupported'], (error as Error).message).toContain(
          (error as EngineError).code,
        );
        expect((error as Error).message.length).toBeGreaterThan(10);
      },
    );

    // PyTorch's cache grows: there is nothing to allocate ahead.
    it.skipIf(engine.meta.artefact === 'checkpoint')(
      '12: memory that no machine has is an oom of its cell, and the session goes on',
      { timeout: 3 * MINUTES },
      async () => {
        const kind = engine.meta.artefact as 'onnx';
        const { dir } = await prepareArtefact({ model, kind, precision: 'fp32', device: 'cpu' });
        const session = await open(engine, dir);
        try {
          const error = await session.generate({ ...SMALL, capacity: 2 ** 30 }).catch((thrown) => thrown);
          expect(error).toBeInstanceOf(EngineError);
          expect((error as EngineError).code, (error as Error).message).toBe(
            // Refused by its own limit of the context, before anything is allocated.
            engine.meta.id === 'genai' ? 'failed' : 'oom',
          );
          expect((await session.generate(SMALL)).tokens[0]).toHaveLength(4);
        } finally {
          await session.close();
        }
      },
    );

    it.skipIf(engine.meta.artefact !== 'checkpoint' || !canLimit)(
      '12: memory that the system refuses is an oom of its cell, and the session goes on',
      { timeout: 3 * MINUTES },
      async () => {
        const { dir } = await prepareArtefact({
          model,
          kind: 'checkpoint',
          precision: 'fp32',
          device: 'cpu',
        });
        const session = await open(engine, dir);
        try {
          await session.generate(SMALL);
          limitAddressSpace((session as ChildSession).pid, 256);
          // 64 × 1,000 tokens: activations and a cache of some GiB.
          const prompts = Array.from({ length: 64 }, () => Array.from({ length: 1000 }, (_, i) => i % 500));
          const error = await session
            .generate({ ...SMALL, prompts, capacity: 1004 })
            .catch((thrown) => thrown);
          expect(error).toBeInstanceOf(EngineError);
          expect((error as EngineError).code, (error as Error).message).toBe('oom');
          expect((await session.generate(SMALL)).tokens[0]).toHaveLength(4);
        } finally {
          await session.close();
        }
      },
    );
  });
}

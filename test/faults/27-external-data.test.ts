import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.ts';
import type { EngineError } from '../../src/errors.ts';
import { ChildSession } from '../../src/runner/child/session.ts';
import { loadRequestSchema } from '../../src/schema/protocol.ts';
import { filesOf, pathOf } from '../corpus/corpus.ts';
import { HostilePlace } from './workplace.ts';

const host = fileURLToPath(new URL('../../dist/engines/native/host.js', import.meta.url));
const place = new HostilePlace();
const secret = join(place.dir, 'secret');
afterAll(() => place.remove());
beforeAll(() => writeFileSync(secret, 'not yours'));

let folders = 0;
function modelFolder(file: string): string {
  const folder = join(place.dir, `model-${folders++}`);
  mkdirSync(folder);
  copyFileSync(pathOf('onnx', file), join(folder, 'model.onnx'));
  return folder;
}

/** What loading it ends with, in a process of its own as a sweep would do it. */
async function loadingFails(engine: string, artefactDir: string): Promise<EngineError> {
  const { PATH = '', HOME = '' } = process.env;
  const command = { file: process.execPath, args: [host, engine], env: { PATH, HOME } };
  const limits = { readySeconds: 60, cellSeconds: 30, closeSeconds: 5 };
  const request = loadRequestSchema.parse({
    model: 'm',
    artefactDir,
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 1,
    maxSequenceLength: 2,
    options: {},
  });
  return await ChildSession.open(command, request, limits).then(
    async (session) => {
      await session.close();
      throw new Error('it was loaded');
    },
    (error) => error as EngineError,
  );
}

/** Those that open model files in this project's own code; Python's check is in runners/tests. */
const OPENING = Object.keys(ENGINES).filter((id) => id.startsWith('onnxruntime'));

describe.each(OPENING)('%s', (engine) => {
  it.each(filesOf('onnx').filter((name) => /^external-(up|absolute|windows|nul|device|in-sub)/.test(name)))(
    '%s: external data outside of its folder is refused before anything is loaded',
    async (name) => {
      const error = await loadingFails(engine, modelFolder(name));
      expect(error).toMatchObject({ code: 'failed' });
      expect(error.message).toMatch(/external data .*(absolute|leaves|NUL)/);
    },
  );

  it('a link out of the folder is refused, and one of a hub cache to its blobs is not', async () => {
    const folder = modelFolder('external-missing.onnx');
    symlinkSync(secret, join(folder, 'absent.data'));
    expect((await loadingFails(engine, folder)).message).toMatch(/is a link that leaves the model folder/);

    const repository = join(place.dir, `models--a--b-${engine}`);
    const snapshot = join(repository, 'snapshots', '0123456789abcdef');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(repository, 'blobs'));
    writeFileSync(join(repository, 'blobs', 'cafe'), Buffer.alloc(64));
    copyFileSync(pathOf('onnx', 'external-missing.onnx'), join(snapshot, 'model.onnx'));
    symlinkSync('../../blobs/cafe', join(snapshot, 'absent.data'));
    // Past this check: what is wrong with it now is that it is no language model.
    expect((await loadingFails(engine, snapshot)).message).toMatch(/GroupQueryAttention/);
  });
});

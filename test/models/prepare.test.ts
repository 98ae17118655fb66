import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EngineError, UserError } from '../../src/errors.ts';
import { type ArtefactFile, readArtefactFile } from '../../src/models/artefact-file.ts';
import { type ResolvedModel, resolveModel } from '../../src/models/catalogue.ts';
import { hashFile, hashJson } from '../../src/models/hashing.ts';
import { type Artefact, cacheUsage, isPrepared, prepareArtefact } from '../../src/models/prepare.ts';
import { prepareModel, verifyArtefact } from '../../src/models/prepare-model.ts';
import { ensurePythonEnvironment } from '../../src/python/environment.ts';
import type { ModelSpec } from '../../src/schema/model.ts';

let root: string;
let nano: ResolvedModel;

beforeAll(async () => {
  // The environment is found before the cache moves, or a new one would be made there.
  const python = await ensurePythonEnvironment(() => {});
  root = await mkdtemp(join(tmpdir(), 'ortbench-prepare-'));
  vi.stubEnv('ORTBENCH_PYTHON', python);
  vi.stubEnv('ORTBENCH_CACHE', join(root, 'cache'));
  nano = await resolveModel('llama-nano', '.');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

const request = (kind: 'checkpoint' | 'onnx' | 'gguf', precision: 'fp32' | 'bf16' | 'int4' = 'int4') => ({
  model: nano,
  kind,
  precision,
  device: 'cpu' as const,
});

async function describing(artefact: Artefact): Promise<ArtefactFile> {
  const file = await readArtefactFile(artefact.dir);
  expect(file).not.toBeNull();
  return file!;
}

describe('prepareArtefact', () => {
  it('makes the checkpoint and the graph once, with the chain of hashes between them', async () => {
    expect(await isPrepared(request('onnx'))).toBe(false);
    const lines: string[] = [];
    const onnx = await prepareArtefact({ ...request('onnx'), onProgress: (line) => lines.push(line) });
    expect(onnx.made).toBe(true);
    expect(lines).toEqual([
      expect.stringContaining('int4 checkpoint'),
      expect.stringContaining('int4 ONNX graph'),
    ]);
    expect(onnx.dir).toMatch(/llama-nano-onnx-int4-[0-9a-f]{16}$/);
    expect(await readdir(onnx.dir)).toEqual([
      'artefact.json',
      'genai',
      'model.onnx',
      'ortbench.json',
      'verified.json',
    ]);

    expect(await isPrepared(request('onnx'))).toBe(true);
    const checkpoint = await prepareArtefact(request('checkpoint'));
    expect(checkpoint.made).toBe(false);
    const chain = await describing(onnx);
    expect(chain.checkpointSha256).toBe(checkpoint.sha256);
    expect(onnx.chain).toEqual({ source: hashJson(chain.recipe.source), checkpoint: checkpoint.sha256 });
    expect(checkpoint.chain).toEqual(onnx.chain);
    expect(chain.origin).toBe('seeded random weights (seed 1)');
    for (const file of chain.files) expect(await hashFile(join(onnx.dir, file.path))).toBe(file.sha256);
    expect(await prepareArtefact(request('onnx'))).toEqual({ ...onnx, made: false });
  });

  it('leaves no path of this machine in what it writes', async () => {
    const { dir } = await prepareArtefact(request('onnx'));
    for (const name of ['artefact.json', 'ortbench.json', 'genai/genai_config.json', 'model.onnx'])
      expect(readFileSync(join(dir, name), 'latin1')).not.toContain(root);
  });

  it('keeps the checkpoint when only the artefact is forced', async () => {
    const before = await prepareArtefact(request('checkpoint'));
    const forced = await prepareArtefact({ ...request('gguf'), force: true });
    expect(forced.made).toBe(true);
    expect(await prepareArtefact(request('checkpoint'))).toEqual({ ...before, made: false });
  });

  it('finds a file that was changed in place, and makes the same artefact anew', async () => {
    for (const kind of ['gguf', 'checkpoint'] as const) {
      const before = await prepareArtefact(request(kind));
      const path = join(before.dir, kind === 'gguf' ? 'model.gguf' : 'model.safetensors');
      const { mtime } = await stat(path);
      const weights = await readFile(path);
      weights[weights.length - 3]! ^= 1;
      const file = await open(path, 'r+');
      await file.write(weights);
      await file.close();
      // As large and as old as it was.
      await utimes(path, mtime, mtime);
      const warnings: string[] = [];
      const onWarning = (line: string) => warnings.push(line);
      expect(await prepareArtefact({ ...request(kind), onWarning })).toEqual({ ...before, made: true });
      expect(warnings).toEqual([
        `the int4 ${kind} of llama-nano in the cache is not what was made (${basename(path)} changed): it is made anew`,
      ]);
      expect(await prepareArtefact(request(kind))).toEqual(before);
    }
  });

  it('makes an artefact anew whose checkpoint is no longer the one that it was made from', async () => {
    const before = await prepareArtefact(request('gguf'));
    const path = join(before.dir, 'artefact.json');
    const file: ArtefactFile = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...file, checkpointSha256: 'another' }));
    const warnings: string[] = [];
    const onWarning = (line: string) => warnings.push(line);
    expect(await prepareArtefact({ ...request('gguf'), onWarning })).toEqual({ ...before, made: true });
    expect(warnings).toEqual([
      'the int4 gguf of llama-nano in the cache was made from another checkpoint: it is made anew',
    ]);
  });

  it('reports what cannot be made as the engine fault that it is', async () => {
    const error = await prepareArtefact(request('onnx', 'bf16')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('no bf16 graph for cpu'),
    });
  });

  it('counts the disk that it uses', async () => {
    const usage = await cacheUsage();
    const kinds = usage.artefacts.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['checkpoint', 'onnx', 'gguf']));
    expect(usage.bytes).toBeGreaterThan(nano.shape.parameters * 4);
  });
});

describe('a local folder', () => {
  let folder: string;
  let model: ResolvedModel;

  beforeAll(async () => {
    const { dir } = await prepareArtefact(request('checkpoint', 'fp32'));
    folder = join(root, 'local');
    await mkdir(folder);
    for (const name of ['config.json', 'model.safetensors'])
      await writeFile(join(folder, name), await readFile(join(dir, name)));
    const spec: ModelSpec = { name: 'local', source: { kind: 'folder', path: 'local' }, layers: 1 };
    model = await resolveModel(spec, root);
  });

  const local = () => ({ ...request('checkpoint', 'fp32'), model });

  it('is known by its content: touched files are the same model, changed ones are another', async () => {
    expect(await isPrepared(local())).toBe(false);
    const first = await prepareArtefact(local());
    expect(first.made).toBe(true);
    expect(await isPrepared(local())).toBe(true);
    const weights = join(folder, 'model.safetensors');
    await utimes(weights, new Date(), new Date(Date.now() + 5000));
    expect(await isPrepared(local())).toBe(false);
    expect(await prepareArtefact(local())).toEqual({ ...first, made: false });
    await writeFile(weights, 'not weights');
    await expect(prepareArtefact(local())).rejects.toThrow(UserError);
    expect(readFileSync(join(first.dir, 'artefact.json'), 'utf8')).not.toContain(root);
  });
});

describe('prepareModel', () => {
  it('makes all kinds, checks every matrix, and goes on after what a format cannot carry', async () => {
    const phi = await resolveModel('phi-nano', '.');
    const results = await prepareModel(phi, ['int4', 'bf16'], ['onnx', 'gguf'], {
      device: 'cpu',
      verify: true,
    });
    expect(results.map(({ kind, precision, outcome }) => `${precision} ${kind} ${outcome}`)).toEqual([
      'int4 checkpoint prepared',
      'int4 onnx prepared',
      'int4 gguf prepared',
      'bf16 checkpoint prepared',
      'bf16 onnx impossible',
      'bf16 gguf prepared',
    ]);
    for (const result of results) {
      if (result.outcome !== 'prepared' || result.kind === 'checkpoint') continue;
      expect(result.verification).toMatchObject({ ok: true, missing: [] });
      expect(result.verification!.tensors.every(({ verdict }) => verdict === 'identical')).toBe(true);
      expect(result.verification!.constants.length).toBeGreaterThan(8);
    }
    const checkpoint = results[0]!;
    expect(checkpoint.outcome).toBe('prepared');
    if (checkpoint.outcome === 'prepared')
      expect((await describing(checkpoint.artefact)).facts.parameters).toBe(phi.shape.parameters);
  });

  it('finds weights that are not the canonical ones', async () => {
    const gguf = await prepareArtefact(request('gguf'));
    const file = join(gguf.dir, 'model.gguf');
    const bytes = await readFile(file);
    // The last tensor of the file is the head.
    bytes[bytes.length - 1] = bytes.at(-1)! ^ 0x11;
    await writeFile(file, bytes);
    // As if it had been made so: what only changed since would be made anew.
    const described = await describing(gguf);
    const sha256 = await hashFile(file);
    const files = described.files.map((own) => (own.path === 'model.gguf' ? { ...own, sha256 } : own));
    await writeFile(join(gguf.dir, 'artefact.json'), JSON.stringify({ ...described, files }));
    const verification = await verifyArtefact(nano, 'gguf', 'int4', 'cpu');
    expect(verification.ok).toBe(false);
    expect(verification.tensors.filter(({ verdict }) => verdict !== 'identical')).toMatchObject([
      { name: 'output.weight', storedAs: 'Q4_0', verdict: 'differs', differing: 2 },
    ]);
  });
});

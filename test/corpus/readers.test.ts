import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSweep } from '../../src/config/load.ts';
import { checkExternalData } from '../../src/engines/onnxruntime/externaldata.ts';
import { readModelFile } from '../../src/engines/onnxruntime/modelfile.ts';
import { EngineError, InfrastructureError, UserError } from '../../src/errors.ts';
import { resolveModel } from '../../src/models/catalogue.ts';
import { MANIFEST_FILE, RECORDS_FILE, readResults } from '../../src/results/reader.ts';
import { parseReply } from '../../src/runner/child/reply.ts';
import { ChildSession } from '../../src/runner/child/session.ts';
import { loadRequestSchema } from '../../src/schema/protocol.ts';
import { makeRun } from '../report/fixtures.ts';
import { filesOf, HOSTILE_STRINGS, isPolluted, pathOf } from './corpus.ts';

const dir = mkdtempSync(join(tmpdir(), 'ortbench-corpus-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let folders = 0;
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = join(dir, String(folders++));
  mkdirSync(folder);
  for (const [name, source] of Object.entries(files)) copyFileSync(source, join(folder, name));
  return folder;
}

/** What was thrown, and the processor time that it took: the clock would tell of other programs, too. */
async function failureOf(work: () => unknown): Promise<{ error: unknown; seconds: number }> {
  const start = process.cpuUsage();
  let error: unknown = null;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  const { user, system } = process.cpuUsage(start);
  expect(isPolluted()).toBe(false);
  return { error, seconds: (user + system) / 1e6 };
}

describe('sweep files', () => {
  it.each(filesOf('sweeps'))('%s is refused in under a second, with line and column', async (name) => {
    const path = pathOf('sweeps', name);
    const { error, seconds } = await failureOf(() => loadSweep(path));
    expect(error).toBeInstanceOf(UserError);
    const message = (error as UserError).message;
    for (const line of message.split('\n')) expect(line).toMatch(/^(.*\.yaml:\d+:\d+: |… and \d+ more)/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them
    expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(message.length).toBeLessThan(20_000);
    expect(seconds).toBeLessThan(1);
  });

  it('takes every hostile string as a title, or refuses it as text', async () => {
    const path = join(dir, 'titled.yaml');
    const rest =
      'models: [llama-nano]\nengines: [fake]\nprecisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\n';
    for (const text of HOSTILE_STRINGS) {
      writeFileSync(path, `${rest}title: ${JSON.stringify(text)}\n`);
      const { error } = await failureOf(async () => {
        expect((await loadSweep(path)).sweep.title).toBe(text);
      });
      if (error !== null) expect(error, JSON.stringify(text)).toBeInstanceOf(UserError);
    }
  });

  it('never opens a file for a hostile string as the name of a model, an engine or an option', async () => {
    const path = join(dir, 'named.yaml');
    const rest = 'precisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\n';
    for (const text of HOSTILE_STRINGS) {
      const quoted = JSON.stringify(text);
      for (const sweep of [
        `models: [${quoted}]\nengines: [fake]\n`,
        `models: [llama-nano]\nengines: [${quoted}]\n`,
        `models: [llama-nano]\nengines: [{engine: fake, options: {${quoted}: 1}}]\n`,
      ]) {
        writeFileSync(path, sweep + rest);
        const { error } = await failureOf(() => loadSweep(path));
        expect(error, sweep).toBeInstanceOf(UserError);
      }
    }
  });
});

describe('model configs', () => {
  /** Their sizes are sound: what is wrong with them is found where weights are read. */
  const PASSES = /^(changed-|quantised)/;

  it.each(filesOf('model-configs'))('%s is refused, naming the file', async (name) => {
    const path = folderWith({ 'config.json': pathOf('model-configs', name) });
    writeFileSync(join(path, 'model.safetensors'), '');
    const { error, seconds } = await failureOf(() =>
      resolveModel({ name: 'hostile', source: { kind: 'folder', path } }, dir),
    );
    if (error === null) expect(name).toMatch(PASSES);
    else {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toContain('config.json');
    }
    expect(seconds).toBeLessThan(1);
  });
});

describe('runner replies', () => {
  const speaker = fileURLToPath(new URL('../fixtures/runners/say.mjs', import.meta.url));
  const request = loadRequestSchema.parse({
    model: 'm',
    artefactDir: '',
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 1,
    maxSequenceLength: 2,
    options: {},
  });

  it.each(filesOf('replies'))('%s ends the session as a protocol error', async (name) => {
    const command = { file: process.execPath, args: [speaker, pathOf('replies', name)], env: {} };
    const limits = { readySeconds: 30, cellSeconds: 30, closeSeconds: 5 };
    const { error } = await failureOf(() => ChildSession.open(command, request, limits));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: 'protocol-error' });
    // The offending line is quoted, not repeated: a report and a terminal print it.
    expect((error as EngineError).message.length).toBeLessThan(1000);
  });

  it('takes every hostile string as an error message, and quotes it where it is none', () => {
    for (const text of HOSTILE_STRINGS) {
      const said = parseReply(JSON.stringify({ type: 'error', id: 0, code: 'failed', message: text }));
      expect(said).toMatchObject({ message: text });
      for (const line of [text, JSON.stringify({ type: text, id: 0 }), `{${JSON.stringify(text)}:1}`]) {
        const refused = parseReply(line);
        expect(refused).toBeInstanceOf(EngineError);
        expect((refused as EngineError).message).not.toMatch(/[\r\n]/);
      }
    }
    expect(isPolluted()).toBe(false);
  });
});

describe('stores', () => {
  const { manifest } = makeRun({ rounds: 1, generate: 2 });
  const storeWith = (name: string): string => {
    const folder = folderWith({ [RECORDS_FILE]: pathOf('stores', name) });
    writeFileSync(join(folder, MANIFEST_FILE), JSON.stringify(manifest));
    return folder;
  };

  it.each(filesOf('stores').filter((name) => name.startsWith('last-')))(
    '%s: the bad last line is dropped with a warning',
    async (name) => {
      const results = await readResults(storeWith(name));
      expect(results.records).toHaveLength(1);
      expect(results.warnings).toEqual([expect.stringMatching(/^records\.jsonl:2 dropped: /)]);
      expect(isPolluted()).toBe(false);
    },
  );

  it.each(filesOf('stores').filter((name) => name.startsWith('middle-')))(
    '%s: damage in the middle is refused, with its line',
    async (name) => {
      const { error } = await failureOf(() => readResults(storeWith(name)));
      expect(error).toBeInstanceOf(InfrastructureError);
      expect((error as Error).message).toMatch(/records\.jsonl:2 is damaged/);
      expect((error as Error).message.length).toBeLessThan(2000);
    },
  );

  it.each([...filesOf('model-configs'), ...filesOf('stores')].slice(0, 40))(
    'a manifest like %s is refused',
    async (name) => {
      const kind = name.endsWith('.json') ? 'model-configs' : 'stores';
      const folder = folderWith({ [MANIFEST_FILE]: pathOf(kind, name) });
      const { error } = await failureOf(() => readResults(folder));
      expect(error).toBeInstanceOf(InfrastructureError);
    },
  );
});

describe('ONNX files', () => {
  /** Their bytes are a model; it is ONNX Runtime that has to say that it cannot be run. */
  const PASSES = /^(changed-|operator-)/;

  it.each(filesOf('onnx'))('%s is refused before ONNX Runtime sees it', async (name) => {
    const folder = folderWith({ 'model.onnx': pathOf('onnx', name) });
    const { error, seconds } = await failureOf(() =>
      checkExternalData(folder, readModelFile(join(folder, 'model.onnx')).externalData),
    );
    if (error === null) expect(name).toMatch(PASSES);
    else expect(error).toBeInstanceOf(EngineError);
    if (name.startsWith('external-')) expect((error as Error).message).toMatch(/external data|valid ONNX/);
    expect(seconds).toBeLessThan(1);
  });

  it('refuses every hostile string as the place of external data', () => {
    const folder = folderWith({});
    for (const text of HOSTILE_STRINGS)
      expect(() => checkExternalData(folder, [text]), JSON.stringify(text)).toThrow(EngineError);
  });
});

describe('GGUF files', () => {
  const host = fileURLToPath(new URL('../../dist/engines/native/host.js', import.meta.url));

  it.each(filesOf('gguf'))('%s fails in its own process, whatever llama.cpp makes of it', async (name) => {
    const artefactDir = folderWith({ 'model.gguf': pathOf('gguf', name) });
    const { PATH = '', HOME = '' } = process.env;
    const command = { file: process.execPath, args: [host, 'llamacpp'], env: { PATH, HOME } };
    const limits = { readySeconds: 40, cellSeconds: 30, closeSeconds: 5 };
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
    const { error } = await failureOf(() => ChildSession.open(command, request, limits));
    expect(error).toBeInstanceOf(EngineError);
    expect(['failed', 'crashed', 'unsupported']).toContain((error as EngineError).code);
    expect(readFileSync(pathOf('gguf', name)).length).toBeLessThan(100_000);
  });
});

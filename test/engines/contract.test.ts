import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.ts';
import { ENGINES } from '../../src/engines/index.ts';
import { type ResolvedModel, resolveModel } from '../../src/models/catalogue.ts';
import { prepareArtefact } from '../../src/models/prepare.ts';
import type { Precision } from '../../src/schema/vocabulary.ts';
import { flagsOf } from '../../src/stats/flags.ts';
import { template } from '../fixtures/template-engine/engine.ts';
import { checkMeta, checkRagged, checkSession, openForContract } from './contract.ts';

/** Every engine of the map, and the template that CONTRIBUTING.md tells to start from. */
const engines = new Map<string, Engine>([
  ...(await Promise.all(Object.entries(ENGINES).map(async ([id, load]) => [id, await load()] as const))),
  ['template', template],
]);

const MINUTES = 60_000;

describe('the engine map', () => {
  it('has exactly one reference', () => {
    const references = [...engines.values()].filter(({ meta }) => meta.reference === true);
    expect(references).toHaveLength(1);
    expect(references[0]?.meta.precisions.cpu?.fp32).toBe(true);
  });

  it('loads no native library when engines are only described', () => {
    const loaded = process.report?.getReport() as { sharedObjects?: string[] } | undefined;
    const native = /onnxruntime|libllama|libggml|koffi/;
    expect(loaded?.sharedObjects?.filter((path) => native.test(path)) ?? []).toEqual([]);
  });
});

for (const [id, engine] of engines) {
  describe(`engine ${id}`, () => {
    const supported = Object.entries(engine.meta.precisions.cpu ?? {})
      .filter(([, support]) => support === true)
      .map(([precision]) => precision as Precision);
    let scratchDir: string;
    let model: ResolvedModel;

    beforeAll(async () => {
      scratchDir = await mkdtemp(join(tmpdir(), 'ortbench-contract-'));
      model = await resolveModel('llama-nano', '.');
      await engine.install?.(() => {});
    });

    const artefactDir = async (precision: Precision): Promise<string> => {
      const { artefact: kind } = engine.meta;
      if (kind === 'none') return '';
      return (await prepareArtefact({ model, kind, precision, device: 'cpu' })).dir;
    };

    it('describes itself', () => checkMeta(id, engine));

    it('is available here, and says what it lacks elsewhere', async () => {
      const here = await engine.probe('cpu', {});
      expect(here, here.available ? '' : here.reason).toMatchObject({ available: true });
      const elsewhere = await engine.probe('cuda', {});
      if (!elsewhere.available) {
        expect(elsewhere.reason.length).toBeGreaterThan(10);
        expect(elsewhere.mend.length).toBeGreaterThan(3);
      }
    });

    it.each(supported)(
      'measures honestly at %s',
      async (precision) => {
        const contract = { engine, precision, artefactDir: await artefactDir(precision), scratchDir };
        const tokens = await checkSession(contract);
        if (precision !== 'fp32' || engine.meta.artefact === 'none') return;
        fp32Answers.set(id, tokens);
        for (const [other, answer] of fp32Answers) expect(tokens, `${id} against ${other}`).toEqual(answer);
      },
      10 * MINUTES,
    );

    const insisted = Object.entries(engine.meta.precisions.cpu ?? {}).flatMap(([precision, support]) =>
      typeof support === 'object' ? [[precision as Precision, support] as const] : [],
    );
    it.each(insisted)(
      'refuses %s, and runs it where somebody insists, saying what it computed in',
      async (precision, { reason, insist, computesIn }) => {
        const contract = { engine, precision, artefactDir: await artefactDir(precision), scratchDir };
        await expect(openForContract(contract)).rejects.toMatchObject({
          name: 'EngineError',
          code: 'unsupported',
          message: expect.stringContaining(reason),
        });
        const options = { [insist.option]: insist.value };
        await checkSession({ ...contract, options });
        const session = await openForContract({ ...contract, options });
        const { effective } = session.loaded;
        await session.close();
        expect(flagsOf([], effective).map(({ name }) => name)).toContain(`computed-in-${computesIn}`);
      },
      10 * MINUTES,
    );

    it.runIf(engine.meta.ragged)(
      'answers each sequence of a ragged batch as if it were alone',
      async () =>
        checkRagged({ engine, precision: 'fp32', artefactDir: await artefactDir('fp32'), scratchDir }),
      10 * MINUTES,
    );
  });
}

/** Greedy tokens of one uniform batch: in fp32, engines that compute the same thing say the same. */
const fp32Answers = new Map<string, number[][]>();

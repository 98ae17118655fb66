import { afterAll, describe, expect, it } from 'vitest';
import { redactSecrets, withoutSecrets } from '../../src/files/redact.ts';
import { environmentSchema } from '../../src/schema/manifest.ts';
import { HostilePlace, SWEEP } from './workplace.ts';

const CANARIES = {
  environment: 'canary-in-the-environment-7f3a91',
  argument: 'hf_canaryInAnArgument7f3a91',
  url: 'canaryInAUrl7f3a91',
  query: 'canaryInAQuery7f3a91',
};
const place = new HostilePlace();
afterAll(() => place.remove());

const ENV = {
  HF_TOKEN: CANARIES.environment,
  OTHER_API_KEY: CANARIES.environment,
  // What huggingface_hub prints in its traceback when nobody answers there.
  HF_ENDPOINT: `http://user:${CANARIES.url}@127.0.0.1:9`,
  ORTBENCH_CANARY: 'canary-of-an-ordinary-variable-7f3a91',
};

function leaks(texts: readonly { path: string; text: string }[]): string[] {
  return texts.flatMap(({ path, text }) =>
    [...Object.values(CANARIES), ENV.ORTBENCH_CANARY]
      .filter((canary) => text.includes(canary))
      .map((canary) => `${canary} in ${path}`),
  );
}

describe('a canary token', () => {
  it('is in no artefact of a run: results, report, charts and logs', async () => {
    place.write('canary.yaml', {
      ...SWEEP,
      title: `with ${CANARIES.argument}`,
      models: [
        'llama-nano',
        {
          // Not to be had: the preparer's error names the address, and what is set in the environment.
          name: 'from-hub',
          source: {
            kind: 'hub',
            id: 'owner/name',
            revision: '0'.repeat(40),
            config: {
              model_type: 'llama',
              vocab_size: 64,
              hidden_size: 32,
              intermediate_size: 64,
              num_hidden_layers: 1,
              num_attention_heads: 4,
              max_position_embeddings: 64,
            },
          },
        },
      ],
      engines: [
        'fake',
        {
          engine: 'onnxruntime',
          options: { libraryPath: `https://user:${CANARIES.url}@attacker.invalid/x?token=${CANARIES.query}` },
        },
        'pytorch-eager',
      ],
    });
    const run = await place.run(['sweep', 'canary.yaml', '--no-parity', '--out', 'out'], ENV);
    expect(run.stderr).toMatch(/from-hub/);
    const again = await place.run(['report', 'out', '--json'], ENV);
    const refused = await place.run(['plan', 'canary.yaml', '--only', `engine=${CANARIES.argument}`], ENV);
    expect(refused.code).toBe(2);
    const doctor = await place.run(['doctor', '--json'], ENV);

    const printed = { run, again, refused, doctor };
    const said = Object.entries(printed).flatMap(([path, { stdout, stderr }]) => [
      { path: `stdout of ${path}`, text: stdout },
      { path: `stderr of ${path}`, text: stderr },
    ]);
    const made = place.files().filter(({ path }) => path !== 'canary.yaml');
    expect(made.length).toBeGreaterThan(5);
    expect(leaks([...made, ...said])).toEqual([]);
    // The places where they would have been.
    const records = made.find(({ path }) => path === 'out/manifest.json')!.text;
    expect(records).toContain('hf_***');
    expect(records).toContain('//***@attacker.invalid');
  }, 300_000);

  it('is taken out of a traceback, an address and an object, and out of nothing else', () => {
    process.env.CANARY_TOKEN = CANARIES.environment;
    try {
      const traceback = `Traceback:\n  headers={'authorization': 'Bearer ${CANARIES.environment}'}\nValueError`;
      expect(redactSecrets(traceback)).toBe(traceback.replace(CANARIES.environment, '***'));
      expect(redactSecrets('see https://huggingface.co/a/b@main')).toBe(
        'see https://huggingface.co/a/b@main',
      );
      expect(redactSecrets('2 // 3 me@home')).toBe('2 // 3 me@home');
      const record = { reason: [`x ${CANARIES.argument}`], versions: { [CANARIES.environment]: 1 }, n: null };
      expect(withoutSecrets(record)).toEqual({ reason: ['x hf_***'], versions: { '***': 1 }, n: null });
    } finally {
      delete process.env.CANARY_TOKEN;
    }
  });
});

describe('the captured environment', () => {
  it('is an allow-list of facts of the machine', () => {
    expect(Object.keys(environmentSchema.shape).sort()).toEqual(
      'arch cpuFeatures cpuGovernor cpuModel gpu kernel logicalCores memoryMiB node ortbench ortbenchCommit os physicalCores roofline virtualised'.split(
        ' ',
      ),
    );
    expect(environmentSchema.safeParse({ HOME: '/root' }).success).toBe(false);
  });
});

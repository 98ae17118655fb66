import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HostilePlace, SWEEP } from './workplace.ts';

// There is no flag that allows it: a model runs in every engine or in none, so each family is known to ortbench, and what
// code a checkpoint brings along is never asked. Nothing is left to be stamped but the pinned revision.
const places: HostilePlace[] = [];
afterAll(() => {
  for (const place of places) place.remove();
});

const CONFIG = {
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  max_position_embeddings: 64,
  auto_map: { AutoConfig: 'evil.Evil', AutoModelForCausalLM: 'evil.Evil' },
};

function modelWithCode(modelType: string): { place: HostilePlace; ran: string } {
  const place = new HostilePlace();
  places.push(place);
  const ran = join(place.dir, 'remote-code-ran');
  place.write('config.json', JSON.stringify({ ...CONFIG, model_type: modelType }));
  place.write('evil.py', `open(${JSON.stringify(ran)}, "w").close()\nclass Evil: pass\n`);
  place.write('model.safetensors', '');
  return { place, ran };
}

describe('code of a checkpoint', () => {
  it('is no way to bring another architecture: the family is unknown, exit 2', async () => {
    const { place, ran } = modelWithCode('evil');
    place.write('remote.yaml', {
      ...SWEEP,
      models: [{ name: 'evil', source: { kind: 'folder', path: '.' } }],
    });
    const { code, stderr } = await place.run(['sweep', 'remote.yaml']);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/model_type: expected one of .*, found "evil"/);
    expect(existsSync(ran)).toBe(false);
  });

  it('beside a known architecture is not run by the preparer', async () => {
    const { place, ran } = modelWithCode('llama');
    place.write('remote.yaml', {
      ...SWEEP,
      models: [{ name: 'evil', source: { kind: 'folder', path: '.' } }],
    });
    const { code, stderr } = await place.run(['prepare', 'remote.yaml', '--engine', 'pytorch-eager']);
    // Its weights are empty: that is what the preparer has to say, after it read config.json.
    expect(code, stderr).not.toBe(0);
    expect(existsSync(ran)).toBe(false);
  });

  it.each(['trustRemoteCode', 'trust_remote_code', 'hf_remote'])(
    '%s is no option of a sweep',
    async (key) => {
      const place = new HostilePlace();
      places.push(place);
      place.write('remote.yaml', { ...SWEEP, [key]: true });
      const { code, stderr } = await place.run(['plan', 'remote.yaml']);
      expect(code).toBe(2);
      expect(stderr).toMatch(new RegExp(`${key}: unknown key`));
    },
  );

  it.each(['main', 'v1.0', 'abc1234', ''])(
    'a hub model at the revision %j is refused: it can move',
    async (revision) => {
      const place = new HostilePlace();
      places.push(place);
      const source = { kind: 'hub', id: 'owner/name', revision };
      place.write('remote.yaml', { ...SWEEP, models: [{ name: 'moving', source }] });
      const { code, stderr } = await place.run(['plan', 'remote.yaml']);
      expect(code, stderr).toBe(2);
      expect(stderr).toContain('a full 40-digit commit hash');
    },
  );
});

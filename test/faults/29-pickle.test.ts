import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HostilePlace, SWEEP } from './workplace.ts';

const places: HostilePlace[] = [];
afterAll(() => {
  for (const place of places) place.remove();
});

const CONFIG = {
  model_type: 'llama',
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  max_position_embeddings: 64,
};

// That the Python side refuses them too: runners/tests/test_hostile.py.
test.each(['pytorch_model.bin', 'model.pt', 'weights.pth'])(
  'a model folder with %s alone is refused before it is read, with what to do',
  async (name) => {
    const place = new HostilePlace();
    places.push(place);
    const touched = join(place.dir, 'pickle-ran');
    place.write('config.json', JSON.stringify(CONFIG));
    // What runs when it is unpickled: posix.system('touch …').
    place.write(name, Buffer.from(`cposix\nsystem\n(S'touch ${touched}'\ntR.`));
    place.write('pickled.yaml', {
      ...SWEEP,
      models: [{ name: 'pickled', source: { kind: 'folder', path: '.' } }],
    });
    for (const command of ['plan', 'sweep', 'prepare']) {
      const { code, stderr } = await place.run([command, 'pickled.yaml']);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(/pickled\.yaml:\d+:\d+: .*no safetensors weights/);
      expect(stderr).toContain(`${name} is a pickle, which can run code when loaded`);
    }
    expect(existsSync(touched)).toBe(false);
  },
);

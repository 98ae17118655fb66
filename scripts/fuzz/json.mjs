import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { draw, mutate, pick } from '../../test/corpus/random.mjs';

const texts = readFileSync(
  fileURLToPath(new URL('../../test/corpus/data/strings.jsonl', import.meta.url)),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line).text);

const VALUES = [null, true, false, 0, -1, 0.5, 1e308, 2 ** 53, -0, '', [], {}, [[]], [null], { a: null }];
/** Written for the text that JSON.stringify makes of it: JSON itself has no such numbers. */
const RAW = ['1e999', '-1e999', '00', '1e', 'NaN', '0x1', '{"__proto__":{"polluted":true}}', '['.repeat(200)];
const MARK = 'a value that is no JSON';

/** Up to three values of a JSON text replaced, removed, doubled or renamed; bytes changed where it is none. */
export function changeJson(random, bytes) {
  let value;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return mutate(random, bytes);
  }
  const root = { value };
  for (let changes = draw(random, 4); changes > 0; changes--) changeOne(random, root);
  const text = JSON.stringify(root.value) ?? '';
  return Buffer.from(text.replaceAll(`"${MARK}"`, () => pick(random, RAW)));
}

function changeOne(random, root) {
  const places = [];
  const walk = (parent) => {
    for (const key of Object.keys(parent)) {
      places.push([parent, key]);
      if (typeof parent[key] === 'object' && parent[key] !== null) walk(parent[key]);
    }
  };
  walk(root);
  const [parent, key] = pick(random, places);
  const set = (name, value) =>
    Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
  switch (draw(random, 6)) {
    case 0:
      set(key, structuredClone(pick(random, VALUES)));
      break;
    case 1:
      set(key, pick(random, texts));
      break;
    case 2:
      set(key, MARK);
      break;
    case 3:
      if (parent !== root) delete parent[key];
      break;
    case 4:
      if (!Array.isArray(parent) && parent !== root) set(pick(random, texts), parent[key]);
      break;
    default: {
      const [other, from] = pick(random, places);
      set(key, structuredClone(other[from]));
    }
  }
}

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** The same numbers from the same seed on every machine, and quite other ones from the next seed. */
export function seeded(seed) {
  // The finaliser of MurmurHash3, and some numbers that nobody sees: neighbouring seeds begin alike.
  let mixed = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  const random = xoroshiro128plus((mixed ^ (mixed >>> 16)) | 0);
  for (let i = 0; i < 16; i++) random.next();
  return random;
}

/** A whole number from 0 to `below` − 1. */
export const draw = (random, below) => uniformInt(random, 0, below - 1);

export const pick = (random, list) => list[draw(random, list.length)];

const INTERESTING = [
  0x00, 0x01, 0x0a, 0x20, 0x22, 0x2d, 0x39, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xf4, 0xfe, 0xff,
];

/** Up to eight changes of a buffer: a byte flipped, set, dropped or repeated, or a piece cut, doubled or moved. */
export function mutate(random, bytes) {
  let result = Buffer.from(bytes);
  for (let change = 0; change <= draw(random, 8); change++) {
    if (result.length === 0) return Buffer.from([pick(random, INTERESTING)]);
    const at = draw(random, result.length);
    const length = 1 + draw(random, Math.min(64, result.length - at));
    const piece = result.subarray(at, at + length);
    const [before, after] = [result.subarray(0, at), result.subarray(at + length)];
    switch (draw(random, 7)) {
      case 0:
        result[at] ^= 1 << draw(random, 8);
        break;
      case 1:
        result[at] = pick(random, INTERESTING);
        break;
      case 2:
        result = Buffer.concat([before, after]);
        break;
      case 3:
        result = Buffer.concat([before, piece, piece, after]);
        break;
      case 4:
        result = result.subarray(0, at);
        break;
      case 5:
        result = Buffer.concat([before, Buffer.alloc(length, pick(random, INTERESTING)), after]);
        break;
      default: {
        const to = draw(random, before.length + after.length + 1);
        const rest = Buffer.concat([before, after]);
        result = Buffer.concat([rest.subarray(0, to), piece, rest.subarray(to)]);
      }
    }
  }
  return result;
}

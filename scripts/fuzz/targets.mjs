/** The readers that are fuzzed. `make` draws an input; `read` says whether it was accepted, and throws what no reader may. */
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { draw, mutate, pick } from '../../test/corpus/random.mjs';
import { sweeps as honestSweeps, MANIFEST, MODEL_CONFIG, ONNX, RECORDS } from './honest.mjs';
import { changeJson } from './json.mjs';

const corpus = fileURLToPath(new URL('../../test/corpus/data', import.meta.url));
const bases = (kind) =>
  readdirSync(join(corpus, kind))
    .sort()
    .map((name) => readFileSync(join(corpus, kind, name)))
    .filter(({ length }) => length < 5000);
const golden = fileURLToPath(new URL('../../runners/tests/golden', import.meta.url));

const sealed = (body) =>
  Buffer.concat([body, Buffer.from(`,"crc32":"${crc32(body).toString(16).padStart(8, '0')}"}`)]);

/** Refused in the reader's own words is right; anything else is thrown on. */
async function accepts(kinds, work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (kinds.some((kind) => error instanceof kind)) return false;
    throw error;
  }
}

export async function makeTargets(scratch) {
  const { EngineError, InfrastructureError, UserError } = await import('../../dist/errors.js');
  const { parseReply } = await import('../../dist/runner/child/reply.js');
  const { runnerLines } = await import('../../dist/runner/child/lines.js');
  const { decodeLine } = await import('../../dist/results/line.js');
  const { readRecords, readManifest } = await import('../../dist/results/reader.js');
  const { readModelFile } = await import('../../dist/engines/onnxruntime/modelfile.js');
  const { loadSweep } = await import('../../dist/config/load.js');
  const { resolveModel } = await import('../../dist/models/catalogue.js');
  const place = (name) => {
    mkdirSync(join(scratch, name), { recursive: true });
    return join(scratch, name);
  };

  const replies = [...goldenReplies(), ...bases('replies')];
  const honestLines = RECORDS.map((record) => sealed(record.subarray(0, -1)));
  const stores = [
    ...bases('stores'),
    Buffer.concat(honestLines.flatMap((line) => [line, Buffer.from('\n')])),
  ];
  const lines = stores
    .flatMap((bytes) => bytes.toString('latin1').split('\n'))
    .filter((line) => line.length > 20)
    .map((line) => Buffer.from(line, 'latin1'))
    .concat(...honestLines.map((line) => Array(5).fill(line)));
  const sweeps = bases('sweeps');
  const honest = honestSweeps();
  const configs = bases('model-configs');
  const models = bases('onnx');
  /** Half of them from what is right. */
  const either = (random, right, wrong) => pick(random, draw(random, 2) === 0 ? right : wrong);
  const jsonOrBytes = (random, base) =>
    draw(random, 2) === 0 ? changeJson(random, base) : mutate(random, base);

  return {
    reply: {
      make: (random) => jsonOrBytes(random, pick(random, replies)),
      read(bytes) {
        let accepted = false;
        // As a pipe delivers it: in pieces that end anywhere.
        const splitter = runnerLines(1 << 20);
        const middle = Math.floor(bytes.length / 2);
        const whole = Buffer.concat([bytes, Buffer.from('\n')]);
        for (const piece of [whole.subarray(0, middle), whole.subarray(middle)]) {
          for (const line of splitter.push(piece)) {
            const reply = parseReply(line.toString('utf8'));
            if (reply instanceof EngineError) {
              if (reply.code !== 'protocol-error') throw new Error(`refused as ${reply.code}`);
            } else {
              accepted = true;
              if (parseReply(JSON.stringify(reply)) instanceof EngineError)
                throw new Error('what was accepted is refused when written again');
            }
          }
        }
        return accepted;
      },
    },
    record: {
      make: (random) => {
        const line = pick(random, lines);
        const end = line.lastIndexOf(',"crc32":"');
        if (end < 0) return mutate(random, line);
        // Half of them with a checksum that fits, so that it does not hide what comes after it.
        const body = jsonOrBytes(random, Buffer.concat([line.subarray(0, end), Buffer.from('}')]));
        return draw(random, 2) === 0 ? body : sealed(body.subarray(0, -1));
      },
      read(bytes) {
        const decoded = decodeLine(bytes.toString('utf8'));
        if ('record' in decoded) return true;
        if (typeof decoded.problem !== 'string') throw new Error('neither a record nor a problem');
        return false;
      },
    },
    records: {
      make: (random) => mutate(random, pick(random, stores)),
      async read(bytes) {
        const folder = place('records');
        const path = join(folder, 'records.jsonl');
        writeFileSync(path, bytes);
        const before = [];
        let end;
        const accepted = await accepts([InfrastructureError], async () => {
          end = await readRecords(folder, (record) => before.push(record));
        });
        if (!accepted) return false;
        // What a resumed run does: cut off what is torn, and go on after it.
        truncateSync(path, end.goodBytes);
        const after = [];
        const again = await readRecords(folder, (record) => after.push(record));
        if (again.warnings.length > 0 || again.goodBytes !== end.goodBytes)
          throw new Error('torn after its repair');
        if (JSON.stringify(after) !== JSON.stringify(before))
          throw new Error('other records after its repair');
        return true;
      },
    },
    manifest: {
      make: (random) => jsonOrBytes(random, either(random, [MANIFEST], configs)),
      read(bytes) {
        const folder = place('manifest');
        writeFileSync(join(folder, 'manifest.json'), bytes);
        return accepts([InfrastructureError, UserError], () => readManifest(folder));
      },
    },
    sweep: {
      make: (random) => mutate(random, either(random, honest, sweeps)),
      read(bytes) {
        const path = join(place('sweep'), 'sweep.yaml');
        writeFileSync(path, bytes);
        return accepts([UserError], () => loadSweep(path));
      },
    },
    'model-config': {
      make: (random) => jsonOrBytes(random, either(random, [MODEL_CONFIG], configs)),
      read(bytes) {
        const path = place('model');
        writeFileSync(join(path, 'config.json'), bytes);
        writeFileSync(join(path, 'model.safetensors'), '');
        return accepts([UserError], () =>
          resolveModel({ name: 'm', source: { kind: 'folder', path } }, scratch),
        );
      },
    },
    onnx: {
      make: (random) => mutate(random, either(random, [ONNX], models)),
      read(bytes) {
        const path = join(place('onnx'), 'model.onnx');
        writeFileSync(path, bytes);
        return accepts([EngineError], async () => readModelFile(path));
      },
    },
  };
}

/** Honest messages of both sides, from the transcripts that the protocol is tested with. */
function goldenReplies() {
  return readdirSync(golden)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(golden, name), 'utf8').split('\n'))
    .filter((line) => line.trim() !== '')
    .map((line) => Buffer.from(JSON.stringify(JSON.parse(line).reply)));
}

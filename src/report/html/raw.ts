import { promisify } from 'node:util';
import { gzip as gzipWithCallback, type ZlibOptions } from 'node:zlib';
import { recordSchema } from '../../schema/record.ts';
import { recordWithoutPaths } from '../machine-paths.ts';
import type { ReportInput } from '../model.ts';

/** The records of the runs for whoever wants to look again: within the page while they are few, else in a file beside it. */
export type RawRecords =
  | { readonly kind: 'inline'; readonly base64: string; readonly count: number }
  | {
      readonly kind: 'beside';
      readonly path: string;
      readonly count: number;
      readonly content: Iterable<Uint8Array>;
    };

/** JSON characters up to which the page carries its records: about a third of that when compressed. */
const MOST_INLINE = 6_000_000;
const RAW_FILE = 'records.jsonl.gz';
/** Text compressed at once. */
const BLOCK = 4_000_000;
/** Half the time of the usual 6 for a twentieth more bytes, as digits have little that repeats. */
const LEVEL = 4;

/**
 * Of each run its manifest, then every record with all of its single times, a line each. They are read again from where
 * the run is stored, and only what they compress to is held. The sweep's configuration and options stay out: they may
 * name folders.
 */
export async function rawRecords(
  inputs: readonly ReportInput[],
  mostInline = MOST_INLINE,
): Promise<RawRecords> {
  // Members of one gzip file one after another: every reader joins them.
  const members: Buffer[] = [];
  let block = '';
  let characters = 0;
  let count = 0;
  let compressed = Promise.resolve();
  /** On another thread, while the next block fills. @returns once the block before it is done: no more than two are held. */
  const compress = (): Promise<void> => {
    const [text, before] = [block, compressed];
    block = '';
    compressed = before.then(async () => void members.push(await gzip(text)));
    // A failure is thrown where this one is awaited; until then it must not count as one that nobody looks after.
    compressed.catch(() => {});
    return before;
  };
  const write = (json: string): void | Promise<void> => {
    block += json;
    block += '\n';
    characters += json.length + 1;
    if (block.length >= BLOCK) return compress();
  };
  for (const { manifest, records, raw } of inputs) {
    const { config, engines, ...rest } = manifest;
    const shownEngines = engines.map(({ options, ...shown }) => shown);
    await write(JSON.stringify({ kind: 'manifest', ...rest, engines: shownEngines }));
    const visit = (json: string) => {
      count++;
      return write(json);
    };
    if (raw === undefined) for (const record of records) await visit(JSON.stringify(record));
    else await raw((json) => visit(stored(json)));
  }
  if (block !== '') await compress();
  await compressed;
  if (characters > mostInline) return { kind: 'beside', path: RAW_FILE, count, content: members };
  return { kind: 'inline', base64: Buffer.concat(members).toString('base64'), count };
}

const SAMPLE = '{"kind":"sample",';

/** Samples are numbers, name no folders, and are most of what there is: they are not even parsed. */
const stored = (json: string): string =>
  json.startsWith(SAMPLE) ? json : JSON.stringify(recordWithoutPaths(recordSchema.parse(JSON.parse(json))));

const gzipInThread = promisify<string, ZlibOptions, Buffer>(gzipWithCallback);

/** The byte of the header that names the operating system says "unknown": the same bytes on each. */
async function gzip(text: string): Promise<Buffer> {
  const bytes = await gzipInThread(text, { level: LEVEL });
  bytes[9] = 255;
  return bytes;
}

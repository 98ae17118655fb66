import { gzipSync } from 'node:zlib';
import type { RunRecord } from '../../schema/record.ts';
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
  const write = (line: unknown): void => {
    const text = `${JSON.stringify(line)}\n`;
    block += text;
    characters += text.length;
    if (block.length < BLOCK) return;
    members.push(gzip(block));
    block = '';
  };
  for (const { manifest, records, raw } of inputs) {
    const { config, engines, ...rest } = manifest;
    write({ kind: 'manifest', ...rest, engines: engines.map(({ options, ...shown }) => shown) });
    const visit = (record: RunRecord): void => {
      count++;
      write(recordWithoutPaths(record));
    };
    if (raw === undefined) for (const record of records) write(record);
    else await raw(visit);
    if (raw === undefined) count += records.length;
  }
  if (block !== '') members.push(gzip(block));
  if (characters > mostInline) return { kind: 'beside', path: RAW_FILE, count, content: members };
  return { kind: 'inline', base64: Buffer.concat(members).toString('base64'), count };
}

/** The byte of the header that names the operating system says "unknown": the same bytes on each. */
function gzip(text: string): Buffer {
  const bytes = gzipSync(text, { level: 6 });
  bytes[9] = 255;
  return bytes;
}

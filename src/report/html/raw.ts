import { gzipSync } from 'node:zlib';
import type { ReportInput } from '../model.ts';

/** The records of the run for whoever wants to look again: within the page while they are few, else in a file beside it. */
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
/** Text compressed at once: what is held in memory. */
const BLOCK = 4_000_000;

/** Manifest, then every record, one line each. The sweep's configuration and options stay out: they may name folders. */
function* lines({ manifest, records }: ReportInput): Generator<string> {
  const { config, engines, ...rest } = manifest;
  yield `${JSON.stringify({ kind: 'manifest', ...rest, engines: engines.map(({ options, ...shown }) => shown) })}\n`;
  for (const record of records) yield `${JSON.stringify(record)}\n`;
}

export function rawRecords(input: ReportInput, mostInline = MOST_INLINE): RawRecords {
  const count = input.records.length;
  let text = '';
  for (const line of lines(input)) {
    text += line;
    if (text.length > mostInline) {
      return { kind: 'beside', path: RAW_FILE, count, content: compressed(lines(input)) };
    }
  }
  return { kind: 'inline', base64: gzip(text).toString('base64'), count };
}

/** Members of one gzip file one after another: every reader joins them. */
function* compressed(text: Iterable<string>): Generator<Uint8Array> {
  let block = '';
  for (const line of text) {
    block += line;
    if (block.length < BLOCK) continue;
    yield gzip(block);
    block = '';
  }
  if (block !== '') yield gzip(block);
}

/** The byte of the header that names the operating system says "unknown": the same bytes on each. */
function gzip(text: string): Buffer {
  const bytes = gzipSync(text, { level: 6 });
  bytes[9] = 255;
  return bytes;
}

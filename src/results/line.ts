import { crc32 } from 'node:zlib';
import { type RunRecord, recordSchema } from '../schema/record.ts';

/** A record as one line of JSON whose last member is a checksum of all that precedes it. */
export function encodeLine(record: RunRecord): string {
  const body = JSON.stringify(record).slice(0, -1);
  return `${body},"crc32":"${checksum(body)}"}\n`;
}

const CHECKSUM = /,"crc32":"([0-9a-f]{8})"\}$/;

/** The JSON of a line's record, or what is wrong with the line, which comes without its newline. */
export function checkedJson(line: string): { json: string } | { problem: string } {
  const match = CHECKSUM.exec(line);
  if (match === null) return { problem: 'it has no checksum at its end' };
  const body = line.slice(0, match.index);
  return checksum(body) === match[1]
    ? { json: `${body}}` }
    : { problem: 'its checksum does not match its content' };
}

/** The record of a line, or what is wrong with it. */
export function decodeLine(line: string): { record: RunRecord } | { problem: string } {
  const checked = checkedJson(line);
  if ('problem' in checked) return checked;
  let json: unknown;
  try {
    json = JSON.parse(checked.json);
  } catch {
    return { problem: 'it is not JSON' };
  }
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return { record: parsed.data };
  const issue = parsed.error.issues[0];
  return { problem: `its content is not a record: ${issue?.path.join('.')}: ${issue?.message}` };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

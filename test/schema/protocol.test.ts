import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandSchema, replySchema } from '../../src/schema/protocol.ts';

const golden = fileURLToPath(new URL('../../runners/tests/golden/', import.meta.url));
const transcripts = readdirSync(golden).filter((name) => name.endsWith('.jsonl'));

describe('the runner protocol', () => {
  it('has transcripts to hold to', () => expect(transcripts.length).toBeGreaterThan(0));

  it.each(transcripts)('reads and refuses in %s what the Python runners read and refuse', (name) => {
    for (const line of readFileSync(golden + name, 'utf8')
      .trim()
      .split('\n')) {
      const { command, reply } = JSON.parse(line);
      if (name.startsWith('invalid-')) expect(commandSchema.safeParse(command).success, line).toBe(false);
      else expect(commandSchema.parse(command)).toEqual(command);
      expect(replySchema.parse(reply)).toEqual(reply);
    }
  });
});

import { describe, expect, it } from 'vitest';
import {
  bufferSizesMiB,
  LogSink,
  resolvedFlashAttention,
} from '../../../../src/engines/llamacpp/capi/log.ts';

const INFO = 2;
const ERROR = 4;
const CONTINUE = 5;

describe('LogSink', () => {
  it('keeps errors and only errors, until they are taken', () => {
    const log = new LogSink();
    log.write(INFO, 'all is well\n');
    log.write(ERROR, 'first\n');
    log.write(ERROR, 'second\n');
    expect(log.takeErrors()).toBe('first; second');
    expect(log.takeErrors()).toBe('');
  });

  it('keeps a continued error and drops a continued remark', () => {
    const log = new LogSink();
    log.write(INFO, 'dots');
    log.write(CONTINUE, '...');
    log.write(ERROR, 'broken');
    log.write(CONTINUE, 'very');
    expect(log.takeErrors()).toBe('broken; very');
  });

  it('stays small under a flood', () => {
    const log = new LogSink();
    const { lines } = log.capture(() => {
      for (let i = 0; i < 100_000; i++) log.write(ERROR, `error ${i}`);
    });
    expect(lines.length).toBeLessThanOrEqual(2000);
    expect(log.takeErrors().split('; ')).toHaveLength(8);
  });

  it('captures only while the work runs, and ends when it throws', () => {
    const log = new LogSink();
    log.write(INFO, 'before');
    expect(log.capture(() => log.write(INFO, 'during\n')).lines).toEqual(['during']);
    expect(() =>
      log.capture(() => {
        throw new Error('failed');
      }),
    ).toThrowError('failed');
    expect(log.capture(() => {}).lines).toEqual([]);
  });
});

describe('facts read from the log', () => {
  const lines = [
    'load_tensors:          CPU model buffer size =     0.25 MiB',
    'load_tensors:   CPU_REPACK model buffer size =    12.00 MiB',
    'llama_kv_cache:        CPU KV buffer size =     3.50 MiB',
    'llama_kv_cache:        CPU KV buffer size =     1.50 MiB',
  ];

  it('adds buffers of one kind and keeps kinds apart', () => {
    expect(Object.fromEntries(bufferSizesMiB(lines, 'model'))).toEqual({ CPU: 0.25, CPU_REPACK: 12 });
    expect(bufferSizesMiB(lines, 'KV').get('CPU')).toBe(5);
    expect(bufferSizesMiB(lines, 'compute').size).toBe(0);
  });

  it.each([
    ['resolve_fused_ops: Flash Attention enabled', 'on'],
    ['resolve_fused_ops: Flash Attention not supported, set to disabled', 'off'],
    ['llama_context: Flash Attention was auto, set to enabled', 'on'],
    ['llama_context: flash_attn = auto', null],
  ])('%s → %s', (line, expected) => {
    expect(resolvedFlashAttention([line])).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import type { EngineSession } from '../../src/engines/engine.ts';
import { EngineError } from '../../src/errors.ts';
import { takeSample, warmUp } from '../../src/runner/measure.ts';
import type { Work } from '../../src/runner/work.ts';
import type { GenerateRequest, Generation } from '../../src/schema/protocol.ts';

const work: Work = { prompts: [[1, 2, 3]], generate: 5, capacity: 8, promptTokens: 3, promptsSha256: 'x' };

interface Script {
  prefillMs: number;
  stepMs: number;
  recompilesAt?: (run: number) => number;
  tokens?: (run: number) => number;
}

/** A session that claims times instead of taking them: what is tested is who is called, how often. */
function scripted({ prefillMs, stepMs, recompilesAt = () => 0, tokens = () => 7 }: Script) {
  const requests: GenerateRequest[] = [];
  const generate = async (request: GenerateRequest): Promise<Generation> => {
    const run = requests.push(request) - 1;
    const steps = request.generate - 1;
    return {
      prefillNs: prefillMs * 1e6,
      stepNs: Array.from({ length: steps }, () => stepMs * 1e6),
      selectNs: Array.from({ length: request.generate }, () => 1),
      tokens: [Array.from({ length: request.generate }, () => tokens(run))],
      recompiles: recompilesAt(run),
      wallNs: (prefillMs + steps * stepMs) * 1e6 + 10,
      peakRssBytes: null,
      peakDeviceBytes: null,
    };
  };
  return { session: { generate } as unknown as EngineSession, requests };
}

describe('takeSample', () => {
  it('takes one whole run where that is long enough', async () => {
    const { session, requests } = scripted({ prefillMs: 600, stepMs: 200 });
    expect(await takeSample(session, work, 0.5)).toHaveLength(1);
    expect(requests.map(({ generate }) => generate)).toEqual([5]);
  });

  it('repeats decode until it is long enough, then prefill alone', async () => {
    const { session, requests } = scripted({ prefillMs: 50, stepMs: 25 });
    const runs = await takeSample(session, work, 0.5);
    const whole = runs.filter(({ stepNs }) => stepNs.length > 0);
    // 4 steps of 25 ms a run: 5 runs; they hold 250 ms of prefill, so 5 more prefills.
    expect(whole).toHaveLength(5);
    expect(runs).toHaveLength(10);
    expect(requests.slice(5).map(({ generate }) => generate)).toEqual([1, 1, 1, 1, 1]);
    expect(
      requests.every(({ capacity }) => capacity === 8),
      'a prefill alone does the same work',
    ).toBe(true);
    expect(whole.every(({ tokensSha256 }) => tokensSha256 === whole[0]?.tokensSha256)).toBe(true);
    expect(runs.slice(5).every(({ tokensSha256 }) => tokensSha256 === null)).toBe(true);
  });

  it('does not accept a repeated prefill that answers something else', async () => {
    const { session } = scripted({ prefillMs: 1, stepMs: 200, tokens: (run) => run });
    await expect(takeSample(session, work, 0.5)).rejects.toThrow(/other first tokens/);
  });

  it("hands on the engine's own error", async () => {
    const error = new EngineError('oom', 'no memory', { sessionLost: true });
    const session = { generate: () => Promise.reject(error) } as unknown as EngineSession;
    await expect(takeSample(session, work, 0)).rejects.toBe(error);
  });
});

describe('warmUp', () => {
  it('does so many runs and so many seconds at least', async () => {
    const short = scripted({ prefillMs: 10, stepMs: 10 });
    expect(await warmUp(short.session, work, { runs: 2, seconds: 0.2 })).toHaveLength(4);
    const long = scripted({ prefillMs: 1000, stepMs: 100 });
    expect(await warmUp(long.session, work, { runs: 2, seconds: 0.2 })).toEqual([400e6, 400e6]);
    const none = scripted({ prefillMs: 1, stepMs: 1 });
    expect(await warmUp(none.session, work, { runs: 0, seconds: 0 })).toEqual([]);
  });

  it('goes on until two runs in a row did not recompile', async () => {
    const { session } = scripted({
      prefillMs: 1,
      stepMs: 1,
      recompilesAt: (run) => (run === 0 || run === 2 ? 1 : 0),
    });
    expect(await warmUp(session, work, { runs: 1, seconds: 0 })).toHaveLength(5);
  });

  it('gives up on an engine that never stops recompiling', async () => {
    const { session, requests } = scripted({ prefillMs: 1, stepMs: 1, recompilesAt: () => 1 });
    await expect(warmUp(session, work, { runs: 1, seconds: 0 })).rejects.toThrow(
      /still recompiling after 10/,
    );
    expect(requests).toHaveLength(10);
  });
});

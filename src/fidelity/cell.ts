import type { Repeats, Selection, Turn } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import { watchOtherLoad } from '../machine/load.ts';
import type { IdleWatch } from '../runner/idle.ts';
import { roundOrder } from '../runner/schedule.ts';
import type { Work } from '../runner/work.ts';
import type { Effective, Shape } from '../schema/protocol.ts';
import { PHASES, type Phase } from '../schema/vocabulary.ts';
import { median } from '../stats/descriptive.ts';
import { decodeNs, generationThroughput, isWhole, promptThroughput } from '../stats/rates.ts';
import { pairedSpeedup } from '../stats/speedup.ts';
import type { Participant } from './participants.ts';
import { type FidelityRow, judge } from './row.ts';
import { comparable, planTurn, type TakenTurn } from './turn.ts';

export interface Contender {
  readonly title: string;
  readonly bar: number | null;
  readonly selection: Selection;
  readonly repeats: Repeats;
  readonly participant: Participant;
}

export interface CellInput {
  readonly shape: Shape;
  readonly work: Work;
  readonly driver: Participant;
  readonly driverEffective: Effective;
  readonly contenders: readonly Contender[];
  /** The rounds of this sitting, counted over all sittings. */
  readonly rounds: readonly number[];
  readonly minTimedSeconds: number;
  readonly seed: number;
  /** Began before any session was loaded in this process. */
  readonly idle: IdleWatch;
  /** Names the cell, for the order of its rounds. */
  readonly label: string;
  readonly signal: AbortSignal;
}

/** One row of numbers for one tool and phase; the caller knows the names. */
export type Measured = Omit<
  FidelityRow,
  'engine' | 'model' | 'precision' | 'batchSize' | 'promptLength' | 'generate'
>;

/** Turns of one participant, by round. */
interface Turns {
  readonly taken: Map<number, TakenTurn>;
  readonly loads: number[];
  recompiles: number;
}

/** What a contender is besides its process, which each sitting opens anew. */
interface Compared {
  readonly contender: Omit<Contender, 'participant'>;
  readonly caveat: string | null;
  readonly turns: Turns;
}

const noTurns = (): Turns => ({ taken: new Map(), loads: [], recompiles: 0 });

/** One cell over all sittings. */
export class CellComparison {
  /** Tools that failed, and how: they are left out of the rest. */
  readonly failures = new Map<string, EngineError>();
  readonly #driver = noTurns();
  readonly #tools = new Map<string, Compared>();
  #input: CellInput | null = null;
  #turn: Turn | null = null;

  /**
   * Rounds in seeded random order: in each, the driver and every tool take one turn of the same work, so that a machine
   * that slows down slows all of them alike.
   * @throws EngineError when the driver fails
   */
  async sit(input: CellInput): Promise<void> {
    const { driver, contenders, rounds, seed, label } = input;
    this.#input = input;
    // As much work in every sitting.
    this.#turn ??= await planFor(input);
    const everyone = [
      { title: null, participant: driver, turns: this.#driver },
      ...contenders.map((contender) => ({
        title: contender.title,
        participant: contender.participant,
        turns: this.#turnsOf(contender),
      })),
    ];
    for (const round of rounds) {
      for (const { title, participant, turns } of roundOrder(everyone, seed, label, round)) {
        if (input.signal.aborted) return;
        if (title !== null && this.failures.has(title)) continue;
        try {
          await takeTurn(participant, input, this.#turn, round, turns);
        } catch (error) {
          if (title === null || !(error instanceof EngineError)) throw error;
          this.failures.set(title, error);
        }
      }
    }
  }

  measured(): Measured[] {
    const input = this.#input;
    if (input === null) return [];
    return [...this.#tools.values()]
      .filter(({ contender }) => !this.failures.has(contender.title))
      .flatMap((compared) => compareWith(compared, this.#driver, input));
  }

  #turnsOf({ participant, ...contender }: Contender): Turns {
    const known = this.#tools.get(contender.title);
    if (known !== undefined) return known.turns;
    const turns = noTurns();
    this.#tools.set(contender.title, { contender, caveat: participant.caveat, turns });
    return turns;
  }
}

/** Two runs of the driver: the first warms up, the second tells how long the phases are. */
async function planFor(input: CellInput): Promise<Turn> {
  const { driver, shape, work, driverEffective, minTimedSeconds, contenders } = input;
  const once: Turn = { warmUp: true, prefills: 0, runs: 1, prefillsAlone: 0 };
  const { runs } = await driver.turn(work, shape, once, driverEffective);
  return planTurn(
    runs[0]!.prefillNs,
    decodeNs(runs[0]!),
    minTimedSeconds,
    contenders.map(({ repeats }) => repeats),
  );
}

async function takeTurn(participant: Participant, input: CellInput, turn: Turn, round: number, turns: Turns) {
  const { work, shape, driver, driverEffective, contenders, idle } = input;
  const everyone = [driver, ...contenders.map((contender) => contender.participant)];
  const residentsOf = (some: readonly Participant[]) => some.flatMap(({ residents }) => residents);
  // Threads that still spin after their own turn would take a core from this one's first runs.
  await idle.settle(residentsOf(everyone.filter((each) => each !== participant)));
  const pids = residentsOf(everyone).flatMap(({ pid }) => pid ?? []);
  const otherLoad = watchOtherLoad([process.pid, ...pids]);
  const asked = participant === driver ? turn : { ...turn, prefillsAlone: 0 };
  const taken = await participant.turn(work, shape, asked, driverEffective);
  const load = otherLoad();
  if (load !== null) turns.loads.push(load);
  turns.recompiles += taken.recompiles;
  turns.taken.set(round, taken);
}

function compareWith(
  { contender, caveat, turns: tool }: Compared,
  driver: Turns,
  input: CellInput,
): Measured[] {
  const loads = [...driver.loads, ...tool.loads];
  const recompiles = driver.recompiles + tool.recompiles;
  const bar = caveat === null ? contender.bar : null;
  return PHASES.flatMap((phase): Measured[] => {
    const own = seriesOf(phase, driver, contender, input);
    const theirs = seriesOf(phase, tool, AS_TOLD, input);
    const speedup = pairedSpeedup(own, theirs);
    if (speedup === null) return [];
    return [
      {
        tool: contender.title,
        phase,
        ratio: speedup.ratio,
        low: speedup.interval?.[0] ?? null,
        high: speedup.interval?.[1] ?? null,
        rounds: speedup.logRatios.size,
        bar,
        verdict: judge({ bar, recompiles, speedup }),
        driverRate: median([...own.values()]),
        toolRate: median([...theirs.values()]),
        sameTokens: sameTokens(driver, tool),
        otherLoadCores: loads.length === 0 ? null : median(loads),
        notes: [
          ...(caveat === null ? [] : [caveat]),
          ...(recompiles > 0 ? [`${recompiles} recompilations while timing`] : []),
        ],
      },
    ];
  });
}

/** A tool's own times, as it tells them. */
const AS_TOLD = { selection: 'apart', repeats: 'runs' } as const;

/** Throughput by round. */
function seriesOf(
  phase: Phase,
  turns: Turns,
  how: Pick<Contender, 'selection' | 'repeats'>,
  { shape, work }: CellInput,
) {
  const rate = phase === 'prefill' ? promptThroughput : generationThroughput;
  return new Map(
    [...turns.taken].map(([round, taken]) => {
      const { runs, generate } = comparable(taken, phase, how, work.generate);
      return [round, rate({ batchSize: shape.batchSize, generate, promptTokens: work.promptTokens }, runs)];
    }),
  );
}

/** Of the whole runs; null where one side tells none. */
function sameTokens(driver: Turns, tool: Turns): boolean | null {
  const digests = (turns: Turns) =>
    new Set(
      [...turns.taken.values()].flatMap(({ runs }) =>
        runs.filter(isWhole).map(({ tokensSha256 }) => tokensSha256),
      ),
    );
  const [own, theirs] = [digests(driver), digests(tool)];
  if (own.has(null) || theirs.has(null) || own.size === 0 || theirs.size === 0) return null;
  return own.size === 1 && theirs.size === 1 && [...own][0] === [...theirs][0];
}

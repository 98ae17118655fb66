import type { WeightStorage, WorkShape } from '../schema/manifest.ts';
import type { Effective } from '../schema/protocol.ts';
import type { ElementType, Roofline } from '../schema/roofline.ts';
import { PHASES, type Phase, type Precision } from '../schema/vocabulary.ts';
import { formatBytes, formatNumber, formatSignificant } from '../units.ts';
import { PHASE_RATE, type Rates, type WorkSize } from './rates.ts';

/**
 * Roofline (Williams, Waterman & Patterson 2009): no work takes less time than its memory traffic at the machine's
 * bandwidth, nor than its arithmetic at the machine's matrix rate. Utilisations as in spec/metrics: MBU, model bandwidth
 * utilisation (Databricks, "LLM Inference Performance Engineering", 2023), is the traffic that the model makes necessary
 * over what the machine could have moved in the time; MFU, model FLOPs utilisation (Chowdhery et al. 2022, appendix B),
 * the same of arithmetic. Both count what is necessary, so caching, padding and recomputing never raise them.
 */

/** One execution of a phase: a whole prefill, or one decode step (the mean of all). */
export interface PhaseWork {
  /** Weights once and, in decode, the keys and values of all tokens so far. */
  readonly bytes: number;
  /** A multiplication and an addition are two. */
  readonly operations: number;
}

export interface CellWork extends WorkSize {
  readonly precision: Precision;
  readonly shape: WorkShape;
  readonly storage: WeightStorage;
}

/**
 * Parameters of the linear layers, of the head, and of parts of one layer; the embedding table is looked up, not multiplied
 * with. Norms and biases, which are few, count with the MLP.
 */
function matrices(shape: WorkShape) {
  const { parameters, vocabSize, hiddenSize, tiedEmbeddings } = shape;
  const head = vocabSize * hiddenSize;
  const layers = Math.max(0, parameters - head * (tiedEmbeddings ? 1 : 2));
  const oneLayer = layers / shape.layers;
  const keysAndValues = 2 * hiddenSize * shape.kvHeads * shape.headSize;
  const queriesAndOutput = 2 * hiddenSize * shape.heads * shape.headSize;
  return {
    layers,
    head,
    /** Without keys and values. */
    restOfLayer: Math.max(0, oneLayer - keysAndValues),
    mlp: Math.max(0, oneLayer - keysAndValues - queriesAndOutput),
  };
}

/** Tokens that a token at this place attends to, itself among them. */
const attended = (place: number, window: number | null): number =>
  window === null ? place : Math.min(place, window);

/** Σ over the prompt of the tokens that each attends to. */
function attendedPairs(length: number, window: number | null): number {
  if (window === null || length <= window) return (length * (length + 1)) / 2;
  return (window * (window + 1)) / 2 + (length - window) * window;
}

/** Operations of attention for a pair of tokens in one layer. */
const perPair = ({ heads, headSize }: WorkShape): number => 4 * heads * headSize;

/** Operations of a prefill in which every layer computes every position, the head the last ones. */
function wholePrefill({ shape, batchSize, promptTokens }: CellWork) {
  const { layers, head } = matrices(shape);
  const length = promptTokens / batchSize;
  const pairs = batchSize * attendedPairs(length, shape.slidingWindow);
  return {
    operations: 2 * layers * promptTokens + 2 * head * batchSize + perPair(shape) * shape.layers * pairs,
    /** Positions whose logits nobody asks for, and what they attend to in one layer. */
    silentTokens: promptTokens - batchSize,
    silentAttention: perPair(shape) * (pairs - batchSize * attended(length, shape.slidingWindow)),
  };
}

/**
 * Bytes and operations of a phase: 2 operations a parameter and token (Kaplan et al. 2020, section 2.1), the head for the
 * positions whose logits are asked for, and for attention 4 · layers · heads · head size for each pair of tokens (PaLM's
 * 12, forward only). Of the last layer, other positions than those are needed for their keys and values alone: some engines
 * leave the rest out. Of a ragged batch the mean length is taken: with a given sum no lengths need less.
 */
export function phaseWork(phase: Phase, work: CellWork): PhaseWork {
  const { shape, storage, batchSize, promptTokens, generate } = work;
  const { layers, head, restOfLayer } = matrices(shape);
  const weights = (layers + head) * storage.matrixBytes;
  if (phase === 'prefill') {
    const { operations, silentTokens, silentAttention } = wholePrefill(work);
    return { bytes: weights, operations: operations - 2 * restOfLayer * silentTokens - silentAttention };
  }
  const length = promptTokens / batchSize;
  let context = 0;
  for (let step = 1; step < generate; step++) context += attended(length + step, shape.slidingWindow);
  context = (batchSize * context) / (generate - 1);
  const kvPerToken = 2 * shape.layers * shape.kvHeads * shape.headSize * storage.kvBytes;
  return {
    bytes: weights + kvPerToken * context,
    operations: 2 * (layers + head) * batchSize + perPair(shape) * shape.layers * context,
  };
}

/** The MLP of the last layer at positions whose logits nobody asks for: its share of all that a prefill could compute. */
export function silentMlpShare(work: CellWork): number {
  const { operations: all, silentTokens } = wholePrefill(work);
  return (2 * matrices(work.shape).mlp * silentTokens) / all;
}

/** The same work on a model of so many layers like these. */
export function atDepth(work: CellWork, layers: number): CellWork {
  const { shape } = work;
  const oneLayer = matrices(shape).layers / shape.layers;
  const parameters = shape.parameters + oneLayer * (layers - shape.layers);
  return { ...work, shape: { ...shape, layers, parameters } };
}

/**
 * Bandwidth for a working set of this size, bytes per second: between the measured sizes linear in log(size) and
 * log(rate), outside of them the nearest. What holds a larger working set holds a smaller one, so a size reaches at least
 * what any larger one does; where less was measured, a kernel was too short to be timed well.
 */
export function bandwidthAt({ bandwidth }: Pick<Roofline, 'bandwidth'>, bytes: number): number {
  const points = bandwidth.toSorted((a, b) => a.workingSetBytes - b.workingSetBytes);
  const rates = points.map(({ bytesPerSecond }) => bytesPerSecond);
  for (let i = rates.length - 2; i >= 0; i--) rates[i] = Math.max(rates[i]!, rates[i + 1]!);
  const above = points.findIndex(({ workingSetBytes }) => workingSetBytes >= bytes);
  if (above === 0) return rates[0]!;
  if (above < 0) return rates.at(-1)!;
  const [low, high] = [points[above - 1]!.workingSetBytes, points[above]!.workingSetBytes];
  const share = Math.log(bytes / low) / Math.log(high / low);
  return rates[above - 1]! ** (1 - share) * rates[above]! ** share;
}

/** What a cell of each precision may honestly multiply in: int4 weights are widened to any of them. */
const MULTIPLIED_IN: Readonly<Record<Precision, readonly ElementType[]>> = {
  fp32: ['fp32'],
  fp16: ['fp32', 'fp16', 'bf16'],
  bf16: ['fp32', 'fp16', 'bf16'],
  int4: ['fp32', 'fp16', 'bf16', 'int8'],
};

/** The fastest matrix rate that a cell of this precision could use, operations per second; null where none was measured. */
export function matrixRate({ matrix }: Pick<Roofline, 'matrix'>, precision: Precision): number | null {
  const rates = MULTIPLIED_IN[precision].flatMap((element) => matrix[element]?.operationsPerSecond ?? []);
  return rates.length === 0 ? null : Math.max(...rates);
}

/** Shares of what the machine reaches, 1 being the roof; mfu is null where no matrix rate was measured. */
export interface Utilisation {
  readonly mbu: number;
  readonly mfu: number | null;
}
export type Utilisations = Readonly<Record<Phase, Utilisation>>;

/** Prefills, or decode steps, per second. */
const executionsPerSecond = (phase: Phase, work: WorkSize, rates: Pick<Rates, (typeof PHASE_RATE)[Phase]>) =>
  rates[PHASE_RATE[phase]] / (phase === 'prefill' ? work.promptTokens : work.batchSize);

export function utilisations(
  work: CellWork,
  rates: Pick<Rates, (typeof PHASE_RATE)[Phase]>,
  roofline: Roofline,
): Utilisations {
  const peak = matrixRate(roofline, work.precision);
  const of = (phase: Phase): Utilisation => {
    const { bytes, operations } = phaseWork(phase, work);
    const perSecond = executionsPerSecond(phase, work, rates);
    return {
      mbu: (bytes * perSecond) / bandwidthAt(roofline, bytes),
      mfu: peak === null ? null : (operations * perSecond) / peak,
    };
  };
  return { prefill: of('prefill'), decode: of('decode') };
}

/**
 * How far above the roof a figure may lie: the roof is itself measured, by kernels that need not be the best possible,
 * on a machine whose clock and neighbours change. An engine that does not wait for its device is far beyond.
 */
export const ROOF_ALLOWANCE = 1.25;

/** What no machine with this roof can have done, in words that begin with "implausible". */
export function rooflineViolations(
  work: CellWork,
  rates: Pick<Rates, (typeof PHASE_RATE)[Phase]>,
  roofline: Roofline,
): { phase: Phase; detail: string }[] {
  const found = utilisations(work, rates, roofline);
  return PHASES.flatMap((phase) => {
    const { mbu, mfu } = found[phase];
    const { bytes, operations } = phaseWork(phase, work);
    const perSecond = executionsPerSecond(phase, work, rates);
    const what = phase === 'prefill' ? 'a prefill' : 'a decode step';
    const above = (times: number) =>
      `${formatNumber(times, 2)} times what was measured of this machine (allowance ${ROOF_ALLOWANCE})`;
    const details = [
      ...(mbu > ROOF_ALLOWANCE
        ? [
            `${what} reads at least ${formatBytes(bytes)}, so ${formatSignificant((bytes * perSecond) / 1e9)} GB/s: ${above(mbu)}`,
          ]
        : []),
      ...(mfu !== null && mfu > ROOF_ALLOWANCE
        ? [
            `${what} takes at least ${formatSignificant(operations / 1e9)} GFLOP, so ${formatSignificant((operations * perSecond) / 1e9)} GFLOP/s: ${above(mfu)}`,
          ]
        : []),
    ];
    return details.map((detail) => ({ phase, detail: `implausible: ${detail}` }));
  });
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  fp32: 4,
  f32: 4,
  float16: 2,
  fp16: 2,
  f16: 2,
  bfloat16: 2,
  bf16: 2,
  q8_0: 34 / 32,
};

const elementBytes = (said: Effective[string] | undefined): number | undefined =>
  typeof said === 'string' ? ELEMENT_BYTES[said] : undefined;

/**
 * As an engine says that it keeps keys and values (`kvType` or `kvCacheType`), and its matrices where they are others than
 * those of the file (`matrixType`); otherwise as its artefact's kind does.
 */
export function storageAsRun(storage: WeightStorage, effective: Effective): WeightStorage {
  const said = effective.kvCacheType ?? effective.kvType;
  return {
    matrixBytes: elementBytes(effective.matrixType) ?? storage.matrixBytes,
    kvBytes: elementBytes(said) ?? storage.kvBytes,
  };
}

import type { Device, Precision } from '../../schema/vocabulary.ts';

/** What a new sweep is made of. */
export interface Answers {
  /** Name in configs/models, or the path of a model file as the sweep's file will name it. */
  readonly model: string;
  readonly title: string;
  readonly device: Device;
  readonly engines: readonly string[];
  readonly precisions: readonly Precision[];
  readonly batchSizes: readonly number[];
  readonly promptLengths: readonly number[];
  readonly generate: number;
  readonly repetitions: number;
  readonly baselines: readonly string[];
}

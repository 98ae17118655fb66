/**
 * How the reasons of cells begin that were never meant to run: the plan writes them, and readers of stored results know
 * by them a cell that nobody asked for from one that the machine had no memory, disk or time for.
 */
export const SKIP_REASONS = {
  notSelected: 'not selected by --only',
  notIncluded: 'matches no include rule',
  excluded: 'excluded by the rule at',
} as const;

/** Reasons of `skipped` cells that the config or the command line left out. */
export const isSkippedByRule = (reason: string | null): boolean =>
  reason !== null && Object.values(SKIP_REASONS).some((beginning) => reason.startsWith(beginning));

/** "…, longer than the model's context of 2048" */
export const BEYOND_CONTEXT = "longer than the model's context of";
/** Reasons of `skipped` cells that no machine could run: the model has no place for so many tokens. */
export const isSkippedByContext = (reason: string | null): boolean =>
  reason?.includes(BEYOND_CONTEXT) ?? false;

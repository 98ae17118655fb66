/** What a script learns from ortbench (spec/statistics, "Exit codes"). 130 and 143: ended by SIGINT, by SIGTERM. */
export const EXIT = {
  ok: 0,
  regression: 1,
  /** A mistake in the configuration or on the command line. */
  usage: 2,
  inconclusive: 3,
  /** A cell failed, or the machine or the results store did. */
  infrastructure: 4,
  interrupted: 130,
  terminated: 143,
} as const;

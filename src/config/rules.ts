import type { Cell } from '../schema/cell.ts';
import type { Rule } from '../schema/sweep.ts';

/** The fields of a cell that rules and `--only` can name. */
export const RULE_FIELDS = ['engine', 'model', 'precision', 'device', 'batchSize', 'promptLength'] as const;
export type RuleField = (typeof RULE_FIELDS)[number];

/** Index of the first rule that matches the cell, −1 when none does. */
export type FirstMatch = (cell: Cell) => number;

/** Rules as sets, so that a sweep of many cells and long lists stays fast. */
export function compileRules(rules: readonly Rule[]): FirstMatch {
  const compiled = rules.map((rule) =>
    RULE_FIELDS.flatMap((field) => {
      const values = rule[field];
      return values === undefined ? [] : [{ field, values: new Set<string | number>(values) }];
    }),
  );
  return (cell) =>
    compiled.findIndex((tests) => tests.every(({ field, values }) => values.has(fieldOf(cell, field))));
}

/** What a rule compares: a prompt length by its longest prompt, an engine by its name in the sweep. */
export function fieldOf(cell: Cell, field: RuleField): string | number {
  return field === 'promptLength' ? cell.promptLength.length : cell[field];
}

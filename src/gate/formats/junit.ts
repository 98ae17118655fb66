import type { GateReport, GateRow } from '../model.ts';
import { paritySentence } from '../parity.ts';
import { benchmarkName } from './names.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // Left as they are, a reader turns them into blanks in an attribute.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Text as XML 1.0 can hold it: its control characters, lone surrogates and two non-characters are not allowed at all. */
const xml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character]!);

/** One test case for each comparison. Inconclusive is `skipped`: neither passed nor failed. Failed cells are errors. */
export function gateJunit(report: GateReport): string {
  const { title, rows, leftOut } = report;
  const count = (verdict: GateRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  const cases = rows.map((row) => testCase(benchmarkName(row), outcome(row)));
  const others = leftOut.map(({ id, reason }) => testCase(id, element('skipped', reason)));
  const counts = [
    `tests="${rows.length + leftOut.length}"`,
    `failures="${count('regression')}"`,
    `errors="${count('failed')}"`,
    `skipped="${count('inconclusive') + leftOut.length}"`,
  ].join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="ortbench compare" ${counts}>`,
    `  <testsuite name="${xml(title)}" ${counts}>`,
    `    <properties><property name="parity" value="${xml(paritySentence(report) ?? 'checked')}"/></properties>`,
    ...cases,
    ...others,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(name: string, content: string): string {
  const open = `    <testcase classname="ortbench.compare" name="${xml(name)}"`;
  return content === '' ? `${open}/>` : `${open}>${content}</testcase>`;
}

function outcome({ verdict, reason }: GateRow): string {
  switch (verdict) {
    case 'ok':
      return '';
    case 'regression':
      return element('failure', reason);
    case 'inconclusive':
      return element('skipped', reason);
    case 'failed':
      return element('error', reason);
  }
}

const element = (name: string, message: string): string => `<${name} message="${xml(message)}"/>`;

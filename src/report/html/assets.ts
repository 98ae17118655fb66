import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../files/package-root.ts';

/** The page's modules, each after those that it imports: joined into one script, since a file:// page can load none. */
const SCRIPTS = [
  'data.js',
  'filters.js',
  'theme.js',
  'patterns.js',
  'decorations.js',
  'legend.js',
  'chart.js',
  'parts.js',
  'figures.js',
  'table.js',
  'downloads.js',
  'main.js',
];

const asset = (name: string): string => readFileSync(join(packageRoot, 'assets/report', name), 'utf8');

export interface PageAssets {
  readonly style: string;
  /** chart.js, then the page's own script. */
  readonly scripts: readonly [library: string, own: string];
  /** Content-Security-Policy: this style and these scripts, and nothing from anywhere. */
  readonly policy: string;
}

export function pageAssets(): PageAssets {
  const require = createRequire(import.meta.url);
  const umd = join(dirname(require.resolve('chart.js')), 'chart.umd.min.js');
  // The map lies beside the library, not beside the page.
  const library = readFileSync(umd, 'utf8').replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n');
  const own = `(() => {\n'use strict';\n${SCRIPTS.map((name) => joined(asset(name))).join('\n')}})();\n`;
  const style = asset('page.css');
  const policy = [
    "default-src 'none'",
    `script-src ${hash(library)} ${hash(own)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return { style, scripts: [library, own], policy };
}

/** Modules among themselves, for editors and checkers; in the page one script, in which imports mean nothing. */
const joined = (module: string): string => module.replace(/^import [^;]*;\n/gm, '').replace(/^export /gm, '');

const hash = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

import { historyBody } from './body.ts';
import { INK } from './charts/ink.ts';
import type { TrendChart } from './charts/trend.ts';
import type { History } from './model.ts';

/** The whole history in one file that a browser opens: no script, nothing fetched. A part at a time, so that it need not fit in memory. */
export function* historyPage(history: History, charts: Iterable<TrendChart>): Generator<string> {
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>History – ortbench</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>History</h1>
`;
  yield* historyBody(history, charts, 2);
  yield `</main>\n</body>\n</html>\n`;
}

const STYLE = `
body { margin: 0; background: #f4f6f7; color: ${INK.text}; font: 15px/1.5 Inter, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px; }
h1, h2 { color: ${INK.title}; line-height: 1.2; }
h2 { margin-top: 40px; }
figure { margin: 0 0 24px; }
figure svg { display: block; width: 100%; height: auto; border: 1px solid ${INK.grid}; border-radius: 6px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; background: ${INK.paper}; font-size: 13.5px; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 7px 10px; border-bottom: 1px solid ${INK.grid}; }
th { color: ${INK.muted}; font-weight: 600; white-space: nowrap; }
td:first-child { white-space: nowrap; }
small { color: ${INK.muted}; }
.slower { color: #a8441b; }
.faster { color: #0b3c6e; }
.warning { border-left: 4px solid #e08e2b; padding-left: 10px; }
summary { cursor: pointer; }
`;

/** What fills a heap, by V8's own snapshots of it. Each pauses the process and is parsed when the soak is over. */
import { readFileSync } from 'node:fs';

/** Types whose names are classes, functions or V8's own kinds: those of strings are their text, and code warms up. */
const NAMED = new Set(['object', 'closure', 'native', 'hidden', 'array']);

/** Kind → how many nodes, and their own bytes. */
export function contentsOf(file) {
  const { snapshot, nodes, strings } = JSON.parse(readFileSync(file, 'utf8'));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field));
  const contents = new Map();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[type][nodes[at + type]];
    const key = NAMED.has(kind) ? `${kind} ${strings[nodes[at + name]]}` : kind;
    const known = contents.get(key) ?? { nodes: 0, bytes: 0 };
    known.nodes += 1;
    known.bytes += nodes[at + size];
    contents.set(key, known);
  }
  return contents;
}

/** What one has more of than the other, most bytes first. */
export function moreIn(later, earlier) {
  const none = { nodes: 0, bytes: 0 };
  return [...later]
    .map(([kind, { nodes, bytes }]) => {
      const before = earlier.get(kind) ?? none;
      return { kind: kind.slice(0, 60), nodes: nodes - before.nodes, bytes: bytes - before.bytes };
    })
    .filter(({ nodes, bytes }) => nodes > 0 || bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}

export const totalNodes = (contents) => [...contents.values()].reduce((sum, { nodes }) => sum + nodes, 0);

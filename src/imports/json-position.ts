/** Strings, punctuation, and everything else that JSON is made of. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * The line, from 1, on which the value at a path begins in a text that JSON.parse has accepted; of a path that leads
 * nowhere, the line of what is nearest to it.
 */
export function lineOf(text: string, path: readonly PropertyKey[]): number {
  const stack: { readonly isArray: boolean; key: PropertyKey }[] = [];
  let deepest = 0;
  let offset = 0;
  let beforeColon: string | null = null;
  const visit = (at: number): void => {
    let depth = 0;
    while (depth < stack.length && depth < path.length && stack[depth]!.key === path[depth]) depth++;
    if (depth === stack.length && depth > deepest) {
      deepest = depth;
      offset = at;
    }
  };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const top = stack.at(-1);
    if (token === ',') {
      if (top?.isArray) top.key = Number(top.key) + 1;
      continue;
    }
    if (token === ':') {
      if (top !== undefined && beforeColon !== null) top.key = beforeColon;
      beforeColon = null;
      continue;
    }
    if (token === '}' || token === ']') {
      stack.pop();
      continue;
    }
    // In an object a string may be a key: it is known by the colon that follows.
    const isKey =
      top !== undefined &&
      !top.isArray &&
      /^\s*:/.test(text.slice(index + token.length, index + token.length + 80));
    if (isKey) {
      beforeColon = JSON.parse(token) as string;
      continue;
    }
    visit(index);
    if (token === '{' || token === '[') stack.push({ isArray: token === '[', key: token === '[' ? 0 : '' });
    if (deepest === path.length && path.length > 0) break;
  }
  return text.slice(0, offset).split('\n').length;
}

/** The line, from 1, on which each member of a list at the top begins: one pass, however long the list is. */
export function memberLines(text: string): number[] {
  const lines: number[] = [];
  let depth = 0;
  let line = 1;
  let counted = 0;
  let awaiting = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && awaiting && token !== ',' && token !== ']') {
      for (; counted < index; counted++) if (text.charCodeAt(counted) === 10) line++;
      lines.push(line);
      awaiting = false;
    }
    if (token === '{' || token === '[') {
      depth++;
      if (depth === 1) awaiting = true;
    } else if (token === '}' || token === ']') depth--;
    else if (token === ',' && depth === 1) awaiting = true;
  }
  return lines;
}

import { CST, Lexer } from 'yaml';

/** Largest file that is read at all. */
export const MAX_FILE_BYTES = 1024 * 1024;
/** Of all tokens: a long list of numbers is four an entry. */
const MAX_TOKENS = 15_000;
/**
 * Of those that are no blank, comma or line end: recovering from errors in them takes the parser quadratic time, and a
 * parser that has just started takes 0.1 ms for one of a list (Xeon, 2 GHz). The longest file of this repository has 940.
 */
const MAX_ENTRIES = 3_000;
const MAX_DEPTH = 32;
const MAX_ANCHORS = 100;
const MAX_INDENT = 256;

/** What is wrong with a text before it may be parsed, and the offset in it. */
export interface LimitBreach {
  readonly offset: number;
  readonly message: string;
}

/**
 * Refuses texts that would make the parser slow or exhaust its stack. The lexer is linear; composing the document is
 * not (a megabyte of `[` takes ten seconds, of `{` aborts the process), so the limits are checked on lexer tokens.
 */
export function findLimitBreach(text: string): LimitBreach | null {
  let offset = 0;
  let tokens = 0;
  let entries = 0;
  let flowDepth = 0;
  let indicatorsOnLine = 0;
  let anchors = 0;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    const breach = (message: string): LimitBreach => ({ offset, message });
    const type = CST.tokenType(token);
    const isEntry = type !== 'space' && type !== 'comma' && type !== 'newline' && !isMarker(token);
    if (isEntry) entries += 1;
    if (entries > MAX_ENTRIES)
      return breach(`more than ${MAX_ENTRIES} entries: too many for one file, split it`);
    if (tokens > MAX_TOKENS) return breach(`more than ${MAX_TOKENS} tokens: too many for one file, split it`);
    switch (type) {
      case 'flow-map-start':
      case 'flow-seq-start':
        flowDepth += 1;
        if (flowDepth > MAX_DEPTH) return breach(`brackets nested more than ${MAX_DEPTH} deep`);
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        flowDepth -= 1;
        if (flowDepth < 0) return breach(`${token} closes what nothing opened`);
        break;
      case 'newline':
        indicatorsOnLine = 0;
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        // In brackets, many entries share a line; their depth is bounded above.
        if (flowDepth > 0) break;
        indicatorsOnLine += 1;
        if (indicatorsOnLine > MAX_DEPTH)
          return breach(`entries nested more than ${MAX_DEPTH} deep on one line`);
        break;
      case 'space':
        if (token.length > MAX_INDENT) return breach(`more than ${MAX_INDENT} blanks: nested too deeply`);
        break;
      case 'anchor':
        anchors += 1;
        if (anchors > MAX_ANCHORS) return breach(`more than ${MAX_ANCHORS} anchors`);
        break;
      case 'tag':
        return breach(`the tag ${token.slice(0, 40)} is not allowed: these files are plain data`);
    }
    // Mode markers of the lexer (byte-order mark aside) are control characters that are not in the text.
    if (!isMarker(token)) offset += token.length;
  }
  return null;
}

function isMarker(token: string): boolean {
  return token === CST.DOCUMENT || token === CST.FLOW_END || token === CST.SCALAR;
}

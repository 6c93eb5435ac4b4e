/** Divides a plain YAML text by its indentation, so that no piece takes long to parse. */
import type { Steps } from '../../../core/timing/steps.ts';

/** A block mapping or list, divided into parts in their order. */
type Division =
  | {
      readonly kind: 'mapping';
      readonly parts: () => readonly MappingPart[];
      /** Returns the text of each entry with its key. */
      readonly entries: () => readonly { readonly key: string; readonly text: string }[];
    }
  | {
      readonly kind: 'list';
      readonly parts: () => readonly ListPart[];
      /** Number of spaces before each item. */
      readonly indent: number;
      /** Returns the text of each item. */
      readonly items: () => readonly string[];
    };

/** Some entries of a mapping, or the value of one key. */
export type MappingPart =
  { readonly key: null; readonly text: string } | { readonly key: string; readonly text: string };

/** Some items of a list, or the value of one item. */
export interface ListPart {
  readonly isOne: boolean;
  readonly text: string;
}

/** Keys that every parser reads as this text. Other keys keep the text in one piece. */
const KEY = /^([A-Za-z][\w-]*):(?=[ \t\r\n]|$)/;
const WORDS = /^(?:null|true|false)$/i;
/** A key whose value begins on the next line. */
const BARE_KEY = /^[^:]*:[ \t]*(?:#[^\n]*)?\r?\n/;
const ITEM = /^-(?=[ \r\n]|$)/;
/** An item whose first line has a key or an item: the text after `- ` is a nested block. */
const NESTED_ITEM = /^- (?=[A-Za-z-])/;

/** A line that begins an entry or item of the outermost block. */
interface Start {
  readonly offset: number;
  readonly key: string | null;
}

/** Lines per step. */
const STEP_LINES = 2000;

/**
 * Divides a text into parts of about `size` characters. Yields after every few lines.
 *
 * @returns null for a text that must stay in one piece: it is short, or not a block mapping or list with
 * plain keys
 */
export function* divide(text: string, size: number): Steps<Division | null> {
  if (text.length <= size) return null;
  const starts: Start[] = [];
  let indent = -1;
  let isList = false;
  let lines = 0;
  for (let offset = 0; offset < text.length; offset = nextLine(text, offset)) {
    if (++lines % STEP_LINES === 0) yield;
    const column = columnOf(text, offset);
    // A blank line or a comment belongs to the part before it.
    if (column === null || (indent !== -1 && column > indent)) continue;
    if (column < indent) return null;
    const line = text.slice(offset + column, offset + column + MAX_KEY_CHARACTERS);
    if (indent === -1) {
      indent = column;
      isList = ITEM.test(line);
    }
    if (ITEM.test(line)) {
      // List items may start in the same column as their key.
      if (isList) starts.push({ offset, key: null });
      else if (starts.length === 0) return null;
      continue;
    }
    const key = isList ? undefined : KEY.exec(line)?.[1];
    if (key === undefined || WORDS.test(key)) return null;
    starts.push({ offset, key });
  }
  if (starts.length === 0) return null;
  if (!isList) {
    return {
      kind: 'mapping',
      parts: () => mappingParts(text, starts, size),
      entries: () => itemsOf(text, starts).map((entry, index) => ({ key: starts[index]!.key!, text: entry })),
    };
  }
  return {
    kind: 'list',
    indent,
    parts: () => listParts(text, starts, indent, size),
    items: () => itemsOf(text, starts),
  };
}

const MAX_KEY_CHARACTERS = 80;

function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** Returns the number of spaces before a line's text. Null for a blank line or a comment. */
function columnOf(text: string, offset: number): number | null {
  let column = 0;
  while (text.charCodeAt(offset + column) === 0x20) column++;
  const first = text.charAt(offset + column);
  return first === '' || first === '\n' || first === '\r' || first === '#' ? null : column;
}

function mappingParts(text: string, starts: readonly Start[], size: number): MappingPart[] {
  const parts: MappingPart[] = [];
  for (const { from, to, key } of groupsOf(text, starts, size)) {
    const whole = text.slice(from, to);
    const head = to - from > size && key !== null ? headOfEntry(whole) : null;
    if (head === null) parts.push({ key: null, text: whole });
    else parts.push({ key, text: whole.slice(head.length) });
  }
  return parts;
}

function listParts(text: string, starts: readonly Start[], indent: number, size: number): ListPart[] {
  return groupsOf(text, starts, size).map(({ from, to }) => {
    const whole = text.slice(from, to);
    const block = to - from > size ? blockOfItem(whole, indent) : null;
    return block === null ? { isOne: false, text: whole } : { isOne: true, text: block.text };
  });
}

/** The text after `- ` in an item. */
interface ItemBlock {
  /** The item with its `- ` replaced by spaces, so that everything keeps its column. */
  readonly text: string;
  /** Offset at which the block begins. */
  readonly start: number;
}

/** Returns the block of an item. Null if its first line does not begin one. */
export function blockOfItem(item: string, indent: number): ItemBlock | null {
  const dash = firstLine(item) + indent;
  if (!NESTED_ITEM.test(item.slice(dash, dash + 3))) return null;
  const start = dash + 2;
  return { text: `${item.slice(0, dash)}  ${item.slice(start)}`, start };
}

/**
 * Returns the text before the value of an entry whose value begins on the line after the key. Null for other
 * entries.
 */
export function headOfEntry(entry: string): string | null {
  const start = firstLine(entry);
  const line = BARE_KEY.exec(entry.slice(start));
  return line === null ? null : entry.slice(0, start + line[0].length);
}

/**
 * Returns the offset of the first line that is neither blank nor a comment. Comments may look like keys or
 * items.
 */
function firstLine(text: string): number {
  let offset = 0;
  while (offset < text.length && columnOf(text, offset) === null) offset = nextLine(text, offset);
  return offset;
}

/** Returns the text of each entry or item. Text before the first one belongs to it. */
function itemsOf(text: string, starts: readonly Start[]): string[] {
  return starts.map(({ offset }, index) =>
    text.slice(index === 0 ? 0 : offset, starts[index + 1]?.offset ?? text.length),
  );
}

interface Group {
  readonly from: number;
  readonly to: number;
  /** Key of the only entry. Null for several. */
  readonly key: string | null;
}

/** Joins neighbours whose combined length is at most `size`. Text before the first start belongs to it. */
function groupsOf(text: string, starts: readonly Start[], size: number): Group[] {
  const groups: Group[] = [];
  let from = 0;
  let first = 0;
  for (let index = 0; index < starts.length; index++) {
    const to = starts[index + 1]?.offset ?? text.length;
    const after = starts[index + 2]?.offset ?? text.length;
    if (after - from <= size && to < text.length) continue;
    groups.push({ from, to, key: index === first ? starts[index]!.key : null });
    from = to;
    first = index + 1;
  }
  return groups;
}

/**
 * Shortens a long plain text before the slow parser reads positions from it. That parser takes a second per
 * MB.
 */
import { doSteps } from '../../../core/timing/steps.ts';
import { headOfEntry, blockOfItem, divide } from './pieces.ts';

/** Keys and list indexes. */
type Path = readonly (string | number)[];

/** A part of a text, and a path within it. */
interface Excerpt {
  readonly text: string;
  readonly path: Path;
}

/** Texts of at most this length stay whole. */
const MAX_WHOLE_CHARACTERS = 16 * 1024;

/**
 * Returns a text without most items of its long lists. Empty lines replace them, so that everything else
 * keeps its position.
 *
 * @param text YAML without anchors and aliases
 * @param path keys and indexes of the value to keep
 * @param size texts of at most this length stay whole
 * @returns the text, and the path of the value in it
 */
export function excerptOf(text: string, path: Path, size = MAX_WHOLE_CHARACTERS): Excerpt {
  const division = doSteps(divide(text, size));
  if (division === null) return { text, path };
  return division.kind === 'list'
    ? excerptOfList(division.items(), division.indent, path, size)
    : excerptOfMapping(division.entries(), path, size);
}

function excerptOfMapping(
  entries: readonly { readonly key: string; readonly text: string }[],
  path: Path,
  size: number,
): Excerpt {
  const [wanted, ...rest] = path;
  let below: Path = rest;
  let text = '';
  for (const entry of entries) {
    const head = entry.text.length > size ? headOfEntry(entry.text) : null;
    if (head === null) {
      text += entry.text;
      continue;
    }
    const isWanted = entry.key === wanted;
    const value = excerptOf(entry.text.slice(head.length), isWanted ? rest : [], size);
    if (isWanted) below = value.path;
    text += head + value.text;
  }
  return { text, path: wanted === undefined ? path : [wanted, ...below] };
}

function excerptOfList(items: readonly string[], indent: number, path: Path, size: number): Excerpt {
  const [wanted, ...rest] = path;
  // A list without the wanted item keeps its first item, so that it remains a list.
  const kept = typeof wanted === 'number' && wanted < items.length ? wanted : 0;
  let below: Path = rest;
  let text = '';
  for (const [index, item] of items.entries()) {
    if (index !== kept) {
      text += emptyLinesOf(item);
      continue;
    }
    const block = item.length > size ? blockOfItem(item, indent) : null;
    // An item that is itself a list must keep its first line.
    if (block === null || item.startsWith('-', block.start)) {
      text += item;
      continue;
    }
    const value = excerptOf(block.text, index === wanted ? rest : [], size);
    if (index === wanted) below = value.path;
    text += item.slice(0, block.start) + value.text.slice(block.start);
  }
  if (typeof wanted !== 'number') return { text, path };
  return { text, path: [wanted === kept ? 0 : 1, ...below] };
}

function emptyLinesOf(text: string): string {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return '\n'.repeat(lines);
}

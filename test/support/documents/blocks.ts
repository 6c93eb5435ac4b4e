/** The code blocks of the documents. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ROOT } from '../processes/program.ts';

/** A fenced block of code. */
export interface CodeBlock {
  /** Line of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  /** The rest of the info string: `elsewhere` for commands that a test cannot run, a program for its configuration. */
  readonly note: string;
  readonly code: string;
}

/** Returns the paths of all documents, from the root of the project. */
export function documents(): string[] {
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(?:\.vitepress|files)\//u.test(name))
    .map((name) => posix.join('docs', name));
  return ['README.md', 'CONTRIBUTING.md', ...pages.sort()];
}

/** Returns the blocks of a page in order. */
export function blocksOf(page: string): CodeBlock[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return Array.from(
    text.matchAll(/^( *)```(\w+) *([^\n]*)\n([\s\S]*?)^\1```$/gmu),
    ({ index, 1: indent, 2: language, 3: note, 4: code }) => ({
      line: text.slice(0, index).split('\n').length + 1,
      language: language!,
      note: note!.trim(),
      code: code!.replaceAll(new RegExp(`^${indent}`, 'gmu'), ''),
    }),
  );
}

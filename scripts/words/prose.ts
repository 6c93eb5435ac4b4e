import { MAX_SENTENCE_WORDS, WORD_RULES } from './rules.ts';

/** A paragraph of a comment or page, or a text for people. */
export interface Prose {
  readonly file: string;
  /** First line of the paragraph, from 1. */
  readonly line: number;
  readonly text: string;
  /** Whether the text consists of sentences. If so, their words are counted. */
  readonly hasSentences: boolean;
}

/** A habit found in a paragraph. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Returns the habits of a paragraph. */
export function findHabits(prose: Prose): Finding[] {
  const { file, line, hasSentences } = prose;
  const text = withoutCode(prose.text);
  const findings = WORD_RULES.flatMap(({ pattern, remedy }) =>
    Array.from(text.matchAll(pattern), ([match]) => ({ file, line, message: `"${match}": ${remedy}` })),
  );
  if (!hasSentences) return findings;
  for (const sentence of sentencesOf(text)) {
    const words = countWords(sentence);
    if (words > MAX_SENTENCE_WORDS) {
      const start = sentence.slice(0, 50);
      findings.push({ file, line, message: `${words} words, more than ${MAX_SENTENCE_WORDS}: "${start}…"` });
    }
  }
  return findings;
}

/** Splits a text into sentences. A colon also ends a sentence. */
export function sentencesOf(text: string): string[] {
  return text
    .replace(/\((?:RFC|see|https?:)[^)]*\)/giu, '')
    .split(/(?<=[.!?:])["”)]*\s+(?=\S)|(?<=\))\s+(?=[A-Z])|\n\s*\n/u)
    .map((sentence) => sentence.replace(/\s+/gu, ' ').trim())
    .filter((sentence) => sentence !== '');
}

/** Counts words. Punctuation between spaces does not count. */
export function countWords(sentence: string): number {
  return sentence.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** Replaces each code span, link and address by one word, so that rules see only prose. */
function withoutCode(text: string): string {
  return text
    .replace(/``[^`]+``|`[^`]+`/gu, 'CODE')
    .replace(/\{@link [^}]+\}/gu, 'CODE')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/gu, '$1')
    .replace(/https?:\/\/\S+/gu, 'URL')
    .replace(/\$\{[^}]*\}/gu, 'CODE')
    .replace(/"[^"\n]{0,60}"/gu, 'QUOTE');
}

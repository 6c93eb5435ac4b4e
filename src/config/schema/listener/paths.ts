/** Reads the listener key for interpreting request paths. */
import { oneOf, toggle } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { PathSettings } from '../../types/listener.ts';

const PATHS = { what: '"paths"', keys: ['ambiguous', 'mergeSlashes', 'escapedSlashes', 'pathParameters'] };

/** Reads the optional key `paths` of a listener. */
export function readPaths(listener: Section): PathSettings {
  const section = listener.settings('paths', PATHS);
  return {
    ambiguous: section.optional('ambiguous', oneOf('refuse', 'pass'), 'refuse'),
    mergeSlashes: section.optional('mergeSlashes', toggle, false),
    escapedSlashes: section.optional('escapedSlashes', oneOf('keep', 'decode', 'refuse'), 'keep'),
    pathParameters: section.optional('pathParameters', oneOf('keep', 'strip', 'refuse'), 'keep'),
  };
}

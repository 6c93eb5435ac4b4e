/** References to the environment in a text: `${NAME}`, and `${NAME:-default}`. */
import { describe } from '../formats.ts';

/** Begins a reference. */
const BEGIN = '${';
const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/y;
/** Matches a reference with a default. `$${` begins none. */
const DEFAULT = /(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*):-[^}]*\}/g;
/** Max characters of a bad reference in a message. */
const MAX_SHOWN_CHARACTERS = 40;

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A reference that cannot be replaced. The message has a remedy. */
export class BadReferenceError extends Error {
  override readonly name = 'BadReferenceError';
}

/** Whether a text has a reference, or a {@link BEGIN} that is written `$${`. */
export function hasReference(text: string): boolean {
  return text.includes(BEGIN);
}

/**
 * Replaces each reference by the variable's value, and each `$${` by `${`. A variable that is empty takes the
 * default, as in sh. Values are not searched for references.
 *
 * @param maxCharacters max length of the result
 * @throws BadReferenceError
 */
export function expandReferences(text: string, env: Environment, maxCharacters: number): string {
  let expanded = '';
  let from = 0;
  for (;;) {
    const at = text.indexOf(BEGIN, from);
    const isEscaped = at > from && text.charAt(at - 1) === '$';
    if (at === -1) expanded += text.slice(from);
    else if (isEscaped) expanded += text.slice(from, at - 1) + BEGIN;
    else expanded += text.slice(from, at) + valueAt(text, at, env);
    if (expanded.length > maxCharacters) {
      throw new BadReferenceError('values of the environment make the configuration too large: shorten them');
    }
    if (at === -1) return expanded;
    from = isEscaped ? at + BEGIN.length : REFERENCE.lastIndex;
  }
}

/** Replaces the default of each reference in a text. */
export function replaceDefaults(text: string, replacement: string): string {
  return text.replaceAll(DEFAULT, (_, name: string) => `\${${name}:-${replacement}}`);
}

/** Writes a text so that {@link expandReferences} returns it unchanged. */
export function escapeReferences(text: string): string {
  return text.replaceAll(BEGIN, '$$$${');
}

/** Returns the value of the reference at an offset. REFERENCE then ends behind it. */
function valueAt(text: string, at: number, env: Environment): string {
  REFERENCE.lastIndex = at;
  const [, name = '', fallback] = REFERENCE.exec(text) ?? [];
  if (name === '') {
    const shown = describe(text.slice(at, at + MAX_SHOWN_CHARACTERS));
    throw new BadReferenceError(
      `${shown} is not a reference to the environment: write \${NAME} or \${NAME:-default}, or $\${ for the text \${`,
    );
  }
  if (fallback?.includes(BEGIN) === true) {
    throw new BadReferenceError(
      `the default of \${${name}} has another reference: write a text without \${ and }`,
    );
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  if (value !== undefined) return value;
  throw new BadReferenceError(`the environment has no ${name}: set it, or write \${${name}:-default}`);
}

/** Explains mistakes that the parser's messages describe in YAML's own terms. */
import type { YAMLParseError } from 'yaml';

/** Aliases that nobody means: names of hosts and files. */
const TEXT_AS_ALIAS = /[./:*]/;
/** An IPv6 address before its port, such as `[::1]`. */
const ADDRESS = /\[[0-9A-Fa-f:.]*\]$/;
const MAX_ADDRESS_CHARACTERS = 50;

/** Explains an alias without an anchor. @param name without the star */
export function unknownAlias(name: string): string {
  if (TEXT_AS_ALIAS.test(name)) return `*${name} must be in quotes: YAML reads a star as an alias`;
  return `*${name} has no &${name} before it`;
}

/** Returns the message of a syntax error, or a clearer one. */
export function explainError(
  { code, message, pos }: Pick<YAMLParseError, 'code' | 'message' | 'pos'>,
  text: string,
): string {
  const [offset] = pos;
  const isAfterDollar = text.charAt(offset - 1) === '$' && text.charAt(offset) === '{';
  if (isAfterDollar) return '${NAME} must be in quotes inside [ ] and { }: YAML reads { as a mapping';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: write one';
  if (code === 'BAD_ALIAS') return 'a star alone must be in quotes: YAML reads it as an alias';
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line: indent it by spaces';
  if (code === 'BAD_SCALAR_START') return `text that begins with "${text.charAt(offset)}" must be in quotes`;
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return `${message}: put a value with ": " in quotes, or check the indentation`;
  if (code === 'UNEXPECTED_TOKEN' && ADDRESS.test(lineBefore(text, offset)))
    return 'an address that begins with "[" must be in quotes: YAML reads a list';
  return message;
}

function lineBefore(text: string, offset: number): string {
  return text.slice(
    Math.max(text.lastIndexOf('\n', offset - 1) + 1, offset - MAX_ADDRESS_CHARACTERS),
    offset,
  );
}

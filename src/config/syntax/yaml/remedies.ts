/** Explains mistakes that the parser's messages describe in YAML's own terms. */
import type { YAMLParseError } from 'yaml';

/** Aliases that nobody means: names of hosts and files. */
const TEXT_AS_ALIAS = /[./:*]/;
/** An IPv6 address before its port, such as `[::1]`. */
const ADDRESS = /\[[0-9A-Fa-f:.]*\]$/;
const MAX_ADDRESS_CHARACTERS = 50;

/** Messages of the parser that need its own terms, and what is wrong in a mapping or list of YAML or JSON. */
const EXPLANATIONS: readonly (readonly [parser: RegExp, explained: string])[] = [
  [/^Flow map .*end with a \}/, 'a { before this is not closed: write a comma, or } at its end'],
  [/^Flow sequence .*end with a \]/, 'a [ before this is not closed: write a comma, or ] at its end'],
  [
    /^Block collections are not allowed within flow/,
    'a comma is missing behind this: write one before the next key',
  ],
  [/^Missing , or :/, 'a comma or colon is missing here'],
  [/^Unexpected , in flow/, 'there is no value before this comma: remove the comma'],
  [/^Unexpected flow-(?:map|seq)-end token/, 'this bracket closes nothing: remove it, or open it before'],
  [/^Unexpected [\w-]+ token$/, 'a comma is missing before this, or a quote behind the text before it'],
  [
    /^Unexpected [\w-]+ at node end/,
    'the value before this is complete: put all of it in quotes, or check the indentation',
  ],
  [/^Missing closing "/, 'a text has no " at its end'],
  [/^Missing closing '/, "a text has no ' at its end"],
  [/^Invalid escape sequence/, 'this is no escape: write \\\\ for a backslash'],
  [
    /^Sequence item without -/,
    'this is no item of the list above it: write "- " before it, or check its indentation',
  ],
  [/^All sequence items must start/, 'the items of a list have different indentation: indent them alike'],
  [/^All mapping items must start/, 'the keys of a mapping have different indentation: indent them alike'],
  [
    /^Nested mappings are not allowed/,
    'a key cannot follow a value on its line: put a value with ": " in quotes, or begin a line for each key',
  ],
  [
    /^A block sequence may not be used as an implicit/,
    'the indentation of this list fits nothing before it: indent it like its neighbours',
  ],
  [/^Implicit (?:map )?keys need to be/, 'a key has no colon: write "key: value"'],
];

/** Explains an alias without an anchor. @param name without the star */
export function unknownAlias(name: string): string {
  if (TEXT_AS_ALIAS.test(name)) return `*${name} must be in quotes: without them, a star begins an alias`;
  return `*${name} has no &${name} before it`;
}

/** Returns the message of a syntax error, or a clearer one. */
export function explainError(
  { code, message, pos }: Pick<YAMLParseError, 'code' | 'message' | 'pos'>,
  text: string,
): string {
  const [offset] = pos;
  const isAfterDollar = text.charAt(offset - 1) === '$' && text.charAt(offset) === '{';
  if (isAfterDollar) return '${NAME} must be in quotes inside [ ] and { }: without them, { begins a mapping';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: write one';
  if (code === 'BAD_ALIAS') return 'a star alone must be in quotes: without them, it begins an alias';
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line: indent it by spaces';
  if (code === 'BAD_SCALAR_START') return `text that begins with "${text.charAt(offset)}" must be in quotes`;
  if (code === 'UNEXPECTED_TOKEN' && ADDRESS.test(lineBefore(text, offset)))
    return 'an address that begins with "[" must be in quotes: without them, it is a list';
  return EXPLANATIONS.find(([parser]) => parser.test(message))?.[1] ?? message;
}

function lineBefore(text: string, offset: number): string {
  return text.slice(
    Math.max(text.lastIndexOf('\n', offset - 1) + 1, offset - MAX_ADDRESS_CHARACTERS),
    offset,
  );
}

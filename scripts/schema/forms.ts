/** JSON Schema (draft 7) of single values. */
import type { FormatDescription } from '../../src/config/syntax/format-description.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema of text. Editors show its `errorMessage` for other values. */
interface TextSchema extends JsonSchema {
  readonly pattern?: string;
  readonly errorMessage?: string;
}

/** Matches a text with a variable of the environment, whose value the editor does not know. */
const VARIABLE = String.raw`\$\{`;
const NUMBER = String.raw`\d+(?:\.\d+)?`;
const SIZE = `${NUMBER}(?:B|[KMG]i?B)?`;

/** Name of the definition of a mapping that stands for the text of a file. */
export const OUTSIDE = 'outside';
/**
 * Accepts `{ file: PATH }`, and any scalar: it stands beside the schema of the scalar. It names no types, because
 * yaml-language-server would offer values of each.
 */
export const OUTSIDE_SCHEMA: JsonSchema = {
  properties: { file: { type: 'string' } },
  required: ['file'],
  additionalProperties: false,
};

/**
 * Returns the alternatives of a value with these forms.
 *
 * @param structure the word for another alternative of the value: `mapping` or `list`; null for none
 * @param isRead whether a format reads the value, so that a file may have its text
 */
export function alternativesOf(
  forms: readonly FormatDescription[],
  structure: 'mapping' | 'list' | null,
  isRead: boolean,
): readonly JsonSchema[] {
  const flat = forms.flatMap((form) => (form.type === 'either' ? form.of : [form]));
  const words = [...new Set(flat.flatMap(wordsOf))];
  const others = unique(flat.flatMap(schemasOf));
  const isNull = flat.some(({ type }) => type === 'empty');
  const texts = words.filter((word) => typeof word === 'string');
  const [first, ...rest] = others;
  let all: readonly JsonSchema[] = others;
  // Editors blame the alternative that is an enumeration, although the user may mean another one.
  if (texts.length > 0 && first?.type !== undefined && isText(first)) {
    all = [...withWords(first, words, texts), ...rest];
  } else if (structure !== null && words.includes(false)) {
    const remedy = { errorMessage: `Write a ${structure}, or ${texts.join(' or ')}.` };
    all = [{ type: 'string', pattern: patternOf(texts), ...remedy }, { const: false, ...remedy }, ...others];
  } else if (words.length > 0) {
    all = [{ enum: words }, ...others, { type: 'string', pattern: VARIABLE }];
  }
  if (isRead && structure !== 'mapping') all = withFile(all);
  return isNull ? [...all, { type: 'null' }] : all;
}

/**
 * Joins the alternatives of a value into one schema. A mapping with fixed keys is apart from the others: among
 * alternatives, editors blame the wrong one.
 */
export function byKind(alternatives: readonly JsonSchema[]): JsonSchema {
  const mapping = alternatives.find((each) => 'properties' in each || '$ref' in each);
  const others = alternatives.filter((each) => each !== mapping && each.type !== 'null');
  if (mapping === undefined || others.length === 0 || others.some(isObject)) return anyOf(alternatives);
  const nothing = alternatives.filter(({ type }) => type === 'null');
  const then = '$ref' in mapping && nothing.length > 0 ? { anyOf: [mapping, ...nothing] } : null;
  return {
    if: { type: ['object', 'null'] },
    then: then ?? anyOf([mapping, ...nothing]),
    else: anyOf(others),
  };
}

/** Joins alternatives into one schema. */
function anyOf(alternatives: readonly JsonSchema[]): JsonSchema {
  const isNull = ({ type }: JsonSchema): boolean => type === 'null';
  const [first, ...others] = alternatives.filter((each) => !isNull(each));
  if (first === undefined) return { type: 'null' };
  const all = unique([alternatives.some(isNull) ? orNull(first) : first, ...others]);
  if (all.length === 1) return all[0]!;
  // With equal titles, yaml-language-server shows the alternatives in place of the text.
  return { anyOf: all.map((each, index) => (index === 0 ? each : { title: titleOf(each), ...each })) };
}

function titleOf(schema: JsonSchema): string {
  if ('const' in schema) return String(schema.const);
  if ('$ref' in schema) return 'mapping';
  if (schema.pattern === VARIABLE) return 'variable';
  return ([schema.type].flat() as string[]).join(' or ');
}

/** Lets the first alternative that is text accept a file. One more alternative would make messages longer. */
function withFile(alternatives: readonly JsonSchema[]): readonly JsonSchema[] {
  const at = alternatives.findIndex(isText);
  return alternatives.map((each, index) =>
    index === at
      ? { ...each, type: [each.type, 'object'].flat(), allOf: [{ $ref: `#/definitions/${OUTSIDE}` }] }
      : each,
  );
}

/** Lets a schema accept null. Another alternative would make messages of editors longer. */
function orNull(schema: JsonSchema): JsonSchema {
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...(schema.enum as unknown[]), null] };
  return { ...schema, type: [schema.type, 'null'].flat() };
}

/** Removes equal schemas. */
export function unique(schemas: readonly JsonSchema[]): readonly JsonSchema[] {
  return [...new Map(schemas.map((each) => [JSON.stringify(each), each])).values()];
}

function isObject({ type }: JsonSchema): boolean {
  return [type].flat().includes('object');
}

function isText({ type }: JsonSchema): boolean {
  return [type].flat().includes('string');
}

/** Lets a schema of text accept words, too. */
function withWords(
  schema: TextSchema,
  words: readonly unknown[],
  texts: readonly string[],
): readonly JsonSchema[] {
  const acceptsFalse = [schema.type].flat().includes('boolean');
  const falses = words.includes(false) && !acceptsFalse ? [{ const: false }] : [];
  if (schema.pattern === undefined) return [schema, ...falses];
  const { errorMessage = 'Write text.' } = schema;
  return [
    {
      ...schema,
      pattern: `^(?:${texts.join('|')})$|${schema.pattern}`,
      errorMessage: errorMessage.replace(/^Write /, `Write ${texts.join(' or ')}, or `),
    },
    ...falses,
  ];
}

function patternOf(words: readonly string[]): string {
  return `^(?:${words.join('|')})$|${VARIABLE}`;
}

function wordsOf(form: FormatDescription): readonly (string | number | boolean)[] {
  if (form.type === 'off') return ['off', false];
  if (form.type === 'constant') return form.values;
  if (form.type !== 'word') return [];
  // The loader takes 1.3 for '1.3'.
  return form.words.flatMap((word) => (/^\d+\.\d+$/.test(word) ? [word, Number(word)] : [word]));
}

function schemasOf(form: FormatDescription): readonly JsonSchema[] {
  switch (form.type) {
    case 'duration': {
      const remedy = 'Write a number and a unit, such as 5s.';
      return [quantity(`${NUMBER}(?:ms|s|m|h|d)|0`, remedy), ...zero(form, remedy)];
    }
    case 'size': {
      const bounds = { minimum: allowsZero(form) ? 0 : form.min, maximum: form.max };
      const remedy = 'Write a number and a unit, such as 64KiB.';
      return [{ ...quantity(SIZE, remedy), type: ['string', 'number'], ...bounds }];
    }
    case 'byte rate': {
      const remedy = 'Write a size and "/s", such as 64KiB/s.';
      return [quantity(`${SIZE}/s`, remedy), ...zero(form, remedy)];
    }
    case 'rate':
      return [quantity(`${NUMBER}/[smh]`, 'Write a number and a unit, such as 100/s.')];
    case 'integer':
    case 'number':
      return numbers(form);
    case 'boolean':
      return [{ type: ['boolean', 'string'], pattern: VARIABLE, errorMessage: 'Write true or false.' }];
    case 'text':
      return [text(form)];
    case 'pairs':
      return [pairs(form)];
    case 'word':
    case 'constant':
    case 'off':
    case 'empty':
    case 'either':
    case 'list':
      return [];
  }
}

type Range = Extract<FormatDescription, { readonly min: number; readonly max: number }>;

function quantity(pattern: string, errorMessage: string): JsonSchema {
  return { type: 'string', pattern: `^(?:${pattern})$|${VARIABLE}`, errorMessage };
}

/** Returns the schema of 0 without a unit, if it is accepted. */
function zero(form: Range, errorMessage: string): readonly JsonSchema[] {
  return allowsZero(form) ? [{ const: 0, errorMessage }] : [];
}

function allowsZero({ min, zero }: Range): boolean {
  return min === 0 || zero !== undefined;
}

function numbers(form: Range): readonly JsonSchema[] {
  const { type, min, max } = form;
  const bounds = {
    ...(Number.isFinite(min) ? { minimum: min } : {}),
    ...(Number.isFinite(max) ? { maximum: max } : {}),
  };
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  const range = Number.isFinite(min) ? `, ${min} to ${max}` : '';
  const schema = {
    type: [type, 'string'],
    ...bounds,
    pattern: VARIABLE,
    errorMessage: `Write ${kind}${range}.`,
  };
  return min > 0 && form.zero !== undefined ? [schema, { const: 0 }] : [schema];
}

function text({ what, remedy, pattern }: Extract<FormatDescription, { type: 'text' }>): JsonSchema {
  if (pattern === undefined || !isPortable(pattern)) return { type: 'string' };
  return {
    type: 'string',
    pattern: `${pattern}|${VARIABLE}`,
    errorMessage: `Not ${what}${remedy === undefined ? '' : `: ${remedy}`}.`,
  };
}

function pairs({ values, lists, files }: Extract<FormatDescription, { type: 'pairs' }>): JsonSchema {
  const one = values === null ? [{}] : alternativesOf([values], null, files);
  const list = lists ? [{ type: 'array', items: anyOf(one), minItems: 1 }] : [];
  return { type: 'object', additionalProperties: anyOf([...one, ...list]) };
}

/** Whether validators read an expression as JavaScript does without flags: they compile it with the flag u. */
function isPortable(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}

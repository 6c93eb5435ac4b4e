/** Validates configurations by config/schema.json, with a validator that we did not write. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { SourceFile } from '../../src/config/syntax/source-file.ts';

const FILE = join(resolve(import.meta.dirname, '../..'), 'config/schema.json');
/** Keywords that validators ignore. Editors and `sluice explain` read them. */
const ANNOTATIONS = ['x-sluice', 'markdownDescription', 'errorMessage'];

// Parts of the schema stand beside others, which have the types and the properties.
const options = { strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true } as const;
const ajv = new Ajv({ allErrors: true, ...options });
for (const keyword of ANNOTATIONS) ajv.addKeyword(keyword);
const validate = ajv.compile(JSON.parse(readFileSync(FILE, 'utf8')) as object);

/** Returns the errors of a configuration in YAML, each as `/path message`. */
export function schemaErrors(text: string): readonly string[] {
  return schemaErrorsOf(plainOf(new SourceFile(text).root));
}

/** Returns the errors of a configuration as data, as {@link schemaErrors} does. */
export function schemaErrorsOf(value: unknown): readonly string[] {
  validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** Turns the maps of a parsed configuration into objects. */
export function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, below]) => [key, plainOf(below)]));
}

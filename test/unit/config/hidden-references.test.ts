/** Replaces texts of a whole configuration by references: no output shows the values of the variables. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isScalar, parseDocument, visit, type Scalar } from 'yaml';
import { renderConfig } from '../../../src/config/render.ts';
import { errorsOf, inDirectory, load } from './load.ts';
import { WHOLE, WHOLE_FILES } from './whole.ts';

const SECRET = 'Geheimnis-42';
/** Texts replaced at a time. */
const BATCH = 25;
/** Texts of short forms that the long forms change or split, and sockets with relative paths. */
const UNPRINTED = new Set(['7.5/s', 'short.example/x', 'unix:./own.sock', 'unix:./app.sock']);

/** Returns all texts of the configuration except names, which metrics and logs show. */
function textsOf(document: ReturnType<typeof parseDocument>): readonly Scalar<string>[] {
  const found: Scalar<string>[] = [];
  visit(document, {
    Pair: (_, { key }) => (isScalar(key) && key.value === 'name' ? visit.SKIP : undefined),
    Scalar(key, node) {
      if (key !== 'key' && typeof node.value === 'string') found.push(node as Scalar<string>);
    },
  });
  return found;
}

describe('references in all places of a configuration', () => {
  it('are named in errors, without the texts of their variables', () => {
    mkdirSync(inDirectory("it's here"), { recursive: true });
    const { length } = textsOf(parseDocument(WHOLE));
    assert.ok(length > 150);
    for (const V of [SECRET, `${SECRET}:${SECRET} x`]) {
      for (let from = 0; from < length; from += BATCH) {
        const document = parseDocument(WHOLE);
        for (const node of textsOf(document).slice(from, from + BATCH)) node.value = '${V}';
        const errors = errorsOf(String(document), { env: { V }, files: WHOLE_FILES });
        assert.ok(errors.length >= Math.min(4, length - from), `${from}: ${errors.join()}`);
        for (const error of errors) assert.doesNotMatch(error, /geheimnis/i);
      }
    }
  });

  it('are printed as they were given, and keep the configuration', () => {
    const document = parseDocument(WHOLE);
    const texts = textsOf(document);
    const env: Record<string, string> = {};
    for (const [index, node] of texts.entries()) {
      env[`V${index}_`] = node.value;
      node.value = `\${V${index}_}`;
    }
    const loaded = load(String(document), { env, files: WHOLE_FILES });
    const printed = renderConfig(loaded);
    const missing = texts.filter(({ value }) => !printed.includes(value));
    assert.deepEqual(new Set(missing.map(({ value }) => env[value.slice(2, -1)])), UNPRINTED);
    assert.deepEqual(load(printed, { env }).config, loaded.config);
  });
});

/** Compares config/schema.json with the loader at every key, with every kind of wrong value. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SourceFile } from '../../src/config/syntax/source-file.ts';
import { plainOf, schemaErrorsOf } from '../support/config-schema.ts';
import { WRONG_VALUES, eachMistake, otherForms } from '../support/wrong-values.ts';
import { errorsOf } from '../unit/config/load.ts';
import { WHOLE, loadWhole } from '../unit/config/whole.ts';

/** Errors that depend on files, on other keys, or on rules that no regular expression can express. */
const BEYOND_SCHEMA = new RegExp(
  [
    'cannot be (?:read|used)',
    'does nothing without',
    'there is no (?:route|cluster)',
    'is not (?:a host|a host name|the URL|a rule of redaction|a DNS server|a protocol)\\b',
    'is not (?:a cipher|a group) that',
    'is not (?:a fingerprint|a subject alternative name)',
    'has no scheme',
    'counted in Redis',
    'without origins every Origin passes',
    'is not the URL of a Redis server',
    'the list is empty: (?:name at least one field|write at least one of routes)',
  ].join('|'),
);

describe('config/schema.json and the loader', () => {
  loadWhole();
  const config = plainOf(new SourceFile(WHOLE).root);
  const tooStrict: string[] = [];
  const tooLax: string[] = [];
  let count = 0;
  eachMistake(
    config,
    (_, right) => [...WRONG_VALUES, ...otherForms(right)],
    ({ name }) => {
      count++;
      const isRefused = schemaErrorsOf(config).length > 0;
      const errors = errorsOf(JSON.stringify(config));
      if (isRefused && errors.length === 0) tooStrict.push(name);
      if (!isRefused && errors.length > 0 && !errors.every((error) => BEYOND_SCHEMA.test(error))) {
        tooLax.push(`${name}: ${errors.join(', ')}`);
      }
    },
  );

  it('meet every kind of mistake', () => assert.ok(count > 1500, `${count} values`));
  it('accept the same values: the schema refuses none of the loader’s', () =>
    assert.deepEqual(tooStrict, []));
  it('refuse the same values, except those beyond a schema', () => assert.deepEqual(tooLax, []));
});

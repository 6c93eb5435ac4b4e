import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogSettings } from '../../../../src/config/types/config.ts';
import { MINIMAL, errorsOf, inDirectory, load } from '../load.ts';

function read(keys: string): LogSettings {
  return load(`${MINIMAL}log: { ${keys} }\n`).config.log;
}

function problems(keys: string): readonly string[] {
  return errorsOf(`${MINIMAL}log: { ${keys} }\n`).map((error) => error.replace(/^\S+ /, ''));
}

describe('the log', () => {
  it('has an access log in JSON in the log by default, and none if it is false', () => {
    const access = {
      file: null,
      format: 'json',
      sample: 1,
      fields: null,
      slowMs: 0,
      maxSizeBytes: 0,
      keep: 5,
    };
    assert.deepEqual(read('level: info').access, access);
    assert.deepEqual(read('access: true').access, access);
    assert.deepEqual(read('access: {}').access, access);
    assert.equal(read('access: false').access, null);
  });

  it('reads all keys of the access log', () => {
    const keys =
      'file: access.log, sample: 0.1, fields: [client, path, client], slow: 1s, maxSize: 1MiB, keep: 2';
    assert.deepEqual(read(`access: { ${keys} }`).access, {
      file: inDirectory('access.log'),
      format: 'json',
      sample: 0.1,
      fields: ['client', 'path'],
      slowMs: 1000,
      maxSizeBytes: 2 ** 20,
      keep: 2,
    });
  });

  for (const [name, keys, expected] of [
    ['a file that is a directory', 'file: .', /"\." is a directory: name a file in it$/],
    ['a directory for access lines', 'access: { file: . }', /"\." is a directory: name a file in it$/],
    ['a directory that is missing', 'access: { file: gone/a.log }', /gone/],
    ['one file for both', 'file: a.log, access: { file: a.log }', /the log uses this file: name another/],
    ['a format that is unknown', 'access: { format: xml }', /"xml" is not one of json, combined, text/],
    ['a ratio above 1', 'access: { sample: 2 }', /2/],
    [
      'a field that is unknown',
      'access: { fields: [pth] }',
      /"pth" is not a field .* did you mean "path"\?$/,
    ],
    ['a list without fields', 'access: { fields: [] }', /the list is empty: name at least one field/],
    ['fields of a fixed format', 'access: { format: text, fields: [path] }', /have fixed fields/],
    ['a size without a file', 'maxSize: 1MiB', /maxSize does nothing without log\.file/],
    [
      'a number of files without a size',
      'access: { file: a.log, keep: 3 }',
      /keep does nothing without log\.access\.maxSize/,
    ],
    ['a size that is too small', 'file: a.log, maxSize: 1KiB', /1KiB/],
    ['a key that is unknown', 'access: { files: a.log }', /unknown key "files".*did you mean "file"\?/],
  ] as const) {
    it(`refuses ${name}`, () => {
      const errors = problems(keys);
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.match(errors[0]!, expected);
    });
  }
});

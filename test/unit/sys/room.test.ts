import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const SRC = resolve(import.meta.dirname, '../../../src');

/** Names that work with addresses in memory: a wrong address ends the process. */
const RESERVED_NAMES = /\bkoffi\b|native-calls|addressWithin/;

describe('the room of system calls', () => {
  it('keeps addresses to itself', () => {
    const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    assert.ok(files.includes(join('sys', 'native-calls.ts')));
    const offenders = files
      .filter((file) => !file.startsWith('sys'))
      .filter((file) => importsOf(file).some((line) => RESERVED_NAMES.test(line)));
    assert.deepEqual(offenders, []);
  });
});

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return text.match(/\b(?:import|from|require)\b[^;]*;/g) ?? [];
}

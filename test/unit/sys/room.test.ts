import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const SRC = resolve(import.meta.dirname, '../../../src');

/** Names that work with addresses in memory: a wrong address ends the process. */
const RESERVED_NAMES = /\bkoffi\b|native-calls|addressWithin/;
/** A function of OpenSSL by its name, as a string. */
const OPENSSL_NAME = /'(?:SSL|SSL_CTX|X509|ERR|EVP|BIO|PEM|RAND)_[a-z]\w*'/;

describe('the room of system calls', () => {
  it('keeps addresses to itself', () => {
    const files = filesOfSource();
    assert.ok(files.includes(join('sys', 'native-calls.ts')));
    const offenders = files
      .filter((file) => !file.startsWith('sys'))
      .filter((file) => importsOf(file).some((line) => RESERVED_NAMES.test(line)));
    assert.deepEqual(offenders, []);
  });

  it('names functions of OpenSSL in one file', () => {
    const files = filesOfSource();
    const namers = files.filter((file) => OPENSSL_NAME.test(readFileSync(join(SRC, file), 'utf8')));
    assert.deepEqual(namers, [join('sys', 'openssl.ts')]);
  });
});

function filesOfSource(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return text.match(/\b(?:import|from|require)\b[^;]*;/g) ?? [];
}

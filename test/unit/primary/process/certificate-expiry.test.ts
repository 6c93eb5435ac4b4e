import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { L7Listener } from '../../../../src/config/types/listener.ts';
import { readExpiries } from '../../../../src/primary/process/certificate-expiry.ts';
import { until2054, until2126 } from '../fixtures/certificates.ts';
import { capture, l4Listener, l7Listener, listenerTls } from '../fixtures/config.ts';

const in2126 = Date.UTC(2126, 9, 28, 22, 29, 9) / 1000;
const in2054 = Date.UTC(2054, 3, 8, 22, 29, 9) / 1000;

describe('the expiry of certificates', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));
    writeFileSync(join(directory, '2126.pem'), until2126);
    writeFileSync(join(directory, '2054.pem'), until2054);
    writeFileSync(join(directory, 'broken.pem'), 'none');
  });
  after(() => rmSync(directory, { recursive: true }));

  function listener(name: string, ...certificates: readonly (readonly [string, ...string[]])[]): L7Listener {
    const all = certificates.map(([file, ...serverNames]) => ({
      cert: join(directory, file),
      key: '/nowhere',
      digest: '',
      serverNames,
    }));
    return { ...l7Listener, name, tls: listenerTls(all) };
  }

  it('is told by listener and first server name, or by the file', () => {
    const { log, lines } = capture();
    const listeners = [
      l7Listener,
      l4Listener,
      listener('one', ['2126.pem', 'a.example.com', 'b.example.com'], ['2054.pem']),
      listener('two', ['2054.pem', 'a.example.com']),
    ];
    assert.deepEqual(readExpiries(listeners, log), [
      { listener: 'one', certificate: 'a.example.com', notAfter: in2126 },
      { listener: 'one', certificate: '2054.pem', notAfter: in2054 },
      { listener: 'two', certificate: 'a.example.com', notAfter: in2054 },
    ]);
    assert.deepEqual(lines, []);
  });

  it('is the earlier one of two for the same name', () => {
    for (const files of [
      ['2126.pem', '2054.pem'],
      ['2054.pem', '2126.pem'],
    ]) {
      const both = files.map((file) => [file, 'a.example.com'] as const);
      assert.deepEqual(readExpiries([listener('one', ...both)], capture().log), [
        { listener: 'one', certificate: 'a.example.com', notAfter: in2054 },
      ]);
    }
  });

  it('is left out, with a warning, if a file cannot be read', () => {
    const { log, lines } = capture();
    const broken = listener('one', ['missing.pem', 'x'], ['broken.pem', 'y'], ['2054.pem', 'z']);
    assert.deepEqual(
      readExpiries([broken], log).map(({ certificate }) => certificate),
      ['z'],
    );
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn', 'warn'],
    );
  });
});

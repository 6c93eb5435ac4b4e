import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FormatError } from '../../../../src/config/syntax/formats.ts';
import { isUnencrypted, httpUrl } from '../../../../src/config/syntax/url.ts';

const read = httpUrl('the URL of a server');

describe('URLs', () => {
  it('have http or https', () => {
    assert.equal(read('https://a.example/x?y=z').href, 'https://a.example/x?y=z');
    assert.equal(read('http://[::1]:9000').href, 'http://[::1]:9000/');
    for (const bad of [
      'a.example',
      'ws://a.example',
      'mailto:a',
      '//a.example',
      'http://',
      'http://[::1',
      5,
      null,
      '',
    ]) {
      assert.throws(() => read(bad), FormatError, String(bad));
    }
  });

  it('show no password in messages', () => {
    for (const url of [
      'https://u:geheim@a.example',
      'https://geheim@a.example',
      'ftp://u:geheim@a.example',
    ]) {
      assert.throws(
        () => read(url),
        (error: Error) => error instanceof FormatError && !error.message.includes('geheim'),
      );
    }
  });

  it('cross the network unencrypted unless they have TLS or stay on this machine', () => {
    const clear = [
      'http://a.example',
      'http://10.0.0.1',
      'http://[fd00::1]',
      'http://localhost.example',
      'http://[::1:1]',
    ];
    const safe = [
      'https://a.example',
      'http://localhost',
      'http://127.1.2.3:80',
      'http://[::1]',
      'http://0x7f.1',
    ];
    for (const url of clear) assert.equal(isUnencrypted(new URL(url)), true, url);
    for (const url of safe) assert.equal(isUnencrypted(new URL(url)), false, url);
  });
});

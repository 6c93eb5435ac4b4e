import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostOf, portOf } from '../../../../src/wire/http/host-header.ts';

describe('hostOf', () => {
  it('removes the port and the trailing dot, and lowers the case', () => {
    const cases = [
      ['example.com', 'example.com'],
      ['Example.COM:8080', 'example.com'],
      ['example.com.', 'example.com'],
      ['example.com.:443', 'example.com'],
      ['example.com:', 'example.com'],
      ['localhost', 'localhost'],
      ['my_app-1.internal', 'my_app-1.internal'],
      ['127.0.0.1:65535', '127.0.0.1'],
      ['xn--caf-dma.example', 'xn--caf-dma.example'],
      ["A!$&'()*+,;=b_.example:80", "a!$&'()*+,;=b_.example"],
      ['*.example', '*.example'],
      ['a,b', 'a,b'],
      ['~h', '~h'],
    ] as const;
    for (const [header, host] of cases) assert.equal(hostOf(header), host, header);
  });

  it('keeps the brackets of an IPv6 address', () => {
    assert.equal(hostOf('[::1]'), '[::1]');
    assert.equal(hostOf('[2001:DB8::1]:8080'), '[2001:db8::1]');
    assert.equal(hostOf('[::ffff:127.0.0.1]:'), '[::ffff:127.0.0.1]');
  });

  it('refuses text that is not a host', () => {
    const refused = [
      '',
      '.',
      ':80',
      '..',
      'a..b',
      '.a',
      'a..',
      'a b',
      ' a',
      'a ',
      'a\t',
      'user@a',
      'a/b',
      'a, b',
      'a:b',
      'a:-1',
      'a:1e3',
      'a: 1',
      'a:123456',
      'a:65536',
      'a:80:80',
      'a\\b',
      'a?b',
      'a#b',
      'a%2eb',
      'a%21b',
      'a"b',
      'a<b>',
      'a[b]',
      'a{b}',
      'a|b',
      'a^b',
      'a`b',
      'é.com',
      'a\0',
      '::1',
      '[',
      ']',
      '[]',
      '[::1',
      '[::1]a',
      '[::1]:x',
      '[::1]:99999',
      '[a]',
      '[fe80::1%eth0]',
      '[::1]]',
      '[[::1]]',
      'x'.repeat(256),
    ];
    for (const header of refused) assert.equal(hostOf(header), null, JSON.stringify(header));
  });
});

it('portOf returns the port of a host', () => {
  const cases = [
    ['example.com:8443', '8443'],
    ['[2001:db8::1]:8443', '8443'],
    ['example.com', undefined],
    ['example.com:', undefined],
    ['[2001:db8::1]', undefined],
    ['[2001:db8::8443]', undefined],
  ] as const;
  for (const [header, port] of cases) assert.equal(portOf(header), port, header);
});

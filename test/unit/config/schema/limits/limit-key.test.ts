import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, l7Of, load } from '../../load.ts';

function read(key: string): unknown {
  return l7Of(load(l7(`limits: [{ key: ${key}, connections: 1 }]`))).limits[0]?.key;
}

function error(key: string): string {
  return errorsOf(l7(`limits: [{ ${key} connections: 1 }]`)).join('; ');
}

describe('the key of a limit', () => {
  it('is a word', () => {
    for (const kind of ['address', 'principal', 'host', 'route']) assert.deepEqual(read(kind), { kind });
  });

  it('is a claim, a header or a cookie', () => {
    assert.deepEqual(read('{ claim: "https://a.example/team" }'), {
      kind: 'claim',
      name: 'https://a.example/team',
    });
    assert.deepEqual(read('{ header: X-Api-Key }'), { kind: 'header', name: 'x-api-key' });
    assert.deepEqual(read('{ cookie: Session }'), { kind: 'cookie', name: 'Session' });
  });

  it('is required, and has no other form', () => {
    assert.match(error(''), /a limit needs "key": write address, principal, host, route, \{ claim/);
    assert.match(
      error('key: adress,'),
      /key: "adress" is not one of address, principal, host, route: did you mean address\?/,
    );
    assert.match(error('key: { query: a },'), /unknown key "query" in the key of a limit/);
    assert.match(
      error('key: { claim: a, header: b },'),
      /the key of a limit needs exactly one of claim, header, cookie/,
    );
    assert.match(error('key: {},'), /needs exactly one of/);
    assert.match(error('key: { header: a b },'), /is not a header's name/);
    assert.match(error('key: { claim: "" },'), /is not a claim's name/);
    assert.match(error('key: [address],'), /a list is not one of/);
  });
});

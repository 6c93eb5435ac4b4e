import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JwtSettings } from '../../../../../../src/config/types/access.ts';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../../load.ts';

const KEYS = 'keys: "https://a.example/jwks"';

function text(more: string): string {
  return l7('address: 127.0.0.1:1', `access: { jwt: { ${KEYS}${more} } }`);
}

function read(more: string): JwtSettings {
  return l7Of(load(text(more))).access!.jwt!;
}

function error(more: string): string {
  return (errorsOf(text(more))[0] ?? '').replace(/^6:\d+: /, '');
}

describe('tokens', () => {
  it('have defaults for all but keys', () => {
    const { keys, algorithms, ...rest } = read('');
    assert.equal(keys.kind, 'url');
    assert.equal(algorithms.length, 11);
    assert.deepEqual(rest, {
      issuers: [],
      audiences: [],
      from: [{ kind: 'header', name: 'authorization' }],
      requiredClaims: new Map(),
      forward: new Map(),
      atExpiry: 'close',
      graceMs: 0,
      leewayMs: 30_000,
    });
  });

  it('have one issuer and audience, or several', () => {
    const settings = read(', issuer: https://id.example.com, audience: [chat, mail, chat]');
    assert.deepEqual(settings.issuers, ['https://id.example.com']);
    assert.deepEqual(settings.audiences, ['chat', 'mail']);
    assert.match(error(', issuer: []'), /issuer: the list is empty/);
    assert.match(error(', audience: 5'), /audience: 5 is not text: put it in quotes/);
  });

  it('cause a warning without issuer or audience', () => {
    const warning = (names: string): string =>
      `6:15: without ${names} every token signed by these keys is accepted, even one for another application: set ${names}`;
    assert.deepEqual(warningsOf(text('')), [warning('issuer and audience')]);
    assert.deepEqual(warningsOf(text(', issuer: a')), [warning('audience')]);
    assert.deepEqual(warningsOf(text(', audience: a')), [warning('issuer')]);
    assert.deepEqual(warningsOf(text(', issuer: a, audience: a')), []);
  });

  it('cause a warning without encryption', () => {
    const listener = l7('address: ":80"', `access: { jwt: { ${KEYS}, issuer: a, audience: a } }`);
    assert.match(warningsOf(listener)[0] ?? '', /^6:15: tokens cross the network unencrypted/);
  });

  it('need values of claims, compared as text', () => {
    const { requiredClaims } = read(', require: { role: [user, admin], level: 5, staff: true }');
    assert.deepEqual(
      [...requiredClaims],
      [
        ['role', ['user', 'admin']],
        ['level', ['5']],
        ['staff', ['true']],
      ],
    );
    assert.match(
      error(', require: [role]'),
      /require: a list is not a mapping: "require" has claims and their values/,
    );
    assert.match(error(', require: { role: [] }'), /role: the list is empty, so no token would pass/);
    assert.match(error(', require: { role: { a: b } }'), /a mapping is not a claim's value/);
    assert.match(error(', require: { role: [[a]] }'), /a list is not a claim's value/);
    assert.match(error(', require: { role: null }'), /an empty value is not a claim's value/);
  });

  it('forward claims in headers that are free', () => {
    assert.deepEqual(
      [...read(', forward: { X-User: sub, x-mail: email }').forward],
      [
        ['x-user', 'sub'],
        ['x-mail', 'email'],
      ],
    );
    assert.match(
      error(', forward: { Authorization: sub }'),
      /"authorization" is set by clients or the proxy itself/,
    );
    assert.match(
      error(', forward: { X-User: sub, x-user: name }'),
      /"x-user" is given twice \(case is ignored\)/,
    );
    assert.match(error(', forward: { x-user: "" }'), /is not a claim's name/);
  });

  it('end sessions after a grace period, or not at all', () => {
    assert.deepEqual([read(', grace: 5m').graceMs, read(', leeway: 0s').leewayMs], [300_000, 0]);
    assert.equal(read(', atExpiry: ignore').atExpiry, 'ignore');
    assert.match(
      error(', atExpiry: ignore, grace: 1s'),
      /grace: with atExpiry: ignore no session ends by its token/,
    );
    assert.match(error(', leeway: 11m'), /leeway: 11m is out of range: write 0s to 10m/);
  });
});

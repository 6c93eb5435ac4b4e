import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestFactsOf, methodField } from '../../../../src/l7/access-log/request-fields.ts';

const CLIENT = {
  address: '192.0.2.1',
  requestId: 'id-1',
  certificate: null,
  vpcEndpointId: null,
  trace: null,
  proto: 'http',
} as const;

function fieldsOf(path: string, userAgent: string): ReturnType<typeof requestFactsOf> {
  return requestFactsOf(
    { method: 'GET', path, query: '', headers: ['user-agent', userAgent] },
    CLIENT,
    false,
  );
}

describe('the fields of a line about a request', () => {
  it("decode the client's bytes as UTF-8", () => {
    const { path, userAgent } = fieldsOf('/caf\xc3\xa9', 'caf\xc3\xa9 \xe9');
    assert.deepEqual([path, userAgent], ['/caf\u00e9', 'caf\u00e9 \ufffd']);
  });

  it('truncate long values', () => {
    const { path, userAgent } = fieldsOf(`/${'p'.repeat(2000)}`, 'u'.repeat(300));
    assert.deepEqual([path?.length, userAgent?.length], [1027, 259]);
    assert.ok(path?.endsWith('...'));
  });

  it('omit method and path if a head is too incomplete to have them', () => {
    const head = { method: '', path: '', query: '', headers: [] };
    assert.deepEqual([requestFactsOf(head, CLIENT, false).path, methodField(head)], [undefined, undefined]);
  });

  it('contain the subject and fingerprint of a certificate on one line', () => {
    const fingerprint = 'ab'.repeat(32);
    const subject = `CN=\\0A\\",O=${'x'.repeat(300)}`;
    const client = { ...CLIENT, certificate: { subject, fingerprint, names: [] } };
    const fields = requestFactsOf({ method: 'GET', path: '/', query: '', headers: [] }, client, false);
    assert.equal(fields.certSubject, `${subject.slice(0, 256)}...`);
    assert.equal(fields.certFingerprint, fingerprint);
    const without = fieldsOf('/', 'x');
    assert.deepEqual([without.certSubject, without.certFingerprint], [undefined, undefined]);
  });

  it('contain the VPC endpoint from a PROXY header', () => {
    const client = { ...CLIENT, vpcEndpointId: 'vpce-1' };
    const head = { method: 'GET', path: '/', query: '', headers: [] };
    assert.equal(requestFactsOf(head, client, false).vpcEndpointId, 'vpce-1');
    assert.equal(requestFactsOf(head, CLIENT, false).vpcEndpointId, undefined);
  });

  it('omit headers that the client did not send', () => {
    const { host, origin } = fieldsOf('/', 'x');
    assert.deepEqual([host, origin], [undefined, undefined]);
  });

  it('contain the referring page without its query, if the journal needs it', () => {
    const head = {
      method: 'GET',
      path: '/',
      query: '',
      headers: ['referer', 'https://a.example/b?token=c#d'],
    };
    assert.equal(requestFactsOf(head, CLIENT, true).referer, 'https://a.example/b');
    assert.equal(requestFactsOf(head, CLIENT, false).referer, undefined);
    const named = { ...head, headers: ['referer', 'https://user:pass@a.example/b@c'] };
    assert.equal(requestFactsOf(named, CLIENT, true).referer, 'https://a.example/b@c');
  });
});

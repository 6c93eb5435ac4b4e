import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { parseTarget } from '../../../../src/cli/edge/target.ts';
import { probeTargets, silenceText } from '../../../../src/cli/edge/target-probe.ts';
import { formatAddress } from '../../../../src/core/address.ts';

/** Returns what the probes of targets find if only these addresses answer. */
async function probe(answers: Readonly<Record<string, string>>, ...texts: readonly string[]) {
  return probeTargets(texts.map(parseTarget), (address) =>
    Promise.resolve(answers[formatAddress(address)] ?? null),
  );
}

describe('the probe of targets', () => {
  it('takes the loopback address that answers: another server may have ::1', async () => {
    const [found] = await probe(
      { 'localhost:3000': '::1', '127.0.0.1:3000': '127.0.0.1', '[::1]:3000': '::1' },
      '3000',
    );
    assert.ok(found !== undefined);
    assert.deepEqual(
      [formatAddress(found.target.address), found.answeredAt],
      ['127.0.0.1:3000', '127.0.0.1'],
    );
  });

  it('keeps the name with TLS, and other names', async () => {
    const answers = { 'localhost:3000': '127.0.0.1', '127.0.0.1:3000': '127.0.0.1', 'app:3000': '10.0.0.1' };
    const found = await probe(answers, 'https://localhost:3000', 'https://app:3000');
    assert.deepEqual(
      found.map(({ target, answeredAt }) => [formatAddress(target.address), answeredAt]),
      [
        ['localhost:3000', '127.0.0.1'],
        ['app:3000', '10.0.0.1'],
      ],
    );
  });

  it('removes a target that is the same as an earlier one', async () => {
    const found = await probe({ '[::1]:3000': '::1' }, '3000', '[::1]:3000', '3001', '3001');
    assert.deepEqual(
      found.map(({ target }) => formatAddress(target.address)),
      ['[::1]:3000', 'localhost:3001'],
    );
  });

  it('finds a server that resets its connections', async () => {
    const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [found] = await probeTargets([parseTarget(String(port))]);
    server.close();
    assert.equal(found?.answeredAt, '127.0.0.1');
  });

  it('takes ::1 if localhost does not answer, and for no other name', async () => {
    const answers = { '[::1]:3000': '::1', '[::1]:3001': '::1' };
    const found = await probe(answers, '3000', 'https://app:3001', '127.0.0.1:3001', 'unix:/run/app');
    assert.deepEqual(
      found.map(({ target, answeredAt }) => [formatAddress(target.address), answeredAt]),
      [
        ['[::1]:3000', '::1'],
        ['app:3001', null],
        ['127.0.0.1:3001', null],
        ['unix:/run/app', null],
      ],
    );
  });

  it('warns of the targets that do not answer', async () => {
    assert.equal(silenceText(await probe({ 'localhost:1': '::1' }, '1')), '');
    assert.match(
      silenceText(await probe({ 'localhost:1': '::1' }, '1', '2')),
      /^ {2}Nothing listens at localhost:2 yet\. Requests get 502 until the server runs\.\n\n$/,
    );
    assert.match(silenceText(await probe({}, '1', '2')), /localhost:1, localhost:2 yet\..* they run\./);
  });
});

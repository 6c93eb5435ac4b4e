import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { testExample } from '../../support/examples/isolation.ts';
import { get, openSocket, seenIn, startServer } from '../../support/examples/servers.ts';
import { addAddresses, runExample, type RunningExample } from '../../support/examples/stage.ts';

const URL = 'http://127.0.0.1:8080/';
const NEW = '10.0.0.12:3000';

testExample(import.meta.filename, 'canary', () => {
  let sluice: RunningExample;
  before(async () => {
    addAddresses('10.0.0.11', '10.0.0.12');
    for (const host of ['10.0.0.11', '10.0.0.12']) await startServer(host, 3000);
    // Several workers would each count their own twenty.
    sluice = await runExample(['--set', 'workers.l7=1']);
  });
  after(() => sluice.stop());

  it('gives one client in twenty the new version, and lets it stay', async () => {
    const cookies: string[] = [];
    for (let client = 0; client < 40; client++) {
      const answer = await get(URL);
      if (seenIn(answer).server === NEW) cookies.push(answer.headers['set-cookie']![0]!.split(';')[0]!);
    }
    assert.equal(cookies.length, 2);
    for (let visit = 0; visit < 3; visit++) {
      const { socket, seen } = await openSocket(URL.replace('http', 'ws'), {
        headers: { cookie: cookies[0]! },
      });
      assert.equal(seen.server, NEW);
      socket.terminate();
    }
  });

  it('gives testers the new version', async () => {
    for (let visit = 0; visit < 3; visit++) {
      assert.equal(seenIn(await get(URL, { headers: { 'x-canary': 'always' } })).server, NEW);
    }
  });
});

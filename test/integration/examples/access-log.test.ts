import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { testExample } from '../../support/examples/isolation.ts';
import { get, openSocket, startServer } from '../../support/examples/servers.ts';
import { runExample, type RunningExample } from '../../support/examples/stage.ts';

const DIRECTORY = '/var/log/sluice';
const FILE = `${DIRECTORY}/access.log`;

testExample(import.meta.filename, 'access-log', () => {
  let sluice: RunningExample;
  before(async () => {
    mkdirSync(DIRECTORY);
    await startServer('127.0.0.1', 3000);
    // A size that a test reaches.
    sluice = await runExample(['--set', 'log.access.maxSize=64KiB', '--set', 'log.access.keep=2']);
  });
  after(() => sluice.stop());

  it('has a line for each request and session in the combined format', async () => {
    await get('http://127.0.0.1:8080/page', {
      headers: { 'user-agent': 'a-browser', referer: 'http://a.example/' },
    });
    const { socket } = await openSocket('ws://127.0.0.1:8080/chat');
    socket.close();
    const line =
      /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/page HTTP\/1\.1" 200 \d+ "http:\/\/a\.example\/" "a-browser"$/mu;
    await eventually(() => {
      const text = readFileSync(FILE, 'utf8');
      assert.match(text, line);
      assert.match(text, /"GET \/chat HTTP\/1\.1" 101 /u);
    });
  });

  it('rotates by size and keeps the newest files', async () => {
    const path = `http://127.0.0.1:8080/${'x'.repeat(4000)}`;
    for (let request = 0; request < 400; request++) await get(path);
    await eventually(() =>
      assert.deepEqual(readdirSync(DIRECTORY).sort(), ['access.log', 'access.log.1', 'access.log.2']),
    );
    for (const name of readdirSync(DIRECTORY)) assert.ok(statSync(`${DIRECTORY}/${name}`).size <= 64 * 1024);
  });
});

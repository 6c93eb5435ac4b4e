/** Clients that come while the process starts: each is refused, or served. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { it } from 'node:test';
import { ENGINES } from '../../support/engines.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';

/** More listeners than one make the time longer in which the first has been looked at, and does not listen yet. */
const LISTENERS = 12;
const CLIENTS = 8;

/** Connects, sends a request, and returns the outcome. */
function knock(port: number): Promise<'refused' | 'served' | 'broken'> {
  return new Promise((settle) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    });
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      settle(error.code === 'ECONNREFUSED' ? 'refused' : 'broken');
    });
    socket.on('close', () => settle(text.startsWith('HTTP/1.1 200 ') ? 'served' : 'broken'));
  });
}

for (const engine of ENGINES) {
  it(`serves or refuses clients of ${engine} that connect during the start, and cuts no accepted client`, async () => {
    const ports = await freePorts(LISTENERS);
    const routes = [{ match: {}, respond: { body: 'here\n' } }];
    const listeners = ports.map((port, index) => ({
      ...{ name: `web-${index}`, mode: 'l7', engine, address: `127.0.0.1:${port}`, routes },
    }));
    const counts = { refused: 0, served: 0, broken: 0 };
    let isOver = false;
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!isOver) counts[await knock(ports[0]!)]++;
    });
    const sluice = await startSluice({
      config: { workers: { l7: 2 }, admin: { address: '127.0.0.1:0' }, log: { access: false }, listeners },
    }).finally(async () => {
      isOver = true;
      await Promise.all(clients);
    });
    assert.equal(await knock(ports[0]!), 'served');
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
    assert.ok(counts.refused > 0);
    assert.equal(counts.broken, 0, JSON.stringify(counts));
  });
}

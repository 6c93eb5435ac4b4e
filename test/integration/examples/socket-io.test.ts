import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, it } from 'node:test';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { testExample } from '../../support/examples/isolation.ts';
import { addAddresses, runExample, type RunningExample } from '../../support/examples/stage.ts';

testExample(import.meta.filename, 'socket-io', () => {
  const hosts = ['10.0.0.11', '10.0.0.12'] as const;
  const servers: Server[] = [];
  let sluice: RunningExample;

  before(async () => {
    addAddresses(...hosts);
    for (const host of hosts) {
      const http = createServer();
      const server = new Server(http);
      server.on('connection', (socket) => socket.emit('served-by', host));
      await new Promise<void>((settle) => http.listen(3000, host, settle));
      servers.push(server);
    }
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    for (const server of servers) await server.close();
  });

  for (const transport of ['polling', 'websocket'] as const) {
    it(`serves clients over ${transport}, and uses both servers`, async () => {
      const seen = new Set<string>();
      for (let client = 0; client < 6; client++) {
        const socket = io('http://127.0.0.1:8080', {
          transports: [transport],
          forceNew: true,
          withCredentials: true,
        });
        try {
          seen.add(
            await new Promise<string>((settle, fail) => {
              socket.once('served-by', settle);
              socket.once('connect_error', fail);
            }),
          );
        } finally {
          socket.disconnect();
        }
      }
      assert.deepEqual([...seen].sort(), [...hosts]);
    });
  }
});

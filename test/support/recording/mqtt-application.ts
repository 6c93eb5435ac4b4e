/** MQTT over WebSockets: the broker aedes, and clients of mqtt.js. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { within } from '../deadline.ts';
import { endServer, listenOn, type Application } from './application.ts';

const PATH = '/mqtt';
let clients = 0;

/**
 * Starts a broker. A client subscribes to a private topic and publishes there with every quality of service.
 */
export async function startMqtt(): Promise<Application> {
  const broker = await Aedes.createBroker();
  const http = createServer();
  const webSockets = new WebSocketServer({ server: http, path: PATH });
  webSockets.on('connection', (socket, request) => {
    const stream = createWebSocketStream(socket);
    stream.on('error', () => undefined);
    broker.handle(stream, request);
  });
  return {
    name: 'MQTT',
    address: await listenOn(http),
    path: PATH,
    converse,
    close: async () => {
      await new Promise<void>((settle) => broker.close(settle));
      webSockets.close();
      await endServer(http);
    },
  };
}

async function converse(address: string): Promise<void> {
  const clientId = `client-${++clients}`;
  const client = await within(
    'the CONNACK',
    connectAsync(`ws://${address}${PATH}`, { clientId, reconnectPeriod: 0 }),
  );
  const topic = `rooms/${clientId}`;
  try {
    await within('the SUBACK', client.subscribeAsync(topic, { qos: 2 }));
    for (const qos of [0, 1, 2] as const) {
      const arrival = new Promise<readonly [string, Buffer]>((settle) => {
        client.once('message', (topic, payload) => settle([topic, payload]));
      });
      await within('the handshake of the message', client.publishAsync(topic, `level ${qos}`, { qos }));
      const [at, payload] = await within('the message', arrival);
      assert.deepEqual([at, payload.toString()], [topic, `level ${qos}`]);
    }
  } finally {
    await within('the end', client.endAsync());
  }
}

/** GraphQL over WebSockets: graphql-ws on both sides, by its subprotocol graphql-transport-ws. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { within } from '../deadline.ts';
import { endServer, listenOn, type Application } from './application.ts';

const PATH = '/graphql';
const SCHEMA = 'type Query { hello(name: String!): String! } type Subscription { count(to: Int!): Int! }';

/** Starts a server of one query and one subscription, which counts. */
export async function startGraphql(): Promise<Application> {
  const http = createServer();
  const webSockets = new WebSocketServer({ server: http, path: PATH });
  const roots = {
    query: { hello: ({ name }: { name: string }) => `hello ${name}` },
    subscription: { count: ({ to }: { to: number }) => countTo(to) },
  };
  const graphql = useServer({ schema: buildSchema(SCHEMA), roots }, webSockets);
  return {
    name: 'GraphQL',
    address: await listenOn(http),
    path: PATH,
    converse,
    close: async () => {
      await graphql.dispose();
      webSockets.close();
      await endServer(http);
    },
  };
}

async function converse(address: string): Promise<void> {
  const client = createClient({
    url: `ws://${address}${PATH}`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    generateID: identifiers(),
    onNonLazyError: () => undefined,
  });
  const closed = new Promise((settle) => client.on('closed', settle));
  try {
    assert.deepEqual(await results(client, '{ hello(name: "Ada") }'), [{ hello: 'hello Ada' }]);
    assert.deepEqual(await results(client, 'subscription { count(to: 3) }'), [
      { count: 1 },
      { count: 2 },
      { count: 3 },
    ]);
  } finally {
    await client.dispose();
    await within('the close', closed);
  }
}

/** Collects the results of one operation until the server completes it. */
async function results(client: Client, query: string): Promise<unknown[]> {
  const found: unknown[] = [];
  const completed = new Promise<void>((settle, fail) => {
    client.subscribe(
      { query },
      {
        next: ({ data }) => found.push(data),
        error: (error) => fail(new Error(`the operation has failed: ${JSON.stringify(error)}`)),
        complete: settle,
      },
    );
  });
  await within('the results', completed);
  // GraphQL's objects have no prototype.
  return JSON.parse(JSON.stringify(found)) as unknown[];
}

/** Numbers the operations of a client, so that its messages are the same in every conversation. */
function identifiers(): () => string {
  let last = 0;
  return () => String(++last);
}

async function* countTo(to: number): AsyncGenerator<{ count: number }> {
  for (let count = 1; count <= to; count++) {
    await new Promise((settle) => setImmediate(settle));
    yield { count };
  }
}

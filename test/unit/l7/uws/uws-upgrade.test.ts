import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import type { UwsReply } from '../../../../src/l7/uws/reply/uws-reply.ts';
import type { UwsClient } from '../../../../src/l7/uws/uws-client.ts';
import {
  forgetCreated,
  createWebSocket,
  rememberCreated,
  type Socket,
} from '../../../../src/l7/uws/uws-upgrade.ts';

const CLIENT = {} as unknown as UwsClient;

/** Makes a WebSocket with a uWS that does as told. */
function make(upgrade: (socket: Socket, userData: object) => void): Socket | null {
  const socket = {} as Socket;
  const response = { upgrade: (userData: object) => upgrade(socket, userData) } as unknown as HttpResponse;
  const reply = {
    switchProtocols: (_headers: unknown, step: () => unknown) => step(),
  } as unknown as UwsReply;
  const context = {} as us_socket_context_t;
  return createWebSocket(response, reply, CLIENT, [], { key: '', subprotocol: '', extensions: '', context });
}

describe('a WebSocket created by uWS', () => {
  it('gets its client after its creation, and no user data for uWS to copy', () => {
    let copied: string[] = ['nothing yet'];
    let early: UwsClient | undefined = CLIENT;
    const socket = make((made, userData) => {
      rememberCreated(made);
      copied = Object.getOwnPropertyNames(userData);
      early = made.client;
    });
    assert.deepEqual(copied, []);
    assert.equal(early, undefined);
    assert.equal(socket?.client, CLIENT);
    assert.equal(forgetCreated(socket), false);
  });

  it('is null if uWS closes it at once', () => {
    let wasBeingMade = false;
    const socket = make((made) => {
      rememberCreated(made);
      wasBeingMade = forgetCreated(made);
    });
    assert.equal(wasBeingMade, true);
    assert.equal(socket, null);
  });
});

/** The demo's chat room, intact or with a fault, and members who talk. */
import assert from 'node:assert/strict';
import type { WebSocket } from 'ws';
import type { Carriers, DemoApp } from '../../../src/cli/demo/backend.ts';
import { Backend } from '../../../src/cli/demo/backend.ts';
import { ChatRoom } from '../../../src/cli/demo/chat/chat-room.ts';
import type { ToMember } from '../../../src/cli/demo/chat/chat-message.ts';
import { freePorts } from '../sockets/free-port.ts';
import { WsPeer } from '../websocket/ws-peer.ts';
import type { Application } from './application.ts';

const PATH = '/chat';
/** The fault that a broken room applies to every third message. */
export type ChatFault = 'loses' | 'changes' | 'delays' | 'closes';

const DELAY_MS = 2000;

/** Starts the demo's chat room. @param fault what the room does wrong; null for nothing */
export async function startChat(fault: ChatFault | null = null): Promise<Application> {
  const [port = 0] = await freePorts(1);
  const room = new TestRoom(fault);
  const backend = await Backend.listen(room, { kind: 'tcp', host: '127.0.0.1', port });
  return {
    name: 'chat',
    address: backend.endpoint,
    path: PATH,
    converse,
    forget: () => room.forget(),
    close: () => backend.close(),
  };
}

/** One member says three things, and hears them. Others may be in the room. */
async function converse(address: string): Promise<void> {
  const member = await WsPeer.connect(`ws://${address}${PATH}`);
  const hear = async (isWanted: (message: ToMember) => boolean): Promise<ToMember> => {
    for (;;) {
      const message = JSON.parse((await member.messages.next()).data.toString()) as ToMember;
      if (isWanted(message)) return message;
    }
  };
  const welcome = await hear(({ type }) => type === 'welcome');
  assert.ok(welcome.type === 'welcome');
  member.socket.send(JSON.stringify({ type: 'hello', name: 'Ada' }));
  await hear((message) => message.type === 'joined' && message.by === welcome.by);
  for (const text of ['Good morning', 'Grüße aus Köln 👋', 'That is all']) {
    member.socket.send(JSON.stringify({ type: 'say', text }));
    await hear((message) => message.type === 'said' && message.by === welcome.by && message.text === text);
  }
  member.socket.close(1000, 'bye');
  assert.equal((await member.closed()).code, 1000);
}

class TestRoom implements DemoApp {
  readonly name: string;
  readonly description: string;
  readonly maxMessageSize: number;
  readonly subprotocol: string | null;
  readonly #fault: ChatFault | null;
  #room = new ChatRoom();

  constructor(fault: ChatFault | null) {
    this.#fault = fault;
    ({
      name: this.name,
      description: this.description,
      maxMessageSize: this.maxMessageSize,
      subprotocol: this.subprotocol,
    } = this.#room);
  }

  /** Replaces the room by an empty one. */
  forget(): void {
    this.#room = new ChatRoom();
  }

  connect(socket: WebSocket, carriers: Carriers): void {
    const send = socket.send.bind(socket) as (json: string) => void;
    let said = 0;
    const sendWrongly = (json: string): void => {
      if (!json.includes('"type":"said"') || ++said % 3 !== 0) send(json);
      else if (this.#fault === 'changes') send(json.replace('"text":"', '"text":"not '));
      else if (this.#fault === 'closes') socket.close(1011, 'broken');
      else if (this.#fault === 'delays')
        setTimeout(() => {
          if (socket.readyState === socket.OPEN) send(json);
        }, DELAY_MS).unref();
    };
    if (this.#fault !== null) socket.send = sendWrongly as typeof socket.send;
    this.#room.connect(socket, carriers);
  }
}

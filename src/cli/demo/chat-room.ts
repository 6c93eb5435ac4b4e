import type { WebSocket } from 'ws';
import type { Carriers, DemoApp } from './backend.ts';
import { readMessage } from './chat-message.ts';
import type { FromMember, Said, ToMember } from './chat-message.ts';
import { RateLimit } from './rate-limit.ts';

const MAX_MEMBERS = 1000;
const MAX_HISTORY = 50;
const MAX_MESSAGES = 20;
const WINDOW_MS = 5000;
/** Max consecutive refused messages before the member is disconnected. */
const MAX_REFUSED = 100;
/** Max bytes buffered for a member before it is disconnected. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const CLOSE_GRACE_MS = 2000;

/**
 * A chat room that all endpoints of a cluster share.
 *
 * A client that connects gets a welcome and the last messages. Its first hello or say makes it a member and
 * notifies the others. The messages are in chat-message.ts.
 */
export class ChatRoom implements DemoApp {
  readonly name = 'chat room';
  readonly description =
    'Open a WebSocket and send {"type":"hello","name":"Ada"} and {"type":"say","text":"Hello"}.';
  readonly maxMessageSize = 4 * 1024;
  readonly subprotocol = null;
  readonly #members = new Set<Member>();
  readonly #history: Said[] = [];
  readonly #started = Date.now().toString(36);
  #lastMember = 0;
  #lastMessage = 0;

  connect(socket: WebSocket, carriers: Carriers): void {
    if (this.#members.size >= MAX_MEMBERS) {
      socket.close(1013, 'the room is full');
      return;
    }
    const member = new Member(socket, carriers.endpoint, ++this.#lastMember);
    this.#members.add(member);
    socket.on('message', (data, isBinary) =>
      this.#receive(member, isBinary ? null : (data as Buffer).toString()),
    );
    socket.once('close', () => this.#leave(member));
    const { by, name } = member;
    member.say({ type: 'welcome', by, name, ...carriers, present: this.#present() });
    for (const said of this.#history) member.say(said);
  }

  #receive(member: Member, text: string | null): void {
    if (!member.mayTalk()) return;
    const message = text === null ? 'Messages are text.' : readMessage(text);
    if (typeof message === 'string') {
      member.say({ type: 'error', text: message });
      return;
    }
    this.#introduce(member, message);
    if (message.type === 'say') this.#passOn(member, message.text);
  }

  /** Notifies the others of a new member, or of a member's new name. */
  #introduce(member: Member, message: FromMember): void {
    const { by, endpoint, name: from } = member;
    if (message.type === 'hello') member.name = message.name;
    const { name } = member;
    if (!member.present) {
      member.present = true;
      this.#broadcast({ type: 'joined', by, name, endpoint, present: this.#present() });
    } else if (name !== from) {
      this.#broadcast({ type: 'renamed', by, from, name, present: this.#present() });
    }
  }

  #passOn({ by, name: from, endpoint }: Member, text: string): void {
    const id = `${this.#started}-${++this.#lastMessage}`;
    const said: Said = { type: 'said', id, by, from, endpoint, text, at: Date.now() };
    this.#history.push(said);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
    this.#broadcast(said);
  }

  #leave(member: Member): void {
    this.#members.delete(member);
    if (!member.present) return;
    this.#broadcast({ type: 'left', by: member.by, name: member.name, present: this.#present() });
  }

  #present(): number {
    let present = 0;
    for (const member of this.#members) if (member.present) present++;
    return present;
  }

  #broadcast(message: ToMember): void {
    const json = JSON.stringify(message);
    for (const member of this.#members) member.send(json);
  }
}

/** One WebSocket in the room. */
class Member {
  readonly endpoint: string;
  readonly by: number;
  name: string;
  present = false;
  readonly #socket: WebSocket;
  readonly #limit = new RateLimit(MAX_MESSAGES, WINDOW_MS);
  #refused = 0;

  constructor(socket: WebSocket, endpoint: string, by: number) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.by = by;
    this.name = `guest ${by}`;
  }

  /**
   * Counts a message of the member. The first message over the limit gets a notice; many of them close the
   * connection.
   */
  mayTalk(): boolean {
    if (this.#limit.allow(performance.now())) {
      this.#refused = 0;
      return true;
    }
    if (++this.#refused === 1) {
      const text = `Not so fast, please: ${MAX_MESSAGES} messages in ${WINDOW_MS / 1000} seconds. The last one was not passed on.`;
      this.say({ type: 'notice', text });
    } else if (this.#refused > MAX_REFUSED) {
      this.#close(1008, 'too many messages');
    }
    return false;
  }

  say(message: ToMember): void {
    this.send(JSON.stringify(message));
  }

  send(json: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.#close(1013, 'reading too slowly');
    else this.#socket.send(json);
  }

  /** Closes the connection. A client that does not answer soon is cut, and its buffered messages are lost. */
  #close(code: number, reason: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.close(code, reason);
    const deadline = setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS);
    this.#socket.once('close', () => clearTimeout(deadline));
  }
}

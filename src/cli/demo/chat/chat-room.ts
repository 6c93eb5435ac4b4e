import type { WebSocket } from 'ws';
import type { Carriers, DemoApp } from '../backend.ts';
import { Client } from '../client.ts';
import { readMessage } from './chat-message.ts';
import type { FromMember, Said, ToMember } from './chat-message.ts';

const MAX_MEMBERS = 1000;
const MAX_HISTORY = 50;
const MAX_MESSAGES = 20;
const WINDOW_MS = 5000;

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
    member.listen(
      (text) => this.#receive(member, text),
      () => member.say({ type: 'notice', text: member.limitNotice }),
    );
    socket.once('close', () => this.#leave(member));
    const { by, name } = member;
    member.say({ type: 'welcome', by, name, ...carriers, present: this.#present() });
    for (const said of this.#history) member.say(said);
  }

  #receive(member: Member, text: string | null): void {
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

/** One client of the room. */
class Member extends Client {
  readonly by: number;
  name: string;
  present = false;

  constructor(socket: WebSocket, endpoint: string, by: number) {
    super(socket, endpoint, { messages: MAX_MESSAGES, windowMs: WINDOW_MS });
    this.by = by;
    this.name = `guest ${by}`;
  }

  say(message: ToMember): void {
    this.send(JSON.stringify(message));
  }
}

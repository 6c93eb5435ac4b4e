import type { WebSocket } from 'ws';
import type { Carriers, DemoApp } from '../backend.ts';
import { Client } from '../client.ts';
import { Arena, COIN_RADIUS, GOAL, HEIGHT, PLAYER_RADIUS, WIDTH } from './arena.ts';
import { readMessage } from './game-message.ts';
import type { FromClient, ToClient } from './game-message.ts';

const MAX_CLIENTS = 200;
const MAX_PLAYERS = 32;
const MAX_MESSAGES = 120;
const WINDOW_MS = 2000;
const TICK_MS = 50;
const ROSTER_MS = 100;
/** A player that nobody steers leaves the arena after this time. */
const IDLE_MS = 60_000;

/**
 * A game that all endpoints of a cluster share. The server moves the players and counts the coins: clients only
 * say where they want to go.
 *
 * A client watches until it steers. The messages are in game-message.ts.
 */
export class Game implements DemoApp {
  readonly name = 'game';
  readonly description =
    'Open a WebSocket, send {"type":"go","x":500,"y":300}, and see all players move 20 times a second.';
  readonly maxMessageSize = 256;
  readonly subprotocol = null;
  readonly #clients = new Map<number, Gamer>();
  readonly #arena = new Arena();
  #timer: NodeJS.Timeout | null = null;
  #rosterTimer: NodeJS.Timeout | null = null;
  #lastId = 0;

  connect(socket: WebSocket, { endpoint }: Carriers): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      socket.close(1013, 'the game is full');
      return;
    }
    const gamer = new Gamer(socket, endpoint, ++this.#lastId);
    this.#clients.set(gamer.id, gamer);
    gamer.listen(
      (text) => this.#receive(gamer, text),
      () => gamer.tell({ type: 'notice', text: gamer.limitNotice }),
    );
    socket.once('close', () => this.#leave(gamer));
    gamer.tell({
      type: 'welcome',
      id: gamer.id,
      endpoint,
      width: WIDTH,
      height: HEIGHT,
      playerRadius: PLAYER_RADIUS,
      coinRadius: COIN_RADIUS,
      goal: GOAL,
    });
    gamer.tell(this.#state());
    this.#announceRoster();
  }

  #receive(gamer: Gamer, text: string | null): void {
    const message = text === null ? 'Messages are text.' : readMessage(text);
    if (typeof message === 'string') gamer.tell({ type: 'error', text: message });
    else if (message.type === 'hello') this.#rename(gamer, message.name);
    else this.#play(gamer, message);
  }

  #rename(gamer: Gamer, name: string): void {
    gamer.name = name;
    if (gamer.plays) this.#announceRoster();
  }

  #play(gamer: Gamer, { type, x, y }: Exclude<FromClient, { type: 'hello' }>): void {
    if (!gamer.plays) {
      if (this.#arena.players.length >= MAX_PLAYERS) {
        gamer.tell({ type: 'notice', text: `The arena is full: ${MAX_PLAYERS} play now.` });
        return;
      }
      gamer.plays = true;
      this.#arena.add(gamer.id);
      this.#announceRoster();
      this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    }
    gamer.steeredAt = performance.now();
    this.#arena[type](gamer.id, x, y);
  }

  #tick(): void {
    const winner = this.#arena.step(TICK_MS / 1000);
    const state = JSON.stringify(this.#state());
    for (const client of this.#clients.values()) client.sendSnapshot(state);
    if (winner !== null) {
      const { id } = winner;
      this.#broadcast({ type: 'won', id, name: this.#clients.get(id)?.name ?? '' });
    }
    const now = performance.now();
    for (const client of this.#clients.values()) {
      if (client.plays && now - client.steeredAt > IDLE_MS) this.#retire(client);
    }
  }

  #retire(gamer: Gamer): void {
    this.#remove(gamer);
    gamer.tell({ type: 'idle' });
    this.#announceRoster();
  }

  #leave(gamer: Gamer): void {
    this.#clients.delete(gamer.id);
    this.#remove(gamer);
    this.#announceRoster();
  }

  /** Takes a player out of the arena. Time stops with the last one. */
  #remove(gamer: Gamer): void {
    if (!gamer.plays) return;
    gamer.plays = false;
    this.#arena.remove(gamer.id);
    if (this.#arena.players.length > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#broadcast(this.#state());
  }

  #state(): ToClient {
    const { players, coins } = this.#arena;
    return {
      type: 'state',
      players: players.map(({ id, x, y, score }) => [id, Math.round(x), Math.round(y), score]),
      coins: coins.map(({ id, x, y, value }) => [id, Math.round(x), Math.round(y), value]),
    };
  }

  /** Announces a change of the roster soon, together with others: a change is cheap, and each client gets it. */
  #announceRoster(): void {
    this.#rosterTimer ??= setTimeout(() => {
      this.#rosterTimer = null;
      this.#broadcast(this.#roster());
    }, ROSTER_MS);
  }

  #roster(): ToClient {
    const players = [...this.#clients.values()].filter(({ plays }) => plays);
    return {
      type: 'roster',
      players: players.map(({ id, name, endpoint }) => ({ id, name, endpoint })),
      watchers: this.#clients.size - players.length,
    };
  }

  #broadcast(message: ToClient): void {
    const json = JSON.stringify(message);
    for (const client of this.#clients.values()) client.send(json);
  }
}

/** One client of the game. */
class Gamer extends Client {
  readonly id: number;
  name: string;
  plays = false;
  /** Monotonic milliseconds. */
  steeredAt = 0;

  constructor(socket: WebSocket, endpoint: string, id: number) {
    super(socket, endpoint, { messages: MAX_MESSAGES, windowMs: WINDOW_MS });
    this.id = id;
    this.name = `guest ${id}`;
  }

  tell(message: ToClient): void {
    this.send(JSON.stringify(message));
  }
}
